//! Reads a journal from its files, whether its shim lives or not.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::entry::{Entry, decode};
use crate::journal::CURRENT;

/// What is found in a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The next line.
    Entry(Entry),
    /// Lines that should be here are not: deleted after an acknowledgement, lost or damaged.
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The journal ends within a line: the shim died while it wrote, or is writing now.
    Torn {
        /// The number the line would have.
        n: u64,
        /// How many bytes of it are there.
        bytes: usize,
    },
}

/// Reads the journal of `dir` from line `from` on to its present end.
///
/// # Errors
/// The directory cannot be read, or holds no journal.
pub fn read_journal(dir: &Path, from: u64) -> io::Result<Journal> {
    let mut journal =
        Journal { dir: dir.to_owned(), next: from.max(1), segment: None, done: false };
    if segments(dir)?.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "this directory holds no journal"));
    }
    journal.advance()?;
    Ok(journal)
}

/// The lines of a journal; see [`read_journal`].
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    next: u64,
    segment: Option<(u64, BufReader<File>)>,
    done: bool,
}

impl Iterator for Journal {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = if self.done { None } else { self.step().transpose() };
        // After an error or the end there is nothing to go on from.
        self.done = !matches!(&found, Some(Ok(Found::Entry(_) | Found::Missing { .. })));
        found
    }
}

impl Journal {
    fn step(&mut self) -> io::Result<Option<Found>> {
        let mut line = Vec::new();
        let mut damaged = false;
        while self.segment.is_some() {
            let last = self.read_line(&mut line)?;
            if line.is_empty() {
                if last || !self.advance()? {
                    // Damaged lines at the very end have no line after them to tell their number.
                    let n = self.next;
                    return Ok(damaged.then_some(Found::Missing { from: n, to: n }));
                }
                continue;
            }
            let Some(entry) = decode(&line) else {
                if last {
                    return Ok(Some(Found::Torn { n: self.next, bytes: line.len() }));
                }
                damaged = true;
                continue;
            };
            if entry.n < self.next {
                continue;
            }
            if entry.n > self.next {
                // The line itself is read again after the gap was told.
                let back = i64::try_from(line.len()).map_err(io::Error::other)?;
                if let Some((_, reader)) = &mut self.segment {
                    reader.seek_relative(-back)?;
                }
                let gap = Found::Missing { from: self.next, to: entry.n - 1 };
                self.next = entry.n;
                return Ok(Some(gap));
            }
            self.next += 1;
            return Ok(Some(Found::Entry(entry)));
        }
        Ok(None)
    }

    /// Reads a line, or what there is of one. `true` if the journal ends here, without a line feed.
    fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        let Some((_, reader)) = &mut self.segment else { return Ok(true) };
        reader.read_until(b'\n', line)?;
        if line.ends_with(b"\n") {
            return Ok(false);
        }
        let followed = self.is_followed();
        // A segment that is followed is finished, but only now: it may have grown since.
        if followed && let Some((_, reader)) = &mut self.segment {
            reader.read_until(b'\n', line)?;
        }
        Ok(!followed)
    }

    /// Whether a later segment exists, so that this one's last line will not grow any more.
    fn is_followed(&self) -> bool {
        let current = self.segment.as_ref().map_or(0, |(first, _)| *first);
        segments(&self.dir).is_ok_and(|all| all.iter().any(|(first, _)| *first > current))
    }

    /// Opens the segment that comes next; `false` if there is none.
    fn advance(&mut self) -> io::Result<bool> {
        let read = self.segment.as_ref().map(|(first, _)| *first);
        loop {
            let all = segments(&self.dir)?;
            let chosen = match read {
                Some(read) => all.iter().find(|(first, _)| *first > read),
                None => all.iter().rev().find(|(first, _)| *first <= self.next).or(all.first()),
            };
            let Some((first, path)) = chosen else { return Ok(false) };
            match File::open(path) {
                Ok(file) => {
                    let mut reader = BufReader::new(file);
                    // The shim may have turned the page between the look and the opening; the new
                    // one has no number yet, which that one had.
                    let same = match first_number(&mut reader)? {
                        Some(number) => number == *first,
                        None => *first == u64::MAX || !path.ends_with(CURRENT),
                    };
                    if same {
                        self.segment = Some((*first, reader));
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// All segments by their first number. The newest is looked at before the others are listed: if it
/// is turned over meanwhile, it is listed under its new name, and none is overlooked.
fn segments(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let current = dir.join(CURRENT);
    let newest = match File::open(&current) {
        Ok(file) => Some(first_number(&mut BufReader::new(file))?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let name = name.to_str().unwrap_or_default();
        let number = name.strip_prefix("journal.").and_then(|name| name.strip_suffix(".jsonl"));
        if let Some(first) = number.and_then(|number| number.parse().ok()) {
            all.push((first, dir.join(name)));
        }
    }
    all.sort_unstable();
    let last = all.last().map_or(0, |(first, _)| *first);
    // One without even a number in it comes after all others, whatever they hold.
    if let Some(first) = newest.map(|number| number.unwrap_or(u64::MAX))
        && first > last
    {
        all.push((first, current));
    }
    Ok(all)
}

/// The number the segment's first line begins with; reads nothing away.
fn first_number(reader: &mut BufReader<File>) -> io::Result<Option<u64>> {
    let start = reader.fill_buf()?;
    let Some(rest) = start.strip_prefix(br#"{"n":"#) else { return Ok(None) };
    let Some(end) = rest.iter().position(|&b| b == b',') else { return Ok(None) };
    Ok(std::str::from_utf8(&rest[..end]).ok().and_then(|digits| digits.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_newest_segment_hides_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let line = |n| format!("{{\"n\":{n},\"at\":1,\"dir\":\"in\",\"line\":\"\"}}\n");
        fs::write(dir.path().join("journal.1.jsonl"), [line(1), line(2), line(3)].concat())
            .unwrap();
        for newest in [String::new(), "{\"n\":4".to_owned()] {
            fs::write(dir.path().join(CURRENT), &newest).unwrap();
            for from in 1..=3 {
                let found = read_journal(dir.path(), from).unwrap().map(Result::unwrap);
                let numbers: Vec<u64> = found
                    .map(|found| match found {
                        Found::Entry(entry) => entry.n,
                        Found::Torn { n, .. } => n,
                        Found::Missing { from, .. } => panic!("{from} is there"),
                    })
                    .collect();
                let last = if newest.is_empty() { 3 } else { 4 };
                assert_eq!(numbers, (from..=last).collect::<Vec<_>>());
            }
        }
    }
}
