//! Opening files beneath a directory, whoever may have put them there.
//!
//! A [`Dir`] is a handle, so a directory that is renamed or replaced by a symlink after it was
//! opened cannot lead elsewhere. Below it no symlink is followed and no `..` is accepted. Files
//! are looked at before they are opened, so that a device is never touched and a FIFO never waits.

use crate::error::{FileError, Reason};
use crate::{Content, ContentHash};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

const DIR_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// An open directory.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

/// What a directory entry is, without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// A regular file, a directory, or something that is not read.
    pub kind: FileKind,
    /// Size in bytes.
    pub size: u64,
    /// When the content last changed, in microseconds since 1970.
    pub modified_us: i64,
    /// Permission bits.
    pub mode: u32,
    /// Device and inode: two names with the same pair are one file.
    pub identity: (u64, u64),
    /// How many names it has.
    pub links: u64,
}

/// The kinds of directory entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symlink, wherever it leads.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

/// Reads the file `relative` beneath `root`, at most `cap` bytes of it.
///
/// # Errors
/// [`FileError`] with the reason: nothing but a regular file of at most `cap` bytes is read.
pub fn read_file(root: &Path, relative: &Path, cap: u64) -> Result<Content, FileError> {
    let outside = || FileError::new(root.join(relative), Reason::Outside);
    let name = relative.file_name().ok_or_else(outside)?;
    let parent = relative.parent().unwrap_or(Path::new(""));
    Dir::open(root)?.open_beneath(parent)?.read(name, cap)
}

impl Dir {
    /// Opens a directory that the operator named; symlinks on the way to it are followed.
    ///
    /// # Errors
    /// [`FileError`] when it is not a directory that can be read.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let flags = DIR_FLAGS.difference(OFlags::NOFOLLOW);
        let fd = fs::open(path, flags, Mode::empty()).map_err(|e| FileError::errno(path, e))?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Opens a directory beneath this one. The empty path is the directory itself.
    ///
    /// # Errors
    /// [`FileError`] when a part is missing, a symlink, or no directory.
    pub fn open_beneath(&self, relative: &Path) -> Result<Self, FileError> {
        self.descend(relative, false)
    }

    /// Like [`Dir::open_beneath`], but makes the directories that are missing.
    ///
    /// # Errors
    /// [`FileError`] when a part is a symlink or no directory, or cannot be made.
    pub fn create_beneath(&self, relative: &Path) -> Result<Self, FileError> {
        self.descend(relative, true)
    }

    /// Reads a regular file of this directory, at most `cap` bytes.
    ///
    /// # Errors
    /// [`FileError`] when it is anything else, larger, or vanishes.
    pub fn read(&self, name: &OsStr, cap: u64) -> Result<Content, FileError> {
        let path = self.path_of(name);
        let fail = |reason| FileError::new(&path, reason);
        let (file, opened) = self.open_file(name)?;
        if opened.size > cap {
            return Err(fail(Reason::TooLarge { size: opened.size, cap }));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(opened.size).unwrap_or(0));
        let mut file = file.take(cap.saturating_add(1));
        file.read_to_end(&mut bytes).map_err(|e| FileError::io(&path, &e))?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > cap {
            return Err(fail(Reason::TooLarge { size, cap }));
        }
        let hash = ContentHash::of(&bytes);
        Ok(Content { bytes, hash, modified_us: opened.modified_us })
    }

    /// Opens a regular file of this directory for reading, however large it is.
    ///
    /// # Errors
    /// [`FileError`] when it is anything else, or vanishes.
    pub fn open_file(&self, name: &OsStr) -> Result<(std::fs::File, Meta), FileError> {
        let path = self.path_of(name);
        let fail = |reason| FileError::new(&path, reason);
        let before = self.stat(name)?;
        before.kind.must_be_regular().map_err(fail)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, name, flags, Mode::empty())
            .map_err(|e| FileError::errno(&path, e))?;
        // What was opened may no longer be what was looked at.
        let opened = Meta::from(&fs::fstat(&fd).map_err(|e| FileError::errno(&path, e))?);
        opened.kind.must_be_regular().map_err(fail)?;
        Ok((std::fs::File::from(fd), opened))
    }

    /// Looks at an entry without opening it.
    ///
    /// # Errors
    /// [`FileError`] when it is not there.
    pub fn stat(&self, name: &OsStr) -> Result<Meta, FileError> {
        self.check_name(name)?;
        let stat = fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        stat.map(|stat| Meta::from(&stat)).map_err(|e| FileError::errno(self.path_of(name), e))
    }

    /// The names in this directory, sorted by their bytes.
    ///
    /// # Errors
    /// [`FileError`] when the directory cannot be read.
    pub fn names(&self) -> Result<Vec<OsString>, FileError> {
        let fail = |e| FileError::errno(&self.path, e);
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.fd).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Renames within this directory, or into `to_dir`; an existing file is never replaced.
    ///
    /// # Errors
    /// [`FileError`] with [`Reason::Exists`] when the new name is taken.
    pub fn rename(&self, from: &OsStr, to_dir: &Dir, to: &OsStr) -> Result<(), FileError> {
        self.check_name(from)?;
        to_dir.check_name(to)?;
        crate::atomic::rename_new(&self.fd, from, &to_dir.fd, to)
            .map_err(|e| FileError::errno(to_dir.path_of(to), e))
    }

    /// Removes a file or symlink; a missing one is no error.
    ///
    /// # Errors
    /// [`FileError`] when it is a directory or may not be removed.
    pub fn remove(&self, name: &OsStr) -> Result<(), FileError> {
        self.check_name(name)?;
        match fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(FileError::errno(self.path_of(name), errno)),
        }
    }

    /// Removes an empty directory; a missing one is no error.
    ///
    /// # Errors
    /// [`FileError`] when it is not empty or not a directory.
    pub fn remove_dir(&self, name: &OsStr) -> Result<(), FileError> {
        self.check_name(name)?;
        match fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(FileError::errno(self.path_of(name), errno)),
        }
    }

    /// Makes renames and new names in this directory survive a power failure.
    ///
    /// # Errors
    /// [`FileError`] when the disk reports one.
    pub fn sync(&self) -> Result<(), FileError> {
        fs::fsync(&self.fd).map_err(|e| FileError::errno(&self.path, e))
    }

    /// Where the directory was when it was opened, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of an entry, for messages.
    #[must_use]
    pub fn path_of(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn check_name(&self, name: &OsStr) -> Result<(), FileError> {
        let bytes = name.as_bytes();
        if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') {
            return Err(FileError::new(self.path_of(name), Reason::Outside));
        }
        Ok(())
    }

    fn descend(&self, relative: &Path, create: bool) -> Result<Self, FileError> {
        let path = self.path.join(relative);
        let fail = |errno| FileError::errno(&path, errno);
        let mut fd = fs::openat(&self.fd, ".", DIR_FLAGS, Mode::empty()).map_err(fail)?;
        for component in relative.components() {
            let part = match component {
                Component::Normal(part) => part,
                Component::CurDir => continue,
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(FileError::new(&path, Reason::Outside));
                }
            };
            fd = match open_dir(&fd, part) {
                Err(Errno::NOENT) if create => {
                    match fs::mkdirat(&fd, part, Mode::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => open_dir(&fd, part).map_err(fail)?,
                        Err(errno) => return Err(fail(errno)),
                    }
                }
                other => other.map_err(fail)?,
            };
        }
        Ok(Self { fd, path })
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// One step down. Going step by step with `O_NOFOLLOW` gives what `openat2` with
/// `RESOLVE_NO_SYMLINKS` gives, on every system, and tells a symlink from a plain file.
fn open_dir(parent: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    match fs::openat(parent, name, DIR_FLAGS, Mode::empty()) {
        Err(Errno::NOTDIR) => {
            let stat = fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
            match Meta::from(&stat).kind {
                FileKind::Symlink => Err(Errno::LOOP),
                FileKind::Regular
                | FileKind::Directory
                | FileKind::Fifo
                | FileKind::Socket
                | FileKind::Device => Err(Errno::NOTDIR),
            }
        }
        other => other,
    }
}

impl FileKind {
    /// The reason why an entry of this kind is not read.
    pub(crate) fn must_be_regular(self) -> Result<(), Reason> {
        match self {
            FileKind::Regular => Ok(()),
            FileKind::Directory => Err(Reason::Directory),
            FileKind::Symlink => Err(Reason::Symlink),
            FileKind::Fifo => Err(Reason::Fifo),
            FileKind::Socket => Err(Reason::Socket),
            FileKind::Device => Err(Reason::Device),
        }
    }
}

impl From<&Stat> for Meta {
    fn from(stat: &Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => FileKind::Regular,
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Symlink,
            FileType::Fifo => FileKind::Fifo,
            FileType::Socket => FileKind::Socket,
            FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => {
                FileKind::Device
            }
        };
        // The types of these fields differ between systems, though their values fit.
        #[expect(clippy::unnecessary_cast, reason = "narrower on some systems")]
        let (seconds, nanos) = (stat.st_mtime as i64, stat.st_mtime_nsec as i64);
        #[expect(clippy::unnecessary_cast, reason = "narrower on some systems")]
        let identity = (stat.st_dev as u64, stat.st_ino as u64);
        #[expect(clippy::unnecessary_cast, reason = "narrower on some systems")]
        let links = stat.st_nlink as u64;
        #[expect(clippy::unnecessary_cast, reason = "narrower on some systems")]
        let mode = stat.st_mode as u32 & 0o7777;
        Self {
            kind,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified_us: seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000),
            mode,
            identity,
            links,
        }
    }
}
