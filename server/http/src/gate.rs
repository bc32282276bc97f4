//! What happens to every request before it is looked at, and to every answer before it leaves.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use car_api::Code;
use futures_util::FutureExt;
use tokio::time::timeout;

use crate::{
    App, body, compress, connections::Connection, origin, problem, problem::ApiError, proxy,
};

/// Longest target that is read; longer ones are a mistake of whoever made them.
const TARGET_MAX: usize = 8 * 1024;

/// How long a request that only reads may take until its answer begins.
const READ: Duration = Duration::from_secs(60);

/// Answers of the API that are pages, and so may be opened in a browser.
const PAGES: [&str; 1] = ["/api/v1/docs"];

/// What an answer that is no page may do in a browser: nothing.
const DATA_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What a page of the hub may do: use what the hub itself serves, and nothing written inline. The
/// socket of the host follows, since not every browser counts it as `'self'`.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; media-src blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; \
    form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types car; connect-src 'self'";

/// Sent with every answer, unless it has its own.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        // The page records what is spoken into a chat.
        "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
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
    compress::answers(request, |request| admit(app, request, next)).await
}

async fn admit(app: App, request: Request, next: Next) -> Response {
    let id = format!("req_{}", uuid::Uuid::now_v7().simple());
    let request = proxy::without_base(&app.config.base_path, request);
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.map(str::to_owned);
    let named = app.hosts.is_named(request.headers());
    let answer = match refuse(&app, &request) {
        Some(refusal) => refusal,
        None => run(&app, request, next).await,
    };
    let answer = problem::written(answer, &id, app.hub.redactor());
    leave(answer, &id, host.as_deref(), named)
}

/// The answer to a request that goes no further.
fn refuse(app: &App, request: &Request) -> Option<Response> {
    let (method, headers) = (request.method(), request.headers());
    let local = request.extensions().get::<Connection>().is_some_and(|from| from.local);
    if !app.hosts.serve(headers, request.uri(), local) {
        // Empty: whoever was led here by a false name learns nothing.
        return Some(StatusCode::MISDIRECTED_REQUEST.into_response());
    }
    if method == Method::TRACE || method == Method::CONNECT {
        let refusal =
            ApiError::new(Code::MethodNotAllowed, format!("Nothing here takes {method}."));
        return Some(
            ([(header::ALLOW, "GET, HEAD, POST, PUT, PATCH, DELETE")], refusal).into_response(),
        );
    }
    if origin::is_foreign(method, headers, &app.hosts) {
        let detail = "Pages of other origins may not use this hub.";
        return Some(ApiError::new(Code::Forbidden, detail).into_response());
    }
    if origin::is_unexplained(method, headers) {
        let detail = "A browser that sends a cookie says where the request comes from (`Origin` \
                      or `Sec-Fetch-Site`); a program sends a token and no cookie.";
        return Some(ApiError::new(Code::Forbidden, detail).into_response());
    }
    if let Some(refusal) = proxy::refuse(&app.config, headers) {
        return Some(refusal.into_response());
    }
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_MAX {
        let detail = "The request's target is longer than 8 KiB; shorten it.";
        return Some(ApiError::new(Code::BadRequest, detail).into_response());
    }
    if origin::is_navigation(headers) && is_data(request.uri().path()) {
        let detail = "This is for programs, not to be opened in a browser; `/` is the hub's page.";
        return Some(ApiError::new(Code::NotAcceptable, detail).into_response());
    }
    if !method.is_safe() && !body::may_be_json(headers) {
        let detail = "Send the body as JSON, with `Content-Type: application/json`.";
        return Some(ApiError::new(Code::UnsupportedMediaType, detail).into_response());
    }
    None
}

fn is_data(path: &str) -> bool {
    let is_at = |page: &str| {
        path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    path.starts_with("/api/") && !PAGES.iter().any(|page| is_at(page))
}

/// Runs the handler. What changes something runs to its end even if the client goes away: a
/// dropped connection must not leave half a change.
async fn run(app: &App, request: Request, next: Next) -> Response {
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer = if reads {
        match timeout(READ, handler).await {
            Ok(answer) => answer,
            Err(_) => {
                let detail = "The hub was too busy to answer in time; ask again.";
                return ApiError::new(Code::Unavailable, detail).after(READ).into_response();
            }
        }
    } else {
        match app.closing.tasks.spawn(handler).await {
            Ok(answer) => answer,
            Err(lost) => Err(Box::new(lost) as _),
        }
    };
    answer.unwrap_or_else(|panic| problem::panicked(&*panic).into_response())
}

fn leave(mut answer: Response, id: &str, host: Option<&str>, named: bool) -> Response {
    let headers = answer.headers_mut();
    headers.reserve(HEADERS.len() + 3);
    let policy = policy(headers, host);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
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

/// What the answer may do in a browser.
fn policy(headers: &HeaderMap, host: Option<&str>) -> HeaderValue {
    let page = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = match host {
        Some(host) if page => HeaderValue::try_from(format!("{PAGE_POLICY} wss://{host}")),
        Some(_) | None => {
            return HeaderValue::from_static(if page { PAGE_POLICY } else { DATA_POLICY });
        }
    };
    policy.unwrap_or(HeaderValue::from_static(DATA_POLICY))
}
