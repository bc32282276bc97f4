//! The hub itself.

use crate::{Timestamp, audit::AuditHead, backup::RestoreReport, repo::Repo, run::Run, wire};

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
        pub audit: AuditHead,
    }
}

wire! {
    /// What wants attention, small enough for an agent or a phone.
    pub struct HubSnapshot {
        /// The event number it is true at.
        pub as_of: i64,
        /// The log's epoch: follow the events after `<epoch>-<as_of>`.
        #[serde(default)]
        pub epoch: String,
        /// The end of the audit chain; a client that keeps it finds out when history changed.
        pub audit: AuditHead,
        /// Repos and worktrees that are not idle, at most 50.
        pub repos: Vec<Repo>,
        /// Runs that have not ended, at most 50, those that wait for a person first.
        pub runs: Vec<Run>,
        /// How many repos and worktrees the hub has.
        pub repo_total: u64,
    }
}
