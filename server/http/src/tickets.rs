//! `/repos/{repo}/tickets` and `/tickets`

use axum::http::StatusCode;
use car_api::{
    Page, PageQuery, RepoId,
    job::Job,
    ticket::{
        LintReport, Ticket, TicketCreate, TicketDone, TicketLint, TicketMove, TicketPatch,
        TicketState, TicketText, TicketUpdate,
    },
};
use car_hub::TicketFilter;
use serde::Deserialize;

use crate::{
    body::{Json, Merge},
    caller::Acting,
    extract::{Path, Query, page},
    problem::Answer,
    version::{Encoded, IfMatch, Marked, MustMatch, Tagged},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TicketQuery {
    /// Only tickets that stand so.
    state: Option<TicketState>,
    /// Only tickets that this agent, or `user`, works.
    agent: Option<String>,
    /// Only tickets with this in their title, whatever the case.
    title: Option<String>,
    /// The `next` of the page before; the first page when absent.
    after: Option<String>,
    /// Entries a page, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl TicketQuery {
    fn parts(self) -> Answer<(TicketFilter, PageQuery)> {
        let Self { state, agent, title, after, limit } = self;
        Ok((TicketFilter { state, agent, title }, page(after, limit)?))
    }
}

/// List the tickets of a queue
///
/// Files with errors are listed like any other.
#[utoipa::path(
    get, path = "/repos/{repo}/tickets", tag = "tickets", operation_id = "ticket_list",
    params(("repo" = RepoId, Path, description = "Repo or worktree"), TicketQuery),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, in the queue's order", body = Page<Ticket>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Query(query): Query<TicketQuery>,
) -> Answer<Encoded> {
    let (filter, page) = query.parts()?;
    let (version, json) = hub.ticket_list_json(&repo, filter, page).await?;
    Ok(Encoded { version, json })
}

/// List the tickets of all queues
#[utoipa::path(
    get, path = "/tickets", tag = "tickets", operation_id = "ticket_list_all", params(TicketQuery),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("filtered")), ("x-agents" = json!(true))),
    responses((status = 200, description = "One page, by repo and number", body = Page<Ticket>)),
)]
pub(crate) async fn list_all(
    Acting(hub): Acting,
    Query(query): Query<TicketQuery>,
) -> Answer<Marked<Page<Ticket>>> {
    let (filter, page) = query.parts()?;
    let version = hub.lists_version();
    Ok(Marked { version, body: hub.ticket_list_all(filter, page).await? })
}

/// Create a ticket
#[utoipa::path(
    post, path = "/repos/{repo}/tickets", tag = "tickets", operation_id = "ticket_create",
    params(("repo" = RepoId, Path, description = "Repo or worktree")), request_body = TicketCreate,
    extensions(("x-scope" = json!("write")), ("x-agents" = json!(true)), ("x-problems" = json!(["agent_unavailable", "run_active"]))),
    responses((status = 201, description = "The new ticket", body = TicketText, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Json(body): Json<TicketCreate>,
) -> Answer<(StatusCode, Tagged<TicketText>)> {
    Ok((StatusCode::CREATED, tagged(hub.ticket_create(&repo, body).await?)))
}

/// Get a ticket with its text
#[utoipa::path(
    get, path = "/repos/{repo}/tickets/{ticket}", tag = "tickets", operation_id = "ticket_get",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("ticket" = String, Path, description = "Ticket: its number or its id"),
    ),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true))),
    responses((status = 200, description = "The ticket", body = TicketText, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path((repo, ticket)): Path<(RepoId, String)>,
) -> Answer<Tagged<TicketText>> {
    Ok(tagged(hub.ticket_get(&repo, &ticket).await?))
}

/// Replace a ticket's text
#[utoipa::path(
    put, path = "/repos/{repo}/tickets/{ticket}", tag = "tickets", operation_id = "ticket_update",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("ticket" = String, Path, description = "Ticket: its number or its id"),
        ("If-Match" = String, Header, description = "The `etag` of the version that was changed, or `*`"),
    ),
    request_body = TicketUpdate,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["stale", "precondition_required", "tickets_invalid"]))),
    responses((status = 200, description = "The ticket as it is now", body = TicketText, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn update(
    Acting(hub): Acting,
    Path((repo, ticket)): Path<(RepoId, String)>,
    MustMatch(version): MustMatch,
    Json(body): Json<TicketUpdate>,
) -> Answer<Tagged<TicketText>> {
    Ok(tagged(hub.ticket_update(&repo, &ticket, body, Some(version)).await?))
}

/// Change fields of a ticket
///
/// A merge patch (RFC 7396) of the frontmatter: fields that are absent stay, `null` takes a field
/// out. Nothing else in the file changes, not even its comments. With `If-Match` the change is made
/// on that version only; without, on whatever version is there.
#[utoipa::path(
    patch, path = "/repos/{repo}/tickets/{ticket}", tag = "tickets", operation_id = "ticket_patch",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("ticket" = String, Path, description = "Ticket: its number or its id"),
        ("If-Match" = Option<String>, Header, description = "The `etag` of the version that was read"),
    ),
    request_body(content = TicketPatch, content_type = "application/merge-patch+json"),
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["stale", "tickets_invalid", "agent_unavailable"]))),
    responses((status = 200, description = "The ticket as it is now", body = TicketText, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn patch(
    Acting(hub): Acting,
    Path((repo, ticket)): Path<(RepoId, String)>,
    IfMatch(version): IfMatch,
    Merge(body): Merge<TicketPatch>,
) -> Answer<Tagged<TicketText>> {
    Ok(tagged(hub.ticket_patch(&repo, &ticket, body, version).await?))
}

/// Run the commands that prove a ticket
///
/// On the tree as it is, as a job whose log has their output. They are the ticket's, else those the
/// hub or the repo has for all. What they give is no evidence: a run checks for itself.
#[utoipa::path(
    post, path = "/repos/{repo}/tickets/{ticket}/verify", tag = "tickets", operation_id = "ticket_verify",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("ticket" = String, Path, description = "Number, id, or file name"),
    ),
    extensions(("x-scope" = json!("run")), ("x-problems" = json!(["unprocessable", "run_active"]))),
    responses((status = 202, description = "The job that runs them", body = Job)),
)]
pub(crate) async fn verify(
    Acting(hub): Acting,
    Path((repo, ticket)): Path<(RepoId, String)>,
) -> Answer<(StatusCode, Json<Job>)> {
    Ok((StatusCode::ACCEPTED, Json(hub.ticket_verify(&repo, &ticket).await?)))
}

/// Mark a ticket done, or open again
#[utoipa::path(
    post, path = "/repos/{repo}/tickets/{ticket}/done", tag = "tickets", operation_id = "ticket_done",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("ticket" = String, Path, description = "Ticket: its number or its id"),
        ("If-Match" = Option<String>, Header, description = "The `etag` of the version that was read"),
    ),
    request_body = TicketDone,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["stale", "tickets_invalid"]))),
    responses((status = 200, description = "The ticket as it is now", body = TicketText, headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn done(
    Acting(hub): Acting,
    Path((repo, ticket)): Path<(RepoId, String)>,
    IfMatch(version): IfMatch,
    Json(body): Json<TicketDone>,
) -> Answer<Tagged<TicketText>> {
    Ok(tagged(hub.ticket_done(&repo, &ticket, body, version).await?))
}

/// Give a ticket another place in the queue
#[utoipa::path(
    post, path = "/repos/{repo}/tickets/{ticket}/move", tag = "tickets", operation_id = "ticket_move",
    params(
        ("repo" = RepoId, Path, description = "Repo or worktree"),
        ("ticket" = String, Path, description = "Ticket: its number or its id"),
    ),
    request_body = TicketMove,
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["stale", "tickets_invalid", "run_active"]))),
    responses((status = 200, description = "The queue as it is now", body = Page<Ticket>)),
)]
pub(crate) async fn r#move(
    Acting(hub): Acting,
    Path((repo, ticket)): Path<(RepoId, String)>,
    Json(body): Json<TicketMove>,
) -> Answer<Json<Page<Ticket>>> {
    Ok(Json(hub.ticket_move(&repo, &ticket, body).await?))
}

/// Close the gaps in a queue's numbers
#[utoipa::path(
    post, path = "/repos/{repo}/tickets/renumber", tag = "tickets", operation_id = "ticket_renumber",
    params(("repo" = RepoId, Path, description = "Repo or worktree")),
    extensions(("x-scope" = json!("write")), ("x-problems" = json!(["tickets_invalid", "run_active"]))),
    responses((status = 200, description = "The queue as it is now", body = Page<Ticket>)),
)]
pub(crate) async fn renumber(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
) -> Answer<Json<Page<Ticket>>> {
    Ok(Json(hub.ticket_renumber(&repo).await?))
}

/// Check a queue, and mend what can be mended safely
#[utoipa::path(
    post, path = "/repos/{repo}/tickets/lint", tag = "tickets", operation_id = "ticket_lint",
    params(("repo" = RepoId, Path, description = "Repo or worktree")), request_body = TicketLint,
    extensions(("x-scope" = json!("write")), ("x-agents" = json!(true)), ("x-problems" = json!(["unprocessable"]))),
    responses((status = 200, description = "What the linter found", body = LintReport)),
)]
pub(crate) async fn lint(
    Acting(hub): Acting,
    Path(repo): Path<RepoId>,
    Json(body): Json<TicketLint>,
) -> Answer<Json<LintReport>> {
    Ok(Json(hub.ticket_lint(&repo, body).await?))
}

fn tagged(text: TicketText) -> Tagged<TicketText> {
    Tagged { etag: text.ticket.etag.clone(), body: text }
}
