//! The terminal this program runs in, as a line to another one: every key goes through as it is.

use std::io::{self, Read};

use rustix::termios::{self, OptionalActions, Termios};
use tokio::sync::mpsc;

/// How much is read of the keyboard at once.
const READ: usize = 16 << 10;

/// Standard input in raw mode; as it was again when this goes.
pub(crate) struct Raw(Termios);

impl Raw {
    /// Sets it; nothing when standard input is no terminal.
    pub(crate) fn set() -> Option<Self> {
        let before = termios::tcgetattr(io::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

/// Columns and rows of the terminal, when there is one that says so.
pub(crate) fn size() -> Option<(u16, u16)> {
    let size = termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col >= 2 && size.ws_row >= 1).then_some((size.ws_col.min(1000), size.ws_row.min(1000)))
}

/// What is typed, until its end. A thread of its own that nobody waits for: reading a terminal
/// cannot be given up.
pub(crate) fn typed() -> mpsc::Receiver<Vec<u8>> {
    let (sender, typed) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut buffer = vec![0; READ];
        while let Ok(count @ 1..) = io::stdin().lock().read(&mut buffer) {
            if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    typed
}
