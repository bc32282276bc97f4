//! Numbers about the process, under the names every Prometheus client uses. Where `/proc` is not,
//! there are none.

use std::fs;

use super::{
    float,
    text::{Kind, Text},
};

/// Clock ticks a second in `/proc`; Linux shows 100 to programs whatever the kernel uses.
const TICKS: f64 = 100.0;

pub(super) fn numbers(text: &mut Text) {
    let mut gauge = |name, help, value: Option<u64>| {
        if let Some(value) = value {
            text.family(name, Kind::Gauge, help).sample(&[], float(value));
        }
    };
    gauge("process_resident_memory_bytes", "Resident memory.", status("VmRSS:"));
    gauge("process_virtual_memory_bytes", "Virtual memory.", status("VmSize:"));
    gauge("process_open_fds", "Open file descriptors.", entries("/proc/self/fd"));
    gauge("process_max_fds", "Limit of open file descriptors.", fd_limit());
    gauge("process_threads", "Threads.", entries("/proc/self/task"));
    if let Some(seconds) = cpu_seconds() {
        let help = "Processor time used.";
        text.family("process_cpu_seconds_total", Kind::Counter, help).sample(&[], seconds);
    }
}

/// A size of `/proc/self/status`, in bytes.
fn status(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn entries(path: &str) -> Option<u64> {
    u64::try_from(fs::read_dir(path).ok()?.count()).ok()
}

fn fd_limit() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold anything; what follows its last parenthesis are numbers.
    let rest = text.rsplit_once(')')?.1;
    let ticks = |place: usize| rest.split_whitespace().nth(place)?.parse::<u64>().ok();
    Some(float(ticks(11)?.checked_add(ticks(12)?)?) / TICKS)
}
