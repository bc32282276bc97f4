//! `/push`: a paired browser as a way out for notifications.

use axum::{extract::State, http::StatusCode};
use car_api::{
    notification::{Notification, NotificationChannel},
    push::{PushAct, PushActed, PushKey, PushSubscribe},
};

use crate::{App, body::Json, caller::Acting, problem::Answer};

/// Get the key a browser subscribes with
#[utoipa::path(
    get, path = "/push/key", tag = "notifications", operation_id = "push_key_get",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any"))),
    responses((status = 200, description = "The hub's public key", body = PushKey)),
)]
pub(crate) async fn key(Acting(hub): Acting) -> Answer<Json<PushKey>> {
    Ok(Json(hub.push_key_get().await?))
}

/// Get how this browser is pushed to
#[utoipa::path(
    get, path = "/push/subscription", tag = "notifications", operation_id = "push_get",
    extensions(("x-scope" = json!("read")), ("x-problems" = json!(["not_found"]))),
    responses((status = 200, description = "Its channel", body = NotificationChannel)),
)]
pub(crate) async fn get(Acting(hub): Acting) -> Answer<Json<NotificationChannel>> {
    Ok(Json(hub.push_get().await?))
}

/// Have notifications pushed to this browser
///
/// For a paired browser only, and one that reaches the whole hub. It takes the place of an earlier
/// subscription of the same browser, and ends with its pairing.
#[utoipa::path(
    put, path = "/push/subscription", tag = "notifications", operation_id = "push_subscribe",
    request_body = PushSubscribe,
    extensions(("x-scope" = json!("read")), ("x-problems" = json!(["unprocessable", "unavailable"]))),
    responses((status = 200, description = "The channel it is", body = NotificationChannel)),
)]
pub(crate) async fn subscribe(
    Acting(hub): Acting,
    Json(body): Json<PushSubscribe>,
) -> Answer<Json<NotificationChannel>> {
    Ok(Json(hub.push_subscribe(body).await?))
}

/// Push nothing to this browser any more
#[utoipa::path(
    delete, path = "/push/subscription", tag = "notifications", operation_id = "push_unsubscribe",
    extensions(("x-scope" = json!("read")), ("x-problems" = json!(["not_found"]))),
    responses((status = 204, description = "The channel is gone")),
)]
pub(crate) async fn unsubscribe(Acting(hub): Acting) -> Answer<StatusCode> {
    hub.push_unsubscribe().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Push a trial to this browser
#[utoipa::path(
    post, path = "/push/subscription/test", tag = "notifications", operation_id = "push_test",
    extensions(("x-scope" = json!("read")), ("x-problems" = json!(["not_found", "unavailable"]))),
    responses((status = 200, description = "The trial, and what became of it", body = Notification)),
)]
pub(crate) async fn test(Acting(hub): Acting) -> Answer<Json<Notification>> {
    Ok(Json(hub.push_test().await?))
}

/// Do one of the actions of a notification that was pushed
///
/// Public: the token of the push says who acts, for which item, and holds once and for a day. What
/// the device may not do, the token does not allow either.
#[utoipa::path(
    post, path = "/push/act", tag = "notifications", operation_id = "push_act", security(()),
    request_body = PushAct,
    extensions(("x-problems" = json!(["unauthenticated", "forbidden", "not_found", "unprocessable", "illegal_transition", "run_active", "tickets_invalid", "git_state", "git_failed", "agent_unavailable", "stale", "unavailable"]))),
    responses((status = 200, description = "It was done", body = PushActed)),
)]
pub(crate) async fn act(
    State(app): State<App>,
    Json(body): Json<PushAct>,
) -> Answer<Json<PushActed>> {
    Ok(Json(app.hub.push_act(body).await?))
}
