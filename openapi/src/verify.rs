//! Verification: what the hub ran to check an agent's claim, and what came of it.

use crate::{TicketId, Timestamp, wire, words};

wire! {
    /// One command the hub runs to check a ticket's claim of being done.
    pub struct VerifyCommand {
        /// Shell command, run by `/bin/sh -c`.
        pub run: String,
        /// Directory it runs in, relative to the tree's root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub dir: Option<String>,
        /// After how many seconds it is ended and counts as failed.
        pub timeout_s: u64,
        /// On which tree it runs.
        pub tree: VerifyTree,
    }
}

words! {
    /// On which tree a verification command runs.
    pub enum VerifyTree {
        /// The working tree itself, after checking that it is clean.
        Worktree = "worktree",
        /// A fresh checkout of the commit.
        Clean = "clean",
    }
}

wire! {
    /// What came of one command.
    pub struct CommandResult {
        /// The command.
        pub command: VerifyCommand,
        /// Its exit code; absent when a signal or the timeout ended it.
        pub exit_code: Option<i32>,
        /// Whether the timeout ended it.
        pub timed_out: bool,
        /// How long it took, in milliseconds.
        pub duration_ms: i64,
        /// The last lines it printed.
        pub tail: String,
        /// Whether it fails on the run's base commit too, when that was tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub fails_on_base: Option<bool>,
    }
}

wire! {
    /// The hub's verdict on one ticket, bound to the tree it holds for.
    pub struct Evidence {
        /// Number of the evidence within its run, from 1.
        pub seq: u32,
        /// The ticket.
        pub ticket: TicketId,
        /// The ticket's file, relative to the tree.
        pub ticket_path: String,
        /// Whether every command passed.
        pub verdict: Verdict,
        /// Commit that was checked.
        pub commit: Option<String>,
        /// Hash of that commit's tree; a later change of the tree makes the verdict stale.
        pub tree: Option<String>,
        /// What was run.
        pub commands: Vec<CommandResult>,
        /// Changed files that are protected, if any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub protected: Vec<String>,
        /// When the hub began.
        pub started_at: Timestamp,
        /// When it had the verdict.
        pub ended_at: Timestamp,
    }
}

words! {
    /// What the hub found when it checked a claim of being done.
    pub enum Verdict {
        /// Every command passed on this tree.
        Passed = "passed",
        /// At least one command failed.
        Failed = "failed",
        /// Only commands that also fail on the base commit failed, and policy allows that.
        PreExisting = "pre_existing",
        /// Protected files were changed; a person decides.
        Protected = "protected",
        /// Nothing was set to be run.
        NotVerified = "not_verified",
    }
}
