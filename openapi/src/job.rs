//! Jobs: long operations with progress.

use crate::{
    JobId, RepoId, Timestamp,
    problem::Problem,
    repo::Repo,
    template::TemplateSource,
    verify::{CommandResult, Verdict},
    wire, words,
};

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
        /// Percent of this phase done, 0 to 100, when it can be told.
        pub percent: Option<u8>,
        /// Bytes received so far, when something is received.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub bytes: Option<u64>,
        /// Whether somebody asked it to end; it ends once it has cleaned up.
        #[serde(default)]
        pub cancelling: bool,
        /// What it made, once it has ended well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub result: Option<JobResult>,
        /// What went wrong.
        pub problem: Option<Problem>,
        /// When it was asked for.
        pub created_at: Timestamp,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
    }
}

wire! {
    /// What a job made.
    #[serde(tag = "type")]
    pub enum JobResult {
        /// A repo or worktree.
        Repo {
            /// As it was when the job ended.
            repo: Box<Repo>,
        },
        /// What the commands of a ticket gave on the tree as it is. It is no evidence: a run checks
        /// for itself.
        Checked {
            /// What came of it.
            verdict: Verdict,
            /// What was run, until one failed.
            commands: Vec<CommandResult>,
        },
        /// A source of templates was fetched.
        Templates {
            /// As it was when the job ended.
            source: Box<TemplateSource>,
        },
    }
}

wire! {
    /// One line of a job's log.
    pub struct JobLine {
        /// Its number within the job, from 1.
        pub seq: u32,
        /// When it was said.
        pub at: Timestamp,
        /// The text; very long lines are cut.
        pub line: String,
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
        /// Brings a repo or worktree up to what its remote has.
        Sync = "sync",
        /// Runs the commands that prove a ticket.
        Verify = "verify",
        /// Fetches a source of templates.
        TemplateSync = "template_sync",
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
        /// Ended because somebody asked for it; what it had begun was cleaned up.
        Cancelled = "cancelled",
    }
}
