//! The ticket queue of a working tree: `.codex-autorunner/tickets/`.
//!
//! Every function takes the root of the working tree and makes no assumption about who else
//! changes the directory. Reading never fails because of one file: a file that cannot be read is
//! listed with its error.

mod change;
mod rename;
#[cfg(test)]
mod tests;

pub use change::{Place, Placed, create, fix, remove, set_done, set_fields, set_note, write};
pub use rename::{insert_gap, move_block, move_to, renumber};

use crate::atomic::WriteError;
use crate::beneath::{Dir, FileKind, Meta};
use crate::error::{FileError, Reason, if_found};
use crate::lock::{self, DirLock};
use crate::{CAR_DIR, Content, ContentHash};
use car_engine::ticket::queue::{Name, PlanError, classify};
use car_engine::ticket::{
    Code, EditError, Issue, KnownAgents, Listed, MAX_TICKET_BYTES, Parsed, Severity,
    check_directory, parse,
};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The directory's name within [`CAR_DIR`].
pub const TICKETS_DIR: &str = "tickets";

/// A file of the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketFile {
    /// Its name, as the system has it.
    pub name: OsString,
    /// Its place in the queue; `None` when the name is not a ticket's.
    pub number: Option<u64>,
    /// What it holds, or why it cannot be read.
    pub content: Result<Loaded, FileError>,
}

/// A file that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Its version.
    pub hash: ContentHash,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed, in microseconds since 1970.
    pub modified_us: i64,
    /// What it says, and what the linter says about it.
    pub parsed: Parsed,
}

/// All files of a queue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// Tickets by number, then files that should be tickets but are misnamed.
    pub files: Vec<TicketFile>,
    /// Numbers and identities used twice: the indices in `files`, and the issue that names them.
    pub clashes: Vec<(Vec<usize>, Issue)>,
}

/// What can be known of a file without reading it. As long as it does not change, neither does
/// the content, except through writers that set times back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    /// The file's name.
    pub name: OsString,
    /// Its place in the queue.
    pub number: Option<u64>,
    /// Kind, size, times and identity.
    pub meta: Meta,
}

/// Why a change of the queue was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// The file is not what the caller took it for, or cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The edit was refused.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The order cannot be changed like this.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The number is in use.
    #[error("choose another number: {number:03} is in use")]
    NumberTaken {
        /// The number.
        number: u64,
    },
}

impl From<FileError> for ChangeError {
    fn from(error: FileError) -> Self {
        Self::Write(WriteError::File(error))
    }
}

impl TicketFile {
    /// The name for people; bytes that are not UTF-8 are shown as U+FFFD.
    #[must_use]
    pub fn display_name(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    /// Everything that is wrong with the file itself, also when it could not be read.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        match &self.content {
            Ok(loaded) => loaded.parsed.issues.clone(),
            Err(error) => {
                let code = if matches!(error.reason, Reason::TooLarge { .. }) {
                    Code::FileTooLarge
                } else if self.name.to_str().is_none() {
                    Code::NameInvalid
                } else {
                    Code::FileUnreadable
                };
                vec![Issue::at_start(code, error.reason.to_string())]
            }
        }
    }

    /// Whether the file can be worked.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.content.as_ref().is_ok_and(|loaded| loaded.parsed.is_valid())
    }
}

impl Listing {
    /// Every error of the queue with the name of the file it is about; a clash once per file.
    pub fn errors(&self) -> impl Iterator<Item = (String, Issue)> + '_ {
        let own = self.files.iter().flat_map(|file| {
            file.issues().into_iter().map(move |issue| (file.display_name(), issue))
        });
        let clashes = self.clashes.iter().flat_map(|(files, issue)| {
            let files = files.iter().filter_map(|index| self.files.get(*index));
            files.map(move |file| (file.display_name(), issue.clone()))
        });
        own.chain(clashes).filter(|(_, issue)| issue.severity() == Severity::Error)
    }
}

/// Reads the whole queue of the working tree `tree`.
///
/// # Errors
/// [`FileError`] only when the directory itself cannot be read; [`Reason::NotFound`] when the tree
/// has none.
pub fn list(tree: &Path, agents: &KnownAgents) -> Result<Listing, FileError> {
    let (dir, _lock) = open_unchanging(tree)?;
    let found = entries(&dir)?;
    let files: Vec<TicketFile> = found
        .into_iter()
        .filter_map(|name| {
            let file = load(&dir, &name, agents);
            // Gone between the listing and the reading: as if it had not been listed.
            let vanished = matches!(&file.content, Err(error) if error.is_not_found());
            (!vanished).then_some(file)
        })
        .collect();
    let listed: Vec<(usize, &str, Option<&str>)> = files
        .iter()
        .enumerate()
        .filter_map(|(index, file)| {
            let outline = file.content.as_ref().ok().map(|loaded| &loaded.parsed.outline);
            let id = outline.and_then(|outline| outline.ticket_id.as_deref());
            Some((index, file.name.to_str()?, id))
        })
        .collect();
    let tickets: Vec<Listed<'_>> =
        listed.iter().map(|(_, name, ticket_id)| Listed { name, ticket_id: *ticket_id }).collect();
    let original = |index: usize| listed.get(index).map(|(index, ..)| *index);
    let clashes = check_directory(&tickets)
        .into_iter()
        .map(|(indices, issue)| (indices.into_iter().filter_map(original).collect(), issue))
        .collect();
    Ok(Listing { files, clashes })
}

/// Looks at the queue without reading a file.
///
/// # Errors
/// As [`list`].
pub fn scan_meta(tree: &Path) -> Result<Vec<FileMeta>, FileError> {
    let (dir, _lock) = open_unchanging(tree)?;
    let mut found = Vec::new();
    for name in entries(&dir)? {
        if let Some(meta) = if_found(dir.stat(&name))? {
            found.push(FileMeta { number: number_of(&name), name, meta });
        }
    }
    Ok(found)
}

/// Reads one file of the queue.
///
/// # Errors
/// [`FileError`] only when the directory cannot be opened; what is wrong with the file is in the
/// result.
pub fn read(tree: &Path, name: &OsStr, agents: &KnownAgents) -> Result<TicketFile, FileError> {
    Ok(load(&open(tree)?, name, agents))
}

/// Reads the bytes of one file of the queue.
///
/// # Errors
/// [`FileError`] when it is not a regular file of at most the size of a ticket.
pub fn read_bytes(tree: &Path, name: &OsStr) -> Result<Content, FileError> {
    open(tree)?.read(name, cap())
}

/// Opens the directory, and finishes a renaming that a crash interrupted.
fn open(tree: &Path) -> Result<Dir, FileError> {
    let parent = Dir::open(tree)?.open_beneath(Path::new(CAR_DIR))?;
    let dir = parent.open_beneath(Path::new(TICKETS_DIR))?;
    rename::recover_if_needed(&parent, &dir)?;
    Ok(dir)
}

/// Opens the directory to look at all of it: as long as the lock is held nothing is renamed.
fn open_unchanging(tree: &Path) -> Result<(Dir, Option<DirLock>), FileError> {
    let dir = open(tree)?;
    if let Some(lock) = lock::lock_shared(&dir)? {
        return Ok((dir, Some(lock)));
    }
    // A renaming on a slow disk is waited for; somebody who only holds the lock is not.
    let dir = open(tree)?;
    let lock = lock::try_shared(&dir)?;
    Ok((dir, lock))
}

fn load(dir: &Dir, name: &OsStr, agents: &KnownAgents) -> TicketFile {
    let content = dir.read(name, cap()).and_then(|content| {
        let text = name.to_str().ok_or_else(|| {
            let reason = "rename it: the name is not UTF-8".to_owned();
            FileError::new(dir.path_of(name), Reason::Malformed(reason))
        })?;
        Ok(Loaded {
            hash: content.hash,
            size: u64::try_from(content.bytes.len()).unwrap_or(u64::MAX),
            modified_us: content.modified_us,
            parsed: parse(text, &content.bytes, agents),
        })
    });
    TicketFile { name: name.to_owned(), number: number_of(name), content }
}

/// The names that are tickets or should be, tickets first in their order.
fn entries(dir: &Dir) -> Result<Vec<OsString>, FileError> {
    let mut found = Vec::new();
    for name in dir.names()? {
        let kind = name.to_str().map(classify);
        let wanted = match kind {
            Some(Name::Ticket(_)) => true,
            // A ticket in the middle of a renaming whose plan is lost must not stay unseen.
            Some(Name::Ignored) if rename::is_aside(&name) => true,
            Some(Name::Ignored) => false,
            // A subdirectory that does not claim to be a ticket is nobody's mistake.
            Some(Name::Foreign) | None => !is_directory(dir, &name)?,
        };
        if wanted {
            found.push(name);
        }
    }
    found.sort_by_cached_key(|name| (number_of(name).is_none(), number_of(name), name.clone()));
    Ok(found)
}

fn is_directory(dir: &Dir, name: &OsStr) -> Result<bool, FileError> {
    let meta = if_found(dir.stat(name))?;
    Ok(meta.is_none_or(|meta| meta.kind == FileKind::Directory))
}

fn number_of(name: &OsStr) -> Option<u64> {
    match classify(name.to_str()?) {
        Name::Ticket(ticket) => Some(ticket.number),
        Name::Ignored | Name::Foreign => None,
    }
}

fn cap() -> u64 {
    u64::try_from(MAX_TICKET_BYTES).unwrap_or(u64::MAX)
}
