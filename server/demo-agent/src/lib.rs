//! An agent without a model: it speaks Codex's app-server protocol and does what the ticket's
//! script says, or a small honest piece of work when there is none.
//!
//! It shows what the hub does without an account, and it is what the hub is tested and measured
//! with. It knows nothing of the hub: it reads a prompt like any agent, runs in any working
//! directory, and keeps its threads in its own directory.

mod app_server;
pub mod script;
mod steps;
mod threads;
pub mod ticket;
mod turn;
mod wire;

use std::{
    io::{BufRead, Write},
    process::ExitCode,
};

/// What `--version` prints: the version of Codex whose protocol is spoken.
const VERSION: &str = "codex-cli 0.169.0 (car demo agent)";

/// Runs the agent until its input ends. `args` are those after the program's name (and after
/// `demo-agent`, where it is a subcommand): `--version`, or `app-server`, whose options are
/// accepted and ignored.
///
/// Variables it reads: `DEMO_AGENT_HOME`, the directory its threads are kept in; `DEMO_AGENT_LOG`,
/// a file to which it appends a line when a turn starts and when it ends.
pub fn main(
    args: impl Iterator<Item = String>,
    stdin: impl BufRead,
    mut stdout: impl Write + Send + 'static,
) -> ExitCode {
    let words: Vec<String> = args.collect();
    if words.iter().any(|word| word == "--version" || word == "-V") {
        return match writeln!(stdout, "{VERSION}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    if !words.iter().any(|word| word == "app-server") {
        eprintln!("usage: app-server | --version (the demo agent knows nothing else)");
        return ExitCode::from(2);
    }
    app_server::serve(stdin, stdout);
    ExitCode::SUCCESS
}
