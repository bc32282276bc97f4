//! Which named sections a repository's configuration defines.
//!
//! Some settings that execute programs carry a free name (`filter.<name>.clean`,
//! `remote.<name>.uploadpack`), so they can only be switched off by name. The names are collected
//! by scanning the raw bytes for section headers. The scan may find too much (a header inside a
//! comment), which is harmless; it must never find less than git does. Included files are followed
//! by the caller, whatever the condition of the include says.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Names of the sections that can make git run something.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Sections {
    pub(crate) filters: BTreeSet<Vec<u8>>,
    pub(crate) remotes: BTreeSet<Vec<u8>>,
    pub(crate) submodules: BTreeSet<Vec<u8>>,
    pub(crate) hooks: BTreeSet<Vec<u8>>,
    /// A file includes another one, so the names are not complete.
    pub(crate) includes: bool,
}

/// Scans a configuration file; a missing one is empty.
pub(crate) fn scan_file(file: &Path) -> std::io::Result<Sections> {
    let mut found = Sections::default();
    match fs::read(file) {
        Ok(bytes) => scan(&bytes, &mut found),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
        Err(e) => return Err(e),
    }
    Ok(found)
}

/// Adds every section header in `bytes` to `found`.
pub(crate) fn scan(bytes: &[u8], found: &mut Sections) {
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'[') {
        let Some((section, name)) = header(bytes.get(at + 1..).unwrap_or_default()) else {
            continue;
        };
        found.add(&section, name);
    }
}

/// The files named by `include` and `includeIf` in the output of `git config --list -z`.
pub(crate) fn included_paths(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|b| *b == 0).filter_map(|entry| {
        let end = entry.iter().position(|b| *b == b'\n')?;
        let (key, value) = entry.split_at(end);
        let conditional = key.starts_with(b"includeif.") && key.ends_with(b".path");
        (key == b"include.path" || conditional).then(|| value.get(1..).unwrap_or_default())
    })
}

impl Sections {
    pub(crate) fn add_all(&mut self, other: Self) {
        self.filters.extend(other.filters);
        self.remotes.extend(other.remotes);
        self.submodules.extend(other.submodules);
        self.hooks.extend(other.hooks);
        self.includes |= other.includes;
    }

    fn add(&mut self, section: &[u8], name: Vec<u8>) {
        match section {
            b"filter" => self.filters.insert(name),
            b"remote" => self.remotes.insert(name),
            b"submodule" => self.submodules.insert(name),
            b"hook" => self.hooks.insert(name),
            b"include" | b"includeif" => {
                self.includes = true;
                true
            }
            _ => false,
        };
    }
}

/// Reads `section "name"]` or `section.name]` as git's own parser does: no space after `[`, the
/// dotted form lower-cased, backslash taking the next byte literally.
fn header(rest: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let end = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'-'))?;
    let section = rest.get(..end)?.to_ascii_lowercase();
    let tail = rest.get(end..)?;
    match tail.first()? {
        b']' => Some((section, Vec::new())),
        b'.' => {
            let close = tail.iter().position(|b| *b == b']')?;
            Some((section, tail.get(1..close)?.to_ascii_lowercase()))
        }
        _ => {
            let quote = tail.iter().position(|b| *b == b'"')?;
            if !tail.get(..quote)?.iter().all(|b| b.is_ascii_whitespace() || *b == 0x0b) {
                return None;
            }
            let mut name = Vec::new();
            let mut bytes = tail.get(quote + 1..)?.iter();
            loop {
                match bytes.next()? {
                    b'"' => return Some((section, name)),
                    b'\n' => return None,
                    b'\\' => name.push(*bytes.next()?),
                    other => name.push(*other),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
