//! `/docs`: the contract as a page a person can read, made from the document; nothing is fetched
//! from elsewhere and nothing runs in it.

mod commands;
mod schema;
mod view;

use std::sync::OnceLock;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use car_api::Code;
use minijinja::{AutoEscape, Environment, Value, value::Serde};

use crate::{
    document,
    problem::{Answer, ApiError},
};

const PAGE: &str = include_str!("docs/page.html.j2");
const STYLE: &str = include_str!("docs/style.css");

/// What the page may do: be shown, with one style sheet of the same hub.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Read this document as a page
#[utoipa::path(
    get, path = "/docs", tag = "hub", operation_id = "docs_get",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any"))),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
pub(crate) async fn page() -> Answer<Response> {
    static MADE: OnceLock<Result<String, String>> = OnceLock::new();
    match MADE.get_or_init(|| render(document::CHECKED_IN)) {
        Ok(page) => Ok(shown("text/html; charset=utf-8", page)),
        Err(why) => {
            let detail = "The page could not be made; `/api/v1/openapi.json` says the same.";
            Err(ApiError::new(Code::Internal, detail).with_cause(why.clone()))
        }
    }
}

/// Get the page's style sheet
#[utoipa::path(
    get, path = "/docs/style.css", tag = "hub", operation_id = "docs_style",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any"))),
    responses((status = 200, description = "The style sheet", body = String, content_type = "text/css")),
)]
pub(crate) async fn style() -> Response {
    shown("text/css; charset=utf-8", STYLE)
}

fn shown(kind: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, text).into_response()
}

/// The page of a document.
fn render(document: &str) -> Result<String, String> {
    let document = serde_json::from_str(document).map_err(|error| error.to_string())?;
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("code", with_code);
    environment.add_filter("breakable", breakable);
    environment.add_filter("kind", kind);
    environment.add_template("page", PAGE).map_err(|error| error.to_string())?;
    let template = environment.get_template("page").map_err(|error| error.to_string())?;
    template.render(Serde(view::of(&document))).map_err(|error| format!("{error:#}"))
}

/// A text with what stands between backticks as code.
fn with_code(text: &str) -> Value {
    let parts = text.split('`').enumerate().map(|(place, part)| {
        let part = escaped(part);
        if place % 2 == 1 { format!("<code>{part}</code>") } else { part }
    });
    Value::from_safe_string(parts.collect())
}

/// What a value is, with a link to the schema it names.
fn kind(kind: &Value) -> Result<Value, minijinja::Error> {
    let part = |name: &str| kind.get_attr(name).map(|part| part.as_str().map(escaped));
    let [before, link, after] = [part("before")?, part("link")?, part("after")?];
    let link = link.map(|name| {
        let shown = name.replacen('_', " of ", 1);
        format!("<a href=\"#schema-{name}\">{shown}</a>")
    });
    let all: String = [before, link, after].into_iter().flatten().collect();
    Ok(Value::from_safe_string(format!("<span class=\"kind\">{all}</span>")))
}

/// A path that may be broken before each of its parts.
fn breakable(path: &str) -> Value {
    Value::from_safe_string(escaped(path).replace('/', "<wbr>/"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing of another origin, nothing that runs, no style but the sheet's; and every operation,
    /// schema and link has its place.
    #[test]
    fn the_page_is_whole_and_harmless() {
        let page = render(document::CHECKED_IN).unwrap();
        for bad in ["<script", " style=", " onclick", " onload", "javascript:", "src=", "<img"] {
            assert!(!page.contains(bad), "{bad}");
        }
        for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let own = link.starts_with('#') || ["docs/style.css", "openapi.json"].contains(&link);
            assert!(own, "{link}");
        }
        let document: serde_json::Value = serde_json::from_str(document::CHECKED_IN).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(page.contains(&format!("id=\"{id}\"")), "{path}: {id}");
            }
        }
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("id=\"{link}\"")), "#{link} leads nowhere");
        }
    }
}
