//! Why a file could not be used.

use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// What went wrong with which file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct FileError {
    /// The file, for a message. Not to be opened again: it may have been replaced.
    pub path: PathBuf,
    /// What went wrong.
    pub reason: Reason,
}

/// What can go wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It does not exist, or vanished while it was looked at.
    #[error("there is no such file")]
    NotFound,
    /// A file of that name exists.
    #[error("a file with this name exists already")]
    Exists,
    /// It is a symlink, or a directory on the way to it is one.
    #[error("replace the symlink by the file itself: symlinks are not followed")]
    Symlink,
    /// The path leaves the directory it belongs to.
    #[error("the path leaves its directory")]
    Outside,
    /// It is a directory.
    #[error("this is a directory, not a file")]
    Directory,
    /// A part of the path is not a directory.
    #[error("a part of the path is not a directory")]
    NotDirectory,
    /// It is a FIFO.
    #[error("remove the named pipe: only regular files are read")]
    Fifo,
    /// It is a socket.
    #[error("remove the socket: only regular files are read")]
    Socket,
    /// It is a device.
    #[error("remove the device file: only regular files are read")]
    Device,
    /// It has other names too, so that its owner may be somebody else.
    #[error("copy the file: it has other names too (hard links), and such files are not read here")]
    Linked,
    /// It is larger than may be read.
    #[error("shorten the file: it has {size} bytes, at most {cap} are read")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        cap: u64,
    },
    /// The hub may not read or write it.
    #[error("allow the hub to read and write the file: permission is denied")]
    Denied,
    /// It kept changing while it was read.
    #[error("the file changed while it was read: try again")]
    Changed,
    /// Somebody else holds the lock for too long.
    #[error("another process is changing this directory: try again")]
    Busy,
    /// The content is not what such a file must have.
    #[error("correct the file: {0}")]
    Malformed(String),
    /// The system says something else: no space, a broken disk.
    #[error("the system reports: {0}")]
    System(String),
}

impl FileError {
    /// An error about `path`.
    #[must_use]
    pub fn new(path: impl AsRef<Path>, reason: Reason) -> Self {
        Self { path: path.as_ref().to_owned(), reason }
    }

    pub(crate) fn errno(path: impl AsRef<Path>, errno: Errno) -> Self {
        Self::new(path, Reason::from(errno))
    }

    pub(crate) fn io(path: impl AsRef<Path>, error: &std::io::Error) -> Self {
        let reason = match error.raw_os_error() {
            Some(number) => Reason::from(Errno::from_raw_os_error(number)),
            None => Reason::System(error.to_string()),
        };
        Self::new(path, reason)
    }

    /// Whether the file is simply not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.reason == Reason::NotFound
    }
}

impl From<Errno> for Reason {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT => Reason::NotFound,
            Errno::EXIST | Errno::NOTEMPTY => Reason::Exists,
            Errno::LOOP => Reason::Symlink,
            Errno::XDEV => Reason::Outside,
            Errno::ISDIR => Reason::Directory,
            Errno::NOTDIR => Reason::NotDirectory,
            Errno::NXIO => Reason::Socket,
            Errno::ACCESS | Errno::PERM | Errno::ROFS => Reason::Denied,
            other => Reason::System(other.to_string()),
        }
    }
}

/// Turns "not found" into `None`.
pub(crate) fn if_found<T>(result: Result<T, FileError>) -> Result<Option<T>, FileError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
