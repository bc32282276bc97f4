//! `/threads` and `/messages`

use axum::http::StatusCode;
use car_api::{
    ApprovalId, MessageId, Page, RepoId, ThreadKey,
    item::Approval,
    run::ApprovalDecide,
    thread::{
        Message, MessageDetail, MessageHit, MessagePost, Thread, ThreadCreate, ThreadFork,
        ThreadKind, ThreadStatus, ThreadUpdate,
    },
};
use car_hub::{MessagePage, ThreadFilter};
use serde::Deserialize;

use crate::{
    body::Json,
    caller::Acting,
    extract::{Path, Query, page},
    problem::{Answer, ApiError},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ThreadQuery {
    /// Only of this kind.
    kind: Option<ThreadKind>,
    /// Only about this repo or worktree.
    repo: Option<RepoId>,
    /// Only those that stand so.
    status: Option<ThreadStatus>,
    /// Those put away: `false`, not them, which is also meant when absent; `true`, only them; `all`.
    #[param(inline)]
    archived: Option<Archived>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Archived {
    False,
    True,
    All,
}

/// List threads
#[utoipa::path(
    get, path = "/threads", tag = "threads", operation_id = "thread_list", params(ThreadQuery),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered"))),
    responses((status = 200, description = "One page, the one that was active last first", body = Page<Thread>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(query): Query<ThreadQuery>,
) -> Answer<Json<Page<Thread>>> {
    let ThreadQuery { kind, repo, status, archived, after, limit } = query;
    let archived = match archived {
        None | Some(Archived::False) => Some(false),
        Some(Archived::True) => Some(true),
        Some(Archived::All) => None,
    };
    let filter = ThreadFilter { kind, repo, status, archived };
    Ok(Json(hub.thread_list(filter, page(after, limit)?).await?))
}

/// Begin a thread
#[utoipa::path(
    post, path = "/threads", tag = "threads", operation_id = "thread_create",
    request_body = ThreadCreate,
    extensions(("x-scope" = json!("write")), ("x-limited" = json!("filtered")), ("x-problems" = json!(["unprocessable", "not_found", "agent_unavailable", "restore_unconfirmed"]))),
    responses((status = 201, description = "The new thread", body = Thread)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<ThreadCreate>,
) -> Answer<(StatusCode, Json<Thread>)> {
    Ok((StatusCode::CREATED, Json(hub.thread_create(body).await?)))
}

/// Get a thread
#[utoipa::path(
    get, path = "/threads/{thread}", tag = "threads", operation_id = "thread_get",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The thread", body = Thread)),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
) -> Answer<Json<Thread>> {
    Ok(Json(hub.thread_get(thread.as_str()).await?))
}

/// Change a thread's name or settings, put it away or take it out again
#[utoipa::path(
    patch, path = "/threads/{thread}", tag = "threads", operation_id = "thread_update",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    request_body = ThreadUpdate,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["unprocessable", "illegal_transition", "restore_unconfirmed"]))),
    responses((status = 200, description = "The thread", body = Thread)),
)]
pub(crate) async fn update(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
    Json(body): Json<ThreadUpdate>,
) -> Answer<Json<Thread>> {
    Ok(Json(hub.thread_update(thread.as_str(), body).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// The messages before this number, the last of them; `next` of the page before.
    #[param(maximum = 4_294_967_295_u32)]
    before: Option<u32>,
    /// The messages after this number, the first of them.
    #[param(maximum = 4_294_967_295_u32)]
    after: Option<u32>,
    /// Messages a page, 1 to 500; 50 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List the messages of a thread
///
/// Without `before` and `after` the last page; in every page the oldest message comes first. `next`
/// is the number to pass as `before` for the page before, or, when `after` was passed, as `after`
/// for the page behind.
#[utoipa::path(
    get, path = "/threads/{thread}/messages", tag = "threads", operation_id = "message_list",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`"), MessageQuery),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "One page, oldest first", body = Page<Message>)),
)]
pub(crate) async fn messages(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
    Query(query): Query<MessageQuery>,
) -> Answer<Json<Page<Message>>> {
    let MessageQuery { before, after, limit } = query;
    if limit.is_some_and(|limit| !(1..=500).contains(&limit)) {
        return Err(ApiError::bad_request("`limit` must be 1 to 500."));
    }
    let page = MessagePage { before, after, limit };
    Ok(Json(hub.message_list(thread.as_str(), page).await?))
}

/// Post a message to a thread's agent
///
/// It waits its turn (`busy: queue`), comes next and cuts the answer off that is under way
/// (`interrupt`), or is refused while the agent is busy (`reject`). With a `client_turn_id`, or an
/// `Idempotency-Key`, it is one message however often it is sent, before and after a restart.
#[utoipa::path(
    post, path = "/threads/{thread}/messages", tag = "threads", operation_id = "message_post",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    request_body = MessagePost,
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["unprocessable", "busy", "illegal_transition", "idempotency_mismatch", "restore_unconfirmed"]))),
    responses(
        (status = 202, description = "The message, which is answered when its turn comes", body = Message),
        (status = 200, description = "The message as it is now: it was posted before", body = Message),
    ),
)]
pub(crate) async fn post(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
    Json(body): Json<MessagePost>,
) -> Answer<(StatusCode, Json<Message>)> {
    Ok(posted(hub.message_post(thread.as_str(), body).await?))
}

fn posted((message, again): (Message, bool)) -> (StatusCode, Json<Message>) {
    (if again { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(message))
}

/// Get a message with everything the agent did to answer it
#[utoipa::path(
    get, path = "/threads/{thread}/messages/{message}", tag = "threads", operation_id = "message_get",
    params(
        ("thread" = ThreadKey, Path, description = "Thread, or `pma`"),
        ("message" = MessageId, Path, description = "Message"),
    ),
    extensions(("x-scope" = json!("read"))),
    responses((status = 200, description = "The message", body = MessageDetail)),
)]
pub(crate) async fn message(
    Acting(hub): Acting,
    Path((thread, message)): Path<(ThreadKey, MessageId)>,
) -> Answer<Json<MessageDetail>> {
    Ok(Json(hub.message_get(thread.as_str(), &message).await?))
}

/// Take a message back that waits
#[utoipa::path(
    delete, path = "/threads/{thread}/messages/{message}", tag = "threads", operation_id = "message_cancel",
    params(
        ("thread" = ThreadKey, Path, description = "Thread, or `pma`"),
        ("message" = MessageId, Path, description = "Message"),
    ),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 200, description = "The message, cancelled", body = Message)),
)]
pub(crate) async fn cancel(
    Acting(hub): Acting,
    Path((thread, message)): Path<(ThreadKey, MessageId)>,
) -> Answer<Json<Message>> {
    Ok(Json(hub.message_cancel(thread.as_str(), &message).await?))
}

/// Have the agent go on with an answer that was cut off or failed
#[utoipa::path(
    post, path = "/threads/{thread}/messages/{message}/continue", tag = "threads", operation_id = "message_continue",
    params(
        ("thread" = ThreadKey, Path, description = "Thread, or `pma`"),
        ("message" = MessageId, Path, description = "Message"),
    ),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["busy", "illegal_transition", "restore_unconfirmed"]))),
    responses(
        (status = 202, description = "A new message that goes on from that one", body = Message),
        (status = 200, description = "The same: it was asked for before", body = Message),
    ),
)]
pub(crate) async fn go_on(
    Acting(hub): Acting,
    Path((thread, message)): Path<(ThreadKey, MessageId)>,
) -> Answer<(StatusCode, Json<Message>)> {
    Ok(posted(hub.message_continue(thread.as_str(), &message).await?))
}

/// Cut off the answer that is under way; the queue goes on
#[utoipa::path(
    post, path = "/threads/{thread}/interrupt", tag = "threads", operation_id = "thread_interrupt",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["illegal_transition", "restore_unconfirmed"]))),
    responses((status = 200, description = "The thread", body = Thread)),
)]
pub(crate) async fn interrupt(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
) -> Answer<Json<Thread>> {
    Ok(Json(hub.thread_interrupt(thread.as_str()).await?))
}

/// Cut off the answer that is under way, and take back every message that waits
#[utoipa::path(
    post, path = "/threads/{thread}/stop", tag = "threads", operation_id = "thread_stop",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["restore_unconfirmed"]))),
    responses((status = 200, description = "The thread", body = Thread)),
)]
pub(crate) async fn stop(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
) -> Answer<Json<Thread>> {
    Ok(Json(hub.thread_stop(thread.as_str()).await?))
}

/// Let a held thread go on
///
/// What waits is looked at again, and the failures counted so far are forgotten: its circuit breaker
/// closes. A limit that is still reached holds it again. A thread that is not held stays as it is.
/// Agents may not.
#[utoipa::path(
    post, path = "/threads/{thread}/resume", tag = "threads", operation_id = "thread_resume",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["restore_unconfirmed"]))),
    responses((status = 200, description = "The thread", body = Thread)),
)]
pub(crate) async fn resume(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
) -> Answer<Json<Thread>> {
    Ok(Json(hub.thread_resume(thread.as_str()).await?))
}

/// Begin a new conversation of the agent; the messages stay
#[utoipa::path(
    post, path = "/threads/{thread}/reset", tag = "threads", operation_id = "thread_reset",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["restore_unconfirmed"]))),
    responses((status = 200, description = "The thread", body = Thread)),
)]
pub(crate) async fn reset(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
) -> Answer<Json<Thread>> {
    Ok(Json(hub.thread_reset(thread.as_str()).await?))
}

/// Make the agent's conversation shorter
///
/// By the agent itself where it can; else a new conversation begins with what was said last.
#[utoipa::path(
    post, path = "/threads/{thread}/compact", tag = "threads", operation_id = "thread_compact",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["illegal_transition", "agent_unavailable", "restore_unconfirmed"]))),
    responses((status = 200, description = "The thread", body = Thread)),
)]
pub(crate) async fn compact(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
) -> Answer<Json<Thread>> {
    Ok(Json(hub.thread_compact(thread.as_str()).await?))
}

/// Begin another thread from what was said in this one
#[utoipa::path(
    post, path = "/threads/{thread}/fork", tag = "threads", operation_id = "thread_fork",
    params(("thread" = ThreadKey, Path, description = "Thread, or `pma`")),
    request_body = ThreadFork,
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["unprocessable", "illegal_transition", "busy", "agent_cannot", "agent_unavailable", "restore_unconfirmed"]))),
    responses((status = 201, description = "The new thread", body = Thread)),
)]
pub(crate) async fn fork(
    Acting(hub): Acting,
    Path(thread): Path<ThreadKey>,
    Json(body): Json<ThreadFork>,
) -> Answer<(StatusCode, Json<Thread>)> {
    Ok((StatusCode::CREATED, Json(hub.thread_fork(thread.as_str(), body).await?)))
}

/// Answer a question of a thread's agent
#[utoipa::path(
    post, path = "/threads/{thread}/approvals/{approval}", tag = "threads", operation_id = "thread_approval_decide",
    params(
        ("thread" = ThreadKey, Path, description = "Thread, or `pma`"),
        ("approval" = ApprovalId, Path, description = "Question"),
    ),
    request_body = ApprovalDecide,
    extensions(("x-scope" = json!("approve")), ("x-problems" = json!(["illegal_transition", "restore_unconfirmed"]))),
    responses((status = 200, description = "The question with its answer", body = Approval)),
)]
pub(crate) async fn decide(
    Acting(hub): Acting,
    Path((thread, approval)): Path<(ThreadKey, ApprovalId)>,
    Json(body): Json<ApprovalDecide>,
) -> Answer<Json<Approval>> {
    Ok(Json(hub.thread_approval_decide(thread.as_str(), &approval, body).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// Words that all have to be there, the last one perhaps as a beginning; what stands in `"` has
    /// to be there as it is. Without a word nothing is found.
    #[serde(default)]
    #[param(max_length = 500, required = false)]
    q: String,
    /// Only in this thread.
    thread: Option<ThreadKey>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Search the messages of all threads and their answers
#[utoipa::path(
    get, path = "/messages", tag = "threads", operation_id = "message_search", params(SearchQuery),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered")), ("x-problems" = json!(["not_found"]))),
    responses((status = 200, description = "One page, the newest first", body = Page<MessageHit>)),
)]
pub(crate) async fn search(
    Acting(hub): Acting,
    Query(query): Query<SearchQuery>,
) -> Answer<Json<Page<MessageHit>>> {
    let SearchQuery { q, thread, after, limit } = query;
    if q.chars().count() > 500 {
        return Err(ApiError::bad_request("`q` has at most 500 characters."));
    }
    if let Some(thread) = &thread {
        hub.check_thread(thread.as_str()).await?;
    }
    let page = page(after, limit)?;
    Ok(Json(hub.message_search(&q, thread.as_ref().map(ThreadKey::as_str), page).await?))
}
