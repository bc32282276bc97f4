//! The OpenAPI document: the frame around the operations and the problems each may answer with.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use car_api::{Code, Problem, event::StreamMessage};
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref,
        path::{Operation, PathItem},
        response::{ResponseBuilder, Responses},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{App, api};

/// The document as it is checked in; a test holds it to the handlers.
const CHECKED_IN: &str = include_str!("../../../openapi/openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "CAR Hub",
        description = "Repos, worktrees, tickets, runs and their events. Every request but those \
            marked public needs `Authorization: Bearer car_pat_…`. Every error is a `Problem` with \
            a closed set of codes.",
    ),
    components(schemas(Problem, StreamMessage))
)]
struct Frame;

/// The document without its operations.
pub(crate) fn frame() -> utoipa::openapi::OpenApi {
    let mut frame = Frame::openapi();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("car_pat_…")
        .description(Some("A token of this hub (`car token create`)."))
        .build();
    if let Some(components) = frame.components.as_mut() {
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
    frame.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    frame
}

/// The OpenAPI 3.1 document of the whole API, as it is checked in at `openapi/openapi.json`.
///
/// # Errors
/// It cannot be written as JSON: a defect of a schema.
pub fn openapi() -> Result<String, serde_json::Error> {
    let mut document = api::operations().split_for_parts().1;
    for (path, item) in &mut document.paths.paths {
        for (unsafe_method, operation) in operations(item) {
            add_problems(path, unsafe_method, operation);
        }
    }
    let mut text = document.to_pretty_json()?;
    text.push('\n');
    Ok(text)
}

/// Get this document
#[utoipa::path(
    get, path = "/openapi.json", tag = "hub", operation_id = "openapi_get",
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The OpenAPI document", body = serde_json::Value)),
)]
pub(crate) async fn get(State(app): State<App>) -> Response {
    let kind = [(CONTENT_TYPE, "application/json")];
    if app.config.base_path.is_empty() {
        return (kind, CHECKED_IN).into_response();
    }
    (kind, at(&app.config.base_path)).into_response()
}

/// The document of a hub that is served under a path.
fn at(base: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(CHECKED_IN) {
        Ok(mut document) => {
            document["servers"] = serde_json::json!([{ "url": base }]);
            document.to_string()
        }
        Err(_) => CHECKED_IN.to_owned(),
    }
}

/// The operations of one path, each with whether it may change something.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem { get, put, post, delete, .. } = item;
    [(false, get), (true, put), (true, post), (true, delete)]
        .into_iter()
        .filter_map(|(changes, operation)| Some((changes, operation.as_mut()?)))
}

/// Documents every code the operation may answer with: those of every request, those that follow
/// from its parameters and body, and those its handler names in `x-problems`.
fn add_problems(path: &str, changes: bool, operation: &mut Operation) {
    let mut codes = vec![Code::BadRequest, Code::Forbidden, Code::WrongHost, Code::Internal];
    if operation.security.is_none() {
        codes.extend([Code::Unauthenticated, Code::RateLimited, Code::Storage, Code::Unavailable]);
    }
    if path.contains('{') {
        codes.push(Code::NotFound);
    }
    if changes {
        codes.extend([Code::UnsupportedMediaType, Code::DiskFull]);
    } else if path.starts_with("/api/") {
        codes.push(Code::NotAcceptable);
    }
    if operation.request_body.is_some() {
        codes.extend([Code::TooLarge, Code::Timeout]);
    }
    codes.extend(named(operation));
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        let same = by_status.entry(code.status()).or_default();
        if !same.contains(&code) {
            same.push(code);
        }
    }
    for (status, codes) in by_status {
        add_response(&mut operation.responses, status, &codes);
    }
}

fn named(operation: &Operation) -> Vec<Code> {
    operation
        .extensions
        .iter()
        .flat_map(|extensions| extensions.iter())
        .filter(|(name, _)| name.as_str() == "x-problems")
        .flat_map(|(_, value)| value.as_array().cloned().unwrap_or_default())
        .filter_map(|word| word.as_str()?.parse().ok())
        .collect()
}

fn add_response(responses: &mut Responses, status: u16, codes: &[Code]) {
    let words: Vec<_> = codes.iter().map(|code| format!("`{code}`: {}", code.title())).collect();
    let response = ResponseBuilder::new().description(words.join("; "));
    let response = if codes == [Code::WrongHost] {
        response
    } else {
        response.content(
            "application/problem+json",
            Content::new(Some(Ref::from_schema_name("Problem"))),
        )
    };
    responses.responses.insert(status.to_string(), response.build().into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_named_by_their_codes() {
        let mut document = api::operations().split_for_parts().1;
        for item in document.paths.paths.values_mut() {
            for (_, operation) in operations(item) {
                let words = operation
                    .extensions
                    .as_ref()
                    .and_then(|e| e.get("x-problems"))
                    .map_or(0, |words| words.as_array().unwrap().len());
                assert_eq!(words, named(operation).len(), "{:?}", operation.operation_id);
            }
        }
    }
}
