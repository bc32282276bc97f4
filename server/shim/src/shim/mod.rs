//! The shim proper: one thread, one poll, no timers while nothing happens.

mod ending;
mod pipes;
mod signals;

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::agent::{self, Agent};
use crate::cgroup::Cgroup;
use crate::command::{Command, Hello, Note};
use crate::controller::Connection;
use crate::entry::Exit;
use crate::journal::{Durable, Journal};
use crate::launch::{READY, SpawnError};
use crate::options::Options;
use crate::process::Process;
use crate::record::{Record, Stream};
use crate::state::{self, State, VERSION};
use crate::stdin::Stdin;
use crate::{socket, tree};
use ending::Ending;
use pipes::Output;
use signals::Signals;

/// How many connections may be open without having attached.
const MAX_GUESTS: usize = 8;
/// How often a disk that took nothing is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Stage 2 of [`crate::launch`]: runs the agent to its end.
pub(crate) fn run(args: Vec<OsString>) -> ExitCode {
    let started = start(args);
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

fn start(args: Vec<OsString>) -> Result<Shim, SpawnError> {
    let mut options = Options::parse(args)?;
    options.dir = options.dir.canonicalize().map_err(SpawnError::io("resolve --dir"))?;
    let dir = options.dir.clone();
    let lock = state::lock(&dir).map_err(|error| {
        if error.kind() == io::ErrorKind::WouldBlock {
            SpawnError::Failed(format!("a shim already lives in {}: attach to it", dir.display()))
        } else {
            SpawnError::io("lock --dir")(error)
        }
    })?;
    let journal = Journal::create(&dir, options.journal_max).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            let dir = dir.display();
            SpawnError::Failed(format!("{dir} holds an earlier run: give each a new directory"))
        } else {
            SpawnError::io("start the journal")(error)
        }
    })?;
    begin(options, journal, lock)
}

fn begin(options: Options, mut journal: Journal, lock: std::fs::File) -> Result<Shim, SpawnError> {
    // Fails only for a process that leads its session already, which is as good.
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"car-shim");
    let own = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(own))
        .map_err(|e| SpawnError::io("adopt the agent's orphans")(e.into()))?;
    let signals = Signals::catch().map_err(SpawnError::io("catch signals"))?;
    let listener = socket::listen(&options.dir).map_err(SpawnError::io("listen in --dir"))?;
    let cgroup = if options.cgroup { Cgroup::create(&options.id) } else { None };

    let agent = agent::start(&options, cgroup.as_ref()).inspect_err(|_| {
        let _ = socket::remove(&options.dir);
        cgroup.iter().for_each(Cgroup::remove);
    })?;
    let argv0 = options.command.first().map(|name| name.as_bytes().to_owned()).unwrap_or_default();
    let record =
        Record::Start { pid: agent.process.pid, starttime: agent.process.starttime, argv0: &argv0 };
    // If any of this fails the shim ends, and the agent with it.
    match journal.append_durably(&record).map_err(SpawnError::io("write the journal"))? {
        Durable::Written => {}
        Durable::Refused(error) => return Err(SpawnError::io("write the journal")(error)),
    }
    let state = state::write(&options.dir, &options.id, agent.process)
        .map_err(SpawnError::io("write shim.json"))?;
    std::env::set_current_dir("/").map_err(SpawnError::io("leave the directory"))?;
    let Agent { process, stdin, stdout, stderr } = agent;
    let out = Output::new(Stream::Out, stdout, options.line_max);
    let err = Output::new(Stream::Err, stderr, options.line_max);
    Ok(Shim {
        options,
        state,
        journal,
        agent: process,
        stdin,
        out,
        err,
        listener,
        signals,
        guests: Vec::new(),
        controller: None,
        phase: Phase::Running,
        ended: None,
        cgroup,
        _lock: lock,
    })
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

    fn welcome(&mut self) {
        // A connection that fails on the way in has nobody to tell.
        while let Ok((stream, _)) = self.listener.accept() {
            if let Ok(guest) = Connection::new(stream) {
                if self.guests.len() == MAX_GUESTS {
                    self.guests.remove(0);
                }
                self.guests.push(guest);
            }
        }
    }

    fn hear_guest(&mut self, index: usize, flags: PollFlags) -> io::Result<()> {
        // Guests come and go within one round; what a wrong index misses is ready again.
        let Some(guest) = self.guests.get_mut(index) else { return Ok(()) };
        if !is_readable(flags) {
            return Ok(());
        }
        let Ok(commands) = guest.receive() else {
            self.guests.remove(index);
            return Ok(());
        };
        let mut commands = commands.into_iter();
        while let Some(command) = commands.next() {
            match command {
                Command::Attach { from, version } if version == VERSION => {
                    let guest = self.guests.remove(index);
                    self.attach(guest, from)?;
                    return commands.try_for_each(|command| self.obey(command));
                }
                Command::Attach { .. } => {
                    let text = format!("this shim speaks version {VERSION}: attach with that");
                    self.guests[index].note(&Note::Error(text));
                }
                Command::Stop { grace } => self.end(grace.unwrap_or(self.options.grace))?,
                Command::Send(_) | Command::Ack(_) | Command::Eof | Command::Leave => {
                    self.guests[index].note(&Note::Error("attach first".into()));
                }
            }
        }
        Ok(())
    }

    fn attach(&mut self, mut connection: Connection, from: u64) -> io::Result<()> {
        // Whoever asks for n has all before it.
        self.journal.acknowledge(from.saturating_sub(1))?;
        self.journal.flush()?;
        connection.note(&Note::Hello(Hello {
            id: self.options.id.clone(),
            version: VERSION,
            shim_pid: self.state.shim_pid,
            pid: self.state.pid,
            starttime: self.state.starttime,
            alive: matches!(self.phase, Phase::Running | Phase::Ending(_)),
            first: self.journal.first(),
            last: self.journal.last(),
        }));
        connection.follow(self.journal.cursor(from)?);
        self.controller = Some(connection);
        Ok(())
    }

    fn hear_controller(&mut self, flags: PollFlags) -> io::Result<()> {
        let Some(controller) = &mut self.controller else { return Ok(()) };
        if !is_readable(flags) {
            return Ok(());
        }
        match controller.receive() {
            Ok(commands) => commands.into_iter().try_for_each(|command| self.obey(command)),
            Err(_) => {
                self.controller = None;
                Ok(())
            }
        }
    }

    fn obey(&mut self, command: Command) -> io::Result<()> {
        match command {
            Command::Attach { .. } => self.refuse("already attached"),
            Command::Send(line) => self.send(&line)?,
            Command::Ack(n) => self.journal.acknowledge(n.min(self.journal.last()))?,
            Command::Eof => self.stdin.close(),
            Command::Stop { grace } => self.end(grace.unwrap_or(self.options.grace))?,
            Command::Leave => match self.phase {
                Phase::Ended { exit, .. } if self.journal.acknowledged() >= exit => {
                    self.phase = Phase::Left;
                }
                Phase::Left => {}
                Phase::Ended { .. } => self.refuse("acknowledge the exit record first"),
                Phase::Running | Phase::Ending(_) => {
                    self.refuse("the agent has not ended: stop it")
                }
            },
        }
        Ok(())
    }

    /// On disk first, then to the agent: so a line that is not in the journal was not sent.
    fn send(&mut self, line: &str) -> io::Result<()> {
        if let Some(reason) = self.stdin.refuses(line) {
            self.refuse(reason);
            return Ok(());
        }
        match self.journal.append_durably(&Record::In(line.as_bytes()))? {
            Durable::Written => self.stdin.push(line),
            Durable::Refused(error) => {
                self.refuse(&format!("the journal is not writable: {error}"))
            }
        }
        Ok(())
    }

    fn refuse(&mut self, reason: &str) {
        if let Some(controller) = &mut self.controller {
            controller.note(&Note::Error(reason.to_owned()));
        }
    }

    fn pump_controllers(&mut self) {
        self.guests.retain_mut(|guest| guest.pump(&self.journal).is_ok());
        if self.controller.as_mut().is_some_and(|it| it.pump(&self.journal).is_err()) {
            self.controller = None;
        }
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

fn is_readable(flags: PollFlags) -> bool {
    flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
}
