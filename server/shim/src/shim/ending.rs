//! Ends the run's processes beside the loop, which goes on reading what they say.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

use super::signals::Waker;
use crate::process::Process;
use crate::tree::{Ended, Run, tally};

/// The ending of a run, under way or over.
pub(super) struct Ending(Arc<Shared>);

struct Shared {
    deadline: Mutex<Instant>,
    found: OnceLock<BTreeSet<Process>>,
}

impl Ending {
    /// Begins: SIGTERM now, SIGKILL at the deadline. Wakes the loop when it is over.
    ///
    /// # Errors
    /// No thread is to be had.
    pub(super) fn start(run: Run, deadline: Instant, mut waker: Waker) -> io::Result<Self> {
        let shared = Arc::new(Shared { deadline: Mutex::new(deadline), found: OnceLock::new() });
        let theirs = Arc::clone(&shared);
        let end = move || {
            let deadline = || *theirs.deadline.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = theirs.found.set(run.end(deadline));
            waker.wake();
        };
        thread::Builder::new().name("ending".into()).spawn(end)?;
        Ok(Self(shared))
    }

    /// Moves the deadline nearer.
    pub(super) fn hasten(&self, deadline: Instant) {
        let mut current = self.0.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        *current = deadline.min(*current);
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.found.get().is_some()
    }

    /// What became of the others of the run, once it is over.
    pub(super) fn over(&self, agent: Process) -> Option<Ended> {
        let found = self.0.found.get()?;
        Some(tally(found.iter().filter(|process| **process != agent || agent.is_alive())))
    }
}
