//! One shim in a directory of its own, and what must hold after every test.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use car_shim::{Conn, Entry, EntryKind, Exit, Found, Options, Process, Status};
use tempfile::TempDir;

pub(crate) const SHIM: &str = env!("CARGO_BIN_EXE_car-shim");
/// Far beyond any machine's slowness; reached only when something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Run {
    pub(crate) options: Options,
    _home: TempDir,
}

/// A run of a shell script that is not started yet.
pub(crate) fn script(text: &str) -> Run {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let home = tempfile::tempdir().unwrap();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let id = format!("test-{}-{count}", std::process::id());
    let command = ["sh", "-c", text].map(OsString::from).to_vec();
    let mut options = Options::new(home.path().join("shim"), id, command);
    options.grace = Duration::from_millis(300);
    Run { options, _home: home }
}

impl Run {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    pub(crate) fn start(self) -> Self {
        car_shim::spawn(Path::new(SHIM), &self.options).unwrap();
        self
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.options.dir
    }

    pub(crate) async fn attach(&self, from: u64) -> Conn {
        soon(car_shim::attach(self.dir(), from)).await.unwrap()
    }

    /// The shim and its agent.
    pub(crate) fn processes(&self) -> (Process, Process) {
        let (Status::Alive(s) | Status::Dead(Some(s))) = car_shim::status(self.dir()).unwrap()
        else {
            panic!("no shim.json")
        };
        let shim = Process { pid: s.shim_pid, starttime: s.shim_starttime };
        (shim, Process { pid: s.pid, starttime: s.starttime })
    }

    pub(crate) fn is_alive(&self) -> bool {
        matches!(car_shim::status(self.dir()), Ok(Status::Alive(_)))
    }

    /// The journal as it is on disk, which must be whole.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let found = car_shim::read_journal(self.dir(), 1).unwrap();
        let whole = |found| match found {
            Found::Entry(entry) => entry,
            broken @ (Found::Missing { .. } | Found::Torn { .. }) => panic!("{broken:?}"),
        };
        found.map(|found| whole(found.unwrap())).collect()
    }

    /// What one line of `/proc/<shim>/status` says, in KiB.
    pub(crate) fn shim_memory(&self, field: &str) -> u64 {
        let (shim, _) = self.processes();
        let status = std::fs::read_to_string(format!("/proc/{}/status", shim.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Ok(Status::Alive(state)) = car_shim::status(self.dir()) {
            let shim = Process { pid: state.shim_pid, starttime: state.shim_starttime };
            let _ = shim.signal(rustix::process::Signal::KILL);
        }
        let left = car_shim::sweep(&self.options.id, Duration::ZERO);
        if !std::thread::panicking() {
            let exit = car_shim::read_journal(self.dir(), 1).ok().and_then(Iterator::last);
            if let Some(Ok(Found::Entry(Entry { kind: EntryKind::Exit(_), .. }))) = exit {
                assert_eq!(left, 0, "the shim recorded the exit and left processes behind");
            }
        }
    }
}

/// Waits for what must come.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it did not come")
}

/// Waits until it holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) async fn next(conn: &mut Conn) -> Entry {
    soon(conn.next()).await.unwrap()
}

/// The next line of standard output.
pub(crate) async fn next_out(conn: &mut Conn) -> String {
    loop {
        match next(conn).await.kind {
            EntryKind::Out(text) => return text.line,
            EntryKind::Start { .. } | EntryKind::In(_) | EntryKind::Err(_) => {}
            EntryKind::Exit(exit) => panic!("{exit:?}"),
        }
    }
}

pub(crate) async fn exit(conn: &mut Conn) -> Exit {
    loop {
        match next(conn).await.kind {
            EntryKind::Exit(exit) => return exit,
            EntryKind::Start { .. } | EntryKind::In(_) | EntryKind::Out(_) | EntryKind::Err(_) => {}
        }
    }
}

/// The journal's segments with their sizes, newest last.
pub(crate) fn segments(dir: &Path) -> Vec<(PathBuf, u64)> {
    let files = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    let journal = files.filter(|f| f.file_name().to_str().unwrap().starts_with("journal"));
    let mut all: Vec<_> =
        journal.filter_map(|f| Some((f.path(), f.metadata().ok()?.len()))).collect();
    let number = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        name.split('.').nth(1).unwrap().parse().unwrap_or(u64::MAX)
    };
    all.sort_by_key(|(path, _)| number(path));
    all
}
