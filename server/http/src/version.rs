//! Versions (RFC 9110): `ETag` and `If-Match` of what a person and an agent may both edit, and
//! `If-None-Match` for whoever asks whether anything has changed.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use car_api::Code;
use http_body_util::BodyExt;
use serde::Serialize;

use crate::{body::Json, problem::ApiError};

const JSON: &str = "application/json";

/// Larger answers get no tag: it would cost more than it saves.
const TAGGED_MAX: u64 = 4 * 1024 * 1024;

/// An answer that carries its version.
pub(crate) struct Tagged<T> {
    pub(crate) etag: String,
    pub(crate) body: T,
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", self.etag)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// A list that carries a word for its version; another form of it may have the same.
pub(crate) struct Marked<T> {
    pub(crate) version: String,
    pub(crate) body: T,
}

impl<T: Serialize> IntoResponse for Marked<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{}\"", self.version)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// The same, as bytes that the hub keeps: encoding would be the whole cost of a long list.
pub(crate) struct Encoded {
    pub(crate) version: String,
    pub(crate) json: Bytes,
}

impl IntoResponse for Encoded {
    fn into_response(self) -> Response {
        let tag = format!("W/\"{}\"", self.version);
        ([(header::CONTENT_TYPE, JSON), (header::ETAG, tag.as_str())], self.json).into_response()
    }
}

/// Answers `304` when the client has what it asks for already (`If-None-Match`), and gives JSON
/// answers without a tag of their own a weak one, by which the client can ask so. Only what is whole
/// in memory is looked at.
pub(crate) async fn unchanged<F: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next(request).await;
    }
    let known: Vec<HeaderValue> =
        request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
    let answer = next(request).await;
    if answer.status() != StatusCode::OK {
        return answer;
    }
    let Some((tag, answer)) = tagged(answer).await else { return unreadable() };
    match tag {
        Some(tag) if has(&known, &tag) => {
            let mut answer = StatusCode::NOT_MODIFIED.into_response();
            answer.headers_mut().insert(header::ETAG, tag);
            answer
        }
        Some(_) | None => answer,
    }
}

/// The answer with its tag, if it has or can have one.
async fn tagged(mut answer: Response) -> Option<(Option<HeaderValue>, Response)> {
    if let Some(tag) = answer.headers().get(header::ETAG) {
        return Some((Some(tag.clone()), answer));
    }
    let json = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == JSON);
    let size = axum::body::HttpBody::size_hint(answer.body()).exact();
    if !json || size.is_none_or(|size| size > TAGGED_MAX) {
        return Some((None, answer));
    }
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.ok()?.to_bytes();
    let mut hash = DefaultHasher::new();
    bytes.hash(&mut hash);
    let tag = HeaderValue::from_str(&format!("W/\"{:016x}\"", hash.finish())).ok()?;
    answer = Response::from_parts(parts, Body::from(bytes));
    answer.headers_mut().insert(header::ETAG, tag.clone());
    Some((Some(tag), answer))
}

fn unreadable() -> Response {
    ApiError::new(Code::Internal, "The hub could not write its answer; ask again.").into_response()
}

/// Whether one of the tags names this version; whether they are weak does not matter here.
fn has(known: &[HeaderValue], tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(tag) = tag.to_str().map(opaque) else { return false };
    known
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim() == "*" || opaque(one) == tag)
}

/// The version a change was made from, if the client says so; `*` stands for whatever is there.
pub(crate) struct IfMatch(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        named(&parts.headers).map(Self)
    }
}

/// The version a change was made from; without it the change is refused.
pub(crate) struct MustMatch(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for MustMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        named(&parts.headers)?.map(Self).ok_or_else(|| {
            ApiError::new(
                Code::PreconditionRequired,
                "Send `If-Match` with the `etag` of the version you changed, or `*` to replace \
                 whatever is there.",
            )
        })
    }
}

fn named(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(header::IF_MATCH).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(tag).map(Some).ok_or_else(one_tag),
        (Some(_), Some(_)) => Err(one_tag()),
    }
}

/// The text of one strong tag, with or without its quotes.
fn tag(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    let plain = !bare.is_empty()
        && bare.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b',')
        && !text.starts_with("W/");
    plain.then(|| bare.to_owned())
}

fn one_tag() -> ApiError {
    ApiError::bad_request("`If-Match` must name one version: the `etag` as it was read, or `*`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_version_is_told_by_its_tag() {
        let same = |known: &str, tag: &str| {
            has(&[known.parse().unwrap()], &HeaderValue::from_str(tag).unwrap())
        };
        for (known, tag) in [
            ("\"a\"", "\"a\""),
            ("W/\"a\"", "\"a\""),
            ("\"a\"", "W/\"a\""),
            ("\"x\", W/\"a\"", "W/\"a\""),
            ("*", "\"a\""),
        ] {
            assert!(same(known, tag), "{known} {tag}");
        }
        assert!(!same("\"b\"", "\"a\"") && !same("", "\"a\""));
    }

    #[test]
    fn one_strong_tag_is_read() {
        assert_eq!(tag("\"abc\"").as_deref(), Some("abc"));
        assert_eq!(tag("abc").as_deref(), Some("abc"));
        assert_eq!(tag("*").as_deref(), Some("*"));
        for bad in ["", "\"\"", "W/\"a\"", "\"a\", \"b\"", "a,b", "\"a"] {
            assert_eq!(tag(bad), None, "{bad}");
        }
    }
}
