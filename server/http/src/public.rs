//! What anybody may read: that a hub is here, and nothing of it.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// Plain text for whoever opens the hub's address in a browser; no operation of the API.
pub(crate) async fn root() -> &'static str {
    "This is a CAR hub.\n\
     Its API is at /api/v1, described by /api/v1/openapi.json; every request needs a token.\n\
     The client is `car`: `car hub repos`, `car watch`, `car help`.\n"
}

/// Say that the process is alive
#[utoipa::path(
    get, path = "/health/live", tag = "health", operation_id = "health_live", security(()),
    responses((status = 200, description = "The process answers; nothing is said about the hub", body = serde_json::Value)),
)]
pub(crate) async fn live() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], "{}").into_response()
}
