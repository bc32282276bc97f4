//! Which processes belong to a run, and how to end them all.
//!
//! A run's processes are found in two ways that fail in different cases: by the marker in their
//! environment (survives `setsid`, double forks and the shim's death) and as descendants of the
//! shim, which adopts orphans (survives a cleared environment).

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::cgroup::Cgroup;
use crate::process::{Process, Stat};

/// The variable that marks every process of a run. Its value is the id of the shim; a shim that
/// itself runs below another one appends to it (`outer:inner`), so each finds all of its own.
pub const MARKER: &str = "CAR_SHIM_ID";

/// How long SIGKILL is repeated before a process counts as one that cannot be ended.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// How often newcomers are looked for while processes are being ended.
const RESCAN: Duration = Duration::from_millis(50);

/// What ending a set of processes came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// How many distinct processes were found alive and ended.
    pub(crate) killed: u32,
    /// How many are still there.
    pub(crate) left: u32,
}

/// The marker's value for a shim started in an environment that may carry one already.
pub(crate) fn marker_value(outer: Option<OsString>, id: &str) -> OsString {
    match outer {
        Some(mut value) if !value.is_empty() => {
            value.push(":");
            value.push(id);
            value
        }
        Some(_) | None => id.into(),
    }
}

/// Every living process of this user that carries the marker, except the caller.
fn marked(id: &str) -> Vec<Process> {
    let user = rustix::process::geteuid().as_raw();
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let carries = |pid: &i32| {
        let of_user = fs::metadata(format!("/proc/{pid}")).is_ok_and(|meta| meta.uid() == user);
        of_user && fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| has_marker(&env, id))
    };
    pids().filter(|pid| *pid != own).filter(carries).filter_map(Process::of).collect()
}

/// Whether there is a process that is, or is about to become, the shim of that id. A shim shows in
/// its directory only when it serves; before that its arguments tell of it.
#[must_use]
pub fn is_starting(id: &str) -> bool {
    pids().any(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|&b| b == 0).collect();
        let of_shim = |word: &[u8]| word == b"shim" || word == b"shim-serve";
        words.get(1).is_some_and(|word| of_shim(word))
            && words.windows(2).any(|pair| pair[0] == b"--id" && pair[1] == id.as_bytes())
    })
}

/// Every living descendant of the caller.
fn descendants() -> Vec<Process> {
    let stats: HashMap<i32, Stat> =
        pids().filter_map(|pid| Some((pid, Stat::read(pid)?))).collect();
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let below = |stat: &&Stat| {
        let mut parent = stat.parent;
        // A chain of parents cannot be longer than the list; it may be torn where one just ended.
        for _ in 0..stats.len() {
            if parent == own {
                return true;
            }
            match stats.get(&parent) {
                Some(next) => parent = next.parent,
                None => return false,
            }
        }
        false
    };
    stats.values().filter(|stat| stat.living).filter(below).map(|stat| stat.process).collect()
}

/// The processes of one run, and where to look for them.
pub(crate) struct Run {
    /// The id in the marker.
    pub(crate) id: String,
    /// The control group the agent was put into, if there is one.
    pub(crate) cgroup: Option<Cgroup>,
    /// Whether every descendant of the caller belongs to the run: true in its shim.
    pub(crate) descendants: bool,
}

impl Run {
    /// Every living process of the run, except the caller.
    fn members(&self) -> BTreeSet<Process> {
        let mut members = BTreeSet::from_iter(marked(&self.id));
        if self.descendants {
            members.extend(descendants());
        }
        members.extend(self.cgroup.iter().flat_map(Cgroup::members));
        members
    }

    /// Ends them all: SIGTERM at once, SIGKILL from the deadline on, until two looks in a row find
    /// nobody. Gives everyone who was found. `deadline` is asked again and again, so that it can
    /// be moved meanwhile. Blocks.
    pub(crate) fn end(&self, deadline: impl Fn() -> Instant) -> BTreeSet<Process> {
        let mut seen = BTreeSet::new();
        let mut empty_looks = 0;
        while empty_looks < 2 {
            let found = self.members();
            if found.is_empty() {
                empty_looks += 1;
                continue;
            }
            empty_looks = 0;
            let now = Instant::now();
            if now >= deadline() + KILL_PATIENCE {
                break;
            }
            let kill = now >= deadline();
            if kill && let Some(cgroup) = &self.cgroup {
                cgroup.kill();
            }
            for process in &found {
                let first = seen.insert(*process);
                if kill {
                    signal(*process, Signal::KILL);
                } else if first {
                    signal(*process, Signal::TERM);
                    // A stopped process would not see the SIGTERM.
                    signal(*process, Signal::CONT);
                }
            }
            wait_for_any(&found, RESCAN);
        }
        if let Some(cgroup) = &self.cgroup {
            cgroup.remove();
        }
        seen
    }
}

/// Counts who of these was ended.
pub(crate) fn tally<'a>(seen: impl IntoIterator<Item = &'a Process>) -> Ended {
    let mut ended = Ended::default();
    for process in seen {
        if process.is_alive() {
            ended.left += 1;
        } else {
            ended.killed += 1;
        }
    }
    ended
}

/// A failure is not an answer here: whoever could not be signalled is found again by the next look
/// and counted as left in the end.
fn signal(process: Process, signal: Signal) {
    let _ = process.signal(signal);
}

/// Returns when one of the processes has ended, at the latest after `limit`.
fn wait_for_any(processes: &BTreeSet<Process>, limit: Duration) {
    let handles: Vec<_> = processes.iter().filter_map(|p| p.open().ok().flatten()).collect();
    if handles.len() < processes.len() {
        return;
    }
    let mut fds: Vec<_> = handles.iter().map(|h| PollFd::new(h, PollFlags::IN)).collect();
    // A limit of milliseconds always fits; an interrupted wait only means an earlier look.
    let limit = Timespec::try_from(limit).unwrap_or_default();
    let _ = poll(&mut fds, Some(&limit));
}

fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn has_marker(environ: &[u8], id: &str) -> bool {
    environ.split(|&b| b == 0).any(|entry| {
        let value = entry.strip_prefix(MARKER.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        value.is_some_and(|value| value.split(|&b| b == b':').any(|part| part == id.as_bytes()))
    })
}

/// Whether this can be an id: it must stand in an environment value and in a file name.
pub(crate) fn is_id(id: &OsStr) -> bool {
    let legal = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let bytes = id.as_encoded_bytes();
    (1..=128).contains(&bytes.len()) && bytes.iter().all(legal) && bytes[0] != b'.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_matched_whole() {
        let env = b"A=1\0CAR_SHIM_ID=outer:run_1\0XCAR_SHIM_ID=run_2";
        assert!(has_marker(env, "outer") && has_marker(env, "run_1"));
        for other in ["run_2", "run_", "run_1\0", "outer:run_1", "1", ""] {
            assert!(!has_marker(env, other), "{other:?}");
        }
    }

    #[test]
    fn ids_are_plain() {
        assert!(is_id(OsStr::new("run_01-a.b")));
        for bad in ["", ".", "a:b", "a/b", "a b", "a=b"] {
            assert!(!is_id(OsStr::new(bad)), "{bad:?}");
        }
    }

    #[test]
    fn an_inner_shim_keeps_the_outer_marker() {
        assert_eq!(marker_value(None, "b"), "b");
        assert_eq!(marker_value(Some("a".into()), "b"), "a:b");
    }
}
