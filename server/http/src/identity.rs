//! Which hub this is, on every answer to somebody with a valid token: a client that remembers a
//! hub notices at once that another one answers at its address, and one that cannot read an answer
//! that the hub is newer. Nobody else is told.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    response::Response,
};

use crate::{App, caller::Caller};

/// The hub's instance.
const INSTANCE: HeaderName = HeaderName::from_static("car-hub-instance");

/// The version of the hub's program.
const VERSION: HeaderName = HeaderName::from_static("car-hub-version");

/// Says which hub answers.
pub(crate) async fn stamp<F: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let known = request.extensions().get::<Caller>().is_some();
    let mut response = next(request).await;
    if known && let Ok(instance) = HeaderValue::from_str(app.hub.instance()) {
        let headers = response.headers_mut();
        headers.insert(INSTANCE, instance);
        headers.insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    }
    response
}
