//! The directory an agent's process has worked in: `sessions/<µs>/` of a run or thread.

use std::{
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

use crate::{
    CAR_DIR,
    beneath::{Dir, FileKind},
    error::{FileError, Reason, if_found},
};

/// Removes one with all that is in it. Nothing is followed on the way, since agents can write there;
/// one that is gone is no error.
///
/// # Errors
/// [`FileError`] when it is not such a directory, or the disk fails.
pub fn remove(path: &Path) -> Result<(), FileError> {
    let (root, relative, name) =
        parts(path).ok_or_else(|| FileError::new(path, Reason::Outside))?;
    let Some(root) = if_found(Dir::open(&root))? else { return Ok(()) };
    let Some(sessions) = if_found(root.open_beneath(&relative))? else { return Ok(()) };
    remove_all(&sessions, name)
}

/// The tree, what leads from there to `sessions`, and the session's name.
fn parts(path: &Path) -> Option<(PathBuf, PathBuf, &OsStr)> {
    let parts: Vec<Component<'_>> = path.components().collect();
    let [root @ .., car, kind, owner, sessions, name] = parts.as_slice() else { return None };
    let plain = |part: &Component<'_>| matches!(part, Component::Normal(_));
    let fits = car.as_os_str() == CAR_DIR
        && (kind.as_os_str() == "runs" || kind.as_os_str() == "threads")
        && sessions.as_os_str() == "sessions"
        && plain(owner)
        && plain(name);
    fits.then(|| {
        let relative = [car, kind, owner, sessions].into_iter().collect();
        (root.iter().collect(), relative, name.as_os_str())
    })
}

fn remove_all(dir: &Dir, name: &OsStr) -> Result<(), FileError> {
    let Some(meta) = if_found(dir.stat(name))? else { return Ok(()) };
    if meta.kind != FileKind::Directory {
        return dir.remove(name);
    }
    let inner = dir.open_beneath(Path::new(name))?;
    for entry in inner.names()? {
        remove_all(&inner, &entry)?;
    }
    dir.remove_dir(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_session_goes_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let sessions = root.path().join(CAR_DIR).join("threads/thr_1/sessions");
        let (one, two) = (sessions.join("1"), sessions.join("2"));
        let elsewhere = root.path().join("elsewhere");
        for dir in [&one, &two, &elsewhere] {
            fs::create_dir_all(dir.join("inner")).unwrap();
            fs::write(dir.join("inner/journal.jsonl"), "line\n").unwrap();
        }
        std::os::unix::fs::symlink(&elsewhere, one.join("link")).unwrap();
        remove(&one).unwrap();
        remove(&one).unwrap();
        assert!(!one.exists() && two.exists() && elsewhere.join("inner/journal.jsonl").exists());
        // A link on the way is not followed, and nothing that is no session is touched.
        let linked = root.path().join(CAR_DIR).join("threads/thr_2");
        fs::create_dir_all(&linked).unwrap();
        std::os::unix::fs::symlink(&elsewhere, linked.join("sessions")).unwrap();
        assert!(remove(&linked.join("sessions/inner")).is_err());
        assert_eq!(remove(&elsewhere.join("inner")).unwrap_err().reason, Reason::Outside);
        assert_eq!(remove(&sessions).unwrap_err().reason, Reason::Outside);
        assert!(elsewhere.join("inner/journal.jsonl").exists());
    }
}
