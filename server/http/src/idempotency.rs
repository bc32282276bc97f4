//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the same request acts once.

use axum::{
    body::Body,
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use car_api::{Code, Problem};
use car_hub::{
    Hub,
    idempotency::{Begun, Claim, Found, KeptAnswer},
};
use http_body_util::BodyExt;

use crate::{
    App,
    body::{self, Json},
    caller::Acting,
    operations,
    problem::{self, Answer, ApiError},
    version::Tagged,
};

/// The client's name for a request.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Longest key.
const LONGEST: usize = 255;

/// Headers that belong to what an answer means.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];

/// Lets a request with a key act once; the others pass.
pub(crate) async fn once<F: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let operation = operations::of(&request);
    let change = !request.method().is_safe() && operation.is_some_and(|operation| !operation.raw);
    if !change || !request.headers().contains_key(KEY) {
        return next(request).await;
    }
    match under_key(app, request, next).await {
        Ok(answer) => answer,
        Err(error) => error.into_response(),
    }
}

async fn under_key<F: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Answer<Response> {
    let key = key(request.headers())?;
    let (mut parts, body) = request.into_parts();
    // Who has no credential has no keys; the operation says what it thinks of that.
    let Ok(Acting(hub)) = Acting::from_request_parts(&mut parts, app).await else {
        return Ok(next(Request::from_parts(parts, body)).await);
    };
    let bytes = body::read(body).await?;
    let claim = match begin(&hub, &key, &parts, &bytes).await? {
        Begun::First(claim) => claim,
        Begun::Answered(kept) => return Ok(again(kept)),
        Begun::Made(claim, found) => {
            let answer = made(found).into_response();
            return keep(&hub, &claim, &parts, answer).await.map(replayed);
        }
    };
    parts.extensions.insert(claim.clone());
    let asked = parts.clone();
    let answer = next(Request::from_parts(parts, Body::from(bytes))).await;
    keep(&hub, &claim, &asked, answer).await
}

async fn begin(hub: &Hub, key: &str, parts: &Parts, body: &[u8]) -> Answer<Begun> {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let version = parts.headers.get(header::IF_MATCH).map_or(&b""[..], HeaderValue::as_bytes);
    let what = [parts.method.as_str().as_bytes(), target.as_bytes(), version, body];
    Ok(hub.request_begun(key, &what).await?)
}

/// The key, with or without the quotes of a structured field.
fn key(headers: &HeaderMap) -> Answer<String> {
    let mut values = headers.get_all(KEY).iter();
    let text = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    let bare = text
        .map(str::trim)
        .map(|text| text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text));
    let good = |key: &&str| {
        (1..=LONGEST).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
    };
    bare.filter(good).map(str::to_owned).ok_or_else(|| {
        ApiError::bad_request(
            "`Idempotency-Key` must be one word of 1 to 255 visible characters, best a new UUID.",
        )
    })
}

/// What was made by a try whose answer was never kept, as the operation answers.
fn made(found: Found) -> Result<Response, ApiError> {
    Ok(match found {
        Found::Run(run) => (StatusCode::CREATED, Json(run)).into_response(),
        Found::Job(job) => (StatusCode::ACCEPTED, Json(job)).into_response(),
        Found::Repo(repo) => (StatusCode::CREATED, Json(repo)).into_response(),
        Found::Tickets(page) => Json(page).into_response(),
        Found::Reply(reply) => (StatusCode::CREATED, Json(reply)).into_response(),
        Found::Terminal(terminal) => (StatusCode::CREATED, Json(terminal)).into_response(),
        Found::Thread(thread) => (StatusCode::CREATED, Json(thread)).into_response(),
        Found::Message(message) => (StatusCode::ACCEPTED, Json(message)).into_response(),
        Found::Ticket(text) => {
            let etag = text.ticket.etag.clone();
            (StatusCode::CREATED, Tagged { etag, body: text }).into_response()
        }
        Found::Token(id) => return Err(car_hub::idempotency::secret_not_kept(&id).into()),
    })
}

/// Keeps the answer under the key, unless it says nothing about what the request does.
async fn keep(hub: &Hub, claim: &Claim, asked: &Parts, answer: Response) -> Answer<Response> {
    let status = answer.status();
    let lasting = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => false,
        other => other.is_success() || other.is_client_error(),
    };
    if !lasting {
        return Ok(answer);
    }
    let headers = KEPT
        .iter()
        .filter_map(|name| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        })
        .collect();
    // A problem gets its body later, with the id of each request that is answered by it.
    if let Some(error) = answer.extensions().get::<ApiError>() {
        let mut problem = error.problem().clone();
        problem::redact(&mut problem, hub.redactor());
        let body = serde_json::to_string(&problem).ok();
        let kept = KeptAnswer { status: status.as_u16(), headers, body };
        hub.request_answered(claim, kept, false).await?;
        return Ok(answer);
    }
    let secret = operations::find(asked).is_some_and(|operation| operation.secret);
    let (parts, body) = answer.into_parts();
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let detail = "The hub could not write its answer; send the request again.";
            return Err(ApiError::new(Code::Internal, detail).with_cause(error.to_string()));
        }
    };
    let body = Some(String::from_utf8_lossy(&bytes).into_owned());
    let kept = KeptAnswer { status: status.as_u16(), headers, body };
    hub.request_answered(claim, kept, secret).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// An answer that was given before.
fn again(kept: KeptAnswer) -> Response {
    let body = kept.body.unwrap_or_default();
    if kept.status >= 400
        && let Ok(problem) = serde_json::from_str::<Problem>(&body)
    {
        return replayed(ApiError::from(problem).into_response());
    }
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let mut answer = (status, body).into_response();
    // Not the type a text gets by itself.
    answer.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            answer.headers_mut().insert(name, value);
        }
    }
    replayed(answer)
}

fn replayed(mut answer: Response) -> Response {
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_visible_word_is_a_key() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            key(&headers).ok()
        };
        assert_eq!(read(&["abc"]).as_deref(), Some("abc"));
        assert_eq!(read(&["\"8e03978e-40d5\""]).as_deref(), Some("8e03978e-40d5"));
        let long = "x".repeat(256);
        for bad in [&[""] as &[&str], &["\"\""], &["a b"], &["ä"], &[&long], &["a", "a"]] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
