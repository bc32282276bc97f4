//! The directory of one thread: `.codex-autorunner/threads/<thread_id>/` in the hub's root.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::{
    CAR_DIR,
    atomic::{self, WriteIf},
    beneath::Dir,
    error::{FileError, Reason},
};

/// Every prompt that was sent.
const PROMPTS: &str = "prompts";

/// The directories of the shims that run this thread's agents.
const SESSIONS: &str = "sessions";

/// Longest prompt that is read again, in bytes.
const LONGEST: u64 = 64 << 20;

/// An open thread directory.
#[derive(Debug)]
pub struct ThreadDir {
    dir: Dir,
}

impl ThreadDir {
    /// Opens the directory of a thread and makes what is missing of it.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be made, or the id is not a single plain name.
    pub fn create(root: &Path, thread: &str) -> Result<Self, FileError> {
        Ok(Self { dir: Dir::open(root)?.create_beneath(&relative(thread)?)? })
    }

    /// Opens the directory of a thread that is there.
    ///
    /// # Errors
    /// [`FileError`] when it is not, or the id is not a single plain name.
    pub fn open(root: &Path, thread: &str) -> Result<Self, FileError> {
        Ok(Self { dir: Dir::open(root)?.open_beneath(&relative(thread)?)? })
    }

    /// The directory itself.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Makes and returns the directory of a new session.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be made.
    pub fn create_session(&self, name: &str) -> Result<PathBuf, FileError> {
        Ok(self.dir.create_beneath(&Path::new(SESSIONS).join(name))?.path().to_owned())
    }

    /// Keeps a prompt.
    ///
    /// # Errors
    /// [`FileError`] when the disk fails.
    pub fn keep_prompt(&self, name: &str, text: &str) -> Result<(), FileError> {
        let dir = self.dir.create_beneath(Path::new(PROMPTS))?;
        match atomic::write(&dir, OsStr::new(name), text.as_bytes(), WriteIf::Any) {
            Ok(_) => Ok(()),
            Err(atomic::WriteError::File(error)) => Err(error),
            Err(atomic::WriteError::Conflict { .. }) => {
                Err(FileError::new(dir.path().join(name), Reason::Changed))
            }
        }
    }

    /// A prompt that was kept.
    ///
    /// # Errors
    /// [`FileError`] when it is not there.
    pub fn kept_prompt(&self, name: &str) -> Result<String, FileError> {
        let dir = self.dir.open_beneath(Path::new(PROMPTS))?;
        let content = dir.read(OsStr::new(name), LONGEST)?;
        Ok(String::from_utf8_lossy(&content.bytes).into_owned())
    }

    /// Keeps a file that is for its owner only; where it is.
    ///
    /// # Errors
    /// [`atomic::WriteError`] when the disk fails.
    pub fn write_private(&self, name: &str, text: &str) -> Result<PathBuf, atomic::WriteError> {
        let name = OsStr::new(name);
        atomic::write_with_mode(&self.dir, name, text.as_bytes(), WriteIf::Any, 0o600)?;
        Ok(self.dir.path().join(name))
    }
}

fn relative(thread: &str) -> Result<PathBuf, FileError> {
    let path = Path::new(CAR_DIR).join("threads").join(thread);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if thread.is_empty() || !thread.bytes().all(plain) {
        return Err(FileError::new(path, Reason::Outside));
    }
    Ok(path)
}
