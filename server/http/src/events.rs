//! `/events`: the log as a page, as server-sent events, and over a WebSocket.

mod follow;
mod socket;
mod sse;

use axum::{
    extract::{FromRequestParts, Request, State, ws::WebSocketUpgrade},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use car_api::{Event, Page, RepoId, RunId};
use car_hub::EventFilter;
use serde::Deserialize;

use crate::{
    App,
    body::Json,
    caller::Caller,
    extract::Query,
    origin,
    problem::{Answer, ApiError},
};
use follow::Follow;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// Number of the last event the client has; 0, from the beginning, when absent. A reconnecting
    /// event source may send it as `Last-Event-ID` instead.
    after: Option<i64>,
    /// Events a page, 1 to 500; 100 when absent. Streams have no limit.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Only of this repo or worktree.
    repo: Option<RepoId>,
    /// Only of this run.
    run: Option<RunId>,
    /// Only of these kinds, separated by commas; live text is not sent then.
    kind: Option<String>,
}

/// Read the log, or follow it
///
/// One page as JSON; an endless stream of server-sent events with `Accept: text/event-stream`
/// (`id` is the event's number, `data` a `StreamMessage`); the same stream as text frames of a
/// WebSocket when the request upgrades. A stream sends what there is, then `caught_up`, then what
/// comes; live text is sent only from then on. `caught_up` comes again when the log grew by events
/// that do not match, so that the client's cursor moves on.
///
/// A WebSocket is closed with 1012 when the hub restarts, 4401 when the token was deleted or ran
/// out, 4408 when the client reads too slowly, and 4410 when its cursor is older than what is
/// kept: start from `hub_snapshot` then, in all other cases from the last event received.
#[utoipa::path(
    get, path = "/events", tag = "events", operation_id = "event_list",
    params(EventQuery, ("Last-Event-ID" = Option<i64>, Header, description = "As `after`, for event sources")),
    extensions(("x-scope" = json!("read")), ("x-problems" = json!(["cursor_too_old", "forbidden"]))),
    responses(
        (status = 101, description = "The stream, as a WebSocket"),
        (status = 200, description = "One page, oldest first, or the stream", content(
            (Page<Event> = "application/json"),
            (String = "text/event-stream"),
        )),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<EventQuery>,
    request: Request,
) -> Answer<Response> {
    let wanted = Wanted::from(query, request.headers())?;
    if origin::upgrades(request.headers()) {
        let (mut parts, _) = request.into_parts();
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &app)
            .await
            .map_err(|refusal| ApiError::bad_request(refusal.body_text()))?;
        return Ok(socket::open(upgrade, app.closing.clone(), Follow::new(&app, caller, wanted)));
    }
    if accepts_stream(request.headers()) {
        let mut follow = Follow::new(&app, caller, wanted);
        follow.begin().await?;
        return Ok(sse::stream(follow));
    }
    Ok(Json(one_page(&app, wanted).await?).into_response())
}

/// What a client asked for, checked.
struct Wanted {
    after: i64,
    limit: u32,
    filter: EventFilter,
}

impl Wanted {
    fn from(query: EventQuery, headers: &HeaderMap) -> Answer<Self> {
        let last = match headers.get("last-event-id") {
            None => None,
            Some(id) => Some(id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
                ApiError::bad_request("`Last-Event-ID` must be an event's number.")
            })?),
        };
        let after = query.after.or(last).unwrap_or(0);
        let limit = query.limit.unwrap_or(100);
        if after < 0 || !(1..=500).contains(&limit) {
            let detail = "`after` must be an event's number or 0, `limit` 1 to 500.";
            return Err(ApiError::bad_request(detail));
        }
        let kinds = query.kind.as_deref().unwrap_or_default().split(',').map(str::trim);
        let kinds = kinds.filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
        Ok(Self { after, limit, filter: EventFilter { repo: query.repo, run: query.run, kinds } })
    }
}

async fn one_page(app: &App, wanted: Wanted) -> Answer<Page<Event>> {
    let items = app.hub.events(wanted.after, wanted.limit, &wanted.filter).await?;
    let full = items.len() >= wanted.limit as usize;
    let next = items.last().filter(|_| full).map(|event| event.seq.to_string());
    Ok(Page { items, next })
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/event-stream"))
}
