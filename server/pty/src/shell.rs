//! The shell, and what everybody shares who looks at it.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Child,
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    record::{self, Record},
    ring::Ring,
};

/// How much of the end is in memory.
const RING: usize = 1 << 20;
/// What is read from the shell at once.
const READ: usize = 16 << 10;
/// Pieces of what was typed that may wait for a shell that does not read.
const INPUT: usize = 64;
/// A shell may write `BURST` in `WINDOW`, then it waits, as on any terminal: 20 MiB a second.
const BURST: usize = 1 << 20;
const WINDOW: Duration = Duration::from_millis(50);
/// How long is read what a shell that ended left behind.
const DRAIN: Duration = Duration::from_millis(200);

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Characters in a line.
    pub cols: u16,
    /// Lines.
    pub rows: u16,
}

/// What is started.
#[derive(Debug)]
pub struct Start<'a> {
    /// The shell.
    pub program: &'a Path,
    /// Where it begins.
    pub dir: &'a Path,
    /// All of its environment.
    pub environment: &'a [(OsString, OsString)],
    /// How large the terminal is.
    pub size: Size,
    /// The directory of its record; made when it is missing.
    pub record: &'a Path,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Bytes the shell has written.
    pub written: u64,
    /// How large the terminal is.
    pub size: Size,
    /// Whether no more will come.
    pub ended: bool,
}

/// How a shell ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its status; none when a signal ended it.
    pub code: Option<i32>,
}

/// The terminal as everybody sees it; every clone is the same.
#[derive(Debug, Clone)]
pub struct Terminal {
    ring: Arc<Mutex<Ring>>,
    record: Arc<PathBuf>,
    state: Arc<watch::Sender<State>>,
    input: mpsc::Sender<Bytes>,
    end: CancellationToken,
}

/// The shell itself, for the one task that works it.
pub struct Shell {
    terminal: Terminal,
    pty: Option<pty_process::Pty>,
    child: Child,
    status: Option<ExitStatus>,
    input: mpsc::Receiver<Bytes>,
    record: Record,
}

/// Starts a shell in a session of its own, whose terminal is the new one.
///
/// # Errors
/// There is no such program or directory, or no terminal is free.
pub fn start(start: &Start<'_>) -> io::Result<(Terminal, Shell)> {
    let record = Record::create(start.record)?;
    let (pty, pts) = pty_process::open().map_err(io::Error::other)?;
    let Size { cols, rows } = start.size;
    pty.resize(pty_process::Size::new(rows, cols)).map_err(io::Error::other)?;
    let environment = start.environment.iter().map(|(name, value)| (name, value));
    let command = pty_process::Command::new(start.program)
        .current_dir(start.dir)
        .env_clear()
        .envs(environment)
        .kill_on_drop(true);
    let child = command.spawn(pts).map_err(io::Error::other)?;
    let (typed, input) = mpsc::channel(INPUT);
    let state = State { written: 0, size: start.size, ended: false };
    let terminal = Terminal {
        ring: Arc::new(Mutex::new(Ring::new(RING))),
        record: Arc::new(start.record.to_owned()),
        state: Arc::new(watch::Sender::new(state)),
        input: typed,
        end: CancellationToken::new(),
    };
    let shell =
        Shell { terminal: terminal.clone(), pty: Some(pty), child, status: None, input, record };
    Ok((terminal, shell))
}

impl Terminal {
    /// How it stands, now and from now on.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Takes what is typed; whoever waits for room waits for the shell to read.
    #[must_use]
    pub fn input(&self) -> mpsc::Sender<Bytes> {
        self.input.clone()
    }

    /// Makes it this large for everybody.
    pub fn resize(&self, size: Size) {
        self.state.send_if_modified(|state| std::mem::replace(&mut state.size, size) != size);
    }

    /// What the shell wrote from a place on, at most so many bytes, and the place where that really
    /// begins: later than asked for when the beginning is no longer kept. Empty at the end.
    ///
    /// # Errors
    /// The record cannot be read.
    pub async fn read(&self, from: u64, most: usize) -> io::Result<(u64, Bytes)> {
        let kept = || {
            let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            let from = from.min(ring.end());
            ring.read(from, most).map(|bytes| (from, bytes))
        };
        if let Some(found) = kept() {
            return Ok(found);
        }
        let record = Arc::clone(&self.record);
        let read = move || record::read(&record, from, most);
        let found = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
        if let Some(found) = found {
            return Ok(found);
        }
        // The disk did not take it: go on with the oldest that is in memory.
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = ring.end().saturating_sub(RING as u64);
        Ok((oldest, ring.read(oldest, most).unwrap_or_default()))
    }

    /// Has the shell's terminal hung up.
    pub fn end(&self) {
        self.end.cancel();
    }

    /// Tells everybody that no more will come.
    pub fn close(&self) {
        self.state.send_modify(|state| state.ended = true);
    }

    fn wrote(&self, bytes: &[u8]) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.push(bytes);
        let written = ring.end();
        drop(ring);
        self.state.send_modify(|state| state.written = written);
    }
}

impl Shell {
    /// Carries bytes both ways until the shell has ended or its end is wished, then hangs up: the
    /// kernel sends SIGHUP to whoever has the terminal.
    pub async fn work(&mut self) {
        let Some(mut pty) = self.pty.take() else { return };
        let mut sizes = self.terminal.state();
        let mut size = sizes.borrow_and_update().size;
        let (mut reader, mut writer) = pty.split();
        let mut buffer = vec![0; READ];
        let mut typed = Bytes::new();
        let mut closed = false;
        let (mut began, mut burst) = (Instant::now(), 0);
        loop {
            let rests = burst >= BURST && began.elapsed() < WINDOW;
            tokio::select! {
                // What was asked first is done first: what is typed meets the size that was set
                // before it.
                biased;
                () = self.terminal.end.cancelled() => break,
                Ok(()) = sizes.changed() => {
                    let now = sizes.borrow_and_update().size;
                    if now != size {
                        size = now;
                        let _ = writer.resize(pty_process::Size::new(size.rows, size.cols));
                    }
                }
                ended = self.child.wait() => {
                    self.status = ended.ok();
                    let until = Instant::now() + DRAIN;
                    while let Ok(Ok(count @ 1..)) = timeout_at(until, reader.read(&mut buffer)).await {
                        self.record.append(&buffer[..count]).await;
                        self.terminal.wrote(&buffer[..count]);
                    }
                    break;
                }
                Some(more) = self.input.recv(), if typed.is_empty() => typed = more,
                wrote = writer.write(&typed), if !typed.is_empty() => match wrote {
                    Ok(count) => typed.advance(count),
                    Err(_) => typed.clear(),
                },
                read = reader.read(&mut buffer), if !closed && !rests => {
                    // An error means that nobody has the terminal open, not that the shell ended.
                    let Ok(count @ 1..) = read else {
                        closed = true;
                        continue;
                    };
                    if began.elapsed() >= WINDOW {
                        (began, burst) = (Instant::now(), 0);
                    }
                    burst += count;
                    // First the record: what was seen is in it.
                    self.record.append(&buffer[..count]).await;
                    self.terminal.wrote(&buffer[..count]);
                }
                () = sleep_until(began + WINDOW), if rests => {}
            }
        }
        self.record.flush().await;
    }

    /// Waits for the shell, which was hung up. Whoever calls it has ended what does not listen.
    pub async fn exit(mut self) -> Exit {
        if self.status.is_none() {
            self.status = self.child.wait().await.ok();
        }
        Exit { code: self.status.and_then(|status| status.code()) }
    }
}
