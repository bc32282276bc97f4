//! `/inbox`

use car_api::{
    InboxItemId, Page, RepoId, RunId,
    inbox::{InboxAct, InboxCounts, InboxItem, InboxKind, InboxSeen, InboxView},
};
use car_hub::InboxFilter;
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
    /// Which part: `open` when absent.
    status: Option<InboxView>,
    /// Only what is about this repo or worktree.
    repo: Option<RepoId>,
    /// Only what is about this run.
    run: Option<RunId>,
    /// Only of this kind.
    kind: Option<InboxKind>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List what waits for a person
///
/// Everything that waits or went wrong, each thing once: by rank, then age. What has ended stays for
/// 90 days, newest first.
#[utoipa::path(
    get, path = "/inbox", tag = "inbox", operation_id = "inbox_list",
    params(ListQuery),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered")), ("x-agents" = json!(true))),
    responses((status = 200, description = "A page", body = Page<InboxItem>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Page<InboxItem>>> {
    let ListQuery { status, repo, run, kind, after, limit } = query;
    let filter = InboxFilter { view: status.unwrap_or_default(), repo, run, kind };
    Ok(Json(hub.inbox_list(filter, page(after, limit)?).await?))
}

/// Count what waits for a person
#[utoipa::path(
    get, path = "/inbox/counts", tag = "inbox", operation_id = "inbox_counts",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered")), ("x-agents" = json!(true))),
    responses((status = 200, description = "How many items wait", body = InboxCounts)),
)]
pub(crate) async fn counts(Acting(hub): Acting) -> Answer<Json<InboxCounts>> {
    Ok(Json(hub.inbox_counts().await?))
}

/// Note what a person has seen
#[utoipa::path(
    post, path = "/inbox/seen", tag = "inbox", operation_id = "inbox_seen",
    request_body = InboxSeen,
    extensions(("x-scope" = json!("write")), ("x-limited" = json!("filtered")), ("x-problems" = json!(["not_found"]))),
    responses((status = 200, description = "How many items wait now", body = InboxCounts)),
)]
pub(crate) async fn seen(
    Acting(hub): Acting,
    Json(body): Json<InboxSeen>,
) -> Answer<Json<InboxCounts>> {
    Ok(Json(hub.inbox_seen(body.items).await?))
}

/// Get one thing that waits for a person
#[utoipa::path(
    get, path = "/inbox/{item}", tag = "inbox", operation_id = "inbox_get",
    params(("item" = InboxItemId, Path, description = "Item")),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered")), ("x-agents" = json!(true))),
    responses((status = 200, description = "The item", body = InboxItem)),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path(item): Path<InboxItemId>,
) -> Answer<Json<InboxItem>> {
    Ok(Json(hub.inbox_get(&item).await?))
}

/// Do one of an item's actions
///
/// It goes through the operation the action stands for (a reply, a decision, a resumed run …) and
/// needs that one's scope too: `approve` for permissions, `admin` for deliveries, `write` to put
/// away or mark done, `run` for the rest. Done again it changes nothing more; an item that waits no
/// longer is refused with what resolved it.
#[utoipa::path(
    post, path = "/inbox/{item}/act", tag = "inbox", operation_id = "inbox_act",
    params(("item" = InboxItemId, Path, description = "Item")), request_body = InboxAct,
    extensions(
        ("x-scope" = json!("read")), ("x-limited" = json!("filtered")),
        ("x-problems" = json!([
            "unprocessable", "illegal_transition", "forbidden", "run_active", "tickets_invalid",
            "git_state", "too_large", "stale"
        ])),
    ),
    responses((status = 200, description = "The item as it is now", body = InboxItem)),
)]
pub(crate) async fn act(
    Acting(hub): Acting,
    Path(item): Path<InboxItemId>,
    Json(body): Json<InboxAct>,
) -> Answer<Json<InboxItem>> {
    Ok(Json(hub.inbox_act(&item, body).await?))
}
