//! The files of the contract: tickets, contextspace, dispatches, replies, manifest, run directories.
//!
//! This crate reads and writes them safely and decides nothing. It knows no database, no network,
//! no git command and no async: every function blocks, and callers on a runtime move it to a
//! blocking thread. What agents can write is treated as hostile: nothing is opened through a
//! symlink, nothing but regular files of bounded size is read, and one bad file is an error about
//! that file alone.

pub mod atomic;
pub mod beneath;
pub mod contextspace;
pub mod dispatches;
mod error;
pub mod filebox;
mod hash;
mod history;
pub mod hub_root;
pub mod key_files;
mod lock;
pub mod pma_docs;
pub mod replies;
pub mod run_dir;
mod run_files;
pub mod seed;
pub mod session_dir;
pub mod space;
pub mod thread_dir;
pub mod thread_record;
pub mod tickets;
mod tree_lock;

pub use error::{FileError, Reason};
pub use hash::ContentHash;
pub use tree_lock::TreeLock;

/// The directory in a hub root, repository or worktree that holds everything of CAR.
pub const CAR_DIR: &str = ".codex-autorunner";

/// A file as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What a conditional write must name.
    pub hash: ContentHash,
    /// When it was last changed, in microseconds since 1970.
    pub modified_us: i64,
}
