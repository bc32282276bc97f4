//! Locks that end with the process that holds them.

use crate::beneath::Dir;
use crate::error::{FileError, Reason};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a change of a directory waits for others. One takes milliseconds, on a slow disk
/// perhaps a second; whoever holds the lock longer than this is not one of us.
const WRITER_PATIENCE: Duration = Duration::from_secs(30);
/// How long a reader waits before it reads without the lock.
const READER_PATIENCE: Duration = Duration::from_secs(3);

/// Holds a directory: no other thread or process of ours changes it meanwhile.
#[derive(Debug)]
pub(crate) struct DirLock(#[expect(dead_code, reason = "the lock lives as long as this")] OwnedFd);

/// Locks `dir` itself, so that no lock file lies among the tickets.
pub(crate) fn lock(dir: &Dir) -> Result<DirLock, FileError> {
    acquire(dir, FlockOperation::NonBlockingLockExclusive, WRITER_PATIENCE)
}

/// Locks `dir` against changes while it is read. A reader that cannot have the lock in time reads
/// all the same: an agent that holds it must not keep people from seeing their tickets.
pub(crate) fn lock_shared(dir: &Dir) -> Result<Option<DirLock>, FileError> {
    shared_within(dir, READER_PATIENCE)
}

/// The same without waiting: `None` when somebody has it.
pub(crate) fn try_shared(dir: &Dir) -> Result<Option<DirLock>, FileError> {
    shared_within(dir, Duration::ZERO)
}

fn shared_within(dir: &Dir, patience: Duration) -> Result<Option<DirLock>, FileError> {
    match acquire(dir, FlockOperation::NonBlockingLockShared, patience) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.reason == Reason::Busy => Ok(None),
        Err(error) => Err(error),
    }
}

fn acquire(dir: &Dir, operation: FlockOperation, patience: Duration) -> Result<DirLock, FileError> {
    let fail = |e| FileError::errno(dir.path(), e);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, ".", flags, Mode::empty()).map_err(fail)?;
    let deadline = Instant::now() + patience;
    loop {
        match rustix::fs::flock(&fd, operation) {
            Ok(()) => return Ok(DirLock(fd)),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < deadline => {
                // A blocking call could be held for ever by an agent that locks the directory.
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) => {
                return Err(FileError::new(dir.path(), Reason::Busy));
            }
            Err(errno) => return Err(fail(errno)),
        }
    }
}

/// How long a lock may outlive whoever held it: until a child that was just being started has
/// become its own program, it shares what its parent held.
const HANDOVER: Duration = Duration::from_secs(5);

/// Takes a lock that is held for good by whoever has it, as long as nobody has it; `held` says
/// whether somebody really does. Gives whether it was taken.
pub(crate) fn take_over(fd: &impl AsFd, held: impl Fn() -> bool) -> Result<bool, Errno> {
    let deadline = Instant::now() + HANDOVER;
    loop {
        match rustix::fs::flock(fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) if held() || Instant::now() >= deadline => {
                return Ok(false);
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) => std::thread::sleep(Duration::from_millis(5)),
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether a process with this id exists.
pub(crate) fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| match rustix::process::test_kill_process(pid) {
        Ok(()) | Err(Errno::PERM) => true,
        Err(_) => false,
    })
}
