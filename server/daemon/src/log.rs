//! Where log lines go.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal},
    path::Path,
    sync::Mutex,
};

use tracing_subscriber::EnvFilter;

/// The log of `car-hub up`, relative to the hub's root.
pub(crate) const FILE: &str = ".codex-autorunner/hub.log";

/// When a log is this large at the start, in bytes, it is put aside as `hub.log.1`.
const FILE_MAX: u64 = 10 * 1024 * 1024;

/// Lines go to standard error; `RUST_LOG` chooses which.
pub(crate) fn to_stderr() {
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(ansi)
        .with_writer(io::stderr)
        .init();
}

/// Lines go to a file, so that the terminal is free for progress.
pub(crate) fn to_file(root: &Path) -> io::Result<()> {
    let file = Mutex::new(open(&root.join(FILE))?);
    tracing_subscriber::fmt().with_env_filter(filter()).with_ansi(false).with_writer(file).init();
    Ok(())
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"))
}

fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|meta| meta.len() > FILE_MAX) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}
