//! Where the running hub listens: `hub_endpoint.json`.

use crate::CAR_DIR;
use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::Dir;
use crate::error::{FileError, Reason, if_found};
use car_api::Timestamp;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

const FILE: &str = "hub_endpoint.json";

/// What a client on the same machine needs to find the hub. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Base URL of the API.
    pub url: String,
    /// The hub's socket in the file system, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// Identity of the hub, by which clients know which token belongs to it.
    pub instance: String,
    /// The hub's process.
    pub pid: u32,
    /// When it started to serve.
    pub started_at: Timestamp,
    /// The hub's version.
    pub version: String,
}

/// Writes the file. The caller holds the hub's lock.
///
/// # Errors
/// [`WriteError`] when the disk fails.
pub fn write_endpoint(root: &Path, endpoint: &Endpoint) -> Result<(), WriteError> {
    let dir = Dir::open(root)?.open_beneath(Path::new(CAR_DIR))?;
    let bytes = serde_json::to_vec(endpoint)
        .map_err(|e| FileError::new(dir.path(), Reason::Malformed(e.to_string())))?;
    atomic::write_with_mode(&dir, OsStr::new(FILE), &bytes, WriteIf::Any, 0o600).map(drop)
}

/// Reads the file; `None` when no hub serves, or one of CAR does.
///
/// # Errors
/// [`FileError`] when the file cannot be read.
pub fn read_endpoint(root: &Path) -> Result<Option<Endpoint>, FileError> {
    let dir = Dir::open(root)?.open_beneath(Path::new(CAR_DIR))?;
    let content = if_found(dir.read(OsStr::new(FILE), 64 * 1024))?;
    Ok(content.and_then(|content| serde_json::from_slice(&content.bytes).ok()))
}

/// Removes the file when the hub stops serving.
///
/// # Errors
/// [`FileError`] when it cannot be removed.
pub fn remove_endpoint(root: &Path) -> Result<(), FileError> {
    Dir::open(root)?.open_beneath(Path::new(CAR_DIR))?.remove(OsStr::new(FILE))
}
