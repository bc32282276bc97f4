//! `car describe`: what this program can do and where it is, for agents that meet it first.

use car_api::hub::HubInfo;
use car_client::find;
use clap::Command;
use serde::Serialize;

use crate::{
    args::{Global, RepoArg, whole},
    failure::Failure,
    out::Out,
    session::{self, Session},
};

#[derive(Serialize)]
struct Description {
    program: &'static str,
    version: &'static str,
    hub: Option<HubInfo>,
    hub_url: Option<String>,
    /// How this hub was chosen.
    found: Option<String>,
    /// The order in which a hub is looked for.
    precedence: &'static [&'static str],
    /// Why there is no hub to talk to.
    hub_problem: Option<String>,
    repo: Option<String>,
    environment: Vec<Named>,
    exit_statuses: Vec<Named>,
    topics: Vec<&'static str>,
    commands: Vec<Verb>,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    meaning: &'static str,
}

#[derive(Serialize)]
struct Verb {
    command: String,
    about: String,
    arguments: Vec<String>,
    options: Vec<String>,
}

pub(crate) async fn run(repo: RepoArg, global: &Global, out: &Out) -> Result<(), Failure> {
    let mut description = Description {
        program: "car",
        version: env!("CARGO_PKG_VERSION"),
        hub: None,
        hub_url: None,
        found: None,
        precedence: PRECEDENCE,
        hub_problem: None,
        repo: None,
        environment: names(ENVIRONMENT),
        exit_statuses: names(EXIT_STATUSES),
        topics: super::help::names().collect(),
        commands: Vec::new(),
    };
    verbs(&whole(), "car", &mut description.commands);
    match Session::open_for(global, out, &repo) {
        Ok(session) => place(&session, &repo, &mut description).await,
        Err(error) => description.hub_problem = Some(error.to_string()),
    }
    out.details(&description, |d| d.hub_url.clone().unwrap_or_default(), text)
}

async fn place(session: &Session, repo: &RepoArg, description: &mut Description) {
    description.found = Some(session::how(&session.found.source));
    description.hub_url = Some(session.client.url().to_owned());
    match session.client.hub_get().await {
        Ok(hub) => description.hub = Some(hub),
        Err(error) => description.hub_problem = Some(error.to_string()),
    }
    let inside = session.found.root.is_none() || find::root_above(&session.cwd).is_some();
    if description.hub.is_some() && inside {
        // Most directories are in no repo; that is no problem to report.
        description.repo = session.repo(repo).await.ok().map(|repo| repo.to_string());
    }
}

fn text(d: &Description) -> String {
    let hub = match (&d.hub, &d.hub_problem) {
        (Some(hub), _) => {
            let url = d.hub_url.as_deref().unwrap_or(&hub.url);
            let how = d.found.as_deref().unwrap_or_default();
            format!("{url}, found {how} (version {}, root {})", hub.version, hub.root)
        }
        (None, Some(problem)) => format!("none: {problem}"),
        (None, None) => "none".to_owned(),
    };
    let width = d.commands.iter().map(|verb| verb.command.len()).max().unwrap_or(0);
    let verbs = d.commands.iter().map(|verb| format!("{:width$}  {}", verb.command, verb.about));
    let repo = d.repo.as_deref().unwrap_or("none");
    let verbs = verbs.collect::<Vec<_>>().join("\n");
    format!(
        "car {}\nhub   {hub}\nrepo  {repo}\n\n{verbs}\n\nIn full: car describe --json",
        d.version
    )
}

/// Every command that does something, with its words.
fn verbs(command: &Command, name: &str, into: &mut Vec<Verb>) {
    let children: Vec<_> = command.get_subcommands().filter(|c| !c.is_hide_set()).collect();
    for child in &children {
        verbs(child, &format!("{name} {}", child.get_name()), into);
    }
    if !children.is_empty() {
        return;
    }
    let arguments = command.get_positionals().map(|arg| {
        let name = arg.get_id().as_str().to_uppercase();
        if arg.is_required_set() { name } else { format!("[{name}]") }
    });
    let options = command.get_opts().filter(|arg| !arg.is_hide_set() && !arg.is_global_set());
    into.push(Verb {
        command: name.to_owned(),
        about: command.get_about().map(ToString::to_string).unwrap_or_default(),
        arguments: arguments.collect(),
        options: options.filter_map(|arg| arg.get_long().map(|l| format!("--{l}"))).collect(),
    });
}

fn names(table: &[(&'static str, &'static str)]) -> Vec<Named> {
    table.iter().map(|(name, meaning)| Named { name, meaning }).collect()
}

/// Where a hub is looked for; `help/finding-the-hub.txt` explains it.
const PRECEDENCE: &[&str] = &[
    "--hub",
    "CAR_HUB_URL",
    "--path, or a path given to --repo",
    "the context chosen with `car use`",
    "the hub around the working directory",
    "the hub started last on this machine",
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("CAR_HUB_URL", "the hub: an URL, a context's name, or a hub's directory; as --hub"),
    ("CAR_TOKEN", "the token to show it; as the content of --token-file"),
    ("CAR_TOKEN_FILE", "a file with that token; as --token-file"),
    (
        "CAR_RUN_DIR",
        "in an agent: the directory of its run, whose token is used when none is named",
    ),
    ("CAR_THREAD_DIR", "the same in the agent of a thread"),
    ("CAR_REPO", "the repo or worktree that is meant; as --repo"),
    ("CAR_CONFIG_DIR", "where credentials.toml and contexts.toml are; ~/.config/car when unset"),
    ("NO_COLOR", "no colours when set"),
    ("VISUAL, EDITOR", "the editor for tickets, documents and replies"),
];

const EXIT_STATUSES: &[(&str, &str)] = &[
    ("0", "done"),
    ("1", "failure"),
    ("2", "the command or request is wrong"),
    ("3", "there is no such thing"),
    ("4", "no valid token, or not allowed"),
    ("5", "conflict: stale, exists already, not possible now, or work would be lost"),
    ("6", "the hub does not answer"),
    ("7", "tickets, git, the agent or verification say no"),
    ("8", "the hub is newer than this program and its answer cannot be read"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_described_by_a_sentence() {
        let mut all = Vec::new();
        verbs(&whole(), "car", &mut all);
        assert!(all.iter().any(|v| v.command == "car hub worktree create"));
        for verb in &all {
            assert!(!verb.about.is_empty(), "{}", verb.command);
        }
    }

    #[test]
    fn the_topic_on_exit_statuses_names_each() {
        let topic = super::super::help::topic("exit-codes").unwrap();
        for (status, _) in EXIT_STATUSES {
            assert!(topic.lines().any(|l| l.trim_start().starts_with(status)), "{status}");
        }
    }
}
