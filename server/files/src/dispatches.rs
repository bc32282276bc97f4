//! Messages from an agent to people: `DISPATCH.md`, archived in `dispatch_history/NNNN/`.

use crate::Content;
use crate::atomic::{self, WriteError, WriteIf};
use crate::error::FileError;
use crate::history::{self, MAX_MESSAGE_BYTES, Spool};
use crate::run_dir::{DISPATCH_DIR, DISPATCH_FILE, DISPATCH_HISTORY, RunDir};
use car_engine::dispatch::{
    Dispatch, DispatchMode, MessageError, check_attachment_name, parse_dispatch, render_dispatch,
};
use std::ffi::OsStr;

pub use crate::history::Attachment;

const SPOOL: Spool =
    Spool { message: DISPATCH_FILE, attachments: DISPATCH_DIR, history: DISPATCH_HISTORY };

/// An archived dispatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number.
    pub seq: u32,
    /// What it says, or why it cannot be read.
    pub dispatch: Result<Dispatch, MessageFailure>,
    /// The files that came with it.
    pub attachments: Vec<Attachment>,
    /// When it was archived, in microseconds since 1970.
    pub archived_us: i64,
}

/// Why a message cannot be archived or read. It stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageFailure {
    /// The file cannot be read or moved.
    #[error(transparent)]
    File(#[from] FileError),
    /// The text is not a message.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// The number the next dispatch or turn summary gets.
///
/// # Errors
/// [`FileError`] when the history cannot be read.
pub fn next_seq(run: &RunDir) -> Result<u32, FileError> {
    history::next_seq(run.dir(), &SPOOL)
}

/// Moves `DISPATCH.md` and the files in `dispatch/` to entry `seq`, and returns the entry; `None`
/// when there is no dispatch. Doing it again with the same `seq` returns the same entry, so it can
/// be repeated after a crash.
///
/// # Errors
/// [`MessageFailure::Message`] when the dispatch must be corrected first: it is left in place.
pub fn archive(run: &RunDir, seq: u32) -> Result<Option<Entry>, MessageFailure> {
    let validate = |bytes: &[u8]| Ok(parse_dispatch(bytes).map(drop)?);
    if history::archive::<MessageFailure>(run.dir(), &SPOOL, seq, validate)? {
        return Ok(Some(read(run, seq)?));
    }
    Ok(None)
}

/// Records what an agent said at the end of a turn as entry `seq`. An entry that exists is left
/// alone, so it can be repeated after a crash.
///
/// # Errors
/// [`WriteError`] when the disk fails.
pub fn put_turn_summary(run: &RunDir, seq: u32, text: &str) -> Result<(), WriteError> {
    let message = render_dispatch(DispatchMode::TurnSummary, None, text);
    history::put(run.dir(), &SPOOL, seq, message.as_bytes())
}

/// Records a dispatch of the hub itself as entry `seq`, as [`put_turn_summary`] does.
///
/// # Errors
/// [`WriteError`] when the disk fails.
pub fn put(
    run: &RunDir,
    seq: u32,
    mode: DispatchMode,
    title: Option<&str>,
    body: &str,
) -> Result<(), WriteError> {
    history::put(run.dir(), &SPOOL, seq, render_dispatch(mode, title, body).as_bytes())
}

/// Leaves a dispatch where the agent would write it: the end of its turn takes it up.
///
/// # Errors
/// [`WriteError::Conflict`] when one waits there already.
pub fn leave(
    run: &RunDir,
    mode: DispatchMode,
    title: Option<&str>,
    body: &str,
) -> Result<(), WriteError> {
    let message = render_dispatch(mode, title, body);
    atomic::write(run.dir(), OsStr::new(DISPATCH_FILE), message.as_bytes(), WriteIf::Absent)?;
    Ok(())
}

/// Every entry, lowest number first. One that cannot be read is listed with its error.
///
/// # Errors
/// [`FileError`] when the history cannot be read.
pub fn list(run: &RunDir) -> Result<Vec<Entry>, FileError> {
    history::seqs(run.dir(), &SPOOL)?.into_iter().map(|seq| read(run, seq)).collect()
}

/// One entry.
///
/// # Errors
/// [`FileError`] when there is no such entry.
pub fn read(run: &RunDir, seq: u32) -> Result<Entry, FileError> {
    let entry = history::open_entry(run.dir(), &SPOOL, seq)?;
    let content = entry.read(OsStr::new(SPOOL.message), MAX_MESSAGE_BYTES);
    let archived_us = content.as_ref().map_or(0, |content| content.modified_us);
    let dispatch = content
        .map_err(MessageFailure::File)
        .and_then(|content| Ok(parse_dispatch(&content.bytes)?));
    let attachments = history::attachments(&entry, &SPOOL)?;
    Ok(Entry { seq, dispatch, attachments, archived_us })
}

/// The bytes of an attachment, at most `cap`.
///
/// # Errors
/// [`FileError`] when the name is not allowed or it is not a regular file.
pub fn read_attachment(run: &RunDir, seq: u32, name: &str, cap: u64) -> Result<Content, FileError> {
    check_name(run, name)?;
    history::open_entry(run.dir(), &SPOOL, seq)?.read(OsStr::new(name), cap)
}

pub(crate) fn check_name(run: &RunDir, name: &str) -> Result<(), FileError> {
    check_attachment_name(name).map_err(|error| {
        let reason = crate::Reason::Malformed(error.to_string());
        FileError::new(run.dir().path().join(name.replace('/', "_")), reason)
    })
}
