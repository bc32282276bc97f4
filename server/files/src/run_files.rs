//! Prompts and evidence in a run directory.

use std::ffi::OsStr;
use std::path::Path;

use crate::atomic;
use crate::error::{FileError, if_found};
use crate::run_dir::{EVIDENCE, PROMPTS, RunDir};

/// The largest prompt that is read back, in bytes.
const PROMPT_CAP: u64 = 64 << 20;

impl RunDir {
    /// Keeps a prompt under a name. Writing it again replaces it.
    ///
    /// It is not brought to disk before this returns: once a prompt is sent, the journal of its
    /// session holds it durably; before that, whoever reads it compares its hash and makes it again.
    ///
    /// # Errors
    /// [`FileError`] when the disk fails.
    pub fn keep_prompt(&self, name: &str, text: &str) -> Result<(), FileError> {
        let prompts = self.dir().create_beneath(Path::new(PROMPTS))?;
        atomic::write_unsynced(&prompts, OsStr::new(name), text.as_bytes())
    }

    /// A kept prompt. Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// [`FileError`] when there is none of that name.
    pub fn kept_prompt(&self, name: &str) -> Result<String, FileError> {
        let prompts = self.dir().open_beneath(Path::new(PROMPTS))?;
        let content = prompts.read(OsStr::new(name), PROMPT_CAP)?;
        Ok(String::from_utf8_lossy(&content.bytes).into_owned())
    }

    /// Numbers of the evidence there is, in order.
    ///
    /// # Errors
    /// [`FileError`] when the directory cannot be read.
    pub fn evidence(&self) -> Result<Vec<u32>, FileError> {
        let Some(dir) = if_found(self.dir().open_beneath(Path::new(EVIDENCE)))? else {
            return Ok(Vec::new());
        };
        let names = dir.names()?;
        let number = |name: &OsStr| name.to_str()?.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u32> = names.iter().filter_map(|name| number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The number the next evidence gets.
    ///
    /// # Errors
    /// [`FileError`] when the directory cannot be read.
    pub fn next_evidence(&self) -> Result<u32, FileError> {
        Ok(self.evidence()?.last().map_or(1, |last| last.saturating_add(1)))
    }

    /// One evidence as JSON text.
    ///
    /// # Errors
    /// [`FileError`] when there is none of that number.
    pub fn read_evidence(&self, number: u32) -> Result<Vec<u8>, FileError> {
        let dir = self.dir().open_beneath(Path::new(EVIDENCE))?;
        Ok(dir.read(OsStr::new(&format!("{number:04}.json")), 16 << 20)?.bytes)
    }
}
