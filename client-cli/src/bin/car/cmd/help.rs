//! `car help`: commands, and the topics that belong to no single one.

use clap::Args;

use crate::{args::whole, failure::Failure, out::Out};

#[derive(Args)]
pub(crate) struct Help {
    /// A topic, or a command's words; none lists both
    words: Vec<String>,
}

/// Each operation of the API and the command that calls it.
pub(crate) const OPERATIONS: &str = include_str!("../help/operations.txt");

/// Topics and their texts.
const TOPICS: &[(&str, &str)] = &[
    ("coming-from-car", include_str!("../help/coming-from-car.txt")),
    ("exit-codes", include_str!("../help/exit-codes.txt")),
    ("finding-the-hub", include_str!("../help/finding-the-hub.txt")),
    ("operations", OPERATIONS),
    ("output", include_str!("../help/output.txt")),
    ("remote", include_str!("../help/remote.txt")),
    ("runs", include_str!("../help/runs.txt")),
    ("terminals", include_str!("../help/terminals.txt")),
    ("threads", include_str!("../help/threads.txt")),
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
    let mut command = whole();
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
    use std::collections::{BTreeMap, BTreeSet};

    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn topics_are_readable_at_eighty_columns_and_name_only_real_commands() {
        let command = whole();
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

    /// What programs and browsers ask for, not people in a terminal.
    const BY_REQUEST: &[&str] = &[
        "docs_get",
        "docs_style",
        "download_get",
        "file_link",
        "metrics_get",
        "push_act",
        "push_get",
        "push_key_get",
        "push_subscribe",
        "push_test",
        "push_unsubscribe",
        "repo_file_link",
        "ws_ticket_create",
    ];

    #[test]
    fn every_operation_of_the_api_has_a_command() {
        let document = include_str!("../../../../../openapi/openapi.json");
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        let methods = document["paths"].as_object().unwrap().values();
        let operations = methods.flat_map(|item| item.as_object().unwrap().values());
        let ids = operations.map(|operation| operation["operationId"].as_str().unwrap());
        let in_document: BTreeSet<_> = ids.collect();
        let listed: BTreeMap<_, _> = OPERATIONS
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split_once(' '))
            .map(|(id, command)| (id, command.trim()))
            .collect();
        let known: BTreeSet<_> = listed.keys().copied().collect();
        assert_eq!(known, in_document, "help/operations.txt must name each operation once");
        for (id, line) in listed {
            let words = line.split(' ').map(|word| match word {
                "AGENT" => "codex",
                "TOKEN" => "tok_1",
                word => word,
            });
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{id}: {line}: {error}");
            }
            let request = line.starts_with("car api ");
            assert_eq!(request, BY_REQUEST.contains(&id), "{id}: has it a command of its own?");
        }
    }
}
