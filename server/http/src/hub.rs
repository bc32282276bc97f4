//! `/hub`

use axum::extract::State;
use car_api::{
    Code,
    doctor::DoctorReport,
    hub::{Check, HubInfo, HubSnapshot, Readiness},
    problem::FieldError,
    repo::ScanReport,
};

use crate::{
    App,
    body::Json,
    caller::Acting,
    problem::{Answer, ApiError},
};

/// Say whether the hub can work
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "health_ready",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any")), ("x-agents" = json!(true))),
    responses((status = 200, description = "It can; what was looked at", body = Readiness)),
)]
pub(crate) async fn ready(Acting(hub): Acting, State(app): State<App>) -> Answer<Json<Readiness>> {
    if app.closing.has_begun() {
        return Err(ApiError::new(Code::Unavailable, "The hub is shutting down."));
    }
    let found = hub.ready().await?;
    if found.ready {
        return Ok(Json(found));
    }
    let error = ApiError::new(Code::Unavailable, "The hub cannot work now; `errors` says why.");
    let failed = found.checks.into_iter().filter(|check| !check.ok);
    Err(failed.fold(error, |error, Check { name, detail, .. }| {
        error.with_field(FieldError { pointer: name, detail })
    }))
}

/// Get the hub
#[utoipa::path(
    get, path = "/hub", tag = "hub", operation_id = "hub_get",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any")), ("x-agents" = json!(true))),
    responses((status = 200, description = "What this hub is", body = HubInfo)),
)]
pub(crate) async fn get(Acting(hub): Acting) -> Answer<Json<HubInfo>> {
    Ok(Json(hub.hub_get().await?))
}

/// Get what wants attention
///
/// One small document for an agent or a phone, with the event number it is true at: go on with
/// `event_list` from there.
#[utoipa::path(
    get, path = "/hub/snapshot", tag = "hub", operation_id = "hub_snapshot",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered")), ("x-agents" = json!(true))),
    responses((status = 200, description = "What wants attention", body = HubSnapshot)),
)]
pub(crate) async fn snapshot(Acting(hub): Acting) -> Answer<Json<HubSnapshot>> {
    Ok(Json(hub.hub_snapshot().await?))
}

/// Look for what could keep the hub from working
///
/// Each finding says what it is, why it matters and what mends it.
#[utoipa::path(
    get, path = "/hub/doctor", tag = "hub", operation_id = "hub_doctor",
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "What was found", body = DoctorReport)),
)]
pub(crate) async fn doctor(Acting(hub): Acting) -> Answer<Json<DoctorReport>> {
    Ok(Json(hub.hub_doctor().await?))
}

/// Look for repos and worktrees
///
/// Looks through the hub's directories and brings the manifest up to date.
#[utoipa::path(
    post, path = "/hub/scan", tag = "hub", operation_id = "hub_scan",
    extensions(("x-scope" = json!("write"))),
    responses((status = 200, description = "What was found", body = ScanReport)),
)]
pub(crate) async fn scan(Acting(hub): Acting) -> Answer<Json<ScanReport>> {
    Ok(Json(hub.hub_scan().await?))
}
