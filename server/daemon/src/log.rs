//! Where log lines go.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::Path,
    sync::Arc,
};

use car_hub::Redactor;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// The log of `car-hub up`, relative to the hub's root.
pub(crate) const FILE: &str = ".codex-autorunner/hub.log";

/// When a log is this large at the start, in bytes, it is put aside as `hub.log.1`.
const FILE_MAX: u64 = 10 * 1024 * 1024;

/// Lines go to standard error; `RUST_LOG` chooses which.
pub(crate) fn to_stderr(redactor: &Redactor) {
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(ansi)
        .with_writer(Redacting { inner: io::stderr, redactor: redactor.clone() })
        .init();
}

/// Lines go to a file, so that the terminal is free for progress.
pub(crate) fn to_file(root: &Path, redactor: &Redactor) -> io::Result<()> {
    let file = Arc::new(open(&root.join(FILE))?);
    let file = Redacting { inner: file, redactor: redactor.clone() };
    tracing_subscriber::fmt().with_env_filter(filter()).with_ansi(false).with_writer(file).init();
    Ok(())
}

/// Takes secrets out of each line; a line is written as a whole.
struct Redacting<M> {
    inner: M,
    redactor: Redactor,
}

/// One line on its way.
struct Line<'a, W> {
    inner: W,
    redactor: &'a Redactor,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacting<M> {
    type Writer = Line<'a, M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { inner: self.inner.make_writer(), redactor: &self.redactor }
    }
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.inner.write_all(self.redactor.redact(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
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
