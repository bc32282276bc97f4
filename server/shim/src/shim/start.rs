//! From the arguments to a shim that serves.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;

use super::pipes::Output;
use super::signals::Signals;
use super::{Phase, Shim};
use crate::agent::{self, Agent};
use crate::cgroup::Cgroup;
use crate::journal::{Durable, Journal};
use crate::launch::SpawnError;
use crate::options::Options;
use crate::record::{Record, Stream};
use crate::{socket, state};

/// Takes the directory, starts the agent, and writes down that it did.
pub(super) fn start(args: Vec<OsString>) -> Result<Shim, SpawnError> {
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

fn begin(options: Options, mut journal: Journal, lock: File) -> Result<Shim, SpawnError> {
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
