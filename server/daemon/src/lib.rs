//! The hub as a program: it puts the parts together and starts them.
//!
//! The only crate that sees everything, and the only one that reads configuration files and the
//! environment. It decides nothing about tickets, runs or repos: what is to be done is asked of
//! [`car_hub::Hub`], as every client does.

mod allocator;
mod audit;
mod backup;
mod cli;
pub mod config;
mod console;
mod credential;
mod doctor;
mod environment;
mod init;
mod invite;
mod listen;
mod log;
mod migrate;
mod notify;
mod program;
mod reindex;
mod restore;
mod root;
mod sample;
mod serve;
mod tailscale;
mod up;

use std::{ffi::OsString, io, process::ExitCode};

/// Runs the program with these arguments, its own name among them.
pub fn main(args: Vec<OsString>) -> ExitCode {
    // The shim and the demo agent are this program too, many times over: before anything else is
    // set up, so that each stays as small as it can.
    let rest = || args.iter().skip(1).cloned();
    if let Some(code) = car_shim::main(rest()) {
        return code;
    }
    if args.get(1).is_some_and(|word| word == "demo-agent") {
        let words = rest().skip(1).filter_map(|word| word.into_string().ok());
        return car_demo_agent::main(words, io::stdin().lock(), io::stdout());
    }
    allocator::settle(&args);
    cli::run(args)
}
