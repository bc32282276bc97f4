//! What a shell wrote, on disk: pieces whose names say where they begin. The newest are kept, so
//! that a program that writes without end does not fill the disk.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;

/// A piece that is this long is followed by a new one.
const PIECE: u64 = 8 << 20;
/// How many pieces are kept.
const PIECES: usize = 8;
/// How the name of a piece ends.
const ENDING: &str = ".out";

/// The record of one shell, as it is written.
pub(crate) struct Record {
    dir: PathBuf,
    file: Option<tokio::fs::File>,
    /// Where the next byte belongs, and where the present piece began.
    end: u64,
    began: u64,
}

impl Record {
    /// Makes the directory, for its owner only.
    pub(crate) fn create(dir: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        Ok(Self { dir: dir.to_owned(), file: None, end: 0, began: 0 })
    }

    /// Adds what was written; it is with the kernel when this returns. What the disk does not take is left out: a full disk is no reason to
    /// lose the shell that could mend it.
    pub(crate) async fn append(&mut self, bytes: &[u8]) {
        let place = self.end;
        self.end += bytes.len() as u64;
        if self.file.is_none() || place - self.began >= PIECE {
            self.flush().await;
            self.file = self.next_piece(place).ok().map(tokio::fs::File::from_std);
            self.began = place;
        }
        if let Some(file) = &mut self.file
            && (file.write_all(bytes).await.is_err() || file.flush().await.is_err())
        {
            // What follows begins another piece, with its place in its name.
            self.file = None;
        }
    }

    pub(crate) async fn flush(&mut self) {
        if let Some(file) = &mut self.file {
            let _ = file.flush().await;
        }
    }

    fn next_piece(&self, place: u64) -> io::Result<File> {
        let known = pieces(&self.dir)?;
        for (_, path) in known.iter().rev().skip(PIECES - 1) {
            fs::remove_file(path)?;
        }
        let path = self.dir.join(format!("{place:020}{ENDING}"));
        File::options().write(true).create_new(true).mode(0o600).open(path)
    }
}

/// What was recorded in `dir` from a place on, at most so many bytes, and the place where it
/// really begins: later than asked for when older pieces went. `None` when nothing follows. Blocks.
///
/// # Errors
/// The record cannot be read.
pub fn read(dir: &Path, from: u64, most: usize) -> io::Result<Option<(u64, Bytes)>> {
    let known = pieces(dir)?;
    let holding = known.iter().rposition(|(began, _)| *began <= from).unwrap_or(0);
    for (began, path) in known.iter().skip(holding) {
        let mut file = match File::open(path) {
            Ok(file) => file,
            // The oldest piece went meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let place = from.max(*began);
        file.seek(SeekFrom::Start(place - began))?;
        let mut bytes = Vec::new();
        file.take(most as u64).read_to_end(&mut bytes)?;
        if !bytes.is_empty() {
            return Ok(Some((place, bytes.into())));
        }
    }
    Ok(None)
}

/// The place behind the last byte that was recorded in `dir`. Blocks.
///
/// # Errors
/// The record cannot be read.
pub fn end(dir: &Path) -> io::Result<u64> {
    let known = pieces(dir)?;
    let Some((began, path)) = known.last() else { return Ok(0) };
    Ok(began + fs::metadata(path)?.len())
}

/// The pieces in their order, each with the place where it begins.
fn pieces(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(Ok(began)) = name.strip_suffix(ENDING).map(str::parse) {
            all.push((began, path));
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_pieces_are_kept_and_read_by_place() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("record");
        let mut record = Record::create(&dir).unwrap();
        let part = vec![b'x'; 1 << 20];
        for number in 0..(PIECES as u64 + 2) * 8 {
            record.append(&number.to_be_bytes()).await;
            record.append(&part[8..]).await;
        }
        record.flush().await;
        assert_eq!(pieces(&dir).unwrap().len(), PIECES);
        let (place, bytes) = read(&dir, 0, 8).unwrap().unwrap();
        assert_eq!(place % PIECE, 0);
        assert_eq!(bytes, (place >> 20).to_be_bytes().as_slice());
        // Across the end of a piece the next one goes on.
        let (place, bytes) = read(&dir, 5 * PIECE - 3, 8).unwrap().unwrap();
        assert_eq!((place, &bytes[..]), (5 * PIECE - 3, b"xxx".as_slice()));
        assert_eq!(end(&dir).unwrap(), record.end);
        assert_eq!(read(&dir, record.end, 8).unwrap(), None);
    }
}
