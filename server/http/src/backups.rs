//! `/backups`, and the report of a restore.

use axum::http::StatusCode;
use car_api::{
    Page,
    backup::{Backup, BackupCreate},
    job::Job,
};

use crate::{body::Json, caller::Acting, problem::Answer};

/// List backups
#[utoipa::path(
    get, path = "/backups", tag = "backups", operation_id = "backup_list",
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The backups in the hub's backup directory, newest first", body = Page<Backup>)),
)]
pub(crate) async fn list(Acting(hub): Acting) -> Answer<Json<Page<Backup>>> {
    Ok(Json(hub.backup_list().await?))
}

/// Make a backup
///
/// The hub works on meanwhile. The archive is read back before the job ends; keys and tokens are
/// not in it.
#[utoipa::path(
    post, path = "/backups", tag = "backups", operation_id = "backup_create",
    request_body = BackupCreate,
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["disk_full"]))),
    responses((status = 202, description = "The job that makes it", body = Job)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<BackupCreate>,
) -> Answer<(StatusCode, Json<Job>)> {
    Ok((StatusCode::ACCEPTED, Json(hub.backup_create(body).await?)))
}

/// Confirm a restore
///
/// A restored hub starts nothing, goes on with nothing and removes nothing until a person has read
/// the report (`restore` of the hub) and says so here.
#[utoipa::path(
    post, path = "/hub/restore/confirm", tag = "backups", operation_id = "restore_confirm",
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 204, description = "The hub works again")),
)]
pub(crate) async fn confirm(Acting(hub): Acting) -> Answer<StatusCode> {
    hub.restore_confirm().await?;
    Ok(StatusCode::NO_CONTENT)
}
