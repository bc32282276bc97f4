//! The agent's standard input: what is on disk and not yet taken by the agent.

use std::io::{self, Write};
use std::process::ChildStdin;

/// How much may wait for an agent that does not read.
const MAX_WAITING: usize = 64 << 20;

pub(crate) struct Stdin {
    pipe: Option<ChildStdin>,
    waiting: Vec<u8>,
    /// How much at the front of `waiting` the agent has taken.
    taken: usize,
    eof: bool,
}

impl Stdin {
    /// Takes over the pipe.
    pub(crate) fn new(pipe: ChildStdin) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe: Some(pipe), waiting: Vec::new(), taken: 0, eof: false })
    }

    /// Why a line cannot be taken now, if it cannot.
    pub(crate) fn refuses(&self, line: &str) -> Option<&'static str> {
        if self.pipe.is_none() || self.eof {
            Some("the agent's input is closed")
        } else if line.contains('\n') {
            Some("a line must not contain a line feed")
        } else if self.waiting.len() - self.taken + line.len() > MAX_WAITING {
            Some("the agent does not read its input: stop it, or wait")
        } else {
            None
        }
    }

    /// Hands a line on, at the latest when the agent reads.
    pub(crate) fn push(&mut self, line: &str) {
        if self.taken > MAX_WAITING {
            self.waiting.drain(..self.taken);
            self.taken = 0;
        }
        self.waiting.extend_from_slice(line.as_bytes());
        self.waiting.push(b'\n');
        self.pump();
    }

    /// Closes the input after what waits.
    pub(crate) fn close(&mut self) {
        self.eof = true;
        self.pump();
    }

    /// The pipe, if something waits for it.
    pub(crate) fn wanting(&self) -> Option<&ChildStdin> {
        self.pipe.as_ref().filter(|_| !self.waiting.is_empty())
    }

    /// Writes as much as the agent takes.
    pub(crate) fn pump(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        while self.taken < self.waiting.len() {
            match pipe.write(&self.waiting[self.taken..]) {
                Ok(count) => self.taken += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    // The agent closed its end: nobody will ever read this.
                    self.pipe = None;
                    break;
                }
            }
        }
        self.waiting.clear();
        self.waiting.shrink_to(64 << 10);
        self.taken = 0;
        if self.eof {
            self.pipe = None;
        }
    }
}
