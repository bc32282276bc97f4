//! The shim as a program of its own; see the library for what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    car_shim::main(std::env::args_os().skip(1)).unwrap_or_else(|| {
        eprintln!("usage: car-shim shim --dir D --id ID [--cwd C] … -- CMD ARGS…");
        ExitCode::from(2)
    })
}
