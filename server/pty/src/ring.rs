//! The newest bytes of a stream, each with its place.

use std::collections::VecDeque;

use bytes::Bytes;

/// The newest bytes, at most so many.
#[derive(Debug)]
pub(crate) struct Ring {
    bytes: VecDeque<u8>,
    most: usize,
    /// The place of the first byte that is kept.
    start: u64,
}

impl Ring {
    pub(crate) fn new(most: usize) -> Self {
        Self { bytes: VecDeque::new(), most, start: 0 }
    }

    /// The place behind the last byte.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    pub(crate) fn push(&mut self, more: &[u8]) {
        let skipped = more.len().saturating_sub(self.most);
        let over = (self.bytes.len() + more.len() - skipped).saturating_sub(self.most);
        self.bytes.drain(..over);
        self.bytes.extend(&more[skipped..]);
        self.start += (over + skipped) as u64;
    }

    /// What follows a place, at most so many bytes; `None` when it is no longer kept.
    pub(crate) fn read(&self, from: u64, most: usize) -> Option<Bytes> {
        let skip = usize::try_from(from.checked_sub(self.start)?).ok()?;
        Some(self.bytes.iter().skip(skip).take(most).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_when_old_bytes_go() {
        let mut ring = Ring::new(4);
        ring.push(b"ab");
        assert_eq!(ring.read(0, 10).unwrap(), "ab");
        ring.push(b"cde");
        assert_eq!((ring.read(0, 10), ring.end()), (None, 5));
        assert_eq!(ring.read(1, 2).unwrap(), "bc");
        assert_eq!(ring.read(5, 2).unwrap(), "");
        ring.push(b"0123456789");
        assert_eq!((ring.read(11, 9).unwrap(), ring.end()), ("6789".into(), 15));
        assert_eq!(ring.read(10, 9), None);
    }
}
