//! What the kernel says of processes.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// What some processes hold and have used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// Resident memory in MiB, pages that are shared counted in each process.
    pub(crate) rss: f64,
    /// The same with shared pages divided among those that share them.
    pub(crate) pss: f64,
    /// Seconds on a processor since the process began.
    pub(crate) cpu: f64,
    /// How often its threads went to sleep and were woken.
    pub(crate) switches: f64,
}

/// The sum over some processes; those that are gone count nothing.
pub(crate) fn used(pids: &[i32]) -> Used {
    let mut sum = Used::default();
    for pid in pids {
        let memory = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        sum.rss += field(&memory, "Rss:") / 1024.0;
        sum.pss += field(&memory, "Pss:") / 1024.0;
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let read = |name| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let nanos = read("schedstat").split(' ').next().and_then(|n| n.parse::<f64>().ok());
            sum.cpu += nanos.unwrap_or_default() / 1e9;
            sum.switches += field(&read("status"), "voluntary_ctxt_switches:");
        }
    }
    sum
}

fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Seconds on a processor of a process and of its children that have ended and were waited for.
pub(crate) fn cpu_with_children(pid: i32) -> f64 {
    /// `sysconf(_SC_CLK_TCK)` on every Linux there is.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces: what follows it is field 3.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 =
        rest.split_whitespace().skip(11).take(4).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / TICKS
}

/// All processes: parent and command line by number.
pub(crate) fn all() -> HashMap<i32, (i32, String)> {
    let mut found = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let parent = rest.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        found.insert(pid, (parent, String::from_utf8_lossy(&line).replace('\0', " ")));
    }
    found
}

/// A process and all that descend from it.
pub(crate) fn family(pid: i32) -> Vec<i32> {
    let all = all();
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(all.iter().filter(|(_, (of, _))| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// Processes that work below a directory or name it.
pub(crate) fn of_dir(dir: &Path) -> Vec<(i32, String)> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let name = dir.to_string_lossy().into_owned();
    let works = |pid: i32| {
        let cwd = fs::read_link(PathBuf::from(format!("/proc/{pid}/cwd")));
        cwd.is_ok_and(|cwd| cwd.starts_with(dir))
    };
    let all = all().into_iter().map(|(pid, (_, line))| (pid, line));
    all.filter(|(pid, line)| *pid != own && (line.contains(&name) || works(*pid))).collect()
}

/// Asks a process to end, then makes it; and so with everything that works below `dir`.
pub(crate) fn end(child: &mut std::process::Child, dir: &Path) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(10));
    }
    for _ in 0..5 {
        let left = of_dir(dir);
        for (pid, _) in &left {
            if let Some(pid) = Pid::from_raw(*pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        if left.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let _ = child.wait();
}
