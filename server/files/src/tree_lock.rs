//! The lock of a working tree that a run is at work in.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::CAR_DIR;
use crate::beneath::Dir;
use crate::error::{FileError, Reason, if_found};
use crate::lock::take_over;

/// Our lock file, relative to [`CAR_DIR`].
const FILE: &str = "run.lock";
/// The file in which CAR 1 and 2 leave the process that works a tree.
const CAR_LOCK: &str = "lock";

/// A tree is held as long as this value lives. The system lets it go when the process ends, in
/// whatever way.
#[derive(Debug)]
pub struct TreeLock(#[expect(dead_code, reason = "the lock lives as long as the file")] OwnedFd);

impl TreeLock {
    /// Takes the lock of a tree.
    ///
    /// # Errors
    /// [`Reason::Busy`] when another hub, or a CAR that still lives, works the tree.
    pub fn take(tree: &Path) -> Result<Self, FileError> {
        let dir = Dir::open(tree)?.create_beneath(Path::new(CAR_DIR))?;
        if car_holds(&dir) {
            return Err(FileError::new(dir.path_of(OsStr::new(CAR_LOCK)), Reason::Busy));
        }
        let path = dir.path_of(OsStr::new(FILE));
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&dir, FILE, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| FileError::new(&path, errno.into()))?;
        // Nobody is named in the file, so whoever has it may just have ended.
        match take_over(&fd, || false) {
            Ok(true) => Ok(Self(fd)),
            Ok(false) => Err(FileError::new(&path, Reason::Busy)),
            Err(errno) => Err(FileError::new(&path, errno.into())),
        }
    }
}

/// Whether a process of CAR works the tree: its lock file begins with, or holds as `pid`, the id
/// of a process that lives.
fn car_holds(dir: &Dir) -> bool {
    let Ok(Some(content)) = if_found(dir.read(OsStr::new(CAR_LOCK), 4096)) else { return false };
    let text = String::from_utf8_lossy(&content.bytes);
    let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let pid = match &value {
        Some(value) => value.get("pid").and_then(serde_json::Value::as_u64).or(value.as_u64()),
        None => text.split_whitespace().next().and_then(|word| word.parse().ok()),
    };
    pid.and_then(|pid| u32::try_from(pid).ok()).is_some_and(crate::lock::is_alive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_held_once_and_by_car_too() {
        let tree = tempfile::tempdir().unwrap();
        let held = TreeLock::take(tree.path()).unwrap();
        assert_eq!(TreeLock::take(tree.path()).unwrap_err().reason, Reason::Busy);
        drop(held);
        let car = tree.path().join(CAR_DIR).join(CAR_LOCK);
        std::fs::write(&car, format!("{{\"pid\": {}}}", std::process::id())).unwrap();
        assert_eq!(TreeLock::take(tree.path()).unwrap_err().reason, Reason::Busy);
        // A process that is gone holds nothing: no pid is this large.
        std::fs::write(&car, "{\"pid\": 4194999}").unwrap();
        assert!(TreeLock::take(tree.path()).is_ok());
    }
}
