//! One hub per hub root.

use crate::CAR_DIR;
use crate::beneath::Dir;
use crate::error::{FileError, if_found};
use crate::lock::{is_alive, take_over};
use car_api::Timestamp;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

const FILE: &str = "hub.lock";

/// Who holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

/// The lock, held as long as this value lives. The system releases it when the process ends, in
/// whatever way.
#[derive(Debug)]
pub struct HubLock(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

/// Why the lock was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Another hub serves this root.
    #[error("a hub already serves this directory{}: stop it first", describe(.0.as_ref()))]
    Held(Option<Holder>),
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl HubLock {
    /// Takes the lock of `root`, or says who has it.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it.
    pub fn acquire(root: &Path, now: Timestamp) -> Result<Self, LockError> {
        let dir = Dir::open(root)?.open_beneath(Path::new(CAR_DIR))?;
        let path = dir.path_of(OsStr::new(FILE));
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&dir, FILE, flags, Mode::from_raw_mode(0o600))
            .map_err(|e| FileError::errno(&path, e))?;
        let lives = || match holder(root) {
            Ok(holder) => holder.is_none_or(|holder| is_alive(holder.pid)),
            Err(_) => true,
        };
        if !take_over(&fd, lives).map_err(|errno| FileError::errno(&path, errno))? {
            return Err(LockError::Held(holder(root)?));
        }
        // The file stays when the lock is released: removing it would let two processes lock two
        // different files of the same name.
        let mut file = File::from(fd);
        let who = Holder { pid: std::process::id(), since: now };
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| serde_json::to_writer(&file, &who).map_err(Into::into))
            .and_then(|()| file.flush());
        written.map_err(|e| FileError::io(&path, &e))?;
        Ok(Self(file))
    }
}

/// Who held the lock last, as far as the file says.
///
/// # Errors
/// [`FileError`] when the file cannot be read.
pub fn holder(root: &Path) -> Result<Option<Holder>, FileError> {
    let dir = Dir::open(root)?.open_beneath(Path::new(CAR_DIR))?;
    let content = if_found(dir.read(OsStr::new(FILE), 4096))?;
    Ok(content.and_then(|content| serde_json::from_slice(&content.bytes).ok()))
}

/// Whether somebody holds the lock. Changes nothing.
///
/// # Errors
/// [`FileError`] when the file cannot be opened.
pub fn is_held(root: &Path) -> Result<bool, FileError> {
    let dir = Dir::open(root)?.open_beneath(Path::new(CAR_DIR))?;
    let Some((file, _)) = if_found(dir.open_file(OsStr::new(FILE)))? else { return Ok(false) };
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(false),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
        Err(errno) => Err(FileError::errno(dir.path_of(OsStr::new(FILE)), errno)),
    }
}

fn describe(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { pid, since }) => format!(" (process {pid}, since {since})"),
        None => String::new(),
    }
}
