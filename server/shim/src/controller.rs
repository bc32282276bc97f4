//! One connection to the socket: commands come in, journal lines go out. Neither ever blocks.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use crate::command::{Command, Note};
use crate::journal::{Cursor, Journal};

/// A longer command closes the connection.
const MAX_COMMAND: usize = 64 << 20;
/// More unread answers than this close the connection.
const MAX_NOTES: usize = 1 << 20;
/// How much is read or written before others have their turn.
const TURN: usize = 1 << 20;
const CHUNK: usize = 64 << 10;

pub(crate) struct Connection {
    stream: UnixStream,
    inbox: Vec<u8>,
    /// Where the search for the end of a command goes on.
    searched: usize,
    /// Answers, written between two journal lines.
    notes: Vec<u8>,
    outbox: Vec<u8>,
    written: usize,
    /// Whether what is written up to here, outbox included, ends with a whole line.
    between_lines: bool,
    /// Where a controller has read up to; a guest that has not attached has none.
    cursor: Option<Cursor>,
    /// Nobody reads at the other end any more. What was asked before is still to be heard.
    deaf: bool,
}

impl Connection {
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            inbox: Vec::new(),
            searched: 0,
            notes: Vec::new(),
            outbox: Vec::new(),
            written: 0,
            between_lines: true,
            cursor: None,
            deaf: false,
        })
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Makes it the controller: the journal follows from here.
    pub(crate) fn follow(&mut self, cursor: Cursor) {
        self.cursor = Some(cursor);
    }

    /// Says something that is not in the journal.
    pub(crate) fn note(&mut self, note: &Note) {
        self.notes.extend_from_slice(&note.to_line());
    }

    /// Reads what has come. An error means that the connection is over and nothing is left of it.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<Command>> {
        let mut buffer = vec![0; CHUNK];
        let mut commands = Vec::new();
        let mut taken = 0;
        while taken < TURN {
            match self.stream.read(&mut buffer) {
                // What was asked before the end is still done, then the next read finds the end.
                Ok(0) if commands.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(0) => break,
                Ok(count) => {
                    self.inbox.extend_from_slice(&buffer[..count]);
                    taken += count;
                    self.parse(&mut commands);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The same: who closes without having read everything resets the connection.
                Err(_) if !commands.is_empty() => break,
                Err(error) => return Err(error),
            }
            if self.inbox.len() > MAX_COMMAND {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        Ok(commands)
    }

    fn parse(&mut self, commands: &mut Vec<Command>) {
        let mut start = 0;
        while let Some(at) = self.inbox[self.searched..].iter().position(|&b| b == b'\n') {
            let end = self.searched + at;
            match Command::parse(&self.inbox[start..end]) {
                Ok(command) => commands.push(command),
                Err(error) => self.notes.extend_from_slice(&Note::Error(error).to_line()),
            }
            start = end + 1;
            self.searched = start;
        }
        self.inbox.drain(..start);
        if self.inbox.is_empty() {
            self.inbox.shrink_to(CHUNK);
        }
        self.searched = self.inbox.len();
    }

    /// Whether there is something to write.
    pub(crate) fn wants_to_write(&self, journal: &Journal) -> bool {
        let more = self.cursor.as_ref().is_some_and(|cursor| journal.has_more(cursor));
        !self.deaf && (more || !self.notes.is_empty() || self.written < self.outbox.len())
    }

    /// Writes as much as the other side takes. An error means that the connection is to be closed;
    /// one that cannot be written to is read to its end.
    pub(crate) fn pump(&mut self, journal: &Journal) -> io::Result<()> {
        if self.notes.len() > MAX_NOTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut given = 0;
        while given < TURN && !self.deaf {
            if self.written == self.outbox.len() && !self.refill(journal)? {
                break;
            }
            match self.stream.write(&self.outbox[self.written..]) {
                Ok(count) => {
                    self.written += count;
                    given += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.deaf = true,
            }
        }
        Ok(())
    }

    fn refill(&mut self, journal: &Journal) -> io::Result<bool> {
        self.outbox.clear();
        self.written = 0;
        if self.between_lines && !self.notes.is_empty() {
            self.outbox.append(&mut self.notes);
            return Ok(true);
        }
        let Some(cursor) = &mut self.cursor else { return Ok(false) };
        self.outbox.resize(CHUNK, 0);
        let count = journal.read(cursor, &mut self.outbox)?;
        self.outbox.truncate(count);
        if count > 0 {
            self.between_lines = self.outbox.ends_with(b"\n");
        }
        Ok(count > 0)
    }
}
