//! Repos and worktrees of the hub, as the manifest and git tell.

use crate::{RepoId, RunId, run::RunStatus, wire, words};

wire! {
    /// One repo or worktree of the hub.
    pub struct Repo {
        /// Its id in the manifest.
        pub id: RepoId,
        /// Its name for people.
        pub name: String,
        /// Directory relative to the hub's root, with `/`.
        pub path: String,
        /// Base repo or worktree.
        pub kind: RepoKind,
        /// The base repo of a worktree.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub worktree_of: Option<RepoId>,
        /// The branch checked out when it was last looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub branch: Option<String>,
        /// Where it stands.
        pub status: RepoStatus,
        /// Tickets of its queue.
        pub tickets: TicketCounts,
        /// The latest run of its queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<RunBrief>,
        /// What is wrong with its entry or directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub issue: Option<String>,
    }
}

words! {
    /// Base repo or worktree.
    pub enum RepoKind {
        /// A repo of its own.
        Base = "base",
        /// A linked worktree of a base repo.
        Worktree = "worktree",
    }
}

words! {
    /// Where a repo stands.
    pub enum RepoStatus {
        /// Its directory has no `.codex-autorunner/tickets`.
        Uninitialized = "uninitialized",
        /// Ready.
        Ready = "ready",
        /// Its directory is gone.
        Missing = "missing",
        /// Its manifest entry cannot be used.
        Invalid = "invalid",
    }
}

/// How many tickets a queue has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TicketCounts {
    /// All files of the queue.
    pub total: u64,
    /// Those that say done.
    pub done: u64,
    /// Those with errors.
    pub invalid: u64,
}

wire! {
    /// A run in one line.
    pub struct RunBrief {
        /// Its id.
        pub id: RunId,
        /// How it stands.
        pub status: RunStatus,
        /// Why it stands so and what happens next.
        pub explain: String,
    }
}

wire! {
    /// How a repo or worktree stands in git, asked of git at the moment.
    pub struct RepoGit {
        /// The branch; absent when HEAD names a commit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub branch: Option<String>,
        /// The commit; absent before the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub head: Option<String>,
        /// What `ahead` and `behind` are counted from: what the branch follows, else the repo's
        /// default branch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub against: Option<String>,
        /// Commits that are not there, counted up to 1,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ahead: Option<u32>,
        /// Commits that are only there, counted up to 1,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub behind: Option<u32>,
        /// Tracked files that differ from the commit; CAR's own are left out.
        pub changed: u64,
        /// Files that are not tracked and not ignored; CAR's own are left out.
        pub untracked: u64,
        /// Files in conflict.
        pub conflicts: u64,
        /// What was begun and not ended, such as `merge`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub operation: Option<String>,
        /// The newest commits, at most ten.
        pub commits: Vec<RepoCommit>,
    }
}

wire! {
    /// One commit.
    pub struct RepoCommit {
        /// Its hash.
        pub id: String,
        /// First line of its message.
        pub subject: String,
        /// Who wrote it.
        pub author: String,
        /// When it was made.
        pub at: crate::Timestamp,
    }
}

wire! {
    /// Body of `repo_create`.
    #[serde(deny_unknown_fields)]
    pub struct RepoCreate {
        /// Id; other characters than letters, digits, `.`, `_`, `-` become `-`.
        #[cfg_attr(feature = "schema", schema(min_length = 1))]
        pub id: String,
        /// Directory relative to the hub's root; the id when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(min_length = 1))]
        pub path: Option<String>,
        /// Take an existing directory.
        #[serde(default)]
        pub force: bool,
    }
}

wire! {
    /// Body of `repo_clone`.
    #[serde(deny_unknown_fields)]
    pub struct RepoClone {
        /// What git can clone: an URL or an absolute path.
        #[cfg_attr(feature = "schema", schema(min_length = 1))]
        pub url: String,
        /// Id; the last part of the URL when absent.
        #[serde(default)]
        pub id: Option<String>,
    }
}

wire! {
    /// Body of `repo_remove`.
    #[serde(deny_unknown_fields)]
    pub struct RepoRemove {
        /// Also delete the directory; else only the manifest's entry goes.
        #[serde(default)]
        pub delete_dir: bool,
        /// Kinds of unsaved work that may be dropped (kept in a salvage bundle for 30 days).
        #[serde(default)]
        pub drop: Vec<String>,
        /// Only say what would happen.
        #[serde(default)]
        pub dry_run: bool,
    }
}

wire! {
    /// What a scan of the hub's directories found.
    pub struct ScanReport {
        /// Ids that are new.
        pub added: Vec<RepoId>,
        /// Ids whose directory is gone.
        pub missing: Vec<RepoId>,
        /// Entries and directories that could not be taken, and why.
        pub issues: Vec<String>,
        /// How many repos and worktrees the hub has now.
        pub total: u64,
    }
}

wire! {
    /// Body of `repo_update`: what is absent stays as it is.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct RepoPatch {
        /// Name for people; `null` for the id.
        #[serde(default, deserialize_with = "crate::merge::named", skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"))]
        pub name: Option<Option<String>>,
    }
}

wire! {
    /// The commands that prepare a new worktree of a base repo.
    pub struct Setup {
        /// Shell commands, run in order in the new worktree; the first that fails ends the rest.
        pub commands: Vec<String>,
        /// Their version, for `If-Match`.
        pub etag: String,
    }
}

wire! {
    /// Body of `repo_setup_update`.
    #[serde(deny_unknown_fields)]
    pub struct SetupUpdate {
        /// Shell commands, run in order in the new worktree; the first that fails ends the rest.
        pub commands: Vec<String>,
    }
}
