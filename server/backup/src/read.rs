//! Reading an archive: its first entry, all of it, or onto a disk.

use std::{
    fs::{self, File, FileTimes},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Component, Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    Error, Result, SUMS,
    sums::{Hashing, Sums},
};

/// Largest first entry and largest list of sums, in bytes.
const TEXT_MAX: u64 = 256 << 20;

/// The name and the bytes of the first entry.
///
/// # Errors
/// The file cannot be read or is no archive.
pub fn first(archive: &Path) -> Result<(String, Vec<u8>)> {
    let mut first = None;
    let looked = each(archive, &mut |name, entry| {
        let mut bytes = Vec::new();
        entry.take(TEXT_MAX).read_to_end(&mut bytes).map_err(Error::io(archive))?;
        first = Some((name.to_owned(), bytes));
        Ok(false)
    });
    match (first, looked) {
        (Some(first), _) => Ok(first),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(Error::damaged(archive, "it is empty")),
    }
}

/// Reads all of it and compares every digest.
///
/// # Errors
/// The file cannot be read, is not whole, or was changed.
pub fn verify(archive: &Path) -> Result<u64> {
    unpack(archive, &mut |_| Ok(None))
}

/// Puts each entry where `place` says, unless it says nowhere, and compares every digest. Existing
/// files are not written over. Gives the number of entries that were put somewhere.
///
/// # Errors
/// As [`verify`]; a file that cannot be written.
pub fn unpack(
    archive: &Path,
    place: &mut dyn FnMut(&str) -> Result<Option<PathBuf>>,
) -> Result<u64> {
    let damaged = |detail: String| Error::damaged(archive, detail);
    let (mut seen, mut wanted, mut placed) = (Sums::default(), None, 0);
    each(archive, &mut |name, entry| {
        if wanted.is_some() {
            return Err(damaged(format!("{name} comes after the sums")));
        }
        if name == SUMS {
            let mut text = String::new();
            entry.take(TEXT_MAX).read_to_string(&mut text).map_err(Error::io(archive))?;
            wanted = Some(Sums::parse(&text).ok_or_else(|| damaged(format!("{SUMS} is broken")))?);
            return Ok(true);
        }
        if seen.0.contains_key(name) {
            return Err(damaged(format!("{name} is there twice")));
        }
        let modified = entry.header().mtime().unwrap_or(0);
        let mut source = Hashing::new(entry);
        match place(name)? {
            Some(dest) => {
                put(&mut source, &dest, modified)?;
                placed += 1;
            }
            None => {
                io::copy(&mut source, &mut io::sink()).map_err(Error::io(archive))?;
            }
        }
        seen.0.insert(name.to_owned(), source.hex());
        Ok(true)
    })?;
    let wanted =
        wanted.ok_or_else(|| damaged(format!("it ends before {SUMS}: it is not whole")))?;
    for (name, digest) in &wanted.0 {
        match seen.0.get(name) {
            Some(found) if found == digest => {}
            Some(_) => return Err(damaged(format!("{name} was changed"))),
            None => return Err(damaged(format!("{name} is missing"))),
        }
    }
    match seen.0.keys().find(|name| !wanted.0.contains_key(*name)) {
        Some(name) => Err(damaged(format!("{name} is not in {SUMS}"))),
        None => Ok(placed),
    }
}

type Entry<'a> = tar::Entry<'a, zstd::Decoder<'static, io::BufReader<File>>>;

/// Hands out each entry with its checked name until `visit` has enough.
fn each(archive: &Path, visit: &mut dyn FnMut(&str, &mut Entry<'_>) -> Result<bool>) -> Result<()> {
    let damaged = |detail: String| Error::damaged(archive, detail);
    let file = File::open(archive).map_err(Error::io(archive))?;
    let zstd = zstd::Decoder::new(file).map_err(Error::io(archive))?;
    let mut tar = tar::Archive::new(zstd);
    let entries = tar.entries().map_err(|error| damaged(error.to_string()))?;
    for entry in entries {
        let mut entry = entry.map_err(|error| damaged(error.to_string()))?;
        let name = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| damaged("an entry's name is no text".to_owned()))?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(damaged(format!("{name} is no regular file")));
        }
        let mut parts = Path::new(&name).components();
        if name.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
            return Err(damaged(format!("{name} leads elsewhere")));
        }
        if !visit(&name, &mut entry)? {
            return Ok(());
        }
    }
    // The frame's own checksum is at its very end.
    let mut rest = tar.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|error| damaged(error.to_string()))?;
    Ok(())
}

fn put(source: &mut impl Read, dest: &Path, modified_s: u64) -> Result<()> {
    let dir = dest.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::io(dir))?;
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(dest)
        .map_err(Error::io(dest))?;
    io::copy(source, &mut file).map_err(Error::io(dest))?;
    let modified = UNIX_EPOCH + Duration::from_secs(modified_s);
    file.set_times(FileTimes::new().set_modified(modified)).map_err(Error::io(dest))?;
    file.sync_all().map_err(Error::io(dest))
}
