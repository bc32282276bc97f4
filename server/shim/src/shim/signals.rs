//! Signals as something to poll, and the children they tell of.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Signal, WaitOptions, WaitStatus, wait};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// Readable when a signal has come or a [`Waker`] was used.
pub(super) struct Signals {
    reader: UnixStream,
    writer: UnixStream,
    terminate: Arc<AtomicBool>,
}

/// Wakes the poll from another thread.
pub(super) struct Waker(Option<UnixStream>);

impl Signals {
    /// SIGCHLD and SIGTERM wake; SIGHUP and SIGINT are for the terminal's programs, not for
    /// this, and a file that may not grow is an error of the write, not a reason to die.
    pub(super) fn catch() -> io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        let terminate = Arc::new(AtomicBool::new(false));
        // The flag is set before the byte is written, so whoever wakes finds it set.
        flag::register(SIGTERM, Arc::clone(&terminate))?;
        low_level::pipe::register(SIGTERM, writer.try_clone()?)?;
        low_level::pipe::register(SIGCHLD, writer.try_clone()?)?;
        for ignored in [SIGHUP, SIGINT, Signal::XFSZ.as_raw()] {
            flag::register(ignored, Arc::new(AtomicBool::new(false)))?;
        }
        Ok(Self { reader, writer, terminate })
    }

    /// Whether the shim itself was told to end.
    pub(super) fn asked_to_end(&self) -> bool {
        self.terminate.load(Ordering::SeqCst)
    }

    pub(super) fn clear(&mut self) {
        let mut buffer = [0; 64];
        while matches!(self.reader.read(&mut buffer), Ok(count) if count > 0) {}
    }

    pub(super) fn waker(&self) -> Waker {
        Waker(self.writer.try_clone().ok())
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Waker {
    pub(super) fn wake(&mut self) {
        if let Some(stream) = &mut self.0 {
            // A full pipe wakes as well.
            let _ = stream.write(&[1]);
        }
    }
}

/// Every child that has ended since, the agent and adopted orphans alike.
pub(super) fn reap() -> Vec<(i32, WaitStatus)> {
    let mut ended = Vec::new();
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        ended.push((pid.as_raw_nonzero().get(), status));
    }
    ended
}
