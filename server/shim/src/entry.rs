//! What one line of a journal says, for those who read it.

use serde::Deserialize;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line's number: gapless, from 1.
    pub n: u64,
    /// When it was written: microseconds of Unix time, by the wall clock.
    pub at_us: i64,
    /// What happened.
    pub kind: EntryKind,
}

/// What happened to the agent process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// The agent runs; always the first entry.
    Start {
        /// Its process id.
        pid: i32,
        /// Field 22 of `/proc/<pid>/stat`: clock ticks after boot.
        starttime: u64,
        /// The program, as it was named to the shim.
        argv0: String,
    },
    /// This line was, or will be, written to the agent's standard input. It was on disk before.
    In(String),
    /// The agent wrote this line to its standard output.
    Out(Line),
    /// The agent wrote this line to its standard error.
    Err(Line),
    /// The agent is gone and nothing it started is left, but for `left`; always the last entry.
    Exit(Exit),
}

/// A line of output, without its line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The text; what was not UTF-8 is U+FFFD.
    pub line: String,
    /// The line was longer than the cap: how many bytes it had.
    pub cut: Option<u64>,
    /// The line held bytes that were not UTF-8.
    pub lossy: bool,
}

/// How an agent process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// How many other processes of the run were still alive and had to be ended.
    pub killed: u32,
    /// How many of them could not be ended (another user's, or stuck in the kernel).
    pub left: u32,
}

/// Reads one line of a journal; `None` if it is torn or damaged.
pub(crate) fn decode(line: &[u8]) -> Option<Entry> {
    let wire: Wire = serde_json::from_slice(line).ok()?;
    let kind = match wire.dir {
        Dir::Start => {
            EntryKind::Start { pid: wire.pid?, starttime: wire.starttime?, argv0: wire.argv0? }
        }
        Dir::In => EntryKind::In(wire.line?),
        Dir::Out => EntryKind::Out(Line { line: wire.line?, cut: wire.cut, lossy: wire.lossy }),
        Dir::Err => EntryKind::Err(Line { line: wire.line?, cut: wire.cut, lossy: wire.lossy }),
        Dir::Exit => EntryKind::Exit(Exit {
            code: wire.code,
            signal: wire.signal,
            killed: wire.killed,
            left: wire.left,
        }),
    };
    Some(Entry { n: wire.n, at_us: wire.at, kind })
}

#[derive(Deserialize)]
struct Wire {
    n: u64,
    at: i64,
    dir: Dir,
    line: Option<String>,
    cut: Option<u64>,
    #[serde(default)]
    lossy: bool,
    pid: Option<i32>,
    starttime: Option<u64>,
    argv0: Option<String>,
    code: Option<i32>,
    signal: Option<i32>,
    #[serde(default)]
    killed: u32,
    #[serde(default)]
    left: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Dir {
    Start,
    In,
    Out,
    Err,
    Exit,
}
