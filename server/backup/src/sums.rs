//! `SHA256SUMS`: a line for each entry, as coreutils writes and reads it.

use std::{collections::BTreeMap, fmt::Write as _, io};

use sha2::{Digest, Sha256};

/// Digests by name. Names are text: an entry whose name is none is not put into an archive.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Sums(pub(crate) BTreeMap<String, String>);

impl Sums {
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, digest) in &self.0 {
            let _ = writeln!(text, "{digest}  {name}");
        }
        text
    }

    /// Reads the file back; `None` when a line is none of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let entry = |line: &str| {
            let (digest, name) = line.split_once("  ")?;
            (digest.len() == 64).then(|| (name.to_owned(), digest.to_owned()))
        };
        text.lines().map(entry).collect::<Option<_>>().map(Self)
    }
}

/// Passes bytes on and takes their digest.
pub(crate) struct Hashing<R> {
    inner: R,
    digest: Sha256,
    /// How many bytes passed.
    pub(crate) count: u64,
}

impl<R> Hashing<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, digest: Sha256::new(), count: 0 }
    }

    /// The digest of what passed, in hex.
    pub(crate) fn hex(self) -> String {
        hex(&self.digest.finalize())
    }
}

impl<R: io::Read> io::Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or_default());
        self.count += read as u64;
        Ok(read)
    }
}

pub(crate) fn of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
