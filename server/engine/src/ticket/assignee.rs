//! Who works a ticket.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Who works a ticket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Assignee {
    /// A person; the run waits until the ticket is done.
    User,
    /// The agent with this id, trimmed and in lower case.
    Agent(String),
}

impl Assignee {
    /// The word that stands in the file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Assignee::User => "user",
            Assignee::Agent(id) => id,
        }
    }
}

impl std::fmt::Display for Assignee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The agents a ticket may name. `user` is always among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAgents(Option<BTreeSet<String>>);

impl KnownAgents {
    /// Exactly these ids.
    #[must_use]
    pub fn new<I>(ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self(Some(ids.into_iter().map(|id| id.into().to_lowercase()).collect()))
    }

    /// Any name at all: for reading files whose hub is not at hand.
    #[must_use]
    pub fn any() -> Self {
        Self(None)
    }

    pub(super) fn accepts(&self, assignee: &Assignee) -> bool {
        match assignee {
            Assignee::User => true,
            Assignee::Agent(id) => self.0.as_ref().is_none_or(|known| known.contains(id)),
        }
    }

    /// The names to offer in a message.
    pub(super) fn names(&self) -> String {
        let known = self.0.iter().flatten().map(String::as_str);
        known.chain(["user"]).collect::<Vec<_>>().join(", ")
    }
}

/// Turns what a ticket says into an agent and a profile.
///
/// CAR 2 reads `hermes-m4-pma` as agent `hermes` with profile `m4-pma`, unless an agent of that
/// very name is registered; a profile given in its own field wins.
pub(super) fn normalise(
    agent: &str,
    profile: Option<String>,
    agents: &KnownAgents,
) -> (Assignee, Option<String>) {
    let agent = agent.trim().to_lowercase();
    if agent == "user" {
        return (Assignee::User, profile);
    }
    let registered = agents.0.as_ref().is_some_and(|known| known.contains(&agent));
    let alias = ["hermes-", "hermes_"].iter().find_map(|prefix| agent.strip_prefix(prefix));
    match alias.map(str::trim) {
        Some(suffix) if !suffix.is_empty() && !registered => {
            (Assignee::Agent("hermes".to_owned()), profile.or_else(|| Some(suffix.to_owned())))
        }
        Some(_) | None => (Assignee::Agent(agent), profile),
    }
}
