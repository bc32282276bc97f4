use clap::Parser;

use super::*;
use crate::args::Cli;

/// The commands of CAR 1.2.1 and of the parts of 2.2.3 that deal with hubs, repos, tickets and
/// runs, with the options this program keeps.
const HERE: &[&str] = &[
    "car describe --repo P --json",
    "car doctor --repo P --json",
    "car edit active_context --repo P --hub H",
    "car edit decisions",
    "car edit spec --path H",
    "car flow ticket_flow bootstrap --repo P --hub H --force-new",
    "car flow ticket_flow resume --repo P --hub H --run-id R",
    "car flow ticket_flow start --repo P --hub H --force-new",
    "car flow ticket_flow status --repo P --hub H --run-id R --json",
    "car flow ticket_flow stop --repo P --hub H --run-id R",
    "car hub clone --git-url U --id I --path H",
    "car hub create I --repo-path P --path H --force --git-init",
    "car hub dispatch reply --repo-id I --run-id R --message M --resume --path H --json",
    "car hub endpoint --path H",
    "car hub repos --path H --json",
    "car hub scan --path H",
    "car hub serve --path H --host 127.0.0.1 --port 4173",
    "car hub snapshot --path H --json --pretty",
    "car hub tickets doctor --repo P --fix --json --path H",
    "car hub tickets fmt --repo P --json --path H",
    "car hub worktree cleanup W --path H --delete-branch --archive",
    "car hub worktree create B feature/x --path H --start-point REF",
    "car hub worktree create B feature/x --hub H",
    "car hub worktree delete W --path H --delete-branch",
    "car hub worktree list --path H --json",
    "car hub worktree retire W --path H --delete-branch",
    "car hub worktree scan --path H --json",
    "car hub worktree setup I one two --path H",
    "car hub worktree setup I --clear",
    "car init P --mode hub",
    "car init P --mode auto",
    "car init P --mode repo",
    "car kill --repo P --hub H",
    "car log --repo P --hub H --run R --tail 20",
    "car resume --repo P --hub H",
    "car serve --path H --host 127.0.0.1 --port 4173",
    "car status --repo P --hub H --json",
    "car templates apply S:t.md@main --at 3 --set-agent codex --provenance --repo P --hub H",
    "car templates apply S:t.md --next --repo P --path H",
    "car templates fetch S:t.md --out F --json --hub H",
    "car templates list --path H --json",
    "car templates repos add I U --trusted --default-ref=main --hub H",
    "car templates repos add I U --untrusted --path H",
    "car templates repos list --hub H --json",
    "car templates repos remove I --path H",
    "car templates repos trust I --hub H",
    "car templates repos untrust I --hub H",
    "car templates search bug --path H --json",
    "car templates show S:t.md --path H --json",
    "car ticket-flow bootstrap --repo P --path H --force-new --max-total-turns 5",
    "car ticket-flow preflight --repo P --path H --json",
    "car ticket-flow resume --repo P --hub H --run-id R",
    "car ticket-flow start --repo P --path H --force-new --max-total-turns 5",
    "car ticket-flow status --repo P --path H --run-id R --json",
    "car ticket-flow stop --repo P --path H --run-id R",
    "car tickets lint --repo P --fix-ticket-ids",
    "car usage --repo P --hub H --since 2026-01-01 --until 2026-02-01 --json",
];

/// The others, each once for its group; what is deeper is answered alike.
const NOT_HERE: &[&str] = &[
    "car apps list --repo P",
    "car artifacts list",
    "car automation list --limit=10",
    "car chat channels list",
    "car cleanup state --dry-run",
    "car discord start --path H",
    "car docs show intro",
    "car flow housekeep --dry-run",
    "car flow telemetry export",
    "car flow worker --run-id R",
    "car hub cleanup --dry-run",
    "car hub destination show I",
    "car hub inbox dismiss --repo-id I --run-id R",
    "car hub orchestration status",
    "car hub runs cleanup --stale",
    "car hub subscription list",
    "car hub tickets bulk-clear-model --repo P",
    "car hub tickets bulk-set --repo P --agent codex",
    "car hub tickets import --repo P --zip Z",
    "car hub tickets setup-pack T --from Z",
    "car pma context snapshot",
    "car pma delete inbox a.txt",
    "car pma download inbox a.txt",
    "car pma files",
    "car pma thread spawn --agent codex",
    "car pma upload inbox a.txt",
    "car protocol refresh",
    "car render markdown S",
    "car services list",
    "car sessions --repo P",
    "car stop-session --session S",
    "car telegram start --path H",
    "car ticket-flow repair-visibility",
    "car ticket-flow retire --run-id R",
];

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[test]
fn the_words_car_users_know_are_understood() {
    for line in HERE {
        if let Err(error) = Cli::try_parse_from(words(line)) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn the_words_of_other_parts_are_told_from_misspelt_ones() {
    for line in NOT_HERE {
        let Err(error) = Cli::try_parse_from(words(line)) else { panic!("{line} is a command") };
        assert_eq!(error.kind(), ErrorKind::InvalidSubcommand, "{line}");
        let text = explained(&words(line)).unwrap_or_else(|| panic!("{line}: no explanation"));
        assert!(!text.contains('\n') && text.starts_with("`car "), "{line}: {text}");
    }
    let telegram = explained(&words("car --hub box --json telegram start"));
    assert!(telegram.is_some_and(|text| text.starts_with("`car telegram`: ")));
    for line in ["active", "chat hello --stream", "new", "stop", "interrupt", "compact"] {
        let line = format!("car pma {line}");
        assert!(Cli::try_parse_from(words(&line)).is_ok(), "{line}");
    }
    assert_eq!(explained(&words("car hubb repos")), None);
    let hint = Cli::try_parse_from(words("car hub repoz")).err().map(|e| e.to_string());
    assert!(hint.is_some_and(|hint| hint.contains("repos")));
}

#[test]
fn what_stands_in_the_place_of_a_word_is_a_command() {
    for (word, now) in ORIGINAL {
        if let Instead(other) = now {
            let topic = other.ends_with(" TOPIC");
            let line = format!("{} --help", other.trim_end_matches(" TOPIC"));
            let error = Cli::try_parse_from(words(&line)).err();
            let kind = error.map(|error| error.kind());
            assert!(topic || kind == Some(ErrorKind::DisplayHelp), "{word}: {other}");
        }
    }
}
