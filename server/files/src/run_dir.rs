//! The directory of one run: `.codex-autorunner/runs/<run_id>/`.

use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::Dir;
use crate::error::{FileError, Reason, if_found};
use crate::{CAR_DIR, ContentHash};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Where an agent puts the files that belong to its next dispatch.
pub const DISPATCH_DIR: &str = "dispatch";
/// The message an agent writes last.
pub const DISPATCH_FILE: &str = "DISPATCH.md";
/// Archived dispatches.
pub const DISPATCH_HISTORY: &str = "dispatch_history";
/// Where a person puts the files that belong to a reply.
pub const REPLY_DIR: &str = "reply";
/// The message a person writes last.
pub const REPLY_FILE: &str = "USER_REPLY.md";
/// Archived replies.
pub const REPLY_HISTORY: &str = "reply_history";
/// Every prompt that was sent.
pub const PROMPTS: &str = "prompts";
/// What verification found.
pub const EVIDENCE: &str = "evidence";
/// The directories of the shims that run this run's agents.
pub const SESSIONS: &str = "sessions";
/// The token of the run's agent.
pub const TOKEN: &str = "token";
/// What explains the run without the database.
pub const RUN_FILE: &str = "run.json";

/// An open run directory.
#[derive(Debug)]
pub struct RunDir {
    dir: Dir,
}

impl RunDir {
    /// Opens the directory of a run that has one.
    ///
    /// # Errors
    /// [`FileError`] when it does not exist or the id is not a single plain name.
    pub fn open(tree: &Path, run_id: &str) -> Result<Self, FileError> {
        Ok(Self { dir: Dir::open(tree)?.open_beneath(&relative(run_id)?)? })
    }

    /// Opens the directory of a run and makes what is missing of it, with the places where an
    /// agent and a person put their messages.
    ///
    /// # Errors
    /// [`FileError`] when a part cannot be made.
    pub fn create(tree: &Path, run_id: &str) -> Result<Self, FileError> {
        let dir = Dir::open(tree)?.create_beneath(&relative(run_id)?)?;
        for part in [DISPATCH_DIR, DISPATCH_HISTORY, REPLY_DIR, REPLY_HISTORY] {
            dir.create_beneath(Path::new(part))?;
        }
        Ok(Self { dir })
    }

    /// The handle, for reading single files.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The path of a part, for telling an agent.
    #[must_use]
    pub fn path_of(&self, part: &str) -> PathBuf {
        self.dir.path().join(part)
    }

    /// Makes and returns a directory within, as for a session.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be made.
    pub fn create_dir(&self, part: &Path) -> Result<PathBuf, FileError> {
        Ok(self.dir.create_beneath(part)?.path().to_owned())
    }

    /// Keeps evidence number `number` as `evidence/NNNN.json`. Writing it again replaces it.
    ///
    /// # Errors
    /// [`WriteError`] when the value is not JSON or the disk fails.
    pub fn write_evidence(
        &self,
        number: u32,
        evidence: &impl serde::Serialize,
    ) -> Result<ContentHash, WriteError> {
        let bytes = self.json(evidence)?;
        self.write_in(EVIDENCE, &format!("{number:04}.json"), &bytes)
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// [`WriteError`] when the value is not JSON or the disk fails.
    pub fn write_run(&self, run: &impl serde::Serialize) -> Result<ContentHash, WriteError> {
        let bytes = self.json(run)?;
        atomic::write(&self.dir, OsStr::new(RUN_FILE), &bytes, WriteIf::Any)
    }

    /// Keeps the agent's token, for its owner only; where it is.
    ///
    /// # Errors
    /// [`WriteError`] when the disk fails.
    pub fn write_token(&self, secret: &str) -> Result<PathBuf, WriteError> {
        let (name, bytes) = (OsStr::new(TOKEN), secret.as_bytes());
        atomic::write_with_mode(&self.dir, name, bytes, WriteIf::Any, 0o600)?;
        Ok(self.path_of(TOKEN))
    }

    /// Removes the agent's token; one that is gone already is no error.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be removed.
    pub fn remove_token(&self) -> Result<(), FileError> {
        if_found(self.dir.remove(OsStr::new(TOKEN))).map(drop)
    }

    fn write_in(&self, part: &str, name: &str, bytes: &[u8]) -> Result<ContentHash, WriteError> {
        let dir = self.dir.create_beneath(Path::new(part))?;
        atomic::write(&dir, OsStr::new(name), bytes, WriteIf::Any)
    }

    fn json(&self, value: &impl serde::Serialize) -> Result<Vec<u8>, FileError> {
        let mut bytes = serde_json::to_vec_pretty(value)
            .map_err(|e| FileError::new(self.dir.path(), Reason::Malformed(e.to_string())))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// The ids of the runs that have a directory in the tree, in the order of their names.
///
/// # Errors
/// [`FileError`] when the directory exists but cannot be read.
pub fn list(tree: &Path) -> Result<Vec<OsString>, FileError> {
    let runs = Path::new(CAR_DIR).join("runs");
    match if_found(Dir::open(tree)?.open_beneath(&runs))? {
        Some(dir) => dir.names(),
        None => Ok(Vec::new()),
    }
}

/// The id of a run of CAR's: when it was asked for, in milliseconds since 1970, so that it stands
/// among the hub's own in the order of time, and CAR's own id, which is its directory's name.
/// `None` when that is not one of CAR's.
#[must_use]
pub fn id_of_car(created_ms: i64, uuid: &str) -> Option<String> {
    let hex: String = uuid.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    let created = u64::try_from(created_ms).ok().filter(|ms| *ms < 1 << 48)?;
    (hyphenated(&hex).as_deref() == Some(uuid)).then(|| format!("run_{created:012x}{hex}"))
}

/// The directory of a run: its id, but for a run of CAR's, whose id holds the directory's name.
fn directory(run_id: &str) -> Cow<'_, str> {
    let car = run_id.strip_prefix("run_").filter(|rest| rest.len() == 44);
    car.and_then(|rest| hyphenated(rest.get(12..)?)).map_or(run_id.into(), Cow::Owned)
}

fn hyphenated(hex: &str) -> Option<String> {
    if hex.len() != 32 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let parts = [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?];
    Some(format!("{}-{}", parts.join("-"), hex.get(20..)?))
}

fn relative(run_id: &str) -> Result<PathBuf, FileError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let run_id = &*directory(run_id);
    let path = Path::new(CAR_DIR).join("runs").join(run_id);
    if run_id.is_empty() || run_id.starts_with('.') || !run_id.bytes().all(plain) {
        return Err(FileError::new(path, Reason::Outside));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_car_has_a_place_in_time_and_its_own_directory() {
        let uuid = "0b9d6f0e-3c52-4a53-9a0e-2f1d1c7a5e01";
        let id = id_of_car(1_767_323_045_000, uuid).unwrap();
        assert_eq!(id, "run_019b7ca98c880b9d6f0e3c524a539a0e2f1d1c7a5e01");
        assert!(*id < *"run_01a22501b61f72f4ac751668525849f7", "before a later run of the hub");
        assert_eq!(directory(&id), uuid);
        let own = "run_01a22501b61f72f4ac751668525849f7";
        for other in [own, "run_1", "", &id[..id.len() - 1], &format!("{}g", &id[..id.len() - 1])] {
            assert_eq!(directory(other), other);
        }
        for bad in
            ["", "x", "0b9d6f0e3c524a539a0e2f1d1c7a5e01", "../d6f0e-3c52-4a53-9a0e-2f1d1c7a5e01"]
        {
            assert_eq!(id_of_car(0, bad), None, "{bad}");
        }
        assert_eq!(id_of_car(-1, uuid), None);
    }
}
