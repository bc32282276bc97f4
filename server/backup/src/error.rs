//! What can go wrong with an archive.

use std::{io, path::PathBuf};

use car_files::FileError;

/// Why an archive was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file to be kept cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The archive is not whole, or was changed after it was written.
    #[error("{}: {detail}", path.display())]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Whoever watched the progress did not want to go on.
    #[error("it was cancelled")]
    Cancelled,
}

/// What an operation on an archive gives.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |error| Self::Io { path, error }
    }

    pub(crate) fn damaged(path: impl Into<PathBuf>, detail: impl ToString) -> Self {
        Self::Damaged { path: path.into(), detail: detail.to_string() }
    }

    /// Whether the disk has no space left.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Io { error, .. } => error.kind() == io::ErrorKind::StorageFull,
            Self::File(_) | Self::Damaged { .. } | Self::Cancelled => false,
        }
    }
}
