//! Replacing a file in one step, and only if it is still the one that was read.
//!
//! The new content is written to a temporary file beside the target, brought to disk, and put in
//! place by one rename. A conditional write *exchanges* both files and then looks at what came
//! out: if an editor or an agent was faster, their file goes back and the write is refused. So
//! there is no moment between check and rename in which a change could be lost.

use crate::beneath::{Dir, FileKind, Meta};
use crate::error::{FileError, Reason, if_found};
use crate::{Content, ContentHash, lock};
use rustix::fs::{self, AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest file that is compared with an expected hash. Every file this crate writes is
/// smaller.
const COMPARE_CAP: u64 = 64 * 1024 * 1024;

/// Under which condition a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteIf {
    /// There is no such file.
    Absent,
    /// The file has exactly this content.
    Hash(ContentHash),
    /// Whatever there is; for files that only the hub writes.
    Any,
}

/// Why a file was not written. It is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The file is not what the caller took it for.
    #[error("the file was changed by somebody else: look at the new version and try again")]
    Conflict {
        /// The file as it is now; `None` when there is none.
        current: Option<Box<Content>>,
    },
    /// The file cannot be written at all.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Writes the file `name` of `dir`. An existing file keeps its permission bits; a new one gets
/// those that the process's umask allows.
///
/// # Errors
/// [`WriteError::Conflict`] with the present content when the condition does not hold;
/// [`WriteError::File`] when the target is a symlink, not a regular file, or the disk fails.
pub fn write(
    dir: &Dir,
    name: &OsStr,
    bytes: &[u8],
    when: WriteIf,
) -> Result<ContentHash, WriteError> {
    write_with_mode(dir, name, bytes, when, 0o666)
}

/// Like [`write()`], with other permission bits for a new file; the umask still applies.
///
/// # Errors
/// As [`write()`].
pub fn write_with_mode(
    dir: &Dir,
    name: &OsStr,
    bytes: &[u8],
    when: WriteIf,
    mode: u32,
) -> Result<ContentHash, WriteError> {
    let existing = if_found(dir.stat(name))?;
    if let Some(meta) = existing {
        let regular = meta.kind.must_be_regular();
        regular.map_err(|reason| FileError::new(dir.path_of(name), reason))?;
    }
    // Among our own writers one at a time: with two exchanges under way, putting one back could
    // undo the other.
    let _lock = match when {
        WriteIf::Hash(_) => Some(lock::lock(dir)?),
        WriteIf::Absent | WriteIf::Any => None,
    };
    // Most conflicts are seen here, without having written anything.
    check(dir, name, when)?;
    let temporary = Temporary::new(dir, bytes, existing.map(|meta| meta.mode), mode)?;
    match when {
        WriteIf::Absent => match rename_new(dir, &temporary.name, dir, name) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(conflict(dir, name)?),
            Err(errno) => return Err(FileError::errno(dir.path_of(name), errno).into()),
        },
        WriteIf::Hash(expected) => exchange(dir, name, &temporary, expected)?,
        WriteIf::Any => fs::renameat(dir, &temporary.name, dir, name)
            .map_err(|e| FileError::errno(dir.path_of(name), e))?,
    }
    drop(temporary);
    dir.sync()?;
    Ok(ContentHash::of(bytes))
}

/// Puts a whole file in place without waiting for the disk: after a power cut it may be missing,
/// empty or the one before. For what its reader can tell apart and make again.
///
/// # Errors
/// [`FileError`] when the target is not a regular file or the disk fails.
pub fn write_unsynced(dir: &Dir, name: &OsStr, bytes: &[u8]) -> Result<(), FileError> {
    if let Some(meta) = if_found(dir.stat(name))? {
        let regular = meta.kind.must_be_regular();
        regular.map_err(|reason| FileError::new(dir.path_of(name), reason))?;
    }
    let temporary = Temporary::unsynced(dir, bytes, None, 0o666)?;
    fs::renameat(dir, &temporary.name, dir, name)
        .map_err(|e| FileError::errno(dir.path_of(name), e))
}

/// A file that is written piece by piece and put in place whole. Dropped before that, it is gone.
#[derive(Debug)]
pub struct Staged {
    dir: Dir,
    name: OsString,
    file: std::fs::File,
}

impl Staged {
    /// Begins a file that will be put into `dir`.
    ///
    /// # Errors
    /// [`FileError`] when the disk fails.
    pub fn begin(dir: Dir) -> Result<Self, FileError> {
        let name = temporary_name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = fs::openat(&dir, &name, flags, Mode::from_raw_mode(raw(0o666)))
            .map_err(|e| FileError::errno(dir.path_of(&name), e))?;
        Ok(Self { dir, name, file: std::fs::File::from(fd) })
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// [`FileError`] when the disk fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let written = self.file.write_all(bytes);
        written.map_err(|e| FileError::io(self.dir.path_of(&self.name), &e))
    }

    /// Puts it in place under `name`, in place of a regular file of that name.
    ///
    /// # Errors
    /// [`FileError`] when something else has the name, or the disk fails.
    pub fn put(self, name: &OsStr) -> Result<Meta, FileError> {
        if let Some(meta) = if_found(self.dir.stat(name))? {
            let regular = meta.kind.must_be_regular();
            regular.map_err(|reason| FileError::new(self.dir.path_of(name), reason))?;
        }
        self.file.sync_all().map_err(|e| FileError::io(self.dir.path_of(name), &e))?;
        fs::renameat(&self.dir, &self.name, &self.dir, name)
            .map_err(|e| FileError::errno(self.dir.path_of(name), e))?;
        self.dir.sync()?;
        let stat = fs::fstat(&self.file);
        stat.map(|stat| Meta::from(&stat)).map_err(|e| FileError::errno(self.dir.path_of(name), e))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Nothing has this name any more once it was put in place.
        let _ = self.dir.remove(&self.name);
    }
}

/// Removes the file `name` of `dir` if it still has the content `expected`.
///
/// # Errors
/// [`WriteError::Conflict`] when it has other content or is gone.
pub fn remove(dir: &Dir, name: &OsStr, expected: ContentHash) -> Result<(), WriteError> {
    let _lock = lock::lock(dir)?;
    check(dir, name, WriteIf::Hash(expected))?;
    // Taken aside first, so that what is deleted is what was compared.
    let aside = temporary_name();
    rename_new(dir, name, dir, &aside).map_err(|e| FileError::errno(dir.path_of(name), e))?;
    let found = dir.read(&aside, COMPARE_CAP)?;
    if found.hash != expected {
        rename_new(dir, &aside, dir, name).map_err(|e| FileError::errno(dir.path_of(name), e))?;
        return Err(WriteError::Conflict { current: Some(Box::new(found)) });
    }
    dir.remove(&aside)?;
    Ok(dir.sync()?)
}

/// Removes temporary files that a killed process left in `dir`. Those of living processes stay.
///
/// # Errors
/// [`FileError`] when the directory cannot be read.
pub fn sweep(dir: &Dir) -> Result<(), FileError> {
    for name in dir.names()? {
        let owner = name.to_str().and_then(owner_of_temporary);
        if owner.is_some_and(|pid| !lock::is_alive(pid)) {
            dir.remove(&name)?;
        }
    }
    Ok(())
}

/// Renames without replacing; works also where the system has no such call.
pub(crate) fn rename_new(
    from_dir: impl AsFd,
    from: &OsStr,
    to_dir: impl AsFd,
    to: &OsStr,
) -> Result<(), Errno> {
    let renamed = fs::renameat_with(&from_dir, from, &to_dir, to, RenameFlags::NOREPLACE);
    match renamed {
        Err(Errno::INVAL | Errno::NOSYS) => {
            let is_dir = fs::statat(&from_dir, from, AtFlags::SYMLINK_NOFOLLOW)
                .map(|stat| Meta::from(&stat).kind == FileKind::Directory)?;
            if is_dir {
                // Directories cannot be linked; a plain rename replaces an empty one at most.
                return match fs::statat(&to_dir, to, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Err(Errno::EXIST),
                    Err(Errno::NOENT) => fs::renameat(&from_dir, from, &to_dir, to),
                    Err(errno) => Err(errno),
                };
            }
            // A hard link fails when the name is taken, which a plain rename does not.
            fs::linkat(&from_dir, from, &to_dir, to, AtFlags::empty())?;
            fs::unlinkat(&from_dir, from, AtFlags::empty())
        }
        other => other,
    }
}

fn check(dir: &Dir, name: &OsStr, when: WriteIf) -> Result<(), WriteError> {
    let current = match when {
        WriteIf::Any => return Ok(()),
        WriteIf::Absent | WriteIf::Hash(_) => if_found(dir.read(name, COMPARE_CAP))?,
    };
    let holds = match when {
        WriteIf::Any => true,
        WriteIf::Absent => current.is_none(),
        WriteIf::Hash(expected) => current.as_ref().is_some_and(|c| c.hash == expected),
    };
    if holds { Ok(()) } else { Err(WriteError::Conflict { current: current.map(Box::new) }) }
}

fn conflict(dir: &Dir, name: &OsStr) -> Result<WriteError, FileError> {
    let current = if_found(dir.read(name, COMPARE_CAP))?;
    Ok(WriteError::Conflict { current: current.map(Box::new) })
}

/// Puts the temporary file in place and the old file in its, then makes sure of the old one.
fn exchange(
    dir: &Dir,
    name: &OsStr,
    temporary: &Temporary<'_>,
    expected: ContentHash,
) -> Result<(), WriteError> {
    let swap = || fs::renameat_with(dir, &temporary.name, dir, name, RenameFlags::EXCHANGE);
    match swap() {
        Ok(()) => {}
        Err(Errno::NOENT) => return Err(conflict(dir, name)?),
        Err(Errno::INVAL | Errno::NOSYS) => {
            // This file system cannot exchange. The check is made again as late as possible.
            check(dir, name, WriteIf::Hash(expected))?;
            fs::renameat(dir, &temporary.name, dir, name)
                .map_err(|e| FileError::errno(dir.path_of(name), e))?;
            return Ok(());
        }
        Err(errno) => return Err(FileError::errno(dir.path_of(name), errno).into()),
    }
    let replaced = dir.read(&temporary.name, COMPARE_CAP);
    if matches!(&replaced, Ok(content) if content.hash == expected) {
        return Ok(());
    }
    // Somebody was faster: theirs goes back. What comes out then is what we had put there, unless
    // yet another version arrived in between: that one is newer and goes back in turn. Each file
    // is held open while it counts, so that its identity is not given to another one.
    let mut put = Held { identity: temporary.identity, _fd: None };
    loop {
        let back = Held::open(dir, &temporary.name)?;
        swap().map_err(|e| FileError::errno(dir.path_of(name), e))?;
        let out = Held::open(dir, &temporary.name)?;
        if out.identity == put.identity {
            break;
        }
        put = back;
    }
    match replaced {
        Ok(content) => Err(WriteError::Conflict { current: Some(Box::new(content)) }),
        Err(error) => Err(FileError::new(dir.path_of(name), error.reason).into()),
    }
}

/// A file that is known by its identity, and held open so that it keeps it.
struct Held {
    identity: (u64, u64),
    _fd: Option<OwnedFd>,
}

impl Held {
    fn open(dir: &Dir, name: &OsStr) -> Result<Self, FileError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // What cannot be opened (a link, a file of somebody else) is known by its identity alone.
        let fd = fs::openat(dir, name, flags, Mode::empty()).ok();
        Ok(Self { identity: dir.stat(name)?.identity, _fd: fd })
    }
}

/// A complete file that is not in place yet. Whatever has its name at the end is removed.
struct Temporary<'a> {
    dir: &'a Dir,
    name: OsString,
    identity: (u64, u64),
    /// Held open so that its identity is not given to another file once it was replaced.
    _file: Option<std::fs::File>,
}

impl<'a> Temporary<'a> {
    fn new(dir: &'a Dir, bytes: &[u8], keep: Option<u32>, mode: u32) -> Result<Self, FileError> {
        let (temporary, file) = Self::written(dir, bytes, keep, mode)?;
        file.sync_all().map_err(|e| FileError::io(dir.path_of(&temporary.name), &e))?;
        let mut temporary = temporary.identified()?;
        temporary._file = Some(file);
        Ok(temporary)
    }

    /// The same, but on disk only some time later.
    fn unsynced(
        dir: &'a Dir,
        bytes: &[u8],
        keep: Option<u32>,
        mode: u32,
    ) -> Result<Self, FileError> {
        Self::written(dir, bytes, keep, mode)?.0.identified()
    }

    fn written(
        dir: &'a Dir,
        bytes: &[u8],
        keep: Option<u32>,
        mode: u32,
    ) -> Result<(Self, std::fs::File), FileError> {
        let name = temporary_name();
        let path = dir.path_of(&name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = fs::openat(dir, &name, flags, Mode::from_raw_mode(raw(mode)))
            .map_err(|e| FileError::errno(&path, e))?;
        let temporary = Self { dir, name, identity: (0, 0), _file: None };
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes).map_err(|e| FileError::io(&path, &e))?;
        if let Some(mode) = keep {
            fs::fchmod(&file, Mode::from_raw_mode(raw(mode)))
                .map_err(|e| FileError::errno(&path, e))?;
        }
        Ok((temporary, file))
    }

    fn identified(mut self) -> Result<Self, FileError> {
        let meta = self.dir.stat(&self.name)?;
        if meta.kind != FileKind::Regular {
            return Err(FileError::new(self.dir.path_of(&self.name), Reason::Changed));
        }
        self.identity = meta.identity;
        Ok(self)
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // After a plain rename there is nothing left; after an exchange it is the old version.
        let _ = self.dir.remove(&self.name);
    }
}

/// Permission bits in the system's own width.
fn raw(mode: u32) -> fs::RawMode {
    fs::RawMode::try_from(mode & 0o7777).unwrap_or(0o600)
}

/// `.car-<pid>-<counter>.tmp`: hidden, and ignored by every list of tickets.
fn temporary_name() -> OsString {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!(".car-{}-{count}.tmp", std::process::id()).into()
}

fn owner_of_temporary(name: &str) -> Option<u32> {
    name.strip_prefix(".car-")?.strip_suffix(".tmp")?.split_once('-')?.0.parse().ok()
}
