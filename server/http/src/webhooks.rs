//! `/webhooks`

use axum::http::StatusCode;
use car_api::{
    DeliveryId, Page, WebhookId,
    webhook::{
        DeliveryStatus, Webhook, WebhookCreate, WebhookDelivery, WebhookSecret, WebhookUpdate,
    },
};
use serde::Deserialize;

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query, page},
    problem::Answer,
};

/// List webhooks
#[utoipa::path(
    get, path = "/webhooks", tag = "webhooks", operation_id = "webhook_list",
    params(Paging),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "A page, oldest first", body = Page<Webhook>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Webhook>>> {
    Ok(Json(hub.webhook_list(paging.page()?).await?))
}

/// Create a webhook
///
/// Events from now on that match are posted to the address, as `Webhook` describes. The answer is
/// the only time the secret is shown. Addresses of the hub's own network are allowed; redirects
/// are not followed.
#[utoipa::path(
    post, path = "/webhooks", tag = "webhooks", operation_id = "webhook_create",
    request_body = WebhookCreate,
    extensions(("x-problems" = json!(["unprocessable"])), ("x-scope" = json!("admin")), ("x-secret" = json!(true))),
    responses((status = 201, description = "The webhook with its secret", body = WebhookSecret)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<WebhookCreate>,
) -> Answer<(StatusCode, Json<WebhookSecret>)> {
    Ok((StatusCode::CREATED, Json(hub.webhook_create(body).await?)))
}

/// Get a webhook
#[utoipa::path(
    get, path = "/webhooks/{webhook}", tag = "webhooks", operation_id = "webhook_get",
    params(("webhook" = WebhookId, Path, description = "Webhook")),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "The webhook, without its secret", body = Webhook)),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path(webhook): Path<WebhookId>,
) -> Answer<Json<Webhook>> {
    Ok(Json(hub.webhook_get(&webhook).await?))
}

/// Change a webhook
///
/// Turned off, it is sent nothing; turned on again, it goes on where it was, as far as events are
/// kept, and what waits is tried at once.
#[utoipa::path(
    patch, path = "/webhooks/{webhook}", tag = "webhooks", operation_id = "webhook_update",
    params(("webhook" = WebhookId, Path, description = "Webhook")), request_body = WebhookUpdate,
    extensions(("x-problems" = json!(["unprocessable"])), ("x-scope" = json!("admin"))),
    responses((status = 200, description = "The webhook as it is now", body = Webhook)),
)]
pub(crate) async fn update(
    Acting(hub): Acting,
    Path(webhook): Path<WebhookId>,
    Json(body): Json<WebhookUpdate>,
) -> Answer<Json<Webhook>> {
    Ok(Json(hub.webhook_update(&webhook, body).await?))
}

/// Delete a webhook
///
/// Its ledger goes with it.
#[utoipa::path(
    delete, path = "/webhooks/{webhook}", tag = "webhooks", operation_id = "webhook_delete",
    params(("webhook" = WebhookId, Path, description = "Webhook")),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 204, description = "The webhook is gone")),
)]
pub(crate) async fn delete(
    Acting(hub): Acting,
    Path(webhook): Path<WebhookId>,
) -> Answer<StatusCode> {
    hub.webhook_delete(&webhook).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook a new secret
///
/// The answer is the only time it is shown. The secret before stays valid for 24 hours: until then
/// every message is signed with both.
#[utoipa::path(
    post, path = "/webhooks/{webhook}/rotate", tag = "webhooks", operation_id = "webhook_rotate",
    params(("webhook" = WebhookId, Path, description = "Webhook")),
    extensions(("x-scope" = json!("admin")), ("x-secret" = json!(true))),
    responses((status = 200, description = "The webhook with its new secret", body = WebhookSecret)),
)]
pub(crate) async fn rotate(
    Acting(hub): Acting,
    Path(webhook): Path<WebhookId>,
) -> Answer<Json<WebhookSecret>> {
    Ok(Json(hub.webhook_rotate(&webhook).await?))
}

/// Send a test to a webhook
///
/// One signed message of the type `test`, at once, also while the webhook is turned off; the answer
/// says what became of it.
#[utoipa::path(
    post, path = "/webhooks/{webhook}/test", tag = "webhooks", operation_id = "webhook_test",
    params(("webhook" = WebhookId, Path, description = "Webhook")),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "What became of the test", body = WebhookDelivery)),
)]
pub(crate) async fn test(
    Acting(hub): Acting,
    Path(webhook): Path<WebhookId>,
) -> Answer<Json<WebhookDelivery>> {
    Ok(Json(hub.webhook_test(&webhook).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerQuery {
    /// Only deliveries that stand so.
    status: Option<DeliveryStatus>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List a webhook's deliveries
///
/// The ledger: what was sent, what waits, what was given up, and why. Ended deliveries stay for 30
/// days.
#[utoipa::path(
    get, path = "/webhooks/{webhook}/deliveries", tag = "webhooks",
    operation_id = "webhook_deliveries",
    params(("webhook" = WebhookId, Path, description = "Webhook"), LedgerQuery),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "A page, newest first", body = Page<WebhookDelivery>)),
)]
pub(crate) async fn deliveries(
    Acting(hub): Acting,
    Path(webhook): Path<WebhookId>,
    Query(query): Query<LedgerQuery>,
) -> Answer<Json<Page<WebhookDelivery>>> {
    let page = page(query.after, query.limit)?;
    Ok(Json(hub.webhook_deliveries(&webhook, query.status, page).await?))
}

/// Send a delivery again
///
/// The same bytes with the same id, whatever became of it; it has all its attempts before it again.
#[utoipa::path(
    post, path = "/webhooks/{webhook}/deliveries/{delivery}/redeliver", tag = "webhooks",
    operation_id = "webhook_redeliver",
    params(
        ("webhook" = WebhookId, Path, description = "Webhook"),
        ("delivery" = DeliveryId, Path, description = "Delivery"),
    ),
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 202, description = "The delivery, which waits again", body = WebhookDelivery)),
)]
pub(crate) async fn redeliver(
    Acting(hub): Acting,
    Path((webhook, delivery)): Path<(WebhookId, DeliveryId)>,
) -> Answer<(StatusCode, Json<WebhookDelivery>)> {
    Ok((StatusCode::ACCEPTED, Json(hub.webhook_redeliver(&webhook, &delivery).await?)))
}
