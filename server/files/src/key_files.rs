//! The files of the hub's signing keys: `.codex-autorunner/keys/`, for their owner only, and in no
//! backup of the database.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::CAR_DIR;
use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::Dir;
use crate::error::{FileError, Reason, if_found};

/// Name of the directory in the hub's own.
const KEYS: &str = "keys";

/// Name of the directory of what is kept as keys are, and signs no token.
const SECRETS: &str = "secrets";

/// Largest key file.
const CAP: u64 = 64 * 1024;

/// The keys of a hub's root: name and content.
///
/// # Errors
/// [`FileError`] when they cannot be read, or others may read them.
pub fn list(root: &Path) -> Result<Vec<(String, Vec<u8>)>, FileError> {
    let Some(dir) = if_found(Dir::open(&place(root)))? else { return Ok(Vec::new()) };
    let mut keys = Vec::new();
    for name in dir.names()? {
        let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".json")) else { continue };
        let path = dir.path_of(&name);
        let mode = fs::symlink_metadata(&path).map_or(0, |meta| meta.permissions().mode() & 0o777);
        if mode & 0o077 != 0 {
            let why =
                format!("others may read it (mode {mode:o}); run: chmod 600 '{}'", path.display());
            return Err(FileError::new(path, Reason::Malformed(why)));
        }
        keys.push((id.to_owned(), dir.read(&name, CAP)?.bytes));
    }
    Ok(keys)
}

/// Keeps a key that is not there yet, for its owner only.
///
/// # Errors
/// [`WriteError`] when the disk fails or there is one of that name.
pub fn write(root: &Path, id: &str, bytes: &[u8]) -> Result<(), WriteError> {
    keep(&place(root), id, bytes)
}

/// A secret that is kept as keys are, if there is one of that name.
///
/// # Errors
/// [`FileError`] when it cannot be read.
pub fn secret(root: &Path, id: &str) -> Result<Option<Vec<u8>>, FileError> {
    let Some(dir) = if_found(Dir::open(&root.join(CAR_DIR).join(SECRETS)))? else {
        return Ok(None);
    };
    let read = if_found(dir.read(OsStr::new(&format!("{id}.json")), CAP))?;
    Ok(read.map(|content| content.bytes))
}

/// Keeps a secret that is not there yet, for its owner only.
///
/// # Errors
/// [`WriteError`] when the disk fails or there is one of that name.
pub fn write_secret(root: &Path, id: &str, bytes: &[u8]) -> Result<(), WriteError> {
    keep(&root.join(CAR_DIR).join(SECRETS), id, bytes)
}

fn keep(dir: &Path, id: &str, bytes: &[u8]) -> Result<(), WriteError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .and_then(|()| fs::set_permissions(dir, Permissions::from_mode(0o700)))
        .map_err(|error| FileError::new(dir, Reason::Malformed(error.to_string())))?;
    let name = format!("{id}.json");
    let dir = Dir::open(dir)?;
    atomic::write_with_mode(&dir, OsStr::new(&name), bytes, WriteIf::Absent, 0o600)?;
    Ok(())
}

/// Removes a key; one that is gone already is no error.
///
/// # Errors
/// [`FileError`] when it cannot be removed.
pub fn remove(root: &Path, id: &str) -> Result<(), FileError> {
    let dir = Dir::open(&place(root))?;
    if_found(dir.remove(OsStr::new(&format!("{id}.json"))))?;
    dir.sync()
}

fn place(root: &Path) -> PathBuf {
    root.join(CAR_DIR).join(KEYS)
}
