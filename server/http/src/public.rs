//! What anybody may read: that a hub is here, and nothing of it.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// Say that the process is alive
#[utoipa::path(
    get, path = "/health/live", tag = "health", operation_id = "health_live", security(()),
    responses((status = 200, description = "The process answers; nothing is said about the hub", body = serde_json::Value)),
)]
pub(crate) async fn live() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], "{}").into_response()
}
