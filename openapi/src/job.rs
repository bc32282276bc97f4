//! Jobs: long operations with progress.

use crate::{JobId, RepoId, Timestamp, problem::Problem, wire, words};

wire! {
    /// One long operation.
    pub struct Job {
        /// Its id.
        pub id: JobId,
        /// What it does.
        pub kind: JobKind,
        /// The repo or worktree it makes or changes.
        pub repo: Option<RepoId>,
        /// How it stands.
        pub status: JobStatus,
        /// What it is at, for people; once it has ended well, `done` or a note on how it went.
        pub phase: String,
        /// Percent done, 0 to 100, when it can be told.
        pub percent: Option<u8>,
        /// What went wrong.
        pub problem: Option<Problem>,
        /// When it was asked for.
        pub created_at: Timestamp,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
    }
}

words! {
    /// What a job does.
    pub enum JobKind {
        /// Clones a repo.
        Clone = "clone",
        /// Creates a worktree and runs its set-up commands.
        WorktreeCreate = "worktree_create",
        /// Removes a worktree.
        WorktreeCleanup = "worktree_cleanup",
        /// Brings a removed worktree or repo back.
        Restore = "restore",
        /// Removes a repo.
        RepoRemove = "repo_remove",
        /// Makes a backup of the hub.
        Backup = "backup",
    }
}

words! {
    /// How a job stands.
    pub enum JobStatus {
        /// At work.
        Running = "running",
        /// Ended well.
        Completed = "completed",
        /// Ended badly; the problem says why.
        Failed = "failed",
        /// Ended because somebody asked for it.
        Cancelled = "cancelled",
    }
}
