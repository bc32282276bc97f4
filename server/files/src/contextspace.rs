//! The three documents every prompt can carry: `.codex-autorunner/contextspace/`.
//!
//! CAR 1 kept them in `workspace/`. Its documents are moved here once; a symlink stays in the old
//! place, so that CAR 1 still finds them.

use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::{Dir, FileKind, Meta};
use crate::error::{FileError, if_found};
use crate::{CAR_DIR, Content, ContentHash};
use car_api::context::ContextName;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The largest document that is read.
pub const MAX_DOC_BYTES: u64 = 1024 * 1024;

const DIR: &str = "contextspace";
const OLD_DIR: &str = "workspace";
const NOTE: &str = "CONTEXTSPACE_MOVED.md";

/// The file of a document.
#[must_use]
pub fn file_name(doc: ContextName) -> &'static str {
    match doc {
        ContextName::ActiveContext => "active_context.md",
        ContextName::Decisions => "decisions.md",
        ContextName::Spec => "spec.md",
    }
}

/// Reads a document; `None` when it does not exist. One of CAR 1 is read where it lies until it is
/// moved.
///
/// # Errors
/// [`FileError`] when it is not a regular file of bounded size.
pub fn read(tree: &Path, doc: ContextName) -> Result<Option<Content>, FileError> {
    let in_dir = |dir: &str| {
        let path = Path::new(CAR_DIR).join(dir).join(file_name(doc));
        if_found(crate::beneath::read_file(tree, &path, MAX_DOC_BYTES))
    };
    match in_dir(DIR)? {
        Some(content) if !content.bytes.is_empty() => Ok(Some(content)),
        // Nothing, or the empty file a new directory begins with. The old place is a link once its
        // documents are moved, and links are not followed.
        new => Ok(in_dir(OLD_DIR).ok().flatten().or(new)),
    }
}

/// Writes a document under the condition `when`, after moving those of CAR 1.
///
/// # Errors
/// [`WriteError::Conflict`] with the present content when the condition does not hold.
pub fn write(
    tree: &Path,
    doc: ContextName,
    bytes: &[u8],
    when: WriteIf,
) -> Result<ContentHash, WriteError> {
    migrate(tree)?;
    let dir = Dir::open(tree)?.create_beneath(&Path::new(CAR_DIR).join(DIR))?;
    atomic::write(&dir, OsStr::new(file_name(doc)), bytes, when)
}

/// Moves the documents of CAR 1 from `workspace/`, once. Returns the names of the files that were
/// moved. A document that has text in both places stays in both, and the note says so.
///
/// # Errors
/// [`FileError`] when a file cannot be moved; what was moved by then is complete.
pub fn migrate(tree: &Path) -> Result<Vec<OsString>, FileError> {
    let Some(car) = if_found(Dir::open(tree)?.open_beneath(Path::new(CAR_DIR)))? else {
        return Ok(Vec::new());
    };
    let old_meta = if_found(car.stat(OsStr::new(OLD_DIR)))?;
    if old_meta.is_none_or(|meta| meta.kind != FileKind::Directory) {
        return Ok(Vec::new());
    }
    let old = car.open_beneath(Path::new(OLD_DIR))?;
    let new = car.create_beneath(Path::new(DIR))?;
    let mut moved = Vec::new();
    let mut left = Vec::new();
    for name in old.names()? {
        if move_file(&old, &new, &name)? {
            moved.push(name);
        } else {
            left.push(name);
        }
    }
    new.sync()?;
    if left.is_empty() {
        car.remove_dir(OsStr::new(OLD_DIR))?;
        rustix::fs::symlinkat(DIR, &car, OLD_DIR)
            .map_err(|e| FileError::errno(car.path_of(OsStr::new(OLD_DIR)), e))?;
    }
    if moved.is_empty() {
        return Ok(moved);
    }
    match atomic::write(&car, OsStr::new(NOTE), note(&moved, &left).as_bytes(), WriteIf::Any) {
        Ok(_) => Ok(moved),
        Err(WriteError::File(error)) => Err(error),
        // An unconditional write has no conflicts.
        Err(WriteError::Conflict { .. }) => Ok(moved),
    }
}

/// Whether the file is in the new place afterwards and no longer in the old one.
fn move_file(old: &Dir, new: &Dir, name: &OsStr) -> Result<bool, FileError> {
    let from = old.stat(name)?;
    let to = if_found(new.stat(name))?;
    let regular = |meta: Meta| meta.kind == FileKind::Regular;
    if !regular(from) || to.is_some_and(|meta| !regular(meta)) {
        return Ok(false);
    }
    match to {
        // Nothing in the old file that the new one lacks.
        Some(to) if to.size > 0 && (from.size == 0 || same_text(old, new, name)) => {
            old.remove(name)?;
            Ok(true)
        }
        Some(to) if to.size > 0 => Ok(false),
        // CAR 2 seeds the new place with empty files.
        Some(_) => {
            new.remove(name)?;
            old.rename(name, new, name)?;
            Ok(true)
        }
        None => {
            old.rename(name, new, name)?;
            Ok(true)
        }
    }
}

fn same_text(old: &Dir, new: &Dir, name: &OsStr) -> bool {
    let text = |dir: &Dir| dir.read(name, MAX_DOC_BYTES).map(|content| content.hash).ok();
    text(old).is_some() && text(old) == text(new)
}

fn note(moved: &[OsString], left: &[OsString]) -> String {
    let list = |names: &[OsString]| {
        names.iter().map(|name| format!("- {}\n", name.to_string_lossy())).collect::<String>()
    };
    let mut text = format!(
        "# The context documents have moved\n\nThey are in `{CAR_DIR}/{DIR}/` now. Moved from `{CAR_DIR}/{OLD_DIR}/`:\n\n{}",
        list(moved)
    );
    if !left.is_empty() {
        text += &format!(
            "\nLeft in `{CAR_DIR}/{OLD_DIR}/`, because the new place has a file of that name with other text, or because it is no plain file:\n\n{}",
            list(left)
        );
    }
    text
}
