//! `car completions`, `car man`

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{args::Cli, failure::Failure, out::Out};

#[derive(Args)]
pub(crate) struct Completions {
    /// bash, zsh or fish
    shell: Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// Write a page for every command into this directory [default: print `car`'s own]
    dir: Option<PathBuf>,
}

pub(crate) fn completions(args: Completions, out: &Out) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "car", &mut text);
    out.line(&String::from_utf8_lossy(&text))
}

pub(crate) fn man(args: Man, out: &Out) -> Result<(), Failure> {
    let Some(dir) = args.dir else {
        let mut text = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut text)?;
        return out.line(&String::from_utf8_lossy(&text));
    };
    std::fs::create_dir_all(&dir)?;
    clap_mangen::generate_to(Cli::command(), &dir)?;
    out.note(&format!("written to {}", dir.display()));
    Ok(())
}
