//! The shim proper: one thread, one poll, no timers while nothing happens.

mod controllers;
mod ending;
mod pipes;
mod signals;
mod start;

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::cgroup::Cgroup;
use crate::controller::Connection;
use crate::entry::Exit;
use crate::journal::{Durable, Journal};
use crate::launch::READY;
use crate::options::Options;
use crate::process::Process;
use crate::record::Record;
use crate::state::State;
use crate::stdin::Stdin;
use crate::{socket, tree};
use ending::Ending;
use pipes::Output;
use signals::Signals;

/// How often a disk that took nothing is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Stage 2 of [`crate::launch`]: runs the agent to its end.
pub(crate) fn run(args: Vec<OsString>) -> ExitCode {
    let started = start::start(args);
    let word = started.as_ref().map_or_else(ToString::to_string, |_| READY.to_owned());
    // Whoever started the shim may be gone already; it serves all the same.
    let _ = writeln!(io::stdout(), "{word}");
    let Ok(mut shim) = started else { return ExitCode::FAILURE };
    match shim.serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the journal cannot be continued, the agent is ended: {error}");
            shim.abandon();
            ExitCode::FAILURE
        }
    }
}

struct Shim {
    options: Options,
    state: State,
    journal: Journal,
    agent: Process,
    stdin: Stdin,
    out: Output,
    err: Output,
    listener: UnixListener,
    signals: Signals,
    guests: Vec<Connection>,
    controller: Option<Connection>,
    phase: Phase,
    /// How the agent process ended, once it has.
    ended: Option<Exit>,
    cgroup: Option<Cgroup>,
    /// Held, not used: the kernel drops the lock with the process.
    _lock: std::fs::File,
}

enum Phase {
    /// The agent runs.
    Running,
    /// The agent has ended, or must: what is left of the run is being ended.
    Ending(Ending),
    /// The exit record, with this number, is on disk.
    Ended { exit: u64, leave_at: Instant },
    /// Nothing more to do.
    Left,
}

/// What a poll can say is ready.
#[derive(Clone, Copy)]
enum Ready {
    Signal,
    Listener,
    Out,
    Err,
    Stdin,
    Guest(usize),
    Controller,
}

impl Shim {
    /// Serves until the shim may leave.
    ///
    /// # Errors
    /// The journal's disk is broken.
    fn serve(&mut self) -> io::Result<()> {
        loop {
            self.journal.flush()?;
            self.pump_controllers();
            self.finish_if_over()?;
            if let Phase::Left = self.phase {
                return socket::remove(&self.options.dir);
            }
            for (ready, flags) in self.wait()? {
                self.handle(ready, flags)?;
            }
        }
    }

    fn wait(&self) -> io::Result<Vec<(Ready, PollFlags)>> {
        let mut kinds = vec![Ready::Signal, Ready::Listener];
        let mut fds = vec![
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        // While the journal is full the agent waits in its own pipe.
        let reads = !self.journal.is_full();
        if let Some(pipe) = self.out.pipe().filter(|_| reads) {
            kinds.push(Ready::Out);
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
        if let Some(pipe) = self.err.pipe().filter(|_| reads) {
            kinds.push(Ready::Err);
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
        if let Some(pipe) = self.stdin.wanting() {
            kinds.push(Ready::Stdin);
            fds.push(PollFd::new(pipe, PollFlags::OUT));
        }
        let guests = self.guests.iter().enumerate().map(|(i, guest)| (Ready::Guest(i), guest));
        let controller = self.controller.iter().map(|connection| (Ready::Controller, connection));
        for (kind, connection) in guests.chain(controller) {
            let writes = connection.wants_to_write(&self.journal);
            let out = if writes { PollFlags::OUT } else { PollFlags::empty() };
            kinds.push(kind);
            fds.push(PollFd::new(connection.stream(), PollFlags::IN | out));
        }
        let limit = self.limit().map(|limit| Timespec::try_from(limit).unwrap_or_default());
        match poll(&mut fds, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = kinds.into_iter().zip(fds.iter().map(PollFd::revents));
        Ok(ready.filter(|(_, flags)| !flags.is_empty()).collect())
    }

    /// The only times when the shim wakes by itself.
    fn limit(&self) -> Option<Duration> {
        match &self.phase {
            _ if self.journal.stalled().is_some() => Some(RETRY),
            Phase::Running | Phase::Left => None,
            // Over, but the exit record was refused by the disk.
            Phase::Ending(ending) if ending.is_over() => Some(RETRY),
            Phase::Ending(_) => None,
            Phase::Ended { leave_at, .. } => {
                Some(leave_at.saturating_duration_since(Instant::now()))
            }
        }
    }

    fn handle(&mut self, ready: Ready, flags: PollFlags) -> io::Result<()> {
        match ready {
            Ready::Signal => self.signalled()?,
            Ready::Listener => self.welcome(),
            Ready::Out => drop(self.out.read(&mut self.journal)?),
            Ready::Err => drop(self.err.read(&mut self.journal)?),
            Ready::Stdin => self.stdin.pump(),
            Ready::Guest(index) => self.hear_guest(index, flags)?,
            Ready::Controller => self.hear_controller(flags)?,
        }
        Ok(())
    }

    fn signalled(&mut self) -> io::Result<()> {
        self.signals.clear();
        for (pid, status) in signals::reap() {
            if pid == self.agent.pid {
                let (code, signal) = (status.exit_status(), status.terminating_signal());
                self.ended = Some(Exit { code, signal, killed: 0, left: 0 });
                self.end(self.options.grace)?;
            }
        }
        if self.signals.asked_to_end() {
            self.end(self.options.grace)?;
            if let Phase::Ended { .. } = self.phase {
                self.phase = Phase::Left;
            }
        }
        Ok(())
    }

    /// Ends the run, or makes haste if it is ending already.
    fn end(&mut self, grace: Duration) -> io::Result<()> {
        let deadline = Instant::now() + grace;
        match &self.phase {
            Phase::Running => {
                let run = tree::Run {
                    id: self.options.id.clone(),
                    cgroup: self.cgroup.take(),
                    descendants: true,
                };
                self.phase = Phase::Ending(Ending::start(run, deadline, self.signals.waker())?);
            }
            Phase::Ending(ending) => ending.hasten(deadline),
            Phase::Ended { .. } | Phase::Left => {}
        }
        Ok(())
    }

    fn finish_if_over(&mut self) -> io::Result<()> {
        match &self.phase {
            Phase::Ending(ending) => {
                let Some(others) = ending.over(self.agent) else { return Ok(()) };
                // An agent that cannot be ended (stuck in the kernel) has no status to wait for.
                let status = match self.ended {
                    Some(status) => status,
                    None if others.left > 0 => {
                        Exit { code: None, signal: None, killed: 0, left: 0 }
                    }
                    None => return Ok(()),
                };
                let exit = Exit { killed: others.killed, left: others.left, ..status };
                self.out.finish(&mut self.journal)?;
                self.err.finish(&mut self.journal)?;
                if let Durable::Written = self.journal.append_durably(&Record::Exit(exit))? {
                    let leave_at = Instant::now() + self.options.ack_timeout;
                    let over = self.signals.asked_to_end();
                    let exit = self.journal.last();
                    self.phase = if over { Phase::Left } else { Phase::Ended { exit, leave_at } };
                    self.pump_controllers();
                }
            }
            Phase::Ended { leave_at, .. } if *leave_at <= Instant::now() => {
                let waited = self.options.ack_timeout.as_secs();
                eprintln!("nobody said within {waited} s that the agent's end was read; leaving");
                self.phase = Phase::Left;
            }
            Phase::Running | Phase::Ended { .. } | Phase::Left => {}
        }
        Ok(())
    }

    /// The journal is broken: the run must not go on unrecorded.
    fn abandon(&mut self) {
        let run = tree::Run {
            id: self.options.id.clone(),
            cgroup: self.cgroup.take(),
            descendants: true,
        };
        let deadline = Instant::now() + self.options.grace;
        run.end(|| deadline);
        let _ = socket::remove(&self.options.dir);
    }
}
