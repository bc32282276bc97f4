//! What agents have used: tokens, time and money, counted by day, repo, agent, model, run or thread.

use crate::{RepoId, item::Usage, money::Cost, wire, words};

words! {
    /// What a row of a usage report stands for.
    pub enum UsageBy {
        /// A day.
        Day = "day",
        /// A repo or worktree.
        Repo = "repo",
        /// An agent.
        Agent = "agent",
        /// A model of an agent.
        Model = "model",
        /// A run; what threads used is left out.
        Run = "run",
        /// A thread; what runs used is left out.
        Thread = "thread",
    }
}

wire! {
    /// What turns that have ended used.
    #[derive(Copy, Default)]
    pub struct Used {
        /// Turns, of runs and of threads.
        pub turns: u64,
        /// Runs they belong to.
        pub runs: u64,
        /// Tokens.
        pub usage: Usage,
        /// Milliseconds agents were at work.
        pub active_ms: i64,
        /// What it cost, as far as prices were known when the turns ended.
        pub cost: Cost,
    }
}

wire! {
    /// One row of a usage report.
    pub struct UsageRow {
        /// The day (`2026-03-01`), or the id of what it stands for. Absent for what has none:
        /// threads of the hub itself have no repo, and not every agent names its model.
        pub key: Option<String>,
        /// The name for people, where there is one besides the id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// The repo or worktree a run or thread belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub repo: Option<RepoId>,
        /// What was used.
        pub used: Used,
    }
}

wire! {
    /// What agents have used.
    pub struct UsageReport {
        /// What a row stands for.
        pub by: UsageBy,
        /// The rows: days oldest first, everything else with the most tokens first.
        pub rows: Vec<UsageRow>,
        /// How many rows were left off because of `limit`.
        pub left_off: u64,
        /// All rows together, those that were left off included.
        pub total: Used,
        /// The word for the hub's money; absent when no prices are set.
        pub currency: Option<String>,
    }
}
