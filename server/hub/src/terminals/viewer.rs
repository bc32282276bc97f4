//! One who looks at a terminal: a place in what its shell wrote, and what follows.

use bytes::Bytes;
use car_api::terminal::Terminal;
use car_pty::{Size, State};
use tokio::sync::{mpsc, watch};

use super::{size, work::Look};
use crate::{Error, Hub, Result};

/// What is read at once.
const READ: usize = 64 << 10;

/// How much of the end is shown to somebody who names no place.
const FIRST: u64 = 256 << 10;

/// Something to show.
#[derive(Debug)]
pub enum Seen {
    /// What the shell wrote.
    Output(Bytes),
    /// Everything so far was given; the place of the next byte.
    CaughtUp(u64),
    /// It has another size.
    Resized {
        /// Characters in a line.
        cols: u16,
        /// Lines.
        rows: u16,
    },
    /// What follows is no longer kept: begin again, at this place or later.
    Behind(u64),
    /// No more will come.
    Ended(Box<Terminal>),
}

/// One who looks at a terminal.
pub struct Viewer {
    hub: Hub,
    terminal: Terminal,
    /// None when it had ended before.
    look: Option<Look>,
    state: Option<watch::Receiver<State>>,
    at: u64,
    size: Size,
    told: bool,
}

impl Viewer {
    pub(super) fn new(hub: Hub, terminal: Terminal, look: Option<Look>, from: Option<u64>) -> Self {
        let state = look.as_ref().map(|look| look.pty.state());
        let now = state.as_ref().map(|state| *state.borrow());
        let written = now.map_or(terminal.written, |state| state.written);
        let size =
            now.map_or(Size { cols: terminal.cols, rows: terminal.rows }, |state| state.size);
        let at = from.unwrap_or_else(|| written.saturating_sub(FIRST)).min(written);
        Self { hub, terminal, look, state, at, size, told: false }
    }

    /// The terminal as it is now, and the place of the next byte.
    ///
    /// # Errors
    /// The record cannot be read.
    pub async fn begin(&mut self) -> Result<(Terminal, u64)> {
        let (at, _) = self.read().await?;
        self.at = at;
        Ok((self.hub.inner.terminals.now(self.terminal.clone()), at))
    }

    /// Where it is in what the shell wrote.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Takes what is typed, unless the terminal has ended.
    #[must_use]
    pub fn input(&self) -> Option<mpsc::Sender<Bytes>> {
        self.look.as_ref().map(|look| look.pty.input())
    }

    /// Makes the terminal another size, for everybody.
    ///
    /// # Errors
    /// No terminal can be that large or small.
    pub fn resize(&mut self, cols: u16, rows: u16) -> Result<()> {
        let size = size(cols, rows)?;
        if let Some(look) = &self.look {
            self.size = size;
            look.pty.resize(size);
        }
        Ok(())
    }

    /// The next thing to show. May be dropped and called again: nothing is lost.
    ///
    /// # Errors
    /// The record cannot be read.
    pub async fn next(&mut self) -> Result<Seen> {
        loop {
            let state = self.state.as_mut().map(|state| *state.borrow_and_update());
            if let Some(now) = state
                && now.size != self.size
            {
                self.size = now.size;
                return Ok(Seen::Resized { cols: now.size.cols, rows: now.size.rows });
            }
            if self.at < state.map_or(self.terminal.written, |state| state.written) {
                let (at, bytes) = self.read().await?;
                if at != self.at {
                    return Ok(Seen::Behind(at));
                }
                if !bytes.is_empty() {
                    self.at += bytes.len() as u64;
                    return Ok(Seen::Output(bytes));
                }
            }
            if !self.told {
                self.told = true;
                return Ok(Seen::CaughtUp(self.at));
            }
            match (state, &mut self.state) {
                (Some(State { ended: false, .. }), Some(changes)) => {
                    if changes.changed().await.is_err() {
                        return self.ended().await;
                    }
                }
                (Some(_) | None, _) => return self.ended().await,
            }
        }
    }

    async fn ended(&self) -> Result<Seen> {
        let terminal = self.hub.terminal_row(&self.terminal.id).await?;
        Ok(Seen::Ended(Box::new(terminal)))
    }

    /// What follows, and where it begins.
    async fn read(&self) -> Result<(u64, Bytes)> {
        let read = match &self.look {
            Some(look) => look.pty.read(self.at, READ).await,
            None => {
                let (dir, at) = (self.hub.inner.terminal_dir(&self.terminal.id), self.at);
                let read = move || car_pty::read_record(&dir, at, READ);
                match tokio::task::spawn_blocking(read).await {
                    Ok(Ok(found)) => Ok(found.unwrap_or((at, Bytes::new()))),
                    Ok(Err(error)) => Err(error),
                    Err(panic) => Err(std::io::Error::other(panic)),
                }
            }
        };
        read.map_err(|error| {
            let detail = "What this terminal's shell wrote cannot be read; the hub's log has why.";
            Error::new(car_api::Code::Storage, detail).with_source(error)
        })
    }
}
