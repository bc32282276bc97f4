//! Words of the Python CAR that this program does not have: each is told, in one line, what stands
//! in its place. Those it has are ordinary commands.

use std::{ffi::OsString, process::ExitCode};

use clap::error::ErrorKind;

use crate::{
    failure::{self, Failure},
    out::Out,
};

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Now {
    /// Another command does it.
    Instead(&'static str),
    /// The hub does it by itself.
    Unneeded(&'static str),
    /// This version does not do it.
    Absent(&'static str),
}

use Now::{Absent, Instead, Unneeded};

/// By the first words of the command.
pub(crate) const ORIGINAL: &[(&str, Now)] = &[
    ("apps", Absent("apps")),
    ("artifacts", Absent("deliveries of files")),
    ("automation", Absent("automations")),
    ("chat", Absent("chat surfaces")),
    ("cleanup", Unneeded("the hub keeps its own files in order")),
    ("discord", Absent("Discord")),
    ("docs", Instead("car help TOPIC")),
    ("flow housekeep", Unneeded("the hub keeps its own files in order")),
    ("flow telemetry", Instead("car events --json")),
    ("flow worker", Unneeded("the hub runs the work itself")),
    ("hub cleanup", Instead("car hub worktree cleanup")),
    ("hub destination", Absent("destinations")),
    ("hub inbox", Instead("car inbox")),
    ("hub orchestration", Unneeded("the hub keeps its own database in order")),
    ("hub runs", Instead("car run list")),
    ("hub subscription", Absent("subscriptions of threads")),
    ("hub tickets bulk-clear-model", Instead("car ticket edit")),
    ("hub tickets bulk-set", Instead("car ticket edit")),
    ("hub tickets import", Absent("ticket packs")),
    ("hub tickets setup-pack", Absent("ticket packs")),
    ("pma context", Instead("car pma docs prune")),
    ("pma delete", Instead("car files rm")),
    ("pma download", Instead("car files get")),
    ("pma files", Instead("car files list")),
    ("pma thread", Instead("car thread")),
    ("pma upload", Instead("car files put")),
    ("protocol", Unneeded("agents are asked for their protocol when they start")),
    ("render", Absent("rendering")),
    ("services", Absent("preview services")),
    ("sessions", Instead("car terminal list")),
    ("stop-session", Instead("car terminal end")),
    ("telegram", Absent("Telegram")),
    ("ticket-flow repair-visibility", Unneeded("runs are always in `car run list`")),
    ("ticket-flow retire", Instead("car hub worktree retire")),
];

/// Says why the command line cannot be followed, or gives the help that was asked for.
pub(crate) fn refuse(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let out = Out::of_words(words);
    if !error.use_stderr() {
        // Help or the version. Nobody is left to tell when the pipe is closed.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(text) = explained(words)
    {
        return failure::report(&Failure::Usage(text), &out);
    }
    if out.json {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return failure::report(&Failure::Usage(first.to_owned()), &out);
    }
    let _ = error.print();
    ExitCode::from(failure::status::USAGE)
}

/// What became of the command that begins with these words.
fn explained(words: &[OsString]) -> Option<String> {
    let plain = plain(words);
    let begins = |command: &str| {
        let mut words = plain.iter().copied();
        command.split(' ').all(|word| words.next() == Some(word))
    };
    let (command, now) = ORIGINAL.iter().find(|(command, _)| begins(command))?;
    Some(match now {
        Instead(other) => format!("`car {command}` is now `{other}`"),
        Unneeded(why) => format!("`car {command}` is not needed: {why}"),
        Absent(what) => format!("`car {command}`: this version does not have {what}"),
    })
}

/// The words of a command line without its options and the values of those that may stand first.
fn plain(words: &[OsString]) -> Vec<&str> {
    let mut plain = Vec::new();
    let mut words = words.iter().skip(1).filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if ["--hub", "--path", "--token-file"].contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            plain.push(word);
        }
    }
    plain
}

#[cfg(test)]
mod tests;
