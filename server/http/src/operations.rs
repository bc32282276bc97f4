//! What each operation is to those around its handler: its name, and who may call it.
//!
//! The handlers say it, the document collects it, and `openapi/operations.txt` is what is left of
//! the document for this: a line an operation, checked in beside it and held to the handlers by a
//! test. So a hub that serves makes no document, which would cost it a third of its memory.

use std::{collections::HashMap, fmt::Write as _, sync::LazyLock};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, request::Parts},
};
use utoipa::openapi::{OpenApi, path::Operation as Documented};

use crate::{
    caller::access::{self, Rule},
    document,
};

/// A line an operation: method, path, name, then the scope with `path`, `filtered`, `any` or
/// `refused` (what it means to a credential with limits), or `public`; then `agents`, `secret`, `raw`.
const CHECKED_IN: &str = include_str!("../../../openapi/operations.txt");

/// What is known of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Its name, such as `run_start`.
    pub(crate) id: &'static str,
    /// What a caller needs; without one nobody may call it, unless its path is public.
    pub(crate) rule: Option<Rule>,
    /// Its answer holds a secret that must be kept nowhere (`x-secret`).
    pub(crate) secret: bool,
    /// Its body is a file of any size (`x-raw`), which is neither kept nor compared: putting it twice
    /// is putting it once.
    pub(crate) raw: bool,
}

type ByPath = HashMap<&'static str, Vec<(Method, Operation)>>;

static ALL: LazyLock<ByPath> = LazyLock::new(|| {
    let mut all = ByPath::new();
    for (method, path, operation) in CHECKED_IN.lines().filter_map(read) {
        all.entry(path).or_default().push((method, operation));
    }
    all
});

/// One line. What it does not say clearly is not allowed.
fn read(line: &'static str) -> Option<(Method, &'static str, Operation)> {
    let mut words = line.split_ascii_whitespace();
    let (method, path, id) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    let scope = words.next()?;
    let limited = if scope == PUBLIC { None } else { words.next() };
    let mut operation = Operation { id, rule: None, secret: false, raw: false };
    let mut agents = false;
    for word in words {
        match word {
            AGENTS => agents = true,
            SECRET => operation.secret = true,
            RAW => operation.raw = true,
            _ => return None,
        }
    }
    if let Some(limited) = limited {
        let (scope, limited) = (scope.parse().ok()?, limited.parse().ok()?);
        operation.rule = Some(Rule { scope, limited, agents });
    }
    Some((method, path, operation))
}

const PUBLIC: &str = "public";
const AGENTS: &str = "agents";
const SECRET: &str = "secret";
const RAW: &str = "raw";

/// The operation of a request whose path was matched.
pub(crate) fn find(parts: &Parts) -> Option<&'static Operation> {
    named(&parts.method, parts.extensions.get::<MatchedPath>()?.as_str())
}

/// The same before the request is taken apart.
pub(crate) fn of(request: &Request) -> Option<&'static Operation> {
    named(request.method(), request.extensions().get::<MatchedPath>()?.as_str())
}

/// The operation of a path as the router has it; `HEAD` is a `GET` without its body.
pub(crate) fn named(method: &Method, path: &str) -> Option<&'static Operation> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let of_path = ALL.get(path)?;
    of_path.iter().find(|(known, _)| known == method).map(|(_, operation)| operation)
}

/// The methods a path takes.
pub(crate) fn methods(path: &str) -> Vec<&'static str> {
    let methods = ALL.get(path).into_iter().flatten().map(|(method, _)| method);
    let head = |method: &Method| (*method == Method::GET).then_some("HEAD");
    methods.flat_map(|method| [Some(method.as_str()), head(method)]).flatten().collect()
}

/// The table as the document has it.
pub(crate) fn table(document: &OpenApi) -> String {
    let mut text = String::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in document::methods(item) {
            let _ = writeln!(text, "{}", written(&method, path, operation));
        }
    }
    text
}

fn written(method: &Method, path: &str, operation: &Documented) -> String {
    let is = |name: &str| {
        let value = operation.extensions.as_ref().and_then(|all| all.get(name));
        value.and_then(serde_json::Value::as_bool).unwrap_or(false)
    };
    let rule = access::rule(path, operation);
    let needs = match rule {
        Some(rule) => format!("{} {}", rule.scope, rule.limited),
        None => PUBLIC.to_owned(),
    };
    let mut line =
        format!("{method} {path} {} {needs}", operation.operation_id.as_deref().unwrap_or("?"));
    for (word, holds) in [
        (AGENTS, rule.is_some_and(|rule| rule.agents)),
        (SECRET, is("x-secret")),
        (RAW, is("x-raw")),
    ] {
        if holds {
            line.push(' ');
            line.push_str(word);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood() {
        for line in CHECKED_IN.lines() {
            let (method, path, operation) = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(named(&method, path), Some(&operation), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_allows_nothing() {
        for line in [
            "",
            "GET /a",
            "GET /a a",
            "GET /a a everything path",
            "GET /a a read",
            "GET /a a read sometimes",
            "GET /a a read path robots",
        ] {
            let rule = read(line).and_then(|(_, _, operation)| operation.rule);
            assert_eq!(rule, None, "{line}");
        }
    }
}
