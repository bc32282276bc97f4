//! How much space a file system has.

use std::path::Path;

use crate::error::FileError;

/// Bytes this user can still write where `path` is.
///
/// # Errors
/// [`FileError`] when there is no such path.
pub fn free(path: &Path) -> Result<u64, FileError> {
    let stat = rustix::fs::statvfs(path).map_err(|errno| FileError::errno(path, errno))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
