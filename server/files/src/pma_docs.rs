//! The documents of the project manager: `.codex-autorunner/pma/` of the hub's root.
//!
//! CAR 2 kept them in `pma/docs/`. Such a document is read where it lies until it is written anew.

use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::Dir;
use crate::error::{FileError, if_found};
use crate::{CAR_DIR, Content, ContentHash};
use car_api::pma::PmaDocName;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The largest document that is read: 500,000 characters of up to four bytes.
pub const MAX_DOC_BYTES: u64 = 2_000_000;

/// The directory, in [`CAR_DIR`].
pub const DIR: &str = "pma";
const OLD_DIR: &str = "docs";

/// The file of a document.
#[must_use]
pub fn file_name(doc: PmaDocName) -> &'static str {
    match doc {
        PmaDocName::Prompt => "prompt.md",
        PmaDocName::Agents => "AGENTS.md",
        PmaDocName::ActiveContext => "active_context.md",
        PmaDocName::ContextLog => "context_log.md",
        PmaDocName::AboutCar => "ABOUT_CAR.md",
    }
}

/// Where a document is, relative to the hub's root.
#[must_use]
pub fn path(doc: PmaDocName) -> PathBuf {
    Path::new(CAR_DIR).join(DIR).join(file_name(doc))
}

/// Reads a document; `None` when it does not exist.
///
/// # Errors
/// [`FileError`] when it is not a regular file of bounded size.
pub fn read(root: &Path, doc: PmaDocName) -> Result<Option<Content>, FileError> {
    if let Some(content) = if_found(crate::beneath::read_file(root, &path(doc), MAX_DOC_BYTES))? {
        return Ok(Some(content));
    }
    let old = Path::new(CAR_DIR).join(DIR).join(OLD_DIR).join(file_name(doc));
    if_found(crate::beneath::read_file(root, &old, MAX_DOC_BYTES))
}

/// Writes a document under the condition `when`.
///
/// # Errors
/// [`WriteError::Conflict`] with the present content when the condition does not hold.
pub fn write(
    root: &Path,
    doc: PmaDocName,
    bytes: &[u8],
    when: WriteIf,
) -> Result<ContentHash, WriteError> {
    let dir = Dir::open(root)?.create_beneath(&Path::new(CAR_DIR).join(DIR))?;
    let name = OsStr::new(file_name(doc));
    // What CAR 2 left is the version a caller has read, and becomes the file that is replaced.
    if when != WriteIf::Absent
        && if_found(dir.stat(name))?.is_none()
        && let Some(old) = read(root, doc)?
    {
        match atomic::write(&dir, name, &old.bytes, WriteIf::Absent) {
            Ok(_) | Err(WriteError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    atomic::write(&dir, name, bytes, when)
}

/// Gives the log another name, so that a new one can be begun: `context_log-<mark>.md`.
///
/// # Errors
/// [`FileError`] when it cannot be renamed.
pub fn set_log_aside(root: &Path, mark: &str) -> Result<(), FileError> {
    let dir = Dir::open(root)?.open_beneath(&Path::new(CAR_DIR).join(DIR))?;
    let aside = format!("context_log-{mark}.md");
    let name = OsStr::new(file_name(PmaDocName::ContextLog));
    match dir.rename(name, &dir, OsStr::new(&aside)) {
        // It is CAR 2's, where it lies.
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}
