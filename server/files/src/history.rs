//! Numbered archives of messages: `dispatch_history/NNNN/` and `reply_history/NNNN/`.
//!
//! An entry appears by one rename and is complete from then on. Messages are *moved*, first into a
//! staging directory, so whoever finds that directory after a crash can go on, and no message is
//! archived twice.

use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::{Dir, FileKind};
use crate::error::{FileError, Reason, if_found};
use crate::lock;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// The names one kind of message uses in a run's directory.
#[derive(Debug)]
pub(crate) struct Spool {
    pub(crate) message: &'static str,
    pub(crate) attachments: &'static str,
    pub(crate) history: &'static str,
}

/// The largest message that is read: as large as a ticket.
pub(crate) const MAX_MESSAGE_BYTES: u64 = 1024 * 1024;

const STAGING: &str = ".staging";

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// The number a new entry gets: one more than the highest.
pub(crate) fn next_seq(run: &Dir, spool: &Spool) -> Result<u32, FileError> {
    Ok(seqs(run, spool)?.last().map_or(1, |last| last.saturating_add(1)))
}

/// Whether a message waits to be archived, or was on its way when a crash came.
pub(crate) fn is_waiting(run: &Dir, spool: &Spool) -> Result<bool, FileError> {
    if if_found(run.stat(OsStr::new(spool.message)))?.is_some() {
        return Ok(true);
    }
    let staged = Path::new(spool.history).join(STAGING);
    Ok(if_found(run.open_beneath(&staged))?.is_some())
}

/// Moves the waiting message and its attachments into entry `seq`; `false` when none waits. An
/// entry that exists already is left alone and counts as archived. `validate` sees the message
/// first; when it refuses, everything stays in place.
pub(crate) fn archive<E: From<FileError>>(
    run: &Dir,
    spool: &Spool,
    seq: u32,
    validate: impl FnOnce(&[u8]) -> Result<(), E>,
) -> Result<bool, E> {
    let _lock = lock::lock(run)?;
    let history = run.create_beneath(Path::new(spool.history))?;
    let entry = entry_name(seq);
    if if_found(history.stat(&entry))?.is_some() {
        return Ok(true);
    }
    let message = OsStr::new(spool.message);
    let staged = if_found(history.open_beneath(Path::new(STAGING)))?;
    let has_message = match &staged {
        Some(staging) => if_found(staging.stat(message))?.is_some(),
        None => false,
    };
    if !has_message {
        let Some(content) = if_found(run.read(message, MAX_MESSAGE_BYTES))? else {
            return Ok(false);
        };
        validate(&content.bytes)?;
        let staging = history.create_beneath(Path::new(STAGING))?;
        run.rename(message, &staging, message)?;
    }
    let staging = history.open_beneath(Path::new(STAGING))?;
    move_attachments(run, spool, &staging)?;
    staging.sync()?;
    run.sync()?;
    history.rename(OsStr::new(STAGING), &history, &entry)?;
    history.sync()?;
    Ok(true)
}

/// Writes entry `seq` as a whole. An entry that exists already is left alone.
pub(crate) fn put(run: &Dir, spool: &Spool, seq: u32, bytes: &[u8]) -> Result<(), WriteError> {
    let history = run.create_beneath(Path::new(spool.history))?;
    if if_found(history.stat(&entry_name(seq)))?.is_some() {
        return Ok(());
    }
    let staged = stage(&history, spool, bytes, &[])?;
    match history.rename(&staged, &history, &entry_name(seq)) {
        Err(error) if error.reason == Reason::Exists => discard(&history, &staged)?,
        result => result?,
    }
    Ok(history.sync()?)
}

/// Writes a new entry with the next number and returns that.
pub(crate) fn add(
    run: &Dir,
    spool: &Spool,
    bytes: &[u8],
    attachments: &[(String, Vec<u8>)],
) -> Result<u32, WriteError> {
    let history = run.create_beneath(Path::new(spool.history))?;
    let staged = stage(&history, spool, bytes, attachments)?;
    loop {
        let seq = next_seq(run, spool)?;
        match history.rename(&staged, &history, &entry_name(seq)) {
            // Another writer took the number; the next one is tried.
            Err(error) if error.reason == Reason::Exists => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                history.sync()?;
                return Ok(seq);
            }
        }
    }
}

/// The numbers of all entries, lowest first.
pub(crate) fn seqs(run: &Dir, spool: &Spool) -> Result<Vec<u32>, FileError> {
    let Some(history) = if_found(run.open_beneath(Path::new(spool.history)))? else {
        return Ok(Vec::new());
    };
    let mut seqs = Vec::new();
    for name in history.names()? {
        let is_dir = history.stat(&name).is_ok_and(|meta| meta.kind == FileKind::Directory);
        let digits = name
            .to_str()
            .filter(|name| is_dir && name.len() >= 4 && name.bytes().all(|b| b.is_ascii_digit()));
        seqs.extend(digits.and_then(|digits| digits.parse::<u32>().ok()));
    }
    seqs.sort_unstable();
    seqs.dedup();
    Ok(seqs)
}

/// The directory of an entry.
pub(crate) fn open_entry(run: &Dir, spool: &Spool, seq: u32) -> Result<Dir, FileError> {
    run.open_beneath(&Path::new(spool.history).join(entry_name(seq)))
}

/// The regular files of an entry beside the message.
pub(crate) fn attachments(entry: &Dir, spool: &Spool) -> Result<Vec<Attachment>, FileError> {
    let mut found = Vec::new();
    for name in entry.names()? {
        let Some(meta) = if_found(entry.stat(&name))? else { continue };
        let name = name.to_string_lossy().into_owned();
        if meta.kind == FileKind::Regular && name != spool.message && !name.starts_with('.') {
            found.push(Attachment { name, size: meta.size });
        }
    }
    Ok(found)
}

/// Hidden files stay: they are an editor's or a tool's, and CAR leaves them too.
fn move_attachments(run: &Dir, spool: &Spool, staging: &Dir) -> Result<(), FileError> {
    let Some(from) = if_found(run.open_beneath(Path::new(spool.attachments)))? else {
        return Ok(());
    };
    for name in from.names()? {
        let text = name.to_string_lossy();
        if text.starts_with('.') {
            continue;
        }
        match if_found(from.rename(&name, staging, &name)) {
            Err(error) if error.reason == Reason::Exists => {
                // It has the message's own name, or came again after a crash.
                let other = OsString::from(format!("attachment-{text}"));
                if_found(from.rename(&name, staging, &other))?;
            }
            result => drop(result?),
        }
    }
    from.sync()
}

fn stage(
    history: &Dir,
    spool: &Spool,
    bytes: &[u8],
    attachments: &[(String, Vec<u8>)],
) -> Result<OsString, WriteError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = OsString::from(format!(".new-{}-{count}", std::process::id()));
    sweep(history)?;
    let staging = history.create_beneath(Path::new(&name))?;
    for (name, bytes) in attachments {
        atomic::write(&staging, OsStr::new(name), bytes, WriteIf::Absent)?;
    }
    atomic::write(&staging, OsStr::new(spool.message), bytes, WriteIf::Absent)?;
    Ok(name)
}

/// Removes what a killed process was putting together.
fn sweep(history: &Dir) -> Result<(), FileError> {
    for name in history.names()? {
        let rest = name.to_str().and_then(|name| name.strip_prefix(".new-"));
        let owner = rest.and_then(|rest| rest.split_once('-')?.0.parse().ok());
        if owner.is_some_and(|pid| !lock::is_alive(pid)) {
            discard(history, &name)?;
        }
    }
    Ok(())
}

fn discard(history: &Dir, staged: &OsStr) -> Result<(), FileError> {
    let staging = history.open_beneath(Path::new(staged))?;
    for name in staging.names()? {
        staging.remove(&name)?;
    }
    history.remove_dir(staged)
}

fn entry_name(seq: u32) -> OsString {
    format!("{seq:04}").into()
}
