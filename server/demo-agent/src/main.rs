//! The demo agent as a program of its own, so that it can stand in for `codex`.

use std::process::ExitCode;

fn main() -> ExitCode {
    car_demo_agent::main(std::env::args().skip(1), std::io::stdin().lock(), std::io::stdout())
}
