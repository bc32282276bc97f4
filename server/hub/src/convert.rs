//! What the crates below say, in words for the caller.

use car_api::{Code, problem::Versioned, worktree::Unsaved};
use car_files::{
    FileError, Reason,
    atomic::WriteError,
    dispatches::MessageFailure,
    hub_root::{LoadError, LockError},
    tickets::ChangeError,
};
use car_git::GitError;

use crate::Error;

impl From<car_store::Error> for Error {
    fn from(error: car_store::Error) -> Self {
        match &error {
            car_store::Error::DiskFull => Self::new(
                Code::DiskFull,
                "The disk of the hub's database is full; free some space.",
            ),
            car_store::Error::Busy => {
                Self::new(Code::Unavailable, "The database is held by somebody else; try again.")
            }
            car_store::Error::Closed => Self::new(Code::Unavailable, "The hub is shutting down."),
            car_store::Error::Conflict => Self::new(Code::AlreadyExists, "It exists already."),
            car_store::Error::TooNew { .. }
            | car_store::Error::Damaged(_)
            | car_store::Error::NoSpace { .. } => {
                Self::new(Code::Storage, error.to_string()).with_source(error)
            }
            car_store::Error::Corrupt { .. }
            | car_store::Error::Database(_)
            | car_store::Error::Migrate(_) => Self::internal(error),
        }
    }
}

impl From<GitError> for Error {
    fn from(error: GitError) -> Self {
        let detail = error.to_string();
        match error {
            GitError::WouldLose { unsaved } => {
                let mut error = Self::new(Code::WouldLoseWork, detail);
                error.unsaved = unsaved.into_iter().map(unsaved_work).collect();
                error
            }
            GitError::NotFound { .. } => Self::new(Code::NotFound, detail),
            GitError::Refused { .. } | GitError::NotARepo { .. } => {
                Self::new(Code::GitState, detail)
            }
            GitError::NoGit { .. }
            | GitError::Timeout { .. }
            | GitError::Cancelled { .. }
            | GitError::TooMuchOutput { .. }
            | GitError::Unreadable { .. }
            | GitError::Failed { .. }
            | GitError::Io { .. } => Self::new(Code::GitFailed, detail),
        }
    }
}

/// Work that would be lost, in the contract's words.
pub(crate) fn unsaved_work(unsaved: car_git::Unsaved) -> Unsaved {
    Unsaved {
        kind: unsaved.kind.name().to_owned(),
        detail: unsaved.line,
        count: u64::try_from(unsaved.count).unwrap_or(u64::MAX),
        sample: unsaved.sample,
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        let code = match &error.reason {
            Reason::NotFound => Code::NotFound,
            Reason::Exists => Code::AlreadyExists,
            Reason::TooLarge { .. } => Code::TooLarge,
            Reason::Malformed(_) => Code::BadRequest,
            Reason::Symlink
            | Reason::Outside
            | Reason::Directory
            | Reason::NotDirectory
            | Reason::Fifo
            | Reason::Socket
            | Reason::Device
            | Reason::Linked
            | Reason::Denied
            | Reason::Changed
            | Reason::Busy
            | Reason::System(_) => Code::Storage,
        };
        Self::new(code, error.to_string()).with_source(error)
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Conflict { current } => {
                let detail = "It changed since it was read. Carry your change over to `current` and \
                              send it again with its `etag` as `If-Match`.";
                let mut error = Self::new(Code::Stale, detail);
                error.current = current.map(|content| Versioned {
                    content: String::from_utf8_lossy(&content.bytes).into_owned(),
                    etag: content.hash.to_string(),
                });
                error
            }
            WriteError::File(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Error {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Write(error) => error.into(),
            ChangeError::NumberTaken { .. } => Self::new(Code::AlreadyExists, error.to_string()),
            ChangeError::Edit(_) | ChangeError::Plan(_) => {
                Self::new(Code::BadRequest, error.to_string())
            }
        }
    }
}

impl From<MessageFailure> for Error {
    fn from(error: MessageFailure) -> Self {
        match error {
            MessageFailure::File(error) => error.into(),
            MessageFailure::Message(error) => Self::bad_request(error.to_string()),
        }
    }
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::File(error) => error.into(),
            LoadError::Manifest { .. } => Self::new(Code::Storage, error.to_string()),
        }
    }
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held(_) => Self::new(Code::Unavailable, error.to_string()),
            LockError::File(error) => error.into(),
        }
    }
}
