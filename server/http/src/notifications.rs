//! `/notifications`

use car_api::{
    NotificationId, Page,
    notification::{Notification, NotificationStatus},
};
use serde::Deserialize;

use crate::{
    body::Json,
    caller::Acting,
    extract::{Path, Query, page},
    problem::Answer,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those that stand so on some channel.
    status: Option<NotificationStatus>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List notifications
///
/// What was or is to be sent, and what became of it on each channel. They stay for 90 days.
#[utoipa::path(
    get, path = "/notifications", tag = "notifications", operation_id = "notification_list",
    params(ListQuery),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered"))),
    responses((status = 200, description = "A page, newest first", body = Page<Notification>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Page<Notification>>> {
    let page = page(query.after, query.limit)?;
    Ok(Json(hub.notification_list(query.status, page).await?))
}

/// Get a notification
#[utoipa::path(
    get, path = "/notifications/{notification}", tag = "notifications",
    operation_id = "notification_get",
    params(("notification" = NotificationId, Path, description = "Notification")),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered"))),
    responses((status = 200, description = "The notification", body = Notification)),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path(notification): Path<NotificationId>,
) -> Answer<Json<Notification>> {
    Ok(Json(hub.notification_get(&notification).await?))
}

/// Note that a person has seen a notification
///
/// The inbox item it is about counts as seen too.
#[utoipa::path(
    post, path = "/notifications/{notification}/seen", tag = "notifications",
    operation_id = "notification_seen",
    params(("notification" = NotificationId, Path, description = "Notification")),
    extensions(("x-scope" = json!("write")), ("x-limited" = json!("filtered"))),
    responses((status = 200, description = "The notification as it is now", body = Notification)),
)]
pub(crate) async fn seen(
    Acting(hub): Acting,
    Path(notification): Path<NotificationId>,
) -> Answer<Json<Notification>> {
    Ok(Json(hub.notification_seen(&notification).await?))
}

/// Send a notification again where it was given up
///
/// With the same id, and with all its attempts before it again.
#[utoipa::path(
    post, path = "/notifications/{notification}/retry", tag = "notifications",
    operation_id = "notification_retry",
    params(("notification" = NotificationId, Path, description = "Notification")),
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 200, description = "The notification, which waits again", body = Notification)),
)]
pub(crate) async fn retry(
    Acting(hub): Acting,
    Path(notification): Path<NotificationId>,
) -> Answer<Json<Notification>> {
    Ok(Json(hub.notification_retry(&notification).await?))
}
