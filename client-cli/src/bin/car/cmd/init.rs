//! `car init`

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use car_client::find;
use clap::{Args, ValueEnum};

use super::serve::become_hub;
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    session::Session,
};

#[derive(Args)]
#[command(after_help = "Example: car init --mode hub ~/car-hub && car hub serve --root ~/car-hub")]
pub(crate) struct Init {
    /// The directory [default: the present one]
    dir: Option<PathBuf>,
    /// What to make there
    #[arg(long, value_enum, default_value = "auto")]
    mode: Mode,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// A hub, or in a hub's repo, its queue
    Auto,
    /// A hub's root directory
    Hub,
    /// The queue of a repo the hub has
    Repo,
}

pub(crate) async fn run(args: Init, global: &Global, out: &Out) -> Result<(), Failure> {
    let place = args.dir.clone().unwrap_or_else(|| ".".into());
    let mode = match args.mode {
        Mode::Auto => meant(&place)?,
        mode @ (Mode::Hub | Mode::Repo) => mode,
    };
    match mode {
        Mode::Auto | Mode::Hub => {
            let mut words: Vec<OsString> = vec!["init".into()];
            words.extend(args.dir.map(Into::into));
            become_hub(&words)
        }
        Mode::Repo => {
            let dir = args.dir.map(|dir| dir.display().to_string());
            let arg = RepoArg { repo: dir };
            let session = Session::open_for(global, out, &arg)?;
            let repo = session.client.repo_init(&session.repo(&arg).await?).await?;
            let next = |r: &car_api::repo::Repo| {
                format!("{} is ready for tickets: car ticket new TITLE --repo {}", r.id, r.id)
            };
            out.show(&repo, |r| r.id.to_string(), next)
        }
    }
}

/// A directory in a hub is one of its repos; a git repo in none is more likely a mistake.
fn meant(dir: &Path) -> Result<Mode, Failure> {
    match find::root_above(dir) {
        Some(root) if std::fs::canonicalize(dir).is_ok_and(|dir| dir != root) => Ok(Mode::Repo),
        None if dir.join(".git").exists() => Err(Failure::Usage(format!(
            "{} is a git repo; a hub is a directory that holds repos. Make one elsewhere and take \
             this repo in with `car hub clone`, or say --mode hub",
            dir.display()
        ))),
        Some(_) | None => Ok(Mode::Hub),
    }
}
