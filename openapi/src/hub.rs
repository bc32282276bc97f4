//! The hub itself.

use crate::{
    RepoId, RunId, Timestamp,
    audit::AuditHead,
    backup::RestoreReport,
    budget::DayLine,
    inbox::InboxItem,
    item::RateLimit,
    repo::TicketCounts,
    run::{Owner, RunStatus},
    wire,
};

wire! {
    /// What this hub is.
    pub struct HubInfo {
        /// Version of the hub's program.
        pub version: String,
        /// Random id of this hub, made when its database was.
        pub instance: String,
        /// The hub's root directory.
        pub root: String,
        /// When this process began.
        pub started_at: Timestamp,
        /// The log's epoch; another one after the hub's database was restored.
        #[serde(default)]
        pub epoch: String,
        /// Number of the newest event.
        pub last_seq: i64,
        /// Number of the oldest event that is kept.
        #[serde(default)]
        pub oldest_seq: i64,
        /// How many runs may have an agent at once.
        pub max_parallel_runs: u32,
        /// Where the process answers.
        pub url: String,
        /// When the newest backup in the hub's backup directory was made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub backup_at: Option<Timestamp>,
        /// What a restore gave that nobody has confirmed yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub restore: Option<RestoreReport>,
        /// The end of the audit chain.
        #[serde(default)]
        pub audit: AuditHead,
        /// The word for the hub's money; absent when no prices are set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub currency: Option<String>,
    }
}

wire! {
    /// What wants attention, small enough for an agent or a phone.
    pub struct HubSnapshot {
        /// The event number it is true at: go on with `event_list` from there.
        pub as_of: i64,
        /// The log's epoch: follow the events after `<epoch>-<as_of>`.
        #[serde(default)]
        pub epoch: String,
        /// The end of the audit chain; a client that keeps it finds out when history changed.
        #[serde(default)]
        pub audit: AuditHead,
        /// When it was made.
        pub at: Timestamp,
        /// What waits for a person, the most pressing first: the first 20 of the inbox, without
        /// their bodies.
        pub attention: Vec<InboxItem>,
        /// How many things wait for a person.
        pub attention_total: u64,
        /// Runs that have not ended, those that wait for a person first, at most 50.
        pub runs: Vec<RunLine>,
        /// How much there is.
        pub counts: HubCounts,
        /// Accounts of agents that reported a quota or have none left.
        pub accounts: Vec<AccountLine>,
        /// How the day stands against its budget, when it has one; not for limited credentials.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub today: Option<DayLine>,
    }
}

wire! {
    /// A run that has not ended, in one line.
    pub struct RunLine {
        /// Its id.
        pub id: RunId,
        /// The repo or worktree whose queue it works.
        pub repo: RepoId,
        /// How it stands.
        pub status: RunStatus,
        /// Why it stands so.
        pub explain: String,
        /// Who acts next.
        pub owner: Owner,
        /// When that happens, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub next_at: Option<Timestamp>,
        /// The ticket it is at, by number and title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ticket: Option<String>,
        /// Tickets of its queue.
        pub tickets: TicketCounts,
        /// Turns spent so far.
        pub turns: u32,
        /// Tokens used so far.
        pub tokens: i64,
        /// When it was asked for.
        pub created_at: Timestamp,
    }
}

wire! {
    /// How much there is in the hub.
    #[derive(Default)]
    pub struct HubCounts {
        /// Base repos.
        pub repos: u64,
        /// Worktrees.
        pub worktrees: u64,
        /// Tickets of all queues.
        pub tickets: TicketCounts,
        /// Runs that wait for a slot.
        pub pending: u64,
        /// Runs at work.
        pub running: u64,
        /// Runs that wait for a person.
        pub paused: u64,
        /// Runs that wait for a quota.
        pub parked: u64,
        /// Jobs at work.
        pub jobs: u64,
    }
}

wire! {
    /// What is known of the quota of an agent's account.
    pub struct AccountLine {
        /// The account, as the agent names it.
        pub account: String,
        /// No turn of it begins before then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_until: Option<Timestamp>,
        /// Its windows as last reported.
        pub limits: Vec<RateLimit>,
    }
}

wire! {
    /// Whether the hub can work.
    pub struct Readiness {
        /// Whether every check passed.
        pub ready: bool,
        /// What was looked at.
        pub checks: Vec<Check>,
    }
}

wire! {
    /// One thing that was looked at.
    pub struct Check {
        /// Stable word of it.
        pub name: String,
        /// Whether it is as it must be.
        pub ok: bool,
        /// What was found, in one line.
        pub detail: String,
    }
}
