//! What an operation needs of who calls it.

use std::{fmt, str::FromStr};

use car_api::Scope;
use utoipa::openapi::path::Operation;

/// The extension that names an operation's scope.
pub(crate) const SCOPE: &str = "x-scope";

/// The extension that says what an operation means to a credential that is limited to some repos
/// or a run, where the path does not say it.
pub(crate) const LIMITED: &str = "x-limited";

/// The extension of operations the agent of a run may call.
pub(crate) const AGENTS: &str = "x-agents";

/// What one operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) scope: Scope,
    pub(crate) limited: Limited,
    pub(crate) agents: bool,
}

/// How a credential that does not reach the whole hub is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    /// The path names the repo, run, turn or thread, which has to be within reach.
    ByPath,
    /// The answer holds only what is within reach.
    Filtered,
    /// The operation is about no repo at all.
    Any,
    /// The operation is about the whole hub.
    Refused,
}

impl Limited {
    const ALL: [Self; 4] = [Self::ByPath, Self::Filtered, Self::Any, Self::Refused];

    const fn word(self) -> &'static str {
        match self {
            Self::ByPath => "path",
            Self::Filtered => "filtered",
            Self::Any => "any",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Limited {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|limited| limited.word() == word).ok_or(())
    }
}

/// What an operation of the document says it needs.
pub(crate) fn rule(path: &str, operation: &Operation) -> Option<Rule> {
    let extension = |name: &str| operation.extensions.as_ref()?.get(name);
    let scope = extension(SCOPE)?.as_str()?.parse().ok()?;
    let by_path = ["{repo}", "{run}", "{turn}", "{thread}"].iter().any(|name| path.contains(name));
    let limited = match extension(LIMITED).and_then(|value| value.as_str()) {
        Some("filtered") => Limited::Filtered,
        Some("any") => Limited::Any,
        Some(_) => Limited::Refused,
        None if by_path => Limited::ByPath,
        None => Limited::Refused,
    };
    let agents = extension(AGENTS).and_then(serde_json::Value::as_bool).unwrap_or(false);
    Some(Rule { scope, limited, agents })
}
