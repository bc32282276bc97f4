//! Writing an archive.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use car_files::beneath::Dir;

use crate::{
    Error, Result, SUMS, lock,
    sums::{self, Hashing, Sums},
};

/// What is said of how far the writing is. Gets the bytes taken in so far; `false` ends it.
type Progress<'a> = dyn FnMut(u64) -> bool + 'a;

/// Fast, and about as small as slower levels make journals.
const LEVEL: i32 = 3;

/// Beginning of the name of an archive that is not whole.
const HALF: &str = ".half-";

/// An archive being written. Dropped before [`Writer::finish`], nothing of it is left.
pub struct Writer {
    dest: PathBuf,
    half: PathBuf,
    tar: Option<tar::Builder<zstd::Encoder<'static, File>>>,
    sums: Sums,
    taken: u64,
}

/// A whole archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// How many entries it has, without the sums.
    pub entries: u64,
    /// Its size in bytes.
    pub size: u64,
}

impl Writer {
    /// Begins an archive beside its destination; its directory is made if it is missing.
    ///
    /// # Errors
    /// The destination exists already, or its directory cannot be written.
    pub fn create(dest: &Path) -> Result<Self> {
        let dir = parent(dest);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::io(dir))?;
        if fs::symlink_metadata(dest).is_ok() {
            return Err(Error::io(dest)(io::ErrorKind::AlreadyExists.into()));
        }
        let name = dest.file_name().unwrap_or_default().to_string_lossy();
        let half = dir.join(format!("{HALF}{name}"));
        // A crash may have left one of that name.
        let options = File::options().write(true).create(true).truncate(false).mode(0o600).clone();
        let file = options.open(&half).map_err(Error::io(&half))?;
        if !lock::take(&file).map_err(Error::io(&half))? {
            return Err(Error::io(&half)(io::ErrorKind::ResourceBusy.into()));
        }
        file.set_len(0).map_err(Error::io(&half))?;
        let mut zstd = zstd::Encoder::new(file, LEVEL).map_err(Error::io(&half))?;
        zstd.include_checksum(true).map_err(Error::io(&half))?;
        Ok(Self {
            dest: dest.to_owned(),
            half,
            tar: Some(tar::Builder::new(zstd)),
            sums: Sums::default(),
            taken: 0,
        })
    }

    /// Adds an entry from memory.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn add(&mut self, name: &str, bytes: &[u8], modified_us: i64) -> Result<()> {
        self.append(name, bytes.len() as u64, modified_us, bytes)?;
        self.sums.0.insert(name.to_owned(), sums::of(bytes));
        Ok(())
    }

    /// Adds a file as it is now: as many bytes as it has when it is opened, though more may be
    /// written to it meanwhile. One that is gone is no error; `false` says so.
    ///
    /// # Errors
    /// The file cannot be read, the disk does not take it, or `progress` wants an end.
    pub fn add_file(
        &mut self,
        name: &str,
        dir: &Dir,
        relative: &str,
        progress: &mut Progress<'_>,
    ) -> Result<bool> {
        let (parent, file) = relative.rsplit_once('/').unwrap_or(("", relative));
        let opened = dir
            .open_beneath(Path::new(parent))
            .and_then(|parent| parent.open_file(OsStr::new(file)));
        let (file, meta) = match opened {
            Ok(opened) => opened,
            Err(error) if error.reason == car_files::Reason::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let source = Watched { inner: Exact { file, left: meta.size }, at: self.taken, progress };
        let mut source = Hashing::new(source);
        let appended = self.append(name, meta.size, meta.modified_us, &mut source);
        self.taken += source.count;
        match appended {
            Err(Error::Io { error, .. }) if is_stopped(&error) => return Err(Error::Cancelled),
            other => other?,
        }
        self.sums.0.insert(name.to_owned(), source.hex());
        Ok(true)
    }

    fn append(&mut self, name: &str, size: u64, modified_us: i64, data: impl Read) -> Result<()> {
        let Some(tar) = &mut self.tar else { return Err(Error::Cancelled) };
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(modified_us / 1_000_000).unwrap_or(0));
        tar.append_data(&mut header, name, data).map_err(Error::io(&self.half))
    }

    /// Writes the sums, brings everything to disk and gives the archive its name.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn finish(mut self) -> Result<Written> {
        let text = self.sums.to_text();
        self.append(SUMS, text.len() as u64, 0, text.as_bytes())?;
        let failed = |error| Error::io(&self.half)(error);
        let Some(tar) = self.tar.take() else { return Err(Error::Cancelled) };
        let mut file = tar.into_inner().and_then(zstd::Encoder::finish).map_err(failed)?;
        file.flush().and_then(|()| file.sync_all()).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        // A name that was taken meanwhile is not written over.
        fs::hard_link(&self.half, &self.dest).map_err(Error::io(&self.dest))?;
        let dir = parent(&self.dest);
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io(dir))?;
        Ok(Written { entries: self.sums.0.len() as u64, size })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.half);
    }
}

/// Removes what a crash left of archives in a directory; those that are being written stay.
///
/// # Errors
/// The directory cannot be read.
pub fn clear_halves(dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(dir)(error)),
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let half = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(HALF.as_bytes()));
        let Ok(file) = File::options().write(true).open(&path) else { continue };
        if half && lock::take(&file).map_err(Error::io(&path))? {
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Exactly so many bytes of a file: what was promised in the header. A file that became shorter
/// goes on with zeros.
struct Exact {
    file: File,
    left: u64,
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let read = match self.file.read(buffer)? {
            0 => {
                buffer.fill(0);
                buffer.len()
            }
            read => read,
        };
        self.left -= read as u64;
        Ok(read)
    }
}

/// Says how far it is.
struct Watched<'a, 'b, R> {
    inner: R,
    at: u64,
    progress: &'a mut Progress<'b>,
}

impl<R: Read> Read for Watched<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.at += read as u64;
        if (self.progress)(self.at) { Ok(read) } else { Err(io::Error::other(Stopped)) }
    }
}

/// The error a reader ends with when nobody wants the rest.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

fn is_stopped(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Stopped>())
}
