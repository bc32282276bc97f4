//! What a shim's directory says about it: who it is, and whether it lives.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::process::{Process, boot_id};

/// The version of the socket's protocol and of the files. A shim outlives the hub that started it:
/// whoever raises this lets [`OLDEST`] follow one behind.
pub(crate) const VERSION: u32 = 1;

/// The oldest version a controller of this one still speaks and reads.
pub(crate) const OLDEST: u32 = 1;
const STATE: &str = "shim.json";
const LOCK: &str = "lock";

/// What `shim.json` says, written once when the agent has started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The id that marks the run's processes.
    pub id: String,
    /// The protocol's version.
    pub version: u32,
    /// The boot in which the pids below mean something.
    pub boot_id: String,
    /// The shim.
    pub shim_pid: i32,
    /// Its start time, in clock ticks after boot.
    pub shim_starttime: u64,
    /// The agent.
    pub pid: i32,
    /// Its start time, in clock ticks after boot.
    pub starttime: u64,
}

/// Whether a shim lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It holds its lock. It can be attached to.
    Alive(State),
    /// It is gone; its journal can be read. `None` if it never came to start its agent.
    Dead(Option<State>),
}

/// Whether the shim of this directory lives: told by a lock the kernel drops with the process, so
/// it is true whatever happened. A shim that is about to start counts as dead.
///
/// # Errors
/// The directory cannot be read.
pub fn status(dir: &Path) -> io::Result<Status> {
    let state = read(dir)?;
    let lock = match File::open(dir.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Status::Dead(state)),
        Err(error) => return Err(error),
    };
    match (flock(lock, FlockOperation::NonBlockingLockShared), state) {
        (Err(Errno::WOULDBLOCK), Some(state)) => Ok(Status::Alive(state)),
        (Ok(()) | Err(Errno::WOULDBLOCK), state) => Ok(Status::Dead(state)),
        (Err(error), _) => Err(error.into()),
    }
}

impl State {
    /// Whether a controller of this version speaks the shim's.
    #[must_use]
    pub fn is_spoken(&self) -> bool {
        (OLDEST..=VERSION).contains(&self.version)
    }
}

/// What `shim.json` of this directory says, if it is there.
pub(crate) fn read(dir: &Path) -> io::Result<Option<State>> {
    match fs::read(dir.join(STATE)) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the directory's lock for as long as the file is open.
///
/// # Errors
/// `WouldBlock` if another shim has it.
pub(crate) fn lock(dir: &Path) -> io::Result<File> {
    let path = dir.join(LOCK);
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // Whoever asks for the status holds the lock for an instant, so one refusal proves nothing.
    let patience = Instant::now() + Duration::from_millis(500);
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK) if Instant::now() < patience => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes `shim.json`: the whole or nothing.
pub(crate) fn write(dir: &Path, id: &str, agent: Process) -> io::Result<State> {
    let shim = Process::current()?;
    let state = State {
        id: id.to_owned(),
        version: VERSION,
        boot_id: boot_id()?,
        shim_pid: shim.pid,
        shim_starttime: shim.starttime,
        pid: agent.pid,
        starttime: agent.starttime,
    };
    let draft = dir.join("shim.json.new");
    let mut file =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&serde_json::to_vec(&state)?)?;
    file.sync_all()?;
    fs::rename(draft, dir.join(STATE))?;
    File::open(dir)?.sync_all()?;
    Ok(state)
}
