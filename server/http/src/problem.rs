//! The one place where an error becomes a status and a body.

use std::{any::Any, error::Error, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use car_api::{Code, Problem};
use car_hub::Redactor;

/// When to look again whether there is room.
const ROOM: Duration = Duration::from_secs(59);

/// An error of an operation, on its way to the client.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Box<Failure>);

#[derive(Debug, Clone)]
struct Failure {
    problem: Problem,
    /// For the log only.
    cause: Option<Arc<str>>,
    /// When to ask again.
    retry_after: Option<Duration>,
}

/// What a handler gives.
pub(crate) type Answer<T> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            problem: Problem::new(code, detail),
            cause: None,
            retry_after: None,
        }))
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }

    pub(crate) fn with_field(mut self, field: car_api::problem::FieldError) -> Self {
        self.0.problem.errors.push(field);
        self
    }

    pub(crate) fn with_cause(mut self, cause: impl Into<Arc<str>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Asking again makes sense after this time (`Retry-After`, in whole seconds).
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    pub(crate) fn problem(&self) -> &Problem {
        &self.0.problem
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Failure { problem, cause: None, retry_after: None }))
    }
}

impl From<car_hub::Error> for ApiError {
    fn from(error: car_hub::Error) -> Self {
        let cause = error.source().map(|source| causes(source).into());
        // The request under the same key may end any moment; there is room again when others were
        // answered or gave up.
        let waits = [(Code::IdempotencyInFlight, Duration::ZERO), (Code::RateLimited, ROOM)];
        let retry_after = waits.into_iter().find(|(code, _)| *code == error.code);
        let retry_after = retry_after.map(|(_, wait)| wait);
        Self(Box::new(Failure { problem: error.problem(), cause, retry_after }))
    }
}

/// An error and what is behind it, in one line.
fn causes(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", causes(source)),
        None => error.to_string(),
    }
}

impl IntoResponse for ApiError {
    /// Without a body: [`written`] adds it once the request's id is known.
    fn into_response(self) -> Response {
        let mut response = status(self.0.problem.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer with its problem, if it carries one, as the body; failures of the hub itself are
/// logged here and nowhere else.
pub(crate) fn written(mut answer: Response, request: &str, redactor: &Redactor) -> Response {
    let Some(ApiError(failure)) = answer.extensions_mut().remove::<ApiError>() else {
        return answer;
    };
    let Failure { mut problem, cause, retry_after } = *failure;
    if problem.status >= 500 {
        let cause = cause.as_deref().unwrap_or("none given");
        tracing::error!(request, code = %problem.code, "request failed: {}: {cause}", problem.detail);
    }
    problem.instance = Some(request.to_owned());
    redact(&mut problem, redactor);
    if problem.code == Code::Unauthenticated {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(wait) = retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
    let json = serde_json::to_vec(&problem).unwrap_or_default();
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *answer.body_mut() = Body::from(json);
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    answer
}

/// Takes secrets out of what a problem says.
pub(crate) fn redact(problem: &mut Problem, redactor: &Redactor) {
    problem.detail = redactor.redact(&problem.detail).into_owned();
    for error in &mut problem.errors {
        error.detail = redactor.redact(&error.detail).into_owned();
    }
}

fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A handler panicked: a defect.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> ApiError {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    ApiError::new(Code::Internal, "The hub could not do this; its log has the cause.")
        .with_cause(said)
}

/// The answer to a path that does not exist.
pub(crate) async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::new(
        Code::NotFound,
        format!("There is no `{}`; `/api/v1/openapi.json` lists what there is.", uri.path()),
    )
}

/// The answer to a method a path does not have.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Response {
    no_method(&method, &uri)
}

/// The same; whoever knows what the path takes adds `Allow`.
pub(crate) fn no_method(method: &Method, uri: &Uri) -> Response {
    if *method == Method::OPTIONS {
        // What the path takes is in `Allow`; no page of another origin is told more.
        return StatusCode::NO_CONTENT.into_response();
    }
    ApiError::new(
        Code::MethodNotAllowed,
        format!("`{}` does not take {method}; the `Allow` header says what it takes.", uri.path()),
    )
    .into_response()
}
