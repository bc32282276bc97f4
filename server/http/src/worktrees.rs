//! `/worktrees` and `/salvages`

use axum::http::StatusCode;
use car_api::{
    Page, RepoId, SalvageId,
    job::Job,
    repo::Repo,
    worktree::{RemovalReport, Salvage, WorktreeCleanup, WorktreeCreate},
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
pub(crate) struct WorktreeQuery {
    /// Only worktrees of this repo.
    base: Option<RepoId>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List worktrees
#[utoipa::path(
    get, path = "/worktrees", tag = "worktrees", operation_id = "worktree_list", params(WorktreeQuery),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered"))),
    responses((status = 200, description = "One page, by id", body = Page<Repo>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(query): Query<WorktreeQuery>,
) -> Answer<Json<Page<Repo>>> {
    Ok(Json(hub.worktree_list(query.base, page(query.after, query.limit)?).await?))
}

/// Create a worktree and run the set-up commands of its base
#[utoipa::path(
    post, path = "/worktrees", tag = "worktrees", operation_id = "worktree_create",
    request_body = WorktreeCreate,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["not_found", "already_exists", "illegal_transition", "git_state", "git_failed"]))),
    responses((status = 202, description = "The job that makes it", body = Job)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<WorktreeCreate>,
) -> Answer<(StatusCode, Json<Job>)> {
    Ok((StatusCode::ACCEPTED, Json(hub.worktree_create(body).await?)))
}

/// Remove a worktree
///
/// Its queue and runs are archived. Work that exists nowhere else is refused, unless its kinds are
/// named in `drop`; it is then kept as a salvage.
#[utoipa::path(
    post, path = "/worktrees/{repo}/cleanup", tag = "worktrees", operation_id = "worktree_cleanup",
    params(("repo" = RepoId, Path, description = "Worktree")), request_body = WorktreeCleanup,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["unprocessable", "would_lose_work", "run_active", "illegal_transition", "git_state", "git_failed"]))),
    responses((status = 200, description = "What was done, or would be", body = RemovalReport)),
)]
pub(crate) async fn cleanup(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Json(body): Json<WorktreeCleanup>,
) -> Answer<Json<RemovalReport>> {
    Ok(Json(hub.worktree_cleanup(&repo, body).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SalvageQuery {
    /// Only what was kept of this repo or worktree.
    repo: Option<RepoId>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List what was kept of removed worktrees and repos
#[utoipa::path(
    get, path = "/salvages", tag = "worktrees", operation_id = "salvage_list", params(SalvageQuery),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "One page, newest first", body = Page<Salvage>)),
)]
pub(crate) async fn salvages(
    Acting(hub): Acting,
    Query(query): Query<SalvageQuery>,
) -> Answer<Json<Page<Salvage>>> {
    Ok(Json(hub.salvage_list(query.repo, page(query.after, query.limit)?).await?))
}

/// Bring a removed worktree or repo back
#[utoipa::path(
    post, path = "/salvages/{salvage}/restore", tag = "worktrees", operation_id = "salvage_restore",
    params(("salvage" = SalvageId, Path, description = "What was kept")),
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["already_exists", "git_state", "git_failed"]))),
    responses((status = 200, description = "The worktree or repo, as it was", body = Repo)),
)]
pub(crate) async fn restore(
    Acting(hub): Acting,
    Path(salvage): Path<SalvageId>,
) -> Answer<Json<Repo>> {
    Ok(Json(hub.salvage_restore(&salvage).await?))
}
