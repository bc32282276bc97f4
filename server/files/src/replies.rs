//! Messages from people to an agent: `USER_REPLY.md`, archived in `reply_history/NNNN/`.

use crate::Content;
use crate::atomic::WriteError;
use crate::dispatches::{MessageFailure, check_name};
use crate::error::{FileError, if_found};
use crate::history::{self, Attachment, MAX_MESSAGE_BYTES, Spool};
use crate::run_dir::{REPLY_DIR, REPLY_FILE, REPLY_HISTORY, RunDir};
use car_engine::dispatch::{Reply, parse_reply, render_reply};
use std::ffi::OsStr;

const SPOOL: Spool = Spool { message: REPLY_FILE, attachments: REPLY_DIR, history: REPLY_HISTORY };

/// An archived reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number.
    pub seq: u32,
    /// What it says, or why it cannot be read.
    pub reply: Result<Reply, MessageFailure>,
    /// The files that came with it.
    pub attachments: Vec<Attachment>,
    /// When it was archived, in microseconds since 1970.
    pub archived_us: i64,
}

/// Whether a `USER_REPLY.md` waits to be archived. One with nothing in it does not: somebody is
/// about to write it.
///
/// # Errors
/// [`FileError`] when the directory cannot be read.
pub fn is_waiting(run: &RunDir) -> Result<bool, FileError> {
    let begun = if_found(run.dir().stat(OsStr::new(SPOOL.message)))?;
    Ok(begun.is_none_or(|meta| meta.size > 0) && history::is_waiting(run.dir(), &SPOOL)?)
}

/// The number the next reply gets.
///
/// # Errors
/// [`FileError`] when the history cannot be read.
pub fn next_seq(run: &RunDir) -> Result<u32, FileError> {
    history::next_seq(run.dir(), &SPOOL)
}

/// Moves `USER_REPLY.md` and the files in `reply/` to entry `seq`, and returns the entry; `None`
/// when no reply waits. Doing it again with the same `seq` returns the same entry.
///
/// # Errors
/// [`MessageFailure`] when the reply cannot be read or moved: it is left in place.
pub fn archive(run: &RunDir, seq: u32) -> Result<Option<Entry>, MessageFailure> {
    let validate = |bytes: &[u8]| Ok(parse_reply(bytes).map(drop)?);
    if history::archive::<MessageFailure>(run.dir(), &SPOOL, seq, validate)? {
        return Ok(Some(read(run, seq)?));
    }
    Ok(None)
}

/// Archives a reply that came through the hub, whole and at once, and returns its number. A
/// `USER_REPLY.md` that somebody is writing meanwhile is not touched.
///
/// # Errors
/// [`WriteError`] when an attachment's name is not allowed or the disk fails.
pub fn add(
    run: &RunDir,
    title: Option<&str>,
    body: &str,
    attachments: &[(String, Vec<u8>)],
) -> Result<u32, WriteError> {
    for (name, _) in attachments {
        check_name(run, name)?;
    }
    history::add(run.dir(), &SPOOL, render_reply(title, body).as_bytes(), attachments)
}

/// The replies with a number above `seq`, lowest first. One that cannot be read is listed with its
/// error.
///
/// # Errors
/// [`FileError`] when the history cannot be read.
pub fn list_after(run: &RunDir, seq: u32) -> Result<Vec<Entry>, FileError> {
    let seqs = history::seqs(run.dir(), &SPOOL)?;
    seqs.into_iter().filter(|found| *found > seq).map(|seq| read(run, seq)).collect()
}

/// One entry.
///
/// # Errors
/// [`FileError`] when there is no such entry.
pub fn read(run: &RunDir, seq: u32) -> Result<Entry, FileError> {
    let entry = history::open_entry(run.dir(), &SPOOL, seq)?;
    let content = entry.read(OsStr::new(SPOOL.message), MAX_MESSAGE_BYTES);
    let archived_us = content.as_ref().map_or(0, |content| content.modified_us);
    let reply =
        content.map_err(MessageFailure::File).and_then(|content| Ok(parse_reply(&content.bytes)?));
    let attachments = history::attachments(&entry, &SPOOL)?;
    Ok(Entry { seq, reply, attachments, archived_us })
}

/// The bytes of an attachment, at most `cap`.
///
/// # Errors
/// [`FileError`] when the name is not allowed or it is not a regular file.
pub fn read_attachment(run: &RunDir, seq: u32, name: &str, cap: u64) -> Result<Content, FileError> {
    check_name(run, name)?;
    history::open_entry(run.dir(), &SPOOL, seq)?.read(OsStr::new(name), cap)
}
