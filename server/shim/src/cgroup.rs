//! A control group of the run's own, where the system lets this user make one. It catches what
//! forks faster than it can be looked for; nothing else depends on it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::process::Process;

/// A cgroup (version 2) below the one the caller is in.
pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// Makes the group of a run; `None` if there is no version 2, no permission, or a kernel
    /// before 5.14 (no `cgroup.kill`).
    pub(crate) fn create(id: &str) -> Option<Self> {
        let path = own()?.join(name(id));
        fs::create_dir(&path).ok()?;
        let group = Self(path);
        if group.0.join("cgroup.kill").exists()
            && fs::File::options().write(true).open(group.procs()).is_ok()
        {
            return Some(group);
        }
        group.remove();
        None
    }

    /// The group of a run whose shim was started from the same cgroup as the caller.
    pub(crate) fn existing(id: &str) -> Option<Self> {
        let path = own()?.join(name(id));
        path.is_dir().then_some(Self(path))
    }

    /// The file a process writes `0` to in order to move itself here.
    pub(crate) fn procs(&self) -> PathBuf {
        self.0.join("cgroup.procs")
    }

    /// Who lives here.
    pub(crate) fn members(&self) -> Vec<Process> {
        let text = fs::read_to_string(self.procs()).unwrap_or_default();
        text.lines().filter_map(|line| Process::of(line.parse().ok()?)).collect()
    }

    /// SIGKILL to all at once. A failure shows in the next look for members.
    pub(crate) fn kill(&self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
    }

    /// Gives the group back; one that is not empty stays.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Moves the calling process into the group that has this `cgroup.procs`.
pub(crate) fn enter(procs: &Path) -> std::io::Result<()> {
    fs::File::options().write(true).open(procs)?.write_all(b"0")
}

fn name(id: &str) -> String {
    format!("car-{id}")
}

/// The directory of the cgroup the caller is in.
fn own() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let (root, mount) = mounts.lines().find_map(version_2_mount)?;
    let below = Path::new(path).strip_prefix(root).ok()?;
    Some(Path::new(mount).join(below))
}

/// The root and the mount point of a line of `mountinfo` (see proc(5)) that is a cgroup2.
fn version_2_mount(line: &str) -> Option<(&str, &str)> {
    let (place, kind) = line.split_once(" - ")?;
    let mut fields = place.split(' ').skip(3);
    let found = (fields.next()?, fields.next()?);
    kind.starts_with("cgroup2 ").then_some(found)
}
