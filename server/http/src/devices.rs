//! `/devices`

use axum::http::StatusCode;
use car_api::{DeviceId, Page, device::Device};

use crate::{body::Json, caller::Acting, extract::Path, problem::Answer};

/// List paired browsers
#[utoipa::path(
    get, path = "/devices", tag = "devices", operation_id = "device_list",
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "All browsers that may use the hub", body = Page<Device>)),
)]
pub(crate) async fn list(Acting(hub): Acting) -> Answer<Json<Page<Device>>> {
    Ok(Json(hub.device_list().await?))
}

/// Have a browser pair again
///
/// It is shut out at once; streams it has open are closed.
#[utoipa::path(
    delete, path = "/devices/{device}", tag = "devices", operation_id = "device_delete",
    params(("device" = DeviceId, Path, description = "Browser")),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 204, description = "The browser is shut out")),
)]
pub(crate) async fn delete(
    Acting(hub): Acting,
    Path(device): Path<DeviceId>,
) -> Answer<StatusCode> {
    hub.device_delete(&device).await?;
    Ok(StatusCode::NO_CONTENT)
}
