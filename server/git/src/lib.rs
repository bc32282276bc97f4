//! Git by subprocess, with typed answers.
//!
//! What this crate does not know: tickets, runs, worktree naming, or any other type of the hub. It
//! never executes anything a repository configures (hooks, filters, fsmonitor, pagers, helpers …),
//! and it never deletes work that exists nowhere else unless the caller names the kind to drop, in
//! which case the work is salvaged first.
//!
//! Everything goes through one door, [`Git::at`]:
//!
//! ```no_run
//! # async fn example() -> Result<(), car_git::GitError> {
//! let status = car_git::Git::at("/srv/demo").status().await?;
//! # let _ = status.is_clean(); Ok(()) }
//! ```

mod call;
mod commit;
mod diff;
mod error;
mod fingerprint;
mod forward;
mod history;
mod layout;
mod lock;
mod mirror;
mod network;
mod oid;
mod patch;
mod pattern;
mod process;
mod progress;
mod remove;
mod restore;
mod salvage;
mod sections;
mod status;
mod unsaved;
mod version;
mod worktree;

pub use call::Git;
pub use commit::Identity;
pub use diff::{DiffStats, DiffText, FileChange, FileStat};
pub use error::GitError;
pub use forward::Forward;
pub use history::Commit;
pub use layout::{Layout, LayoutKind, Operation};
pub use lock::LockState;
pub use mirror::{FetchLimits, Mirror, TreeFile, TreeFileKind};
pub use network::{BranchSource, DefaultBranch, check_url};
pub use oid::Oid;
pub use patch::{LineAt, Patch, PatchLine, added_patch};
pub use pattern::Patterns;
pub use progress::{Phase, Progress, parse_progress};
pub use remove::{RemoveRequest, Removed};
pub use restore::Restored;
pub use salvage::{Archive, SalvageManifest, SavedFile, SavedPath};
pub use status::{Change, Entry, Status, SubmoduleState, parse_status};
pub use unsaved::{Removal, Unsaved, UnsavedKind};
pub use version::version;
pub use worktree::{Added, PruneReport, StartPoint, Worktree, check_branch_name, parse_worktrees};
