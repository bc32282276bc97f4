//! The OpenAPI document: the frame around the operations and the problems each may answer with.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{Method, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use car_api::{
    Code, Problem, ThreadKey,
    event::StreamMessage,
    inbox::InboxView,
    notification::NotificationPayload,
    terminal::{TerminalMessage, TerminalOrder},
    webhook::WebhookPayload,
};
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref, RefOr, Required,
        header::HeaderBuilder,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        response::{ResponseBuilder, Responses},
        schema::{Object, ObjectBuilder, SchemaType, Type},
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

use crate::{
    App, api,
    caller::access::{self, Limited},
    operations as table,
};

/// The document as it is checked in; a test holds it to the handlers.
pub(crate) const CHECKED_IN: &str = include_str!("../../../openapi/openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "CAR Hub",
        description = "Repos, worktrees, tickets, runs and their events. Every request but those \
            marked public needs a credential: `Authorization: Bearer car_pat_…`, or the cookie and \
            proof of a paired browser. Each operation names the scope it needs. Every error is a `Problem` with \
            a closed set of codes.",
    ),
    components(schemas(
        Problem,
        StreamMessage,
        ThreadKey,
        WebhookPayload,
        InboxView,
        NotificationPayload,
        TerminalMessage,
        TerminalOrder
    ))
)]
struct Frame;

/// The document without its operations.
pub(crate) fn frame() -> utoipa::openapi::OpenApi {
    let mut frame = Frame::openapi();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("car_pat_…, car_run_… or car_at_…")
        .description(Some("A token of this hub (`car token create`, `car login`)."))
        .build();
    if let Some(components) = frame.components.as_mut() {
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKeyValue::with_description(
            "__Host-car",
            "The cookie of a paired browser; `car_local` on the hub's own machine. Alone it opens nothing.",
        );
        components.add_security_scheme("browser", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let proof = ApiKeyValue::with_description("X-Car-Proof", "The proof from `pair_finish`.");
        components.add_security_scheme("proof", SecurityScheme::ApiKey(ApiKey::Header(proof)));
    }
    frame.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    frame
}

/// The OpenAPI 3.1 document of the whole API, as it is checked in at `openapi/openapi.json`.
///
/// # Errors
/// It cannot be written as JSON: a defect of a schema.
pub fn openapi() -> Result<String, serde_json::Error> {
    let mut document = api::documented();
    for (path, item) in &mut document.paths.paths {
        for (changes, operation) in operations(item) {
            if changes {
                describe_version(operation);
                // Who has no credential has no keys, and a file is the same however often it is put.
                if operation.security.is_none() && !is_raw(operation) {
                    add_key(operation);
                }
            } else {
                add_versions(operation);
            }
            add_problems(path, changes, operation);
            add_access(path, operation);
        }
    }
    Ok(ordered(&document.to_pretty_json()?))
}

/// What `openapi/operations.txt` has of the document: a line for each operation.
pub fn operations_table() -> String {
    table::table(&api::documented())
}

fn is_raw(operation: &Operation) -> bool {
    operation.extensions.as_ref().is_some_and(|all| all.contains_key("x-raw"))
}

/// How a member of an operation that is an extension begins, and how the operation ends.
const EXTENSION: &str = "        \"x-";
const END: &str = "      }";

/// The text with each operation's extensions in the order of their names: utoipa keeps them in a map
/// without one, and the text must come out the same each time.
fn ordered(text: &str) -> String {
    let mut ordered = String::with_capacity(text.len() + 1);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with(EXTENSION) {
            ordered.push_str(line);
            ordered.push('\n');
            continue;
        }
        let mut members = vec![line.to_owned()];
        while let Some(line) = lines.next_if(|line| !line.starts_with(END)) {
            match members.last_mut().filter(|_| !line.starts_with(EXTENSION)) {
                Some(member) => *member = format!("{member}\n{line}"),
                None => members.push(line.to_owned()),
            }
        }
        members.sort();
        let members: Vec<&str> = members.iter().map(|m| m.trim_end_matches(',')).collect();
        ordered.push_str(&members.join(",\n"));
        ordered.push('\n');
    }
    ordered
}

/// Get this document
#[utoipa::path(
    get, path = "/openapi.json", tag = "hub", operation_id = "openapi_get",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any")), ("x-agents" = json!(true))),
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
    let PathItem { get, put, post, patch, delete, .. } = item;
    [(false, get), (true, put), (true, post), (true, patch), (true, delete)]
        .into_iter()
        .filter_map(|(changes, operation)| Some((changes, operation.as_mut()?)))
}

/// The operations of one path by their methods.
pub(crate) fn methods(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::DELETE, delete),
        (Method::PATCH, patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Says for people and for programs what the operation needs of a credential.
fn add_access(path: &str, operation: &mut Operation) {
    let Some(rule) = access::rule(path, operation) else { return };
    let scope = rule.scope;
    let limited = match rule.limited {
        Limited::ByPath => "",
        Limited::Filtered => " A limited credential is shown only what it reaches.",
        Limited::Any => " Limited credentials may, too.",
        Limited::Refused => " Limited credentials may not.",
    };
    let agents =
        if rule.agents { " So may the agent of a run, within its own run and repo." } else { "" };
    let needs = format!("Needs the scope `{scope}`.{limited}{agents}");
    operation.description = Some(match operation.description.take() {
        Some(text) if !text.is_empty() => format!("{text}\n\n{needs}"),
        Some(_) | None => needs,
    });
    let scopes = [scope.as_str()];
    let browser = SecurityRequirement::new("browser", scopes).add("proof", scopes);
    operation.security = Some(vec![SecurityRequirement::new("token", scopes), browser]);
}

/// What may stand in `If-Match`: one strong tag of ours, or `*`.
fn describe_version(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if parameter.name == "If-Match" {
            let tag = ObjectBuilder::new()
                .schema_type(SchemaType::new(Type::String))
                .pattern(Some("^(?!W/)(\"[!#-+--~]+\"|[!#-+--~]+)$"));
            parameter.schema = Some(tag.build().into());
        }
    }
}

/// Every change can carry a key by which it acts once.
fn add_key(operation: &mut Operation) {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .pattern(Some("^([!#-~]{1,255}|\"[!#-~]{1,255}\")$"));
    let text = "A word for this request, best a new UUID. Sent again within a day with the same \
                key, the request is answered as before and does nothing more";
    add_header(operation, "Idempotency-Key", text, schema.build());
}

/// Every answer in JSON has a tag by which a client asks whether it has changed.
fn add_versions(operation: &mut Operation) {
    let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") else { return };
    let json = answer.content.contains_key("application/json");
    if !json || operation.security.is_some() {
        return;
    }
    let tag = HeaderBuilder::new().description(Some("Version of the answer")).build();
    answer.headers.entry("ETag".to_owned()).or_insert(tag.into());
    let unchanged = ResponseBuilder::new()
        .description("What the client has (`If-None-Match`) is what there is; nothing is sent")
        .build();
    operation.responses.responses.insert("304".to_owned(), unchanged.into());
    let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).build();
    let text = "The `ETag` of the answer the client has; `304` when it is still the same";
    add_header(operation, "If-None-Match", text, schema);
}

fn add_header(operation: &mut Operation, name: &str, text: &str, schema: Object) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(schema))
        .build();
    operation.parameters.get_or_insert_default().push(parameter.into());
}

/// Documents every code the operation may answer with: those of every request, those that follow
/// from its parameters and body, and those its handler names in `x-problems`.
fn add_problems(path: &str, changes: bool, operation: &mut Operation) {
    let mut codes = vec![Code::BadRequest, Code::Forbidden, Code::WrongHost, Code::Internal];
    if operation.security.is_none() {
        codes.extend([Code::Unauthenticated, Code::Forbidden, Code::RateLimited]);
        codes.extend([Code::Storage, Code::Unavailable]);
    }
    if path.contains('{') {
        codes.push(Code::NotFound);
    }
    if changes {
        codes.extend([Code::UnsupportedMediaType, Code::DiskFull]);
        if operation.security.is_none() && !is_raw(operation) {
            codes.extend([Code::IdempotencyMismatch, Code::IdempotencyInFlight, Code::TooLarge]);
        }
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
    // A status that says more than a problem keeps what it says.
    if let Some(RefOr::T(own)) = responses.responses.get_mut(&status.to_string()) {
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        own.content.insert("application/problem+json".to_owned(), problem.into());
        own.description = format!("{}; or {}", own.description, words.join("; "));
        return;
    }
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
        let mut document = api::documented();
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
