//! `car-hub backup`: a backup made at the machine, whether the hub is served or not.

use std::{
    io::{self, IsTerminal, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use car_api::backup::BackupPart;
use car_hub::backup::{Wanted, create, name};
use clap::Args;

use crate::{config::Loaded, program::Error, serve};

#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The archive to write [default: a new one in the hub's backup directory]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Put keys and tokens in too: whoever has the archive can act as every client
    #[arg(long)]
    with_secrets: bool,
    /// Leave something out: journals, salvage or archive
    #[arg(long, value_name = "PART")]
    leave_out: Vec<BackupPart>,
}

pub(crate) fn run(args: BackupArgs, loaded: &Loaded) -> Result<ExitCode, Error> {
    let dir = loaded.config.backup.for_hub(&loaded.root).dir;
    let dest = match args.out {
        Some(out) => std::path::absolute(&out)
            .map_err(|error| Error::file(out.display().to_string(), error))?,
        None => dir.join(name(false)),
    };
    let wanted = Wanted {
        root: loaded.root.clone(),
        dest: dest.clone(),
        with_secrets: args.with_secrets,
        leave_out: args.leave_out,
    };
    let about = serve::runtime()?.block_on(create(wanted, shown()))?;
    println!("{}", dest.display());
    eprintln!(
        "{} trees, {} MiB unpacked, checked; keys and tokens are {}.",
        about.trees.len(),
        about.bytes >> 20,
        if about.with_secrets { "in it: keep it as you keep them" } else { "not in it" },
    );
    for note in &about.notes {
        eprintln!("left out: {note}");
    }
    Ok(ExitCode::SUCCESS)
}

/// A line that says how far it is, for somebody who looks.
fn shown() -> impl FnMut(&str, Option<u8>) -> bool {
    let watched = io::stderr().is_terminal();
    move |phase, percent| {
        if watched {
            let percent = percent.map(|percent| format!(" {percent}%")).unwrap_or_default();
            let _ = write!(io::stderr(), "\r\x1b[K{phase}{percent}");
            if phase == "reading it back" {
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        }
        true
    }
}
