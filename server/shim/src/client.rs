//! The controller's side of the socket, for a tokio program.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::command::{Command, Hello, Note};
use crate::entry::{Entry, decode};
use crate::socket;
use crate::state::{self, OLDEST, VERSION};

/// An attached controller. The two halves can be used apart.
#[derive(Debug)]
pub struct Conn {
    /// What the shim said of itself when this controller attached.
    pub hello: Hello,
    /// What happens.
    pub entries: Entries,
    /// What to do.
    pub control: Control,
}

/// The lines of the journal from where the controller attached, as they are written.
#[derive(Debug)]
pub struct Entries {
    reader: BufReader<OwnedReadHalf>,
    /// The line so far, so that a cancelled read loses nothing.
    line: Vec<u8>,
}

/// Says to the shim what to do. Every call returns when the words are handed to the kernel; what
/// the shim could not do comes as [`ConnError::Refused`] from [`Entries::next`].
#[derive(Debug)]
pub struct Control {
    writer: OwnedWriteHalf,
}

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
pub enum ConnError {
    /// Nobody listens: the shim is dead or never lived. Read its journal from disk.
    #[error("no shim answers: read its journal from disk ({0})")]
    Gone(io::Error),
    /// The shim closed the connection: another controller attached, or it left or died.
    #[error(
        "the shim closed the connection: ask for its status, then attach again or read the journal"
    )]
    Closed,
    /// The shim is of a program too old or too new to be worked with. It can be told to
    /// [`stop`], which is said alike in every version, and its journal be read afterwards.
    #[error("the shim speaks version {0}, and this program {OLDEST} to {VERSION}")]
    Version(u32),
    /// The shim did not do what it was told; the connection goes on.
    #[error("the shim refused: {0}")]
    Refused(String),
    /// The shim said something that is not understood.
    #[error("the shim said something else than a journal line: {0}")]
    Garbled(String),
    /// The connection failed.
    #[error("the connection to the shim failed: {0}")]
    Io(#[from] io::Error),
}

/// Becomes the controller of the shim in `dir`, replacing any other, and reads the journal from
/// line `from` on. Says with this that all lines before it may be deleted.
///
/// # Errors
/// No shim answers, or it speaks a version this program does not.
pub async fn attach(dir: &Path, from: u64) -> Result<Conn, ConnError> {
    // In the shim's own words: it may have been started by the program before an upgrade.
    let version = match state::read(dir).map_err(ConnError::Gone)? {
        Some(state) if !state.is_spoken() => return Err(ConnError::Version(state.version)),
        Some(state) => state.version,
        None => VERSION,
    };
    let stream = socket::connect(dir).map_err(ConnError::Gone)?;
    stream.set_nonblocking(true)?;
    let (reader, writer) = UnixStream::from_std(stream)?.into_split();
    let mut entries =
        Entries { reader: BufReader::with_capacity(64 << 10, reader), line: Vec::new() };
    let mut control = Control { writer };
    control.say(&Command::Attach { from, version }).await?;
    match entries.line().await? {
        Said::Note(Note::Hello(hello)) => Ok(Conn { hello, entries, control }),
        Said::Note(Note::Error(reason)) => Err(ConnError::Refused(reason)),
        Said::Entry(entry) => Err(ConnError::Garbled(format!("{entry:?} before hello"))),
    }
}

/// Tells the shim in `dir` to end its run without taking control of it: SIGTERM, then SIGKILL
/// after the grace (the shim's own if none). Does not wait for the end.
///
/// # Errors
/// No shim answers.
pub async fn stop(dir: &Path, grace: Option<Duration>) -> Result<(), ConnError> {
    let stream = socket::connect(dir).map_err(ConnError::Gone)?;
    stream.set_nonblocking(true)?;
    let mut stream = UnixStream::from_std(stream)?;
    stream.write_all(&Command::Stop { grace }.to_line()).await?;
    Ok(())
}

impl Conn {
    /// As [`Entries::next`].
    ///
    /// # Errors
    /// As [`Entries::next`].
    pub async fn next(&mut self) -> Result<Entry, ConnError> {
        self.entries.next().await
    }
}

impl Entries {
    /// The next line of the journal; waits until there is one. After [`crate::EntryKind::Exit`]
    /// there is none. Safe to cancel.
    ///
    /// # Errors
    /// The connection is over, or ([`ConnError::Refused`]) a command was not carried out.
    pub async fn next(&mut self) -> Result<Entry, ConnError> {
        match self.line().await? {
            Said::Entry(entry) => Ok(entry),
            Said::Note(Note::Error(reason)) => Err(ConnError::Refused(reason)),
            Said::Note(Note::Hello(hello)) => Err(ConnError::Garbled(format!("{hello:?} twice"))),
        }
    }

    async fn line(&mut self) -> Result<Said, ConnError> {
        self.reader.read_until(b'\n', &mut self.line).await.map_err(closed)?;
        if !self.line.ends_with(b"\n") {
            return Err(ConnError::Closed);
        }
        let line = std::mem::take(&mut self.line);
        if let Some(entry) = decode(&line) {
            return Ok(Said::Entry(entry));
        }
        serde_json::from_slice(&line).map(Said::Note).map_err(|_| {
            ConnError::Garbled(String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned())
        })
    }
}

impl Control {
    /// Gives the agent a line. It was taken when it appears in the journal as
    /// [`crate::EntryKind::In`]: then it is on disk and will be, or was, written.
    ///
    /// # Errors
    /// The connection is over, or the line contains a line feed.
    pub async fn send(&mut self, line: impl Into<String>) -> Result<(), ConnError> {
        let line = line.into();
        if line.contains('\n') {
            return Err(ConnError::Refused("a line must not contain a line feed".into()));
        }
        self.say(&Command::Send(line)).await
    }

    /// Lines up to `n` are kept elsewhere: the shim may delete them.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn ack(&mut self, n: u64) -> Result<(), ConnError> {
        self.say(&Command::Ack(n)).await
    }

    /// Closes the agent's input after what was sent.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn eof(&mut self) -> Result<(), ConnError> {
        self.say(&Command::Eof).await
    }

    /// Ends the run: SIGTERM to every process of it, SIGKILL after the grace (the shim's own if
    /// none), until none is left. A second call can only make it faster.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn stop(&mut self, grace: Option<Duration>) -> Result<(), ConnError> {
        self.say(&Command::Stop { grace }).await
    }

    /// Lets the shim end, once the exit record was acknowledged.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn leave(&mut self) -> Result<(), ConnError> {
        self.say(&Command::Leave).await
    }

    async fn say(&mut self, command: &Command) -> Result<(), ConnError> {
        self.writer.write_all(&command.to_line()).await.map_err(closed)
    }
}

enum Said {
    Entry(Entry),
    Note(Note),
}

fn closed(error: io::Error) -> ConnError {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    if matches!(error.kind(), BrokenPipe | ConnectionReset) {
        ConnError::Closed
    } else {
        ConnError::Io(error)
    }
}
