//! What a trial start of an agent tells: is it there, which version, is it logged in.
//!
//! Pure: the hub runs the version command and, if it likes, a session without a turn.

use crate::agent::AgentEvent;
use car_api::agent::Availability;

/// How the version command went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionRun<'a> {
    /// The program could not be started.
    NotFound,
    /// It ended with an error, or was ended because it did not answer.
    Failed,
    /// It ended well.
    Printed(&'a str),
}

/// What was found of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whether it can be used.
    pub availability: Availability,
    /// Its version.
    pub version: Option<String>,
    /// The account it would use.
    pub account: Option<String>,
}

/// Weighs the version command's output and the events of a session, if there was one.
///
/// An agent that was never asked for its account counts as ready: some need no log-in, and a
/// missing one shows itself in the first turn as an error of class `auth`.
#[must_use]
pub fn found(run: VersionRun<'_>, events: &[AgentEvent]) -> Found {
    let absent = |availability| Found { availability, version: None, account: None };
    let text = match run {
        VersionRun::NotFound => return absent(Availability::NotInstalled),
        VersionRun::Failed => return absent(Availability::Broken),
        VersionRun::Printed(text) => text,
    };
    let Some(version) = version(text) else { return absent(Availability::Broken) };
    let account = events.iter().rev().find_map(|event| {
        if let AgentEvent::Account { name, login_required } = event {
            Some((name.clone(), *login_required))
        } else {
            None
        }
    });
    let logged_out = matches!(account, Some((None, true)));
    Found {
        availability: if logged_out { Availability::LoggedOut } else { Availability::Ready },
        version: Some(version),
        account: account.and_then(|(name, _)| name),
    }
}

/// The version in what `--version` printed: the first word that begins with a digit, such as
/// `0.169.0` of `codex-cli 0.169.0`.
#[must_use]
pub fn version(output: &str) -> Option<String> {
    output
        .lines()
        .take(5)
        .flat_map(str::split_whitespace)
        .map(|word| word.strip_prefix('v').unwrap_or(word))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_agents_print() {
        assert_eq!(version("codex-cli 0.169.0\n").as_deref(), Some("0.169.0"));
        assert_eq!(version("codex-cli 0.169.0 (car demo agent)").as_deref(), Some("0.169.0"));
        assert_eq!(version("tool v1.2\n").as_deref(), Some("1.2"));
        assert_eq!(version("no version here"), None);
    }

    #[test]
    fn availability_follows_from_version_and_account() {
        let account = |name: Option<&str>, login_required| {
            [AgentEvent::Account { name: name.map(str::to_owned), login_required }]
        };
        let check = |run, events: &[AgentEvent], expected| {
            assert_eq!(found(run, events).availability, expected, "{run:?} {events:?}");
        };
        let there = VersionRun::Printed("codex-cli 0.169.0");
        check(VersionRun::NotFound, &[], Availability::NotInstalled);
        check(VersionRun::Failed, &[], Availability::Broken);
        check(VersionRun::Printed("hm"), &[], Availability::Broken);
        check(there, &[], Availability::Ready);
        check(there, &account(None, true), Availability::LoggedOut);
        check(there, &account(None, false), Availability::Ready);
        check(there, &account(Some("apiKey"), true), Availability::Ready);
        assert_eq!(found(there, &account(Some("apiKey"), true)).account.as_deref(), Some("apiKey"));
    }
}
