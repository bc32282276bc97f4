//! What was said in a thread, as lines of a file beside its journals: `record.jsonl`.
//!
//! It is only added to. A line that a crash cut short is closed by the next one, so that it spoils
//! no other; whoever reads leaves it out.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use rustix::fs::{Mode, OFlags, openat};

use crate::{
    CAR_DIR,
    atomic::{self, WriteIf},
    beneath::Dir,
    error::FileError,
    thread_dir::ThreadDir,
};

/// The file's name.
const RECORD: &str = "record.jsonl";

/// Largest record that is read.
const LARGEST: u64 = 1 << 30;

/// Threads that have a directory in a hub's root, in no order.
///
/// # Errors
/// [`FileError`] when they cannot be listed; none is no error.
pub fn list(root: &Path) -> Result<Vec<OsString>, FileError> {
    let dir = Dir::open(root).and_then(|dir| dir.open_beneath(&Path::new(CAR_DIR).join("threads")));
    match dir {
        Ok(dir) => dir.names(),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

impl ThreadDir {
    /// Whether the thread has a record.
    ///
    /// # Errors
    /// [`FileError`] when the disk fails.
    pub fn has_record(&self) -> Result<bool, FileError> {
        match self.dir().stat(OsStr::new(RECORD)) {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Begins the record with these whole lines, unless there is one. Gives whether it was begun.
    ///
    /// # Errors
    /// [`FileError`] when the disk fails.
    pub fn begin_record(&self, lines: &[u8]) -> Result<bool, FileError> {
        let name = OsStr::new(RECORD);
        match atomic::write_with_mode(self.dir(), name, lines, WriteIf::Absent, 0o600) {
            Ok(_) => Ok(true),
            Err(atomic::WriteError::Conflict { .. }) => Ok(false),
            Err(atomic::WriteError::File(error)) => Err(error),
        }
    }

    /// Adds whole lines to the record there is; `synced` ones are on disk afterwards.
    ///
    /// # Errors
    /// [`FileError`] when there is none, or the disk fails.
    pub fn add_to_record(&self, lines: &[u8], synced: bool) -> Result<(), FileError> {
        let path = self.dir().path_of(OsStr::new(RECORD));
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(self.dir(), RECORD, flags, Mode::empty())
            .map_err(|errno| FileError::errno(path.clone(), errno))?;
        let mut file = File::from(fd);
        let mut add = || -> std::io::Result<()> {
            if is_cut_short(&mut file)? {
                file.write_all(b"\n")?;
            }
            file.write_all(lines)?;
            if synced { file.sync_data() } else { Ok(()) }
        };
        add().map_err(|error| FileError::io(path, &error))
    }

    /// The record as it is; nothing when there is none.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be read, or is larger than any record is.
    pub fn record(&self) -> Result<Option<Vec<u8>>, FileError> {
        match self.dir().read(OsStr::new(RECORD), LARGEST) {
            Ok(content) => Ok(Some(content.bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a record that lacks something; it is begun anew from what the database knows.
    ///
    /// # Errors
    /// [`FileError`] when the disk fails.
    pub fn drop_record(&self) -> Result<(), FileError> {
        self.dir().remove(OsStr::new(RECORD))
    }
}

/// Whether a file ends in the middle of a line.
fn is_cut_short(file: &mut File) -> std::io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_short_spoils_no_other() {
        let root = tempfile::tempdir().unwrap();
        let thread = ThreadDir::create(root.path(), "thr_1").unwrap();
        assert_eq!(thread.record().unwrap(), None);
        assert!(thread.add_to_record(b"no\n", true).unwrap_err().is_not_found());
        assert!(thread.begin_record(b"one\n").unwrap());
        assert!(!thread.begin_record(b"again\n").unwrap(), "there is one");
        thread.add_to_record(b"two\ncut sh", false).unwrap();
        thread.add_to_record(b"three\n", true).unwrap();
        assert_eq!(thread.record().unwrap().unwrap(), b"one\ntwo\ncut sh\nthree\n");
        assert_eq!(list(root.path()).unwrap(), ["thr_1"]);
        thread.drop_record().unwrap();
        assert!(!thread.has_record().unwrap());
    }
}
