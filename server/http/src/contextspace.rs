//! `/repos/{repo}/contextspace`

use car_api::{
    Page, RepoId,
    context::{ContextDoc, ContextName, ContextUpdate},
};

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query},
    problem::Answer,
    version::{MustMatch, Tagged},
};

/// List the contextspace documents with their texts
#[utoipa::path(
    get, path = "/repos/{repo}/contextspace", tag = "contextspace", operation_id = "context_list",
    params(("repo" = RepoId, Path, description = "Repo or worktree"), Paging),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, in their usual order", body = Page<ContextDoc>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<ContextDoc>>> {
    Ok(Json(hub.context_list(&repo, paging.page()?).await?))
}

/// Get a contextspace document
#[utoipa::path(
    get, path = "/repos/{repo}/contextspace/{name}", tag = "contextspace", operation_id = "context_get",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("name" = ContextName, Path, description = "Document"),
    ),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "The document; empty when its file is missing", body = ContextDoc, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path((repo, name)): Path<(RepoId, ContextName)>,
) -> Answer<Tagged<ContextDoc>> {
    Ok(tagged(hub.context_get(&repo, name).await?))
}

/// Replace a contextspace document
#[utoipa::path(
    put, path = "/repos/{repo}/contextspace/{name}", tag = "contextspace", operation_id = "context_update",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("name" = ContextName, Path, description = "Document"),
        ("If-Match" = String, Header, description = "The `etag` of the version that was changed, or `*`"),
    ),
    request_body = ContextUpdate,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["stale", "precondition_required"]))),
    responses((status = 200, description = "The document as it is now", body = ContextDoc, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn update(
    Acting(hub): Acting,
    Path((repo, name)): Path<(RepoId, ContextName)>,
    MustMatch(version): MustMatch,
    Json(body): Json<ContextUpdate>,
) -> Answer<Tagged<ContextDoc>> {
    Ok(tagged(hub.context_update(&repo, name, body, Some(version)).await?))
}

fn tagged(doc: ContextDoc) -> Tagged<ContextDoc> {
    Tagged { etag: doc.etag.clone(), body: doc }
}
