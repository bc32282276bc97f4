//! The process that stands between a hub and one agent process.
//!
//! It starts the agent, writes every line in and out to a journal on disk, serves one controller
//! on a unix socket, outlives the hub, and leaves no process of the agent behind. It does not know
//! what the lines mean, what a hub, a ticket or an agent is, and it never parses what it carries.
//!
//! Two sides: [`main`] is the shim itself, a subcommand of whatever program calls it; [`spawn`],
//! [`attach`], [`status`], [`read_journal`] and [`sweep`] are for the hub that uses it. Linux only.
//!
//! A shim's directory, readable only by its user:
//!
//! | file | what it is |
//! |---|---|
//! | `journal.jsonl` | the newest lines: `{"n":1,"at":<µs>,"dir":"start"\|"in"\|"out"\|"err"\|"exit",…}` |
//! | `journal.<n>.jsonl` | older lines, from number n on |
//! | `shim.json` | who the shim and the agent are: [`State`] |
//! | `lock` | locked as long as the shim lives: [`status`] |
//! | `shim.sock` | the socket, while the shim serves |
//! | `shim.log` | the shim's own last words; empty if all went well |
//!
//! What is durable when: an `in` line before the agent gets it, the `exit` line before the
//! controller can see it, `out` and `err` lines within 50 ms of being written. So a line the agent
//! got is in the journal whatever dies; a line in the journal was sent, or its agent is dead.

mod agent;
mod cgroup;
mod client;
mod command;
mod controller;
mod entry;
mod journal;
mod launch;
mod lines;
mod options;
mod process;
mod reader;
mod record;
mod shim;
mod socket;
mod state;
mod stdin;
mod sync;
mod tree;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub use client::{Conn, ConnError, Control, Entries, attach, stop};
pub use command::Hello;
pub use entry::{Entry, EntryKind, Exit, Line};
pub use launch::{SpawnError, spawn};
pub use options::{Options, UsageError};
pub use process::{Process, boot_id};
pub use reader::{Found, Journal, read_journal};
pub use state::{State, Status, status};
pub use tree::{MARKER, is_starting};

/// Runs the shim if these arguments (without the program's name) ask for it, else gives `None`.
/// A program calls this before it sets up anything of its own, so that the shim stays small.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter();
    let role = args.next()?;
    let args = args.collect();
    match role.to_str()? {
        "shim" => Some(match launch::launch(args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }),
        "shim-serve" => Some(shim::run(args)),
        "shim-exec" => Some(launch::exec(args)),
        _ => None,
    }
}

/// Ends every process of this user on this machine that carries the shim's marker, and says how
/// many there were: for runs whose shim was killed. SIGTERM, then SIGKILL after `grace`. Never the
/// caller, even if it carries the marker itself. Blocks, at most the grace and five seconds.
pub fn sweep(id: &str, grace: Duration) -> usize {
    let run = tree::Run { id: id.into(), cgroup: cgroup::Cgroup::existing(id), descendants: false };
    let deadline = Instant::now() + grace;
    run.end(|| deadline).len()
}
