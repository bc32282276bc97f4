//! Where and on what was measured.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

pub(crate) fn describe(programs: &Path) -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let line = |text: &str, name: &str| {
        let found = text.lines().find(|line| line.starts_with(name));
        found.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim()).to_owned()
    };
    let said = |program: &Path, arg: &str| {
        let output = Command::new(program).arg(arg).output();
        let text = output.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned()
    };
    json!({
        "date": jiff::Zoned::now().strftime("%Y-%m-%d %H:%M %Z").to_string(),
        "processor": line(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": line(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load before": load(),
        "git": said(Path::new("git"), "--version"),
        "car-hub": said(&programs.join("car-hub"), "version"),
    })
}

/// The load averages over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
