//! Changing one ticket.

use super::{ChangeError, cap, open, rename};
use crate::ContentHash;
use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::Dir;
use crate::error::{FileError, Reason};
use crate::{CAR_DIR, lock};
use car_engine::ticket::queue::{self, Name, TicketName, classify};
use car_engine::ticket::{
    FieldValue, Issue, KnownAgents, MAX_TICKET_BYTES, VerificationNote, parse, remove_field,
    set_field, set_verification_note,
};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// How often an edit is made again on the newer version before giving up.
const ATTEMPTS: usize = 200;

/// Where a new ticket goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The lowest number not in use.
    LowestFree,
    /// Behind the last ticket.
    Last,
    /// This number, which must be free.
    At(u64),
    /// This number; tickets in the way move up.
    Before(u64),
}

/// A ticket that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The file's name.
    pub name: OsString,
    /// Its number.
    pub number: u64,
    /// Its version.
    pub hash: ContentHash,
}

/// Writes a ticket file as a whole, under the condition `when`.
///
/// # Errors
/// [`ChangeError`] when the name is not a ticket's, the text is too large, or the file changed.
pub fn write(
    tree: &Path,
    name: &OsStr,
    bytes: &[u8],
    when: WriteIf,
) -> Result<ContentHash, ChangeError> {
    let dir = open(tree)?;
    let is_ticket = matches!(name.to_str().map(classify), Some(Name::Ticket(_)));
    if !is_ticket {
        let reason = Reason::Malformed(queue::NAME_RULE.to_owned());
        return Err(FileError::new(dir.path_of(name), reason).into());
    }
    if bytes.len() > MAX_TICKET_BYTES {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let reason = Reason::TooLarge { size, cap: cap() };
        return Err(FileError::new(dir.path_of(name), reason).into());
    }
    Ok(atomic::write(&dir, name, bytes, when)?)
}

/// Creates a ticket; `content` is asked for its text once the number is known. However many
/// tickets are created at once, each gets a number of its own.
///
/// # Errors
/// [`ChangeError::NumberTaken`] for [`Place::At`]; [`ChangeError::Plan`] when room cannot be made.
pub fn create(
    tree: &Path,
    place: Place,
    content: impl Fn(u64) -> Vec<u8>,
) -> Result<Placed, ChangeError> {
    let car = Dir::open(tree)?.create_beneath(Path::new(CAR_DIR))?;
    let dir = car.create_beneath(Path::new(super::TICKETS_DIR))?;
    let _lock = lock::lock(&dir)?;
    rename::recover(&car, &dir)?;
    atomic::sweep(&dir)?;
    loop {
        let names = names(&dir)?;
        let all = || names.iter().map(String::as_str);
        let number = match place {
            Place::LowestFree => queue::lowest_free(all()),
            Place::Last => queue::next_after_last(all()),
            Place::At(number) => {
                let taken = queue::sorted(all()).iter().any(|(ticket, _)| ticket.number == number);
                if taken {
                    return Err(ChangeError::NumberTaken { number });
                }
                number
            }
            Place::Before(number) => {
                let names: Vec<&str> = all().collect();
                let plan = queue::make_room(&names, number)?;
                rename::carry_out(&car, &dir, &plan)?;
                number
            }
        };
        let name = OsString::from(TicketName::plain(number));
        match atomic::write(&dir, &name, &content(number), WriteIf::Absent) {
            Ok(hash) => return Ok(Placed { name, number, hash }),
            // Somebody who does not know our lock took the name; the next look sees it.
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::File(error)) => return Err(error.into()),
        }
    }
}

/// Sets `done` by a minimal edit. With `expected`, only on that version; without, on whatever
/// version is there, again if it changes meanwhile.
///
/// # Errors
/// [`ChangeError::Edit`] when the frontmatter does not allow it, [`ChangeError::Write`] on a
/// conflict.
pub fn set_done(
    tree: &Path,
    name: &OsStr,
    done: bool,
    expected: Option<ContentHash>,
) -> Result<ContentHash, ChangeError> {
    edit(tree, name, expected, |bytes| Ok(car_engine::ticket::set_done(bytes, done)?))
}

/// Sets fields of the frontmatter, or takes them out, by minimal edits in one write. With
/// `expected`, only on that version; without, on whatever version is there.
///
/// # Errors
/// As [`set_done`].
pub fn set_fields(
    tree: &Path,
    name: &OsStr,
    fields: &[(&str, Option<FieldValue<'_>>)],
    expected: Option<ContentHash>,
) -> Result<ContentHash, ChangeError> {
    edit(tree, name, expected, |bytes| {
        let mut bytes = bytes.to_vec();
        for (key, value) in fields {
            bytes = match value {
                Some(value) => set_field(&bytes, key, *value)?,
                None => remove_field(&bytes, key)?,
            };
        }
        Ok(bytes)
    })
}

/// Reopens or closes a ticket together with its verification note, in one write.
///
/// # Errors
/// As [`set_done`].
pub fn set_note(
    tree: &Path,
    name: &OsStr,
    done: bool,
    note: Option<&VerificationNote>,
    expected: Option<ContentHash>,
) -> Result<ContentHash, ChangeError> {
    edit(tree, name, expected, |bytes| {
        let bytes = car_engine::ticket::set_done(bytes, done)?;
        Ok(set_verification_note(&bytes, note)?)
    })
}

/// Applies every safe repair to a ticket. Returns the issues that were repaired.
///
/// # Errors
/// [`ChangeError::Edit`] when nothing can be repaired safely.
pub fn fix(
    tree: &Path,
    name: &OsStr,
    expected: Option<ContentHash>,
) -> Result<(ContentHash, Vec<Issue>), ChangeError> {
    let repaired = std::cell::RefCell::new(Vec::new());
    let hash = edit(tree, name, expected, |bytes| {
        let parsed = parse(&name.to_string_lossy(), bytes, &KnownAgents::any());
        let fixable: Vec<Issue> = parsed.issues.into_iter().filter(|i| i.fix.is_some()).collect();
        let after = car_engine::ticket::fix(bytes, &fixable)?;
        *repaired.borrow_mut() = fixable;
        Ok(after)
    })?;
    Ok((hash, repaired.into_inner()))
}

/// Removes a ticket if it still is the version `expected`.
///
/// # Errors
/// [`ChangeError::Write`] on a conflict.
pub fn remove(tree: &Path, name: &OsStr, expected: ContentHash) -> Result<(), ChangeError> {
    let dir = open(tree)?;
    Ok(atomic::remove(&dir, name, expected)?)
}

fn edit(
    tree: &Path,
    name: &OsStr,
    expected: Option<ContentHash>,
    change: impl Fn(&[u8]) -> Result<Vec<u8>, ChangeError>,
) -> Result<ContentHash, ChangeError> {
    let dir = open(tree)?;
    let mut attempts = 0;
    loop {
        let current = dir.read(name, cap())?;
        if expected.is_some_and(|hash| hash != current.hash) {
            return Err(WriteError::Conflict { current: Some(Box::new(current)) }.into());
        }
        let after = change(&current.bytes)?;
        if after == current.bytes {
            return Ok(current.hash);
        }
        attempts += 1;
        match atomic::write(&dir, name, &after, WriteIf::Hash(current.hash)) {
            Err(WriteError::Conflict { .. }) if expected.is_none() && attempts < ATTEMPTS => {}
            result => return Ok(result?),
        }
    }
}

/// The names in the directory that are UTF-8; others cannot be tickets.
pub(super) fn names(dir: &Dir) -> Result<Vec<String>, FileError> {
    Ok(dir.names()?.into_iter().filter_map(|name| name.into_string().ok()).collect())
}
