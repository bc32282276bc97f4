//! `/repos`

use axum::http::StatusCode;
use car_api::{
    Page, RepoId,
    job::Job,
    repo::{
        Repo, RepoClone, RepoCreate, RepoGit, RepoKind, RepoPatch, RepoRemove, RepoStatus, Setup,
        SetupUpdate,
    },
    run::RunStatus,
    worktree::RemovalReport,
};
use car_hub::RepoFilter;
use serde::Deserialize;

use crate::{
    body::{Json, Merge},
    caller::Acting,
    extract::{Path, Query, page},
    problem::Answer,
    version::{Encoded, MustMatch, Tagged},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RepoQuery {
    /// Only base repos, or only worktrees.
    kind: Option<RepoKind>,
    /// Only those that stand so.
    status: Option<RepoStatus>,
    /// Only worktrees of this repo.
    base: Option<RepoId>,
    /// Only those whose latest run stands so.
    run: Option<RunStatus>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List repos and worktrees
#[utoipa::path(
    get, path = "/repos", tag = "repos", operation_id = "repo_list", params(RepoQuery),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-limited" = json!("filtered"))),
    responses((status = 200, description = "One page, by id", body = Page<Repo>)),
)]
pub(crate) async fn list(Acting(hub): Acting, Query(query): Query<RepoQuery>) -> Answer<Encoded> {
    // The hub keeps this page as bytes: with hundreds of repos, encoding would be the whole cost.
    let RepoQuery { kind, status, base, run, after, limit } = query;
    let filter = RepoFilter { kind, status, base, run };
    let (version, json) = hub.repo_list_json(filter, page(after, limit)?).await?;
    Ok(Encoded { version, json })
}

/// Create a repo, or take an existing directory
#[utoipa::path(
    post, path = "/repos", tag = "repos", operation_id = "repo_create", request_body = RepoCreate,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["already_exists", "git_failed"]))),
    responses((status = 201, description = "The new repo", body = Repo)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<RepoCreate>,
) -> Answer<(StatusCode, Json<Repo>)> {
    Ok((StatusCode::CREATED, Json(hub.repo_create(body).await?)))
}

/// Clone a repo
#[utoipa::path(
    post, path = "/repos/clone", tag = "repos", operation_id = "repo_clone", request_body = RepoClone,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["already_exists"]))),
    responses((status = 202, description = "The job that clones it", body = Job)),
)]
pub(crate) async fn clone(
    Acting(hub): Acting,
    Json(body): Json<RepoClone>,
) -> Answer<(StatusCode, Json<Job>)> {
    Ok((StatusCode::ACCEPTED, Json(hub.repo_clone(body).await?)))
}

/// Get a repo or worktree
#[utoipa::path(
    get, path = "/repos/{repo}", tag = "repos", operation_id = "repo_get",
    params(("repo" = RepoId, Path, description = "Repo or worktree")),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "The repo", body = Repo)),
)]
pub(crate) async fn get(Acting(hub): Acting, Path(repo): Path<RepoId>) -> Answer<Json<Repo>> {
    Ok(Json(hub.repo_get(&repo).await?))
}

/// Ask git how a repo or worktree stands
#[utoipa::path(
    get, path = "/repos/{repo}/git", tag = "repos", operation_id = "repo_git",
    params(("repo" = RepoId, Path, description = "Repo or worktree")),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-problems" = json!(["git_state", "git_failed"]))),
    responses((status = 200, description = "Branch, commits, and what is not committed", body = RepoGit)),
)]
pub(crate) async fn git(Acting(hub): Acting, Path(repo): Path<RepoId>) -> Answer<Json<RepoGit>> {
    Ok(Json(hub.repo_git(&repo).await?))
}

/// Change a repo's name
///
/// A merge patch (RFC 7396): fields that are absent stay, `null` takes a value back.
#[utoipa::path(
    patch, path = "/repos/{repo}", tag = "repos", operation_id = "repo_update",
    params(("repo" = RepoId, Path, description = "Repo or worktree")),
    request_body(content = RepoPatch, content_type = "application/merge-patch+json"),
    extensions(("x-scope" = json!("write"))),
    responses((status = 200, description = "The repo as it is now", body = Repo)),
)]
pub(crate) async fn update(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Merge(body): Merge<RepoPatch>,
) -> Answer<Json<Repo>> {
    Ok(Json(hub.repo_update(&repo, body).await?))
}

/// Make the directories a queue needs
#[utoipa::path(
    post, path = "/repos/{repo}/init", tag = "repos", operation_id = "repo_init",
    params(("repo" = RepoId, Path, description = "Repo or worktree")),
    extensions(("x-scope" = json!("write"))),
    responses((status = 200, description = "The repo, ready", body = Repo)),
)]
pub(crate) async fn init(Acting(hub): Acting, Path(repo): Path<RepoId>) -> Answer<Json<Repo>> {
    Ok(Json(hub.repo_init(&repo).await?))
}

/// Bring a repo or worktree up to what its remote has
///
/// Fetches, and moves the branch that is checked out on to its upstream. Nothing is merged and
/// nothing is thrown away: what cannot simply move on is left as it is, with the reason.
#[utoipa::path(
    post, path = "/repos/{repo}/sync", tag = "repos", operation_id = "repo_sync",
    params(("repo" = RepoId, Path, description = "Repo or worktree")),
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["run_active"]))),
    responses((status = 202, description = "The job that does it", body = Job)),
)]
pub(crate) async fn sync(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
) -> Answer<(StatusCode, Json<Job>)> {
    Ok((StatusCode::ACCEPTED, Json(hub.repo_sync(&repo).await?)))
}

/// Get the commands that prepare new worktrees
#[utoipa::path(
    get, path = "/repos/{repo}/setup", tag = "repos", operation_id = "repo_setup_get",
    params(("repo" = RepoId, Path, description = "Base repo")),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The commands", body = Setup, headers(("ETag" = String, description = "Their version")))),
)]
pub(crate) async fn setup_get(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
) -> Answer<Tagged<Setup>> {
    Ok(tagged(hub.repo_setup_get(&repo).await?))
}

/// Set the commands that prepare new worktrees
#[utoipa::path(
    put, path = "/repos/{repo}/setup", tag = "repos", operation_id = "repo_setup_update",
    params(
        ("repo" = RepoId, Path, description = "Base repo"),
        ("If-Match" = String, Header, description = "The `etag` of the version that was changed, or `*`"),
    ),
    request_body = SetupUpdate,
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["stale", "precondition_required", "illegal_transition"]))),
    responses((status = 200, description = "The commands as they are now", body = Setup, headers(("ETag" = String, description = "Their version")))),
)]
pub(crate) async fn setup_update(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    MustMatch(version): MustMatch,
    Json(body): Json<SetupUpdate>,
) -> Answer<Tagged<Setup>> {
    Ok(tagged(hub.repo_setup_update(&repo, body, &version).await?))
}

fn tagged(setup: Setup) -> Tagged<Setup> {
    Tagged { etag: setup.etag.clone(), body: setup }
}

/// Take a repo out of the hub
///
/// Work that exists nowhere else is refused, unless its kinds are named in `drop`; it is then kept
/// as a salvage.
#[utoipa::path(
    post, path = "/repos/{repo}/remove", tag = "repos", operation_id = "repo_remove",
    params(("repo" = RepoId, Path, description = "Base repo")), request_body = RepoRemove,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["unprocessable", "would_lose_work", "run_active", "illegal_transition", "git_failed"]))),
    responses((status = 200, description = "What was done, or would be", body = RemovalReport)),
)]
pub(crate) async fn remove(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Json(body): Json<RepoRemove>,
) -> Answer<Json<RemovalReport>> {
    Ok(Json(hub.repo_remove(&repo, body).await?))
}
