//! Worktrees: creation, clean-up that never loses work, restore.

use crate::{RepoId, SalvageId, Timestamp, wire};

wire! {
    /// Body of `worktree_create`.
    #[serde(deny_unknown_fields)]
    pub struct WorktreeCreate {
        /// The base repo.
        pub base: RepoId,
        /// Branch to create or check out.
        pub branch: String,
        /// Where a new branch starts; `origin/<default>` when absent, else HEAD with a note.
        #[serde(default)]
        pub start_point: Option<String>,
        /// Do not run the base repo's set-up commands.
        #[serde(default)]
        pub skip_setup: bool,
    }
}

wire! {
    /// Body of `worktree_cleanup`.
    #[serde(deny_unknown_fields)]
    pub struct WorktreeCleanup {
        /// Also delete the branch.
        #[serde(default)]
        pub delete_branch: bool,
        /// Kinds of unsaved work that may be dropped (kept in a salvage bundle for 30 days).
        #[serde(default)]
        pub drop: Vec<String>,
        /// Only say what would happen.
        #[serde(default)]
        pub dry_run: bool,
    }
}

wire! {
    /// What removing a worktree or repo does, or would do.
    pub struct RemovalReport {
        /// The worktree or repo.
        pub repo: RepoId,
        /// Whether it is gone now.
        pub removed: bool,
        /// Work that exists nowhere else.
        pub unsaved: Vec<Unsaved>,
        /// What was kept of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub salvage: Option<Salvage>,
        /// Where tickets, context and runs were archived to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub archive: Option<String>,
    }
}

wire! {
    /// Work that exists nowhere else.
    pub struct Unsaved {
        /// Stable word of the kind, for `--drop`.
        pub kind: String,
        /// One line for people.
        pub detail: String,
        /// How many files or commits.
        pub count: u64,
        /// Some of them.
        pub sample: Vec<String>,
    }
}

wire! {
    /// What was kept of something removed.
    pub struct Salvage {
        /// Its id, for `car salvage restore`.
        pub id: SalvageId,
        /// The worktree or repo it was.
        pub repo: RepoId,
        /// The base repo of a worktree.
        pub worktree_of: Option<RepoId>,
        /// The branch it was on.
        pub branch: Option<String>,
        /// Directory of the bundle, relative to the hub's root.
        pub path: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// Until when it is kept at least.
        pub keep_until: Timestamp,
        /// Size on disk in bytes.
        pub bytes: u64,
    }
}
