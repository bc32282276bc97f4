//! The agent's two outputs on their way into the journal.

use std::io::{self, PipeReader, Read};

use crate::journal::Journal;
use crate::lines::Lines;
use crate::record::{Record, Stream};

/// How much is read at once: what a pipe holds unless told otherwise.
const CHUNK: usize = 64 << 10;
/// More than a pipe can hold: who still has more to say after the end is not of this run.
const REST: usize = 1 << 20;

/// One of the agent's outputs.
pub(super) struct Output {
    pipe: Option<PipeReader>,
    lines: Lines,
    stream: Stream,
}

impl Output {
    /// The pipe must not block.
    pub(super) fn new(stream: Stream, pipe: PipeReader, line_max: usize) -> Self {
        Self { pipe: Some(pipe), lines: Lines::new(line_max), stream }
    }

    /// The pipe, while it is open.
    pub(super) fn pipe(&self) -> Option<&PipeReader> {
        self.pipe.as_ref()
    }

    /// Reads once and gives how much there was; at its end the pipe is closed.
    pub(super) fn read(&mut self, journal: &mut Journal) -> io::Result<usize> {
        let Some(pipe) = &mut self.pipe else { return Ok(0) };
        let mut buffer = vec![0; CHUNK];
        match pipe.read(&mut buffer) {
            Ok(0) => self.close(journal).map(|()| 0),
            Ok(count) => {
                self.lines.feed(&buffer[..count], |text| {
                    journal.append(&Record::Output(self.stream, text))
                })?;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Reads what is left and closes.
    pub(super) fn finish(&mut self, journal: &mut Journal) -> io::Result<()> {
        let mut total = 0;
        while total < REST {
            match self.read(journal)? {
                0 => break,
                count => total += count,
            }
        }
        self.close(journal)
    }

    fn close(&mut self, journal: &mut Journal) -> io::Result<()> {
        self.pipe = None;
        self.lines.finish(|text| journal.append(&Record::Output(self.stream, text)))
    }
}
