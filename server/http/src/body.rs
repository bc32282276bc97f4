//! Request bodies: bounded in size and in patience, JSON only.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{
        HeaderMap,
        header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
    },
    response::{IntoResponse, Response},
};
use car_api::{
    Code,
    problem::FieldError,
    voice::{self, AudioKind},
};
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::problem::ApiError;

/// Largest body that is read, in bytes.
const LIMIT: usize = 1024 * 1024;

/// The type of every body but a merge patch.
const JSON: &str = "application/json";

/// The type of a merge patch (RFC 7396).
const MERGE: &str = "application/merge-patch+json";

/// Whole numbers below this are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// How long a body may stand still before the request is given up.
const IDLE: Duration = Duration::from_secs(15);

/// How long a body may take in all.
const WHOLE: Duration = Duration::from_secs(60);

/// The type of a body that is a file.
const BYTES: &str = "application/octet-stream";

/// How long a file's body may take in all.
const WHOLE_FILE: Duration = Duration::from_secs(3600);

/// A JSON body, of a request or of an answer.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_one_of(request.headers(), &[JSON]) {
            let detail = "Send the body as JSON, with `Content-Type: application/json`.";
            return Err(ApiError::new(Code::UnsupportedMediaType, detail));
        }
        let bytes = read(request.into_body()).await?;
        parse(&bytes).map(Self)
    }
}

/// A JSON merge patch (RFC 7396) as the body of a request: what is absent stays as it is.
pub(crate) struct Merge<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Merge<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_one_of(request.headers(), &[MERGE, JSON]) {
            let detail = "Send what is to change as a JSON merge patch, with \
                          `Content-Type: application/merge-patch+json`.";
            return Err(ApiError::new(Code::UnsupportedMediaType, detail));
        }
        let bytes = read(request.into_body()).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_one_of(headers: &HeaderMap, kinds: &[&str]) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim();
    kinds.iter().any(|kind| essence.eq_ignore_ascii_case(kind))
}

/// Whether a request that may change something could be one of a program: what a form of another
/// site can send has a content type of its own (WHATWG HTML, 4.10.21.6). A request without a body
/// needs none.
pub(crate) fn may_be_json(headers: &HeaderMap) -> bool {
    let empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0")
        && !headers.contains_key(TRANSFER_ENCODING);
    is_one_of(headers, &[JSON, MERGE, BYTES])
        || audio(headers).is_ok()
        || (empty && !headers.contains_key(CONTENT_TYPE))
}

/// What recording a body is.
pub(crate) fn audio(headers: &HeaderMap) -> Result<AudioKind, ApiError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let only = values.next().filter(|_| values.next().is_none());
    let kind = only.and_then(|value| AudioKind::of_content_type(value.to_str().ok()?));
    kind.ok_or_else(|| {
        let known: Vec<_> = AudioKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let detail = format!(
            "Send the recording as it is, with its kind as `Content-Type`: {}.",
            known.join(", ")
        );
        ApiError::new(Code::UnsupportedMediaType, detail)
    })
}

/// The body of a file as it comes: whoever takes it bounds its size.
pub(crate) fn pieces(
    request: Request,
) -> Result<impl Stream<Item = car_hub::Result<Bytes>> + Send, ApiError> {
    if !is_one_of(request.headers(), &[BYTES]) {
        let detail = "Send the file as it is, with `Content-Type: application/octet-stream`.";
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    let end = Instant::now() + WHOLE_FILE;
    Ok(stream::unfold(Some(request.into_body()), move |body| async move {
        let mut body = body?;
        loop {
            let error = match timeout_at(end.min(Instant::now() + IDLE), body.frame()).await {
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => return Some((Ok(data), Some(body))),
                    // Trailers mean nothing here.
                    Err(_) => continue,
                },
                Ok(None) => return None,
                Ok(Some(Err(_))) => car_hub::Error::bad_request("The body broke off."),
                Err(_) => {
                    let detail = "The body did not arrive in time; send it faster.";
                    car_hub::Error::new(Code::Timeout, detail)
                }
            };
            return Some((Err(error), None));
        }
    }))
}

/// The whole body, as far as it is not too large.
pub(crate) async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    read_up_to(body, LIMIT, WHOLE, "The body is larger than 1 MiB; send less at a time.").await
}

/// The whole of a recording, as far as it is not too large.
pub(crate) async fn read_recording(body: Body) -> Result<Vec<u8>, ApiError> {
    let large = "The recording is larger than 25 MB; make a shorter one.";
    read_up_to(body, voice::MAX_BYTES, WHOLE_FILE, large).await
}

async fn read_up_to(
    body: Body,
    limit: usize,
    whole: Duration,
    large: &str,
) -> Result<Vec<u8>, ApiError> {
    let mut body = Limited::new(body, limit);
    let mut bytes = Vec::new();
    let end = Instant::now() + whole;
    loop {
        match timeout_at(end.min(Instant::now() + IDLE), body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    bytes.extend_from_slice(&data);
                }
            }
            Ok(Some(Err(error))) if error.is::<LengthLimitError>() => {
                return Err(ApiError::new(Code::TooLarge, large));
            }
            Ok(Some(Err(_))) => return Err(ApiError::bad_request("The body broke off.")),
            Ok(None) => return Ok(bytes),
            Err(_) => {
                let detail = "The body did not arrive in time; send it faster.";
                return Err(ApiError::new(Code::Timeout, detail));
            }
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    read_as(bytes).or_else(|error| match whole(bytes) {
        Some(bytes) => read_as(&bytes).map_err(|_| error),
        None => Err(error),
    })
}

/// The same JSON with `3.0` as `3`, which JSON does not tell apart; `None` when there is no such
/// number in it.
fn whole(bytes: &[u8]) -> Option<Vec<u8>> {
    fn mend(value: &mut Value) -> bool {
        match value {
            Value::Array(items) => items.iter_mut().fold(false, |any, item| mend(item) | any),
            Value::Object(members) => {
                members.values_mut().fold(false, |any, member| mend(member) | any)
            }
            Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                Some(float) if float.fract() == 0.0 && float.abs() < EXACT => {
                    // Below this bound it is written without an exponent, and exactly.
                    let text = format!("{float:.0}");
                    text.parse::<i64>().map(|int| *value = int.into()).is_ok()
                }
                Some(_) | None => false,
            },
            Value::Null | Value::Bool(_) | Value::String(_) => false,
        }
    }
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    mend(&mut value).then(|| serde_json::to_vec(&value).ok()).flatten()
}

fn read_as<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // A list would be read as an object's members in their order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        let detail = "The body must be a JSON object, not a list.".to_owned();
        let field = FieldError { pointer: String::new(), detail: detail.clone() };
        return Err(ApiError::bad_request(detail).with_field(field));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        let detail = error.into_inner().to_string();
        ApiError::bad_request(format!("The body is not as this operation needs it: {detail}."))
            .with_field(FieldError { pointer, detail })
    })?;
    json.end().map_err(|_| ApiError::bad_request("The body goes on after its JSON ends."))?;
    Ok(value)
}

/// The path as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                format!("/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            // Where the text ended or is no JSON: the place is the last one that was read.
            Segment::Unknown => String::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use car_api::ticket::TicketCreate;

    use super::*;

    #[test]
    fn mistakes_in_a_body_are_pointed_at() {
        let fault = |text: &str| {
            let error = parse::<TicketCreate>(text.as_bytes()).unwrap_err();
            let problem = error.problem();
            (problem.code, problem.errors.first().map(|e| e.pointer.clone()))
        };
        assert_eq!(
            fault(r#"{"title": "t", "verify": ["a", 1]}"#),
            (Code::BadRequest, Some("/verify/1".to_owned()))
        );
        assert_eq!(fault(r#"{"title": 1}"#), (Code::BadRequest, Some("/title".to_owned())));
        assert_eq!(fault(r#"{"titel": "t"}"#), (Code::BadRequest, Some("/titel".to_owned())));
        assert_eq!(fault("{}"), (Code::BadRequest, Some(String::new())));
        assert_eq!(fault(r#"{"title": "t"} {}"#), (Code::BadRequest, None));
        assert_eq!(fault(""), (Code::BadRequest, Some(String::new())));
        assert_eq!(fault("{"), (Code::BadRequest, Some(String::new())));
    }

    #[test]
    fn whole_numbers_may_have_a_fraction_of_nothing() {
        let at = |text: &str| parse::<TicketCreate>(text.as_bytes()).ok().and_then(|body| body.at);
        assert_eq!(at(r#"{"title": "3.0", "at": 3.0}"#), Some(3));
        assert_eq!(at(r#"{"title": "t", "at": 2e2}"#), Some(200));
        for bad in ["3.5", "-1.0", "1e300", "\"3\""] {
            assert_eq!(at(&format!(r#"{{"title": "t", "at": {bad}}}"#)), None, "{bad}");
        }
    }

    #[test]
    fn only_one_json_content_type_will_do() {
        let json = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, value.parse().unwrap());
            }
            is_one_of(&headers, &[JSON])
        };
        assert!(json(&["application/json"]) && json(&["Application/JSON; charset=utf-8"]));
        for bad in [
            &[] as &[&str],
            &["text/plain"],
            &["application/jsonp"],
            &["application/x-www-form-urlencoded"],
            &["application/json", "text/plain"],
        ] {
            assert!(!json(bad), "{bad:?}");
        }
    }
}
