//! Versions of what a person and an agent may both edit: `ETag` and `If-Match` (RFC 9110).

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use car_api::Code;
use serde::Serialize;

use crate::{body::Json, problem::ApiError};

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
    let plain =
        !bare.is_empty() && !bare.bytes().any(|b| b"\", ".contains(&b)) && !text.starts_with("W/");
    plain.then(|| bare.to_owned())
}

fn one_tag() -> ApiError {
    ApiError::bad_request("`If-Match` must name one version: the `etag` as it was read, or `*`.")
}

#[cfg(test)]
mod tests {
    use super::*;

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
