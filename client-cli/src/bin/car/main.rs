//! `car`, the command line of the hub: a thin client of its API. Everything it shows was asked of
//! the hub over HTTP, so it works the same on the hub's machine and from afar.

mod args;
mod cmd;
mod connection;
mod event_text;
mod failure;
mod history;
mod later;
mod matters;
mod money;
mod original;
mod out;
mod pick;
mod place;
mod qr;
mod session;
mod table;
mod time_text;
mod tty;
mod wrap;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let cli = match args::Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => return original::refuse(&error, &words),
    };
    let out = out::Out::new(&cli.global);
    // One thread is enough for one request after the other, and quicker to start than a pool.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&error.into(), &out),
    };
    match runtime.block_on(cmd::run(cli, &out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error, &out),
    }
}
