//! `car init`

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, ValueEnum};

use super::hub::become_hub;
use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    session::Session,
};

#[derive(Args)]
pub(crate) struct Init {
    /// The directory [default: the present one]
    dir: Option<PathBuf>,
    /// What to make there
    #[arg(long, value_enum, default_value = "hub")]
    mode: Mode,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// A hub's root directory
    Hub,
    /// The queue of a repo the hub has
    Repo,
}

pub(crate) async fn run(args: Init, global: &Global, out: &Out) -> Result<(), Failure> {
    match args.mode {
        Mode::Hub => {
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
