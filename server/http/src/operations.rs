//! Which operation a request is, as the document has it: for what is done around handlers.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, request::Parts},
};
use utoipa::openapi::{path::Operation as Documented, path::PathItem};

use crate::api;

/// What is known of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Its name, such as `run_start`.
    pub(crate) id: String,
    /// Its answer holds a secret that must be kept nowhere (`x-secret`).
    pub(crate) secret: bool,
    /// Its body is a file of any size (`x-raw`), which is neither kept nor compared: putting it twice
    /// is putting it once.
    pub(crate) raw: bool,
}

type ByPath = HashMap<String, Vec<(Method, Operation)>>;

static ALL: LazyLock<ByPath> = LazyLock::new(|| {
    let paths = api::documented().paths.paths;
    paths.into_iter().map(|(path, item)| (path, of_path(item))).collect()
});

fn of_path(item: PathItem) -> Vec<(Method, Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::PATCH, patch),
        (Method::DELETE, delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, known(operation?))))
    .collect()
}

fn known(operation: Documented) -> Operation {
    let is = |name: &str| {
        let value = operation.extensions.as_ref().and_then(|all| all.get(name));
        value.and_then(serde_json::Value::as_bool).unwrap_or(false)
    };
    let (secret, raw) = (is("x-secret"), is("x-raw"));
    Operation { id: operation.operation_id.unwrap_or_default(), secret, raw }
}

/// The operation of a request whose path was matched.
pub(crate) fn find(parts: &Parts) -> Option<&'static Operation> {
    named(&parts.method, parts.extensions.get::<MatchedPath>()?.as_str())
}

/// The same before the request is taken apart.
pub(crate) fn of(request: &Request) -> Option<&'static Operation> {
    named(request.method(), request.extensions().get::<MatchedPath>()?.as_str())
}

fn named(method: &Method, path: &str) -> Option<&'static Operation> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let of_path = ALL.get(path)?;
    of_path.iter().find(|(known, _)| known == method).map(|(_, operation)| operation)
}
