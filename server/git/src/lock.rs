//! A leftover `index.lock`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::Git;
use crate::error::GitError;

/// What is known about `index.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockState {
    /// There is none.
    Free,
    /// A process has it open, or git runs in the working tree.
    Held {
        /// Process id.
        pid: u32,
    },
    /// Nobody holds it, but it is too young to be sure.
    Fresh {
        /// Time since it was made.
        age: Duration,
    },
    /// Nobody holds it and it is old: left by a git that died.
    Stale {
        /// The file.
        path: PathBuf,
        /// Time since it was made.
        age: Duration,
    },
}

/// Below this age a lock is never taken for stale.
const OLD: Duration = Duration::from_secs(600);

impl Git {
    /// Looks at `index.lock`. `now` decides its age.
    ///
    /// # Errors
    /// As [`Git::layout`]; [`GitError::Refused`] on systems where it cannot be known who holds a
    /// file.
    pub fn index_lock(&self, now: SystemTime) -> Result<LockState, GitError> {
        let path = self.layout()?.git_dir.join("index.lock");
        let Ok(meta) = fs::symlink_metadata(&path) else { return Ok(LockState::Free) };
        if let Some(pid) = holder(&path, self.path())? {
            return Ok(LockState::Held { pid });
        }
        let made = meta.modified().map_err(GitError::io(format!("reading {}", path.display())))?;
        let age = now.duration_since(made).unwrap_or_default();
        Ok(if age < OLD { LockState::Fresh { age } } else { LockState::Stale { path, age } })
    }

    /// Removes `index.lock` when it is stale; leaves it otherwise. Returns what was found.
    ///
    /// # Errors
    /// As [`Git::index_lock`], or the file cannot be removed.
    pub fn repair_index_lock(&self, now: SystemTime) -> Result<LockState, GitError> {
        let state = self.index_lock(now)?;
        if let LockState::Stale { path, .. } = &state {
            fs::remove_file(path).map_err(GitError::io(format!("removing {}", path.display())))?;
        }
        Ok(state)
    }
}

/// A process that has the lock open, or a git whose working directory lies in the tree.
fn holder(lock: &Path, root: &Path) -> Result<Option<u32>, GitError> {
    let processes = fs::read_dir("/proc").map_err(|_| {
        GitError::refused(format!(
            "it cannot be known here who holds {}; remove it by hand when no git is running",
            lock.display()
        ))
    })?;
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        let dir = process.path();
        let is_git = fs::read(dir.join("comm")).is_ok_and(|name| name.trim_ascii() == b"git");
        if is_git && fs::read_link(dir.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&root)) {
            return Ok(Some(pid));
        }
        let open = fs::read_dir(dir.join("fd")).into_iter().flatten().flatten();
        if open.flat_map(|fd| fs::read_link(fd.path())).any(|target| target == lock) {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}
