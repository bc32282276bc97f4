//! What each operation needs, read from the document: there is no second list that could differ.

use std::collections::HashMap;

use axum::http::Method;
use car_api::Scope;
use utoipa::openapi::{OpenApi, path::Operation};

use crate::document;

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

/// The rules of all operations, by path and method.
#[derive(Debug, Default)]
pub(crate) struct Access {
    rules: HashMap<String, Vec<(Method, Rule)>>,
}

impl Access {
    /// Reads the document. An operation that names no scope is in no rule, so nobody may call it.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut rules: HashMap<String, Vec<(Method, Rule)>> = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in document::methods(item) {
                if let Some(rule) = rule(path, operation) {
                    rules.entry(path.clone()).or_default().push((method, rule));
                }
            }
        }
        Self { rules }
    }

    /// The rule of an operation; `HEAD` is a `GET` without its body.
    pub(crate) fn rule(&self, method: &Method, path: &str) -> Option<&Rule> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.rules.get(path)?.iter().find(|(known, _)| known == method).map(|(_, rule)| rule)
    }

    /// The methods a path takes.
    pub(crate) fn methods(&self, path: &str) -> Vec<&str> {
        let rules = self.rules.get(path).into_iter().flatten();
        let methods = rules.map(|(method, _)| method);
        let head = |method: &Method| (*method == Method::GET).then_some("HEAD");
        methods.flat_map(|method| [Some(method.as_str()), head(method)]).flatten().collect()
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
