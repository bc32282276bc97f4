//! A process by its name that is never given twice: (boot, pid, start time).

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process of this boot. A pid alone is reused; with the start time it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// Its process id.
    pub pid: i32,
    /// Field 22 of `/proc/<pid>/stat`: clock ticks after boot.
    pub starttime: u64,
}

impl Process {
    /// The process that has this pid now; `None` if there is none or it is a zombie.
    pub fn of(pid: i32) -> Option<Self> {
        Stat::read(pid).filter(|stat| stat.living).map(|stat| stat.process)
    }

    /// The calling process.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn current() -> io::Result<Self> {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Self::of(pid).ok_or_else(|| io::Error::other("/proc is not readable: mount it"))
    }

    /// Whether it still runs (a zombie does not).
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Opens a handle to this very process: the pid is opened first and the start time compared
    /// after, so that a process which took the pid meanwhile is refused. `None` if it is gone.
    ///
    /// # Errors
    /// The kernel has no pidfds (before 5.3) or no descriptor is free.
    pub fn open(self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(None) };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(Errno::SRCH | Errno::INVAL) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(self.is_alive().then_some(handle))
    }

    /// Signals this very process; `false` if it is gone.
    ///
    /// # Errors
    /// As [`Process::open`], or the process belongs to another user.
    pub fn signal(self, signal: Signal) -> io::Result<bool> {
        let Some(handle) = self.open()? else { return Ok(false) };
        match pidfd_send_signal(handle, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The id of this boot, without which start times mean nothing.
///
/// # Errors
/// `/proc` is not mounted.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// What `/proc/<pid>/stat` says, as far as it is needed here.
pub(crate) struct Stat {
    pub(crate) process: Process,
    pub(crate) parent: i32,
    pub(crate) living: bool,
}

impl Stat {
    pub(crate) fn read(pid: i32) -> Option<Self> {
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, so the fields start after the last ")".
        let end = text.iter().rposition(|&b| b == b')')?;
        let text = std::str::from_utf8(&text[end + 1..]).ok()?;
        let mut fields = text.split_ascii_whitespace();
        let living = !matches!(fields.next()?, "Z" | "X" | "x");
        let parent = fields.next()?.parse().ok()?;
        // Fields 3 and 4 are read; 22 is seventeen further on.
        let starttime = fields.nth(17)?.parse().ok()?;
        Some(Self { process: Process { pid, starttime }, parent, living })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn another_start_time_is_another_process() {
        let mut child = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
        let real = Process::of(i32::try_from(child.id()).unwrap()).unwrap();
        let earlier = Process { starttime: real.starttime - 1, ..real };
        assert!(!earlier.signal(Signal::KILL).unwrap());
        assert!(!earlier.is_alive());
        assert!(child.try_wait().unwrap().is_none(), "the wrong process was signalled");
        assert!(real.signal(Signal::KILL).unwrap());
        child.wait().unwrap();
        assert!(!real.is_alive());
        assert!(!real.signal(Signal::KILL).unwrap());
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        let mut fds = [rustix::event::PollFd::new(&handle, rustix::event::PollFlags::IN)];
        rustix::event::poll(&mut fds, None).unwrap();
        assert_eq!(Process::of(pid), None);
        child.wait().unwrap();
    }
}
