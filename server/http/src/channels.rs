//! `/channels`

use axum::http::StatusCode;
use car_api::{
    ChannelId, Page,
    notification::{
        ChannelCreate, ChannelSecret, ChannelUpdate, Notification, NotificationChannel,
    },
};

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query},
    problem::Answer,
};

/// List the ways out for notifications
#[utoipa::path(
    get, path = "/channels", tag = "notifications", operation_id = "channel_list",
    params(Paging),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "A page, oldest first", body = Page<NotificationChannel>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<NotificationChannel>>> {
    Ok(Json(hub.channel_list(paging.page()?).await?))
}

/// Create a webhook channel
///
/// It is sent the notifications from now on, each as a `NotificationPayload`, signed like a
/// webhook's events. The answer is the only time the secret is shown.
#[utoipa::path(
    post, path = "/channels", tag = "notifications", operation_id = "channel_create",
    request_body = ChannelCreate,
    extensions(("x-problems" = json!(["unprocessable", "unavailable"])), ("x-scope" = json!("admin")), ("x-secret" = json!(true))),
    responses((status = 201, description = "The channel with its secret", body = ChannelSecret)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<ChannelCreate>,
) -> Answer<(StatusCode, Json<ChannelSecret>)> {
    Ok((StatusCode::CREATED, Json(hub.channel_create(body).await?)))
}

/// Get a channel
#[utoipa::path(
    get, path = "/channels/{channel}", tag = "notifications", operation_id = "channel_get",
    params(("channel" = ChannelId, Path, description = "Channel")),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The channel", body = NotificationChannel)),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path(channel): Path<ChannelId>,
) -> Answer<Json<NotificationChannel>> {
    Ok(Json(hub.channel_get(&channel).await?))
}

/// Change a channel
///
/// Turned off it is sent nothing, and turned on again it is sent what has waited and still matters.
#[utoipa::path(
    patch, path = "/channels/{channel}", tag = "notifications", operation_id = "channel_update",
    params(("channel" = ChannelId, Path, description = "Channel")), request_body = ChannelUpdate,
    extensions(("x-problems" = json!(["unprocessable"])), ("x-scope" = json!("admin"))),
    responses((status = 200, description = "The channel as it is now", body = NotificationChannel)),
)]
pub(crate) async fn update(
    Acting(hub): Acting,
    Path(channel): Path<ChannelId>,
    Json(body): Json<ChannelUpdate>,
) -> Answer<Json<NotificationChannel>> {
    Ok(Json(hub.channel_update(&channel, body).await?))
}

/// Delete a channel
///
/// What it was sent stays in the ledger; what waits for it does not leave.
#[utoipa::path(
    delete, path = "/channels/{channel}", tag = "notifications", operation_id = "channel_delete",
    params(("channel" = ChannelId, Path, description = "Channel")),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 204, description = "The channel is gone")),
)]
pub(crate) async fn delete(
    Acting(hub): Acting,
    Path(channel): Path<ChannelId>,
) -> Answer<StatusCode> {
    hub.channel_delete(&channel).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a trial on a channel
///
/// One notification of the kind `test`, at once, also while the channel is turned off or its hours
/// are quiet; the answer says what became of it.
#[utoipa::path(
    post, path = "/channels/{channel}/test", tag = "notifications", operation_id = "channel_test",
    params(("channel" = ChannelId, Path, description = "Channel")),
    extensions(("x-problems" = json!(["unavailable"])), ("x-scope" = json!("admin"))),
    responses((status = 200, description = "What became of the trial", body = Notification)),
)]
pub(crate) async fn test(
    Acting(hub): Acting,
    Path(channel): Path<ChannelId>,
) -> Answer<Json<Notification>> {
    Ok(Json(hub.channel_test(&channel).await?))
}
