//! What happens to every request before it is looked at, and to every answer before it leaves.

use std::panic::AssertUnwindSafe;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use car_api::Code;
use futures_util::FutureExt;

use crate::{App, origin, problem, problem::ApiError};

/// Longest target that is read; longer ones are a mistake of whoever made them.
const TARGET_MAX: usize = 8 * 1024;

/// Sent with every answer. Nothing the hub sends is a page, so nothing may be run, shown in a
/// frame, sniffed or kept.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// How long browsers are told to insist on TLS at a configured name (RFC 6797).
const HSTS: &str = "max-age=31536000";

const REQUEST_ID: &str = "x-request-id";

/// The service with the gate before it, on paths that do not exist too.
pub(crate) fn before(app: App, inner: Router) -> Router {
    Router::new().fallback_service(inner).layer(from_fn_with_state(app, pass))
}

async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = format!("req_{}", uuid::Uuid::now_v7().simple());
    let named = app.hosts.is_named(request.headers());
    let answer = match refuse(&app, &request) {
        Some(refusal) => refusal,
        None => run(&app, request, next).await,
    };
    leave(answer, &id, named)
}

/// The answer to a request that goes no further.
fn refuse(app: &App, request: &Request) -> Option<Response> {
    if !app.hosts.serve(request.headers(), request.uri()) {
        // Empty: whoever was led here by a false name learns nothing.
        return Some(StatusCode::MISDIRECTED_REQUEST.into_response());
    }
    if origin::is_foreign(request.method(), request.headers(), &app.hosts) {
        let detail = "Pages of other origins may not use this hub.";
        return Some(ApiError::new(Code::Forbidden, detail).into_response());
    }
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_MAX {
        let detail = "The request's target is longer than 8 KiB; shorten it.";
        return Some(ApiError::new(Code::BadRequest, detail).into_response());
    }
    None
}

/// Runs the handler. What changes something runs to its end even if the client goes away: a
/// dropped connection must not leave half a change.
async fn run(app: &App, request: Request, next: Next) -> Response {
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer = if reads {
        handler.await
    } else {
        match app.closing.tasks.spawn(handler).await {
            Ok(answer) => answer,
            Err(lost) => Err(Box::new(lost) as _),
        }
    };
    answer.unwrap_or_else(|panic| problem::panicked(&*panic).into_response())
}

fn leave(answer: Response, id: &str, named: bool) -> Response {
    let mut answer = problem::written(answer, id);
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if named {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    answer
}
