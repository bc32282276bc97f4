//! The file boxes of a tree: `.codex-autorunner/filebox/inbox` holds what people hand to agents,
//! `filebox/outbox` what agents hand to people.
//!
//! Where CAR kept such files before is read too: `pma/` and the directories of its Telegram topics.
//! Of two files with one name the one in the box itself counts; removing a name removes all of them.
//! Only regular files with a single name are read, so that nothing from elsewhere is given out.

use crate::CAR_DIR;
use crate::atomic::Staged;
use crate::beneath::{Dir, FileKind, Meta};
use crate::error::{FileError, Reason, if_found};
use car_api::{BoxFileName, filebox::FileBox};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Longest name in bytes: what file systems take.
pub const MAX_NAME_BYTES: usize = 255;

/// The directory of both boxes, in [`CAR_DIR`].
pub const DIR: &str = "filebox";

/// Parts of CAR's outbox, which are read as the outbox itself.
const OUTBOX_PARTS: [&str; 2] = ["pending", "sent"];

/// Where CAR kept the files of its Telegram topics.
const TOPICS: &str = "uploads/telegram-files";

/// A file of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written, in microseconds since 1970.
    pub modified_us: i64,
}

/// Whether a file may have this name in a box.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES && name.parse::<BoxFileName>().is_ok()
}

/// The directory new files of a box are put into, relative to the tree.
#[must_use]
pub fn path(r#box: FileBox) -> PathBuf {
    Path::new(CAR_DIR).join(DIR).join(r#box.as_str())
}

/// The files of a box, by name.
///
/// # Errors
/// [`FileError`] when a directory cannot be read. What is no plain file is left out.
pub fn list(tree: &Path, r#box: FileBox) -> Result<Vec<Entry>, FileError> {
    let mut all = BTreeMap::new();
    for dir in dirs(tree, r#box)? {
        for name in dir.names()? {
            let Some(text) = name.to_str().filter(|text| is_name(text)) else { continue };
            // It may have gone since.
            let Some(meta) = if_found(dir.stat(&name))?.filter(is_plain) else { continue };
            all.entry(text.to_owned()).or_insert_with(|| entry(text, meta));
        }
    }
    Ok(all.into_values().collect())
}

/// Looks at one file; `None` when it is not there.
///
/// # Errors
/// [`FileError`] when it is there and may not be read.
pub fn stat(tree: &Path, r#box: FileBox, name: &str) -> Result<Option<Entry>, FileError> {
    for dir in dirs(tree, r#box)? {
        if let Some(meta) = if_found(dir.stat(OsStr::new(name)))? {
            return plain(&dir, name, meta).map(|meta| Some(entry(name, meta)));
        }
    }
    Ok(None)
}

/// Opens a file for reading; `None` when it is not there.
///
/// # Errors
/// [`FileError`] when it is anything but a regular file with one name.
pub fn open(
    tree: &Path,
    r#box: FileBox,
    name: &str,
) -> Result<Option<(File, Entry, PathBuf)>, FileError> {
    for dir in dirs(tree, r#box)? {
        if let Some((file, meta)) = if_found(dir.open_file(OsStr::new(name)))? {
            let meta = plain(&dir, name, meta)?;
            return Ok(Some((file, entry(name, meta), dir.path_of(OsStr::new(name)))));
        }
    }
    Ok(None)
}

/// Begins a new file of a box; [`Staged::put`] with its name puts it there.
///
/// # Errors
/// [`FileError`] when the box cannot be made.
pub fn begin(tree: &Path, r#box: FileBox) -> Result<Staged, FileError> {
    let dir = Dir::open(tree)?.create_beneath(&path(r#box))?;
    crate::atomic::sweep(&dir)?;
    Staged::begin(dir)
}

/// Removes a file wherever it is; gives its size, or `None` when it is nowhere.
///
/// # Errors
/// [`FileError`] when it cannot be removed.
pub fn remove(tree: &Path, r#box: FileBox, name: &str) -> Result<Option<u64>, FileError> {
    let mut size = None;
    for dir in dirs(tree, r#box)? {
        let Some(meta) = if_found(dir.stat(OsStr::new(name)))? else { continue };
        if meta.kind == FileKind::Directory {
            return Err(FileError::new(dir.path_of(OsStr::new(name)), Reason::Directory));
        }
        dir.remove(OsStr::new(name))?;
        dir.sync()?;
        size = size.or(Some(meta.size));
    }
    Ok(size)
}

fn entry(name: &str, meta: Meta) -> Entry {
    Entry { name: name.to_owned(), size: meta.size, modified_us: meta.modified_us }
}

fn is_plain(meta: &Meta) -> bool {
    meta.kind == FileKind::Regular && meta.links == 1
}

fn plain(dir: &Dir, name: &str, meta: Meta) -> Result<Meta, FileError> {
    let fail = |reason| FileError::new(dir.path_of(OsStr::new(name)), reason);
    meta.kind.must_be_regular().map_err(fail)?;
    if meta.links == 1 { Ok(meta) } else { Err(fail(Reason::Linked)) }
}

/// The directories a box is read from that are there, the box itself first.
fn dirs(tree: &Path, r#box: FileBox) -> Result<Vec<Dir>, FileError> {
    let word = r#box.as_str();
    let Some(car) = if_found(Dir::open(tree)?.open_beneath(Path::new(CAR_DIR)))? else {
        return Ok(Vec::new());
    };
    let own = Path::new(DIR).join(word);
    let mut places = vec![own.clone()];
    if r#box == FileBox::Outbox {
        places.extend(OUTBOX_PARTS.map(|part| own.join(part)));
    }
    places.push(Path::new("pma").join(word));
    // Only the box itself must be in order; what is left of CAR may be in any state.
    if let Ok(topics) = car.open_beneath(Path::new(TOPICS)) {
        for topic in topics.names()? {
            let topic = Path::new(TOPICS).join(topic).join(word);
            if r#box == FileBox::Outbox {
                places.extend(OUTBOX_PARTS.map(|part| topic.join(part)));
            }
            places.push(topic);
        }
    }
    let mut dirs = Vec::new();
    for place in places {
        match car.open_beneath(&place) {
            Ok(dir) => dirs.push(dir),
            Err(error) if place == own && !error.is_not_found() => return Err(error),
            Err(_) => {}
        }
    }
    Ok(dirs)
}
