//! `car-hub`: the hub, its shim and its demo agent in one program.

use std::process::ExitCode;

fn main() -> ExitCode {
    car_daemon::main(std::env::args_os().collect())
}
