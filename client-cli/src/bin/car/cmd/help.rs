//! `car help`: commands, and the topics that belong to no single one.

use clap::{Args, CommandFactory};

use crate::{args::Cli, failure::Failure, out::Out};

#[derive(Args)]
pub(crate) struct Help {
    /// A topic (exit-codes, finding-the-hub, tickets, verify) or a command's words
    words: Vec<String>,
}

/// Topics and their texts.
const TOPICS: &[(&str, &str)] = &[
    ("exit-codes", include_str!("../help/exit-codes.txt")),
    ("finding-the-hub", include_str!("../help/finding-the-hub.txt")),
    ("tickets", include_str!("../help/tickets.txt")),
    ("verify", include_str!("../help/verify.txt")),
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|(name, _)| *name)
}

pub(crate) fn topic(name: &str) -> Option<&'static str> {
    TOPICS.iter().find(|(topic, _)| *topic == name).map(|(_, text)| *text)
}

pub(crate) fn run(args: Help, out: &Out) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let mut at = &mut command;
    // `tickets` is a command too, by its other name; as a single word the topic is meant.
    if let [word] = args.words.as_slice()
        && let Some(text) = topic(word)
    {
        return out.line(text);
    }
    for word in &args.words {
        at = at.find_subcommand_mut(word).ok_or_else(|| {
            let topics = names().collect::<Vec<_>>().join(", ");
            Failure::NotFound(format!("`{word}` is no command; the topics are {topics}"))
        })?;
    }
    out.line(&at.render_help().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_readable_at_eighty_columns_and_name_only_real_commands() {
        let mut command = Cli::command();
        command.build();
        for (name, text) in TOPICS {
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
            for words in text.match_indices("car ").map(|(at, _)| &text[at + 4..]) {
                let word = words.split(|c: char| !c.is_alphanumeric() && c != '-').next();
                let word = word.unwrap_or_default();
                assert!(command.find_subcommand(word).is_some(), "{name}: car {word}");
            }
        }
    }
}
