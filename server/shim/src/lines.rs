//! Cuts a byte stream into lines, with a cap on how much of one is kept.

use std::io;

use crate::record::Text;

/// Above this a buffer is given back once its line is done.
const KEEP: usize = 64 << 10;

/// The line being read from one pipe.
pub(crate) struct Lines {
    cap: usize,
    kept: Vec<u8>,
    /// How many bytes the line has so far, kept or not.
    length: u64,
}

impl Lines {
    pub(crate) fn new(cap: usize) -> Self {
        Self { cap, kept: Vec::new(), length: 0 }
    }

    /// Takes what was read and hands on every line it completes.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(Text) -> io::Result<()>,
    ) -> io::Result<()> {
        while let Some(end) = bytes.iter().position(|&b| b == b'\n') {
            let (line, rest) = bytes.split_at(end);
            bytes = &rest[1..];
            if self.length == 0 && line.len() <= self.cap {
                each(Text { bytes: line, cut: None })?;
            } else {
                self.keep(line);
                self.end(&mut each)?;
            }
        }
        self.keep(bytes);
        Ok(())
    }

    /// The stream is at its end: what is left without a line feed is a line too.
    pub(crate) fn finish(&mut self, each: impl FnMut(Text) -> io::Result<()>) -> io::Result<()> {
        if self.length > 0 { self.end(each) } else { Ok(()) }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.cap - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len() as u64;
    }

    fn end(&mut self, mut each: impl FnMut(Text) -> io::Result<()>) -> io::Result<()> {
        let cut = (self.length > self.kept.len() as u64).then_some(self.length);
        each(Text { bytes: &self.kept, cut })?;
        self.length = 0;
        self.kept.clear();
        self.kept.shrink_to(KEEP);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(cap: usize, pieces: &[&str]) -> Vec<(String, Option<u64>)> {
        let mut seen = Vec::new();
        let mut lines = Lines::new(cap);
        let mut note = |text: Text| {
            seen.push((String::from_utf8(text.bytes.to_vec()).unwrap(), text.cut));
            Ok(())
        };
        for piece in pieces {
            lines.feed(piece.as_bytes(), &mut note).unwrap();
        }
        lines.finish(&mut note).unwrap();
        seen
    }

    #[test]
    fn the_pieces_do_not_matter() {
        let text = "one\n\ntwo\r\nthree";
        let whole = split(100, &[text]);
        assert_eq!(whole.len(), 4);
        for at in 0..text.len() {
            assert_eq!(split(100, &[&text[..at], &text[at..]]), whole);
        }
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let expected = [("abcd".into(), Some(6)), ("efgh".into(), None), ("ijkl".into(), Some(5))];
        assert_eq!(split(4, &["abcdef\nefgh\nij", "klm"]), expected);
        assert_eq!(split(4, &["abc", "def\nef", "gh\nijklm"]), expected);
    }
}
