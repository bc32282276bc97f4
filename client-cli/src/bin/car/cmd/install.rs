//! `car completions`, `car man`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::aot;

use crate::{args::whole, failure::Failure, out::Out};

#[derive(Args)]
#[command(after_help = "Examples:
  car completions bash > ~/.local/share/bash-completion/completions/car
  car completions zsh > ~/.zfunc/_car
  car completions fish > ~/.config/fish/completions/car.fish
In bash and fish, repos are completed by asking the hub.")]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

#[derive(Args)]
pub(crate) struct Man {
    /// Write a page for every command into this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The command whose page is printed [default: `car` itself]
    #[arg(conflicts_with = "dir")]
    words: Vec<String>,
}

pub(crate) fn completions(args: Completions, out: &Out) -> Result<(), Failure> {
    let (shell, asks) = match args.shell {
        Shell::Bash => (aot::Shell::Bash, include_str!("../completions/repos.bash")),
        Shell::Zsh => (aot::Shell::Zsh, ""),
        Shell::Fish => (aot::Shell::Fish, include_str!("../completions/repos.fish")),
    };
    let mut text = Vec::new();
    aot::generate(shell, &mut whole(), "car", &mut text);
    out.line(&(String::from_utf8_lossy(&text).into_owned() + asks))
}

pub(crate) fn man(args: Man, out: &Out) -> Result<(), Failure> {
    let Some(dir) = args.dir else {
        let command = whole();
        let mut at = &command;
        for word in &args.words {
            let none = || Failure::NotFound(format!("`{word}` is no command"));
            at = at.find_subcommand(word).ok_or_else(none)?;
        }
        let mut text = Vec::new();
        clap_mangen::Man::new(at.clone()).render(&mut text)?;
        return out.line(&String::from_utf8_lossy(&text));
    };
    std::fs::create_dir_all(&dir)?;
    clap_mangen::generate_to(whole(), &dir)?;
    out.note(&format!("written to {}; read them with `man -l {0}/car.1`", dir.display()));
    Ok(())
}
