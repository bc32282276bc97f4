//! The journal on disk: appended, made durable, rotated, bounded.
//!
//! The lines are in segments: `journal.jsonl` is being written, `journal.<first n>.jsonl` are the
//! full ones before it. Numbers run through all of them without a gap. A segment is deleted only
//! when the limit is passed and the controller has acknowledged all of it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::record::{self, Record};
use crate::sync::Syncer;

/// The segment that is being written.
pub(crate) const CURRENT: &str = "journal.jsonl";
/// How much is gathered before it is written.
const CHUNK: usize = 64 << 10;

/// The journal of one agent process.
pub(crate) struct Journal {
    dir: PathBuf,
    current_first: u64,
    sink: Sink,
    full: VecDeque<Segment>,
    next: u64,
    acked: u64,
    max_bytes: u64,
    syncer: Syncer,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    first: u64,
    bytes: u64,
}

impl Journal {
    /// Starts the journal of `dir`.
    pub(crate) fn create(dir: &Path, max_bytes: u64) -> io::Result<Self> {
        let file = new_file(dir)?;
        File::open(dir)?.sync_all()?;
        Ok(Self {
            dir: dir.to_owned(),
            current_first: 1,
            sink: Sink { file, pending: Vec::new(), written: 0, stalled: None },
            full: VecDeque::new(),
            next: 1,
            acked: 0,
            max_bytes,
            syncer: Syncer::start()?,
        })
    }

    /// The number of the last line.
    pub(crate) fn last(&self) -> u64 {
        self.next - 1
    }

    /// The number of the oldest line still there.
    pub(crate) fn first(&self) -> u64 {
        self.full.front().map_or(self.current_first, |segment| segment.first)
    }

    /// Appends a line. It may wait in memory until [`Journal::flush`].
    pub(crate) fn append(&mut self, record: &Record) -> io::Result<()> {
        record::write(&mut self.sink, self.next, now_us(), record)?;
        self.next += 1;
        Ok(())
    }

    /// Appends a line and returns when it is on disk; or leaves no trace of it if the disk does
    /// not take it.
    ///
    /// # Errors
    /// As [`Journal::flush`].
    pub(crate) fn append_durably(&mut self, record: &Record) -> io::Result<Durable> {
        self.flush()?;
        if let Some(error) = self.sink.stalled.take() {
            return Ok(Durable::Refused(error));
        }
        let before = self.sink.written;
        self.append(record)?;
        if let Err(error) = self.sink.write_out() {
            self.sink.file.set_len(before)?;
            self.sink.pending.clear();
            self.sink.written = before;
            self.sink.stalled = None;
            self.next -= 1;
            return Ok(Durable::Refused(error));
        }
        self.sink.stalled = None;
        self.sink.file.sync_data()?;
        self.rotate_if_due()?;
        Ok(Durable::Written)
    }

    /// Hands what is gathered to the kernel and has it synced within the batch interval.
    ///
    /// # Errors
    /// A sync failed, or a segment could not be made: what is on disk is no longer known, so the
    /// journal must not be continued. A failed write is not an error but a stall, see
    /// [`Journal::stalled`].
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.sink.pending.is_empty() {
            self.sink.stalled = self.sink.write_out().err();
            self.syncer.mark(&self.sink.file);
            self.rotate_if_due()?;
        }
        self.syncer.failed().map_or(Ok(()), Err)
    }

    /// Why the last write did not succeed (a full disk); the lines are kept and written later.
    pub(crate) fn stalled(&self) -> Option<&io::Error> {
        self.sink.stalled.as_ref()
    }

    /// Whether the agent's output must wait: the disk does not take it, or twice the limit is
    /// passed and nobody acknowledges.
    pub(crate) fn is_full(&self) -> bool {
        self.sink.stalled.is_some() || self.bytes() > 2 * self.max_bytes
    }

    /// The controller needs no line up to this one any more.
    pub(crate) fn acknowledge(&mut self, n: u64) -> io::Result<()> {
        self.acked = n;
        self.trim()
    }

    /// The number up to which lines are acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acked
    }

    /// A place to read from: line `from`, or the oldest there is.
    pub(crate) fn cursor(&self, from: u64) -> io::Result<Cursor> {
        let from = from.clamp(self.first(), self.next);
        let holds = |segment: &&Segment| segment.first <= from;
        let first = self.full.iter().rev().find(holds).map_or(self.current_first, |s| s.first);
        let first = if self.current_first <= from { self.current_first } else { first };
        let mut cursor = Cursor { file: self.open(first)?, first, offset: 0 };
        cursor.skip_lines(from - first)?;
        Ok(cursor)
    }

    /// Reads on at the cursor; 0 when all that is written has been read.
    pub(crate) fn read(&self, cursor: &mut Cursor, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = cursor.file.read_at(buffer, cursor.offset)?;
            if count > 0 || cursor.first == self.current_first {
                cursor.offset += count as u64;
                return Ok(count);
            }
            let later = self.full.iter().find(|s| s.first > cursor.first);
            let first = later.map_or(self.current_first, |segment| segment.first);
            *cursor = Cursor { file: self.open(first)?, first, offset: 0 };
        }
    }

    /// Whether [`Journal::read`] would give something.
    pub(crate) fn has_more(&self, cursor: &Cursor) -> bool {
        cursor.first != self.current_first || cursor.offset < self.sink.written
    }

    fn bytes(&self) -> u64 {
        self.full.iter().map(|segment| segment.bytes).sum::<u64>() + self.sink.bytes()
    }

    fn open(&self, first: u64) -> io::Result<File> {
        let current = first == self.current_first;
        File::open(self.dir.join(if current { CURRENT.to_owned() } else { full_name(first) }))
    }

    fn rotate_if_due(&mut self) -> io::Result<()> {
        let due = self.sink.written >= (self.max_bytes / 8).clamp(64 << 10, 8 << 20);
        // On a disk that takes nothing the segment just goes on.
        if !due || self.sink.stalled.is_some() {
            return Ok(());
        }
        self.sink.file.sync_data()?;
        let name = self.dir.join(full_name(self.current_first));
        fs::rename(self.dir.join(CURRENT), &name)?;
        let file = match new_file(&self.dir) {
            Ok(file) => file,
            Err(error) if is_shortage(&error) => return fs::rename(name, self.dir.join(CURRENT)),
            Err(error) => return Err(error),
        };
        self.full.push_back(Segment { first: self.current_first, bytes: self.sink.written });
        self.sink.file = file;
        self.sink.written = 0;
        self.current_first = self.next;
        File::open(&self.dir)?.sync_all()?;
        self.trim()
    }

    fn trim(&mut self) -> io::Result<()> {
        while self.bytes() > self.max_bytes
            && let Some(oldest) = self.full.front()
        {
            let next = self.full.get(1).map_or(self.current_first, |segment| segment.first);
            if self.acked < next - 1 {
                break;
            }
            fs::remove_file(self.dir.join(full_name(oldest.first)))?;
            self.full.pop_front();
        }
        Ok(())
    }
}

/// Whether a line is on disk.
#[must_use = "a line that was refused must be tried again or reported"]
pub(crate) enum Durable {
    Written,
    Refused(io::Error),
}

/// A place in the journal that a controller has read up to.
pub(crate) struct Cursor {
    file: File,
    first: u64,
    offset: u64,
}

impl Cursor {
    fn skip_lines(&mut self, mut lines: u64) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        while lines > 0 {
            let count = self.file.read_at(&mut buffer, self.offset)?;
            if count == 0 {
                break;
            }
            let mut ends = buffer[..count].iter().enumerate().filter(|(_, b)| **b == b'\n');
            match ends.nth(usize::try_from(lines - 1).unwrap_or(usize::MAX)) {
                Some((at, _)) => {
                    self.offset += at as u64 + 1;
                    lines = 0;
                }
                None => {
                    lines -= buffer[..count].iter().filter(|b| **b == b'\n').count() as u64;
                    self.offset += count as u64;
                }
            }
        }
        Ok(())
    }
}

/// The name of a full segment.
pub(crate) fn full_name(first: u64) -> String {
    format!("journal.{first}.jsonl")
}

/// The current segment's file and what is not yet written to it.
struct Sink {
    file: Arc<File>,
    pending: Vec<u8>,
    written: u64,
    stalled: Option<io::Error>,
}

impl Sink {
    fn bytes(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Writes as much as the disk takes; what it does not take stays pending, in order.
    fn write_out(&mut self) -> io::Result<()> {
        let mut done = 0;
        let result = loop {
            if done == self.pending.len() {
                break Ok(());
            }
            match (&*self.file).write(&self.pending[done..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.pending.drain(..done);
        self.pending.shrink_to(2 * CHUNK);
        self.written += done as u64;
        result
    }
}

/// Takes everything: what the disk does not take waits in memory.
impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.chunks(CHUNK) {
            self.pending.extend_from_slice(piece);
            if self.pending.len() >= CHUNK && self.stalled.is_none() {
                self.stalled = self.write_out().err();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn new_file(dir: &Path) -> io::Result<Arc<File>> {
    let mut options = File::options();
    options.append(true).create_new(true).mode(0o600);
    Ok(Arc::new(options.open(dir.join(CURRENT))?))
}

/// Whether this is a want of space, which passes, and not a broken disk.
fn is_shortage(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
