//! `car hub serve`: this program becomes the hub's own.

use std::{env, ffi::OsString, path::PathBuf, process};

use clap::Args;

use crate::{args::Global, failure::Failure};

#[derive(Args)]
#[command(after_help = "Example: car hub serve --root ~/car-hub --port 4173")]
pub(crate) struct Serve {
    /// The hub's root [default: the one you are in]
    #[arg(long)]
    root: Option<PathBuf>,
    /// Port
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on
    #[arg(long)]
    host: Option<String>,
}

/// Becomes the hub's own program.
pub(crate) fn serve(args: Serve, global: &Global) -> Result<(), Failure> {
    let mut words: Vec<OsString> = vec!["serve".into()];
    if let Some(root) = args.root.or_else(|| global.path.clone()) {
        words.extend(["--root".into(), root.into()]);
    }
    if let Some(port) = args.port {
        words.extend(["--port".into(), port.to_string().into()]);
    }
    if let Some(host) = args.host {
        words.extend(["--host".into(), host.into()]);
    }
    become_hub(&words)
}

/// Replaces this process by `car-hub`: the one beside this program, else the one in `PATH`.
pub(crate) fn become_hub(words: &[OsString]) -> Result<(), Failure> {
    let beside = env::current_exe().ok().map(|exe| exe.with_file_name("car-hub"));
    let program = beside.filter(|path| path.is_file()).unwrap_or_else(|| "car-hub".into());
    let mut command = process::Command::new(&program);
    command.args(words);
    let error = exec(&mut command);
    if error.kind() == std::io::ErrorKind::NotFound {
        return Err(Failure::NotFound(
            "the hub's program `car-hub` is neither beside `car` nor in PATH; install it, or run \
             this on the hub's machine"
                .to_owned(),
        ));
    }
    Err(error.into())
}

#[cfg(unix)]
fn exec(command: &mut process::Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn exec(command: &mut process::Command) -> std::io::Error {
    match command.status() {
        Ok(status) => process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
