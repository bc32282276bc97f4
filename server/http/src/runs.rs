//! `/repos/{repo}/runs`, `/runs` and `/turns`

use axum::http::StatusCode;
use car_api::{
    ApprovalId, Page, RepoId, RunId, Timestamp, TurnId,
    dispatch::{Dispatch, DispatchCreate, DispatchMode, Reply, ReplyCreate},
    item::Approval,
    run::{ApprovalDecide, Explain, Run, RunResume, RunStart, RunStatus},
    turn::{Turn, TurnDetail},
    verify::Evidence,
};
use car_hub::RunFilter;
use serde::Deserialize;

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query, page},
    problem::Answer,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunQuery {
    /// Only runs of this repo or worktree.
    repo: Option<RepoId>,
    /// Only runs that stand so.
    status: Option<RunStatus>,
    /// Only runs asked for at or after this time.
    since: Option<Timestamp>,
    /// Only runs asked for before this time.
    until: Option<Timestamp>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Start a run over a queue
#[utoipa::path(
    post, path = "/repos/{repo}/runs", tag = "runs", operation_id = "run_start",
    params(("repo" = RepoId, Path, description = "Repo or worktree")), request_body = RunStart,
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["run_active", "tickets_invalid", "git_state", "agent_unavailable"]))),
    responses((status = 201, description = "The new run", body = Run)),
)]
pub(crate) async fn start(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Json(body): Json<RunStart>,
) -> Answer<(StatusCode, Json<Run>)> {
    Ok((StatusCode::CREATED, Json(hub.run_start(&repo, body).await?)))
}

/// List runs
#[utoipa::path(
    get, path = "/runs", tag = "runs", operation_id = "run_list", params(RunQuery),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, newest first", body = Page<Run>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(query): Query<RunQuery>,
) -> Answer<Json<Page<Run>>> {
    let RunQuery { repo, status, since, until, after, limit } = query;
    let filter = RunFilter { repo, status, since, until };
    Ok(Json(hub.run_list(filter, page(after, limit)?).await?))
}

/// Get a run
#[utoipa::path(
    get, path = "/runs/{run}", tag = "runs", operation_id = "run_get",
    params(("run" = RunId, Path, description = "Run")),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "The run", body = Run)),
)]
pub(crate) async fn get(Acting(hub): Acting, Path(run): Path<RunId>) -> Answer<Json<Run>> {
    Ok(Json(hub.run_get(&run).await?))
}

/// Say why a run stands as it does, and who acts next
#[utoipa::path(
    get, path = "/runs/{run}/explain", tag = "runs", operation_id = "run_explain",
    params(("run" = RunId, Path, description = "Run")),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "The explanation", body = Explain)),
)]
pub(crate) async fn explain(Acting(hub): Acting, Path(run): Path<RunId>) -> Answer<Json<Explain>> {
    Ok(Json(hub.run_explain(&run).await?))
}

/// Let a paused or parked run go on
#[utoipa::path(
    post, path = "/runs/{run}/resume", tag = "runs", operation_id = "run_resume",
    params(("run" = RunId, Path, description = "Run")), request_body = RunResume,
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["illegal_transition", "tickets_invalid", "agent_unavailable"]))),
    responses((status = 200, description = "The run", body = Run)),
)]
pub(crate) async fn resume(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Json(body): Json<RunResume>,
) -> Answer<Json<Run>> {
    Ok(Json(hub.run_resume(&run, body).await?))
}

/// Pause a run after its present turn
#[utoipa::path(
    post, path = "/runs/{run}/pause", tag = "runs", operation_id = "run_pause",
    params(("run" = RunId, Path, description = "Run")),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 200, description = "The run", body = Run)),
)]
pub(crate) async fn pause(Acting(hub): Acting, Path(run): Path<RunId>) -> Answer<Json<Run>> {
    Ok(Json(hub.run_pause(&run).await?))
}

/// Stop a run and its agent now
#[utoipa::path(
    post, path = "/runs/{run}/stop", tag = "runs", operation_id = "run_stop",
    params(("run" = RunId, Path, description = "Run")),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 200, description = "The run", body = Run)),
)]
pub(crate) async fn stop(Acting(hub): Acting, Path(run): Path<RunId>) -> Answer<Json<Run>> {
    Ok(Json(hub.run_stop(&run).await?))
}

/// Reply to a run; the text is in its next prompt
#[utoipa::path(
    post, path = "/runs/{run}/reply", tag = "runs", operation_id = "run_reply",
    params(("run" = RunId, Path, description = "Run")), request_body = ReplyCreate,
    extensions(("x-scope" = json!("approve")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 201, description = "The reply as it was archived", body = Reply)),
)]
pub(crate) async fn reply(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Json(body): Json<ReplyCreate>,
) -> Answer<(StatusCode, Json<Reply>)> {
    Ok((StatusCode::CREATED, Json(hub.run_reply(&run, body).await?)))
}

/// List the turns of a run
#[utoipa::path(
    get, path = "/runs/{run}/turns", tag = "runs", operation_id = "run_turns",
    params(("run" = RunId, Path, description = "Run"), Paging),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, oldest first", body = Page<Turn>)),
)]
pub(crate) async fn turns(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Turn>>> {
    Ok(Json(hub.run_turns(&run, paging.page()?).await?))
}

/// Get a turn with everything the agent did in it
#[utoipa::path(
    get, path = "/turns/{turn}", tag = "runs", operation_id = "turn_get",
    params(("turn" = TurnId, Path, description = "Turn")),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "The turn", body = TurnDetail)),
)]
pub(crate) async fn turn(
    Acting(hub): Acting,
    Path(turn): Path<TurnId>,
) -> Answer<Json<TurnDetail>> {
    Ok(Json(hub.turn_get(&turn).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DispatchQuery {
    /// Only dispatches that ask for this.
    mode: Option<DispatchMode>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List what a run's agent said to people
#[utoipa::path(
    get, path = "/runs/{run}/dispatches", tag = "runs", operation_id = "run_dispatches",
    params(("run" = RunId, Path, description = "Run"), DispatchQuery),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, oldest first", body = Page<Dispatch>)),
)]
pub(crate) async fn dispatches(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Query(query): Query<DispatchQuery>,
) -> Answer<Json<Page<Dispatch>>> {
    let page = page(query.after, query.limit)?;
    Ok(Json(hub.run_dispatches(&run, query.mode, page).await?))
}

/// Say something to people for a run's agent
///
/// It is left where the agent would write it, and taken up when the turn ends; with `pause` the run
/// then waits for an answer.
#[utoipa::path(
    post, path = "/runs/{run}/dispatches", tag = "runs", operation_id = "dispatch_create",
    params(("run" = RunId, Path, description = "Run")), request_body = DispatchCreate,
    extensions(("x-scope" = json!("write")), ("x-agents" = json!(true)), ("x-problems" = json!(["unprocessable", "already_exists", "illegal_transition"]))),
    responses((status = 202, description = "It is kept for the end of the turn")),
)]
pub(crate) async fn ask(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Json(body): Json<DispatchCreate>,
) -> Answer<StatusCode> {
    hub.dispatch_create(&run, body).await?;
    Ok(StatusCode::ACCEPTED)
}

/// List what people replied to a run
#[utoipa::path(
    get, path = "/runs/{run}/replies", tag = "runs", operation_id = "run_replies",
    params(("run" = RunId, Path, description = "Run"), Paging),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, oldest first", body = Page<Reply>)),
)]
pub(crate) async fn replies(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Reply>>> {
    Ok(Json(hub.run_replies(&run, paging.page()?).await?))
}

/// List what the hub found when it checked a run's claims
#[utoipa::path(
    get, path = "/runs/{run}/evidence", tag = "runs", operation_id = "run_evidence",
    params(("run" = RunId, Path, description = "Run"), Paging),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, oldest first", body = Page<Evidence>)),
)]
pub(crate) async fn evidence(
    Acting(hub): Acting,
    Path(run): Path<RunId>,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Evidence>>> {
    Ok(Json(hub.run_evidence(&run, paging.page()?).await?))
}

/// Answer a question of an agent
#[utoipa::path(
    post, path = "/runs/{run}/approvals/{approval}", tag = "runs", operation_id = "approval_decide",
    params(
        ("run" = RunId, Path, description = "Run"),
        ("approval" = ApprovalId, Path, description = "Question"),
    ),
    request_body = ApprovalDecide,
    extensions(("x-scope" = json!("approve")), ("x-problems" = json!(["illegal_transition"]))),
    responses((status = 200, description = "The question with its answer", body = Approval)),
)]
pub(crate) async fn decide(
    Acting(hub): Acting,
    Path((run, approval)): Path<(RunId, ApprovalId)>,
    Json(body): Json<ApprovalDecide>,
) -> Answer<Json<Approval>> {
    Ok(Json(hub.approval_decide(&run, &approval, body).await?))
}
