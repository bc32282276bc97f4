//! A half-written archive is locked by whoever writes it, so that one a crash left can be told from
//! one that grows.

use std::{fs::File, io};

/// Takes the lock; `false` when another process has it.
pub(crate) fn take(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}
