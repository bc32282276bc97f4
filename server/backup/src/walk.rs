//! What there is to keep below a directory.

use std::{ffi::OsStr, path::Path};

use car_files::{
    FileError, Reason,
    beneath::{Dir, FileKind},
};

/// Directories deeper than this are a mistake or a trap.
const DEPTH: usize = 64;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// Regular files by their path below the start, with their size in bytes; sorted.
    pub files: Vec<(String, u64)>,
    /// What was left out although nobody asked for that, and why.
    pub left: Vec<String>,
}

/// Finds every regular file below `start`, except where `skip` says so of a path. No symlink is
/// followed; a directory that is not there is empty.
///
/// # Errors
/// The start is there and cannot be read.
pub fn walk(start: &Path, skip: &dyn Fn(&str) -> bool) -> Result<Found, FileError> {
    let mut found = Found::default();
    match Dir::open(start) {
        Ok(dir) => descend(&dir, "", skip, 0, &mut found)?,
        Err(error) if error.reason == Reason::NotFound => {}
        Err(error) => return Err(error),
    }
    found.files.sort();
    Ok(found)
}

fn descend(
    dir: &Dir,
    prefix: &str,
    skip: &dyn Fn(&str) -> bool,
    depth: usize,
    found: &mut Found,
) -> Result<(), FileError> {
    for name in dir.names()? {
        let Some(path) = readable(prefix, &name) else {
            found.left.push(format!("{prefix}{}: its name is no plain text", name.display()));
            continue;
        };
        if skip(&path) {
            continue;
        }
        // What goes while it is looked at need not be kept.
        let Ok(meta) = dir.stat(&name) else { continue };
        match meta.kind {
            FileKind::Regular => found.files.push((path, meta.size)),
            FileKind::Directory if depth >= DEPTH => {
                found.left.push(format!("{path}: too deep"));
            }
            FileKind::Directory => match dir.open_beneath(Path::new(&name)) {
                Ok(below) => descend(&below, &format!("{path}/"), skip, depth + 1, found)?,
                Err(error) if error.reason == Reason::NotFound => {}
                Err(error) => found.left.push(format!("{path}: {}", error.reason)),
            },
            FileKind::Symlink => found.left.push(format!("{path}: a symlink")),
            // Of no use elsewhere.
            FileKind::Fifo | FileKind::Socket | FileKind::Device => {}
        }
    }
    Ok(())
}

/// The path of an entry, when its name is text on one line.
fn readable(prefix: &str, name: &OsStr) -> Option<String> {
    let name = name.to_str()?;
    (!name.contains(|c: char| c.is_control() || c == '\\')).then(|| format!("{prefix}{name}"))
}
