//! `/keys`

use car_api::{Page, key::SigningKey};

use crate::{body::Json, caller::Acting, problem::Answer};

/// List the keys that sign short-lived tokens
#[utoipa::path(
    get, path = "/keys", tag = "tokens", operation_id = "key_list",
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "The keys that are believed, oldest first", body = Page<SigningKey>)),
)]
pub(crate) async fn list(Acting(hub): Acting) -> Json<Page<SigningKey>> {
    Json(hub.key_list())
}

/// Sign with a new key from now on
///
/// What the key before signed is believed for another day, so nobody is cut off.
#[utoipa::path(
    post, path = "/keys/rotate", tag = "tokens", operation_id = "key_rotate",
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "The keys as they are now", body = Page<SigningKey>)),
)]
pub(crate) async fn rotate(Acting(hub): Acting) -> Answer<Json<Page<SigningKey>>> {
    Ok(Json(hub.key_rotate().await?))
}
