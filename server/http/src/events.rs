//! `/events`: the log as a page, as server-sent events, and over a WebSocket.

mod follow;
mod socket;
mod sse;
mod tail;

use axum::{
    extract::{FromRequestParts, Request, State, ws::WebSocketUpgrade},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use car_api::{Code, Event, Page, RepoId, RunId, ThreadId, event::EventCursor};
use car_hub::{EventFilter, Hub};
use serde::Deserialize;

use crate::{
    App,
    body::Json,
    caller::{Caller, Filter},
    extract::Query,
    origin,
    problem::{Answer, ApiError},
};
use follow::Follow;
pub(crate) use tail::Tail;

/// The log's epoch, in the answer to an upgrade: a client that is cut before `caught_up` knows it.
const EPOCH: HeaderName = HeaderName::from_static("car-epoch");

/// The word for the end of the log as it is now.
const NEWEST: &str = "newest";

/// What the stream is called among a WebSocket's protocols.
pub(crate) const PROTOCOL: &str = "car.v1";

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// Where to go on: the number of the last event the client has, `<epoch>-<number>` to be sure
    /// that it is this log's, or `newest`; 0, from the oldest that is kept, when absent. A
    /// reconnecting event source may send it as `Last-Event-ID` instead.
    after: Option<String>,
    /// Instead of `after`: begin with the last so many events that match, 1 to 10,000.
    #[param(minimum = 1, maximum = 10_000)]
    last: Option<u32>,
    /// Events a page, 1 to 500; 100 when absent. Streams have no limit.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Only of this repo or worktree.
    repo: Option<RepoId>,
    /// Only of this run.
    run: Option<RunId>,
    /// Only of this thread.
    thread: Option<ThreadId>,
    /// Only of these kinds, separated by commas; live text is not sent then.
    kind: Option<String>,
}

/// Read the log, or follow it
///
/// One page as JSON; an endless stream of server-sent events with `Accept: text/event-stream`
/// (`id` is the event's cursor, `data` a `StreamMessage`); the same stream as text frames of a
/// WebSocket when the request upgrades. A stream sends what there is, then `caught_up`, then what
/// comes; live text is sent only from then on. `caught_up` comes again when the log grew by events
/// that do not match, so that the client's cursor moves on.
///
/// A browser opens its WebSocket with a ticket of `ws_ticket_create`, offered as a protocol beside
/// `car.v1`; everything else with `Authorization`.
/// Live frames may be missed. Whoever was away reads `turn_get` (of a thread: `message_get`) once: `writing` has the text so
/// far of every piece that is being written, and frames go on from its `offset` plus its length in
/// bytes of UTF-8; a frame that begins further on means that one was missed: read again.
///
/// Events are kept for a time (`events.keep_days`, `events.keep_count`). A cursor from before that,
/// of the log before the hub was restored, or ahead of the log is answered with 410
/// `cursor_too_old`, whose `gone` says where to start instead; a stream says `gone` and ends.
///
/// A WebSocket is closed with 1012 when the hub restarts, 4401 when the token was deleted or ran
/// out, 4408 when the client reads too slowly, 4410 after `gone`, and 1008 when the client sends
/// more than 50 messages a second. In all cases but 4410 go on from the last event received.
#[utoipa::path(
    get, path = "/events", tag = "events", operation_id = "event_list",
    params(EventQuery, ("Last-Event-ID" = Option<String>, Header, description = "As `after`, for event sources")),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-limited" = json!("filtered")), ("x-problems" = json!(["cursor_too_old", "forbidden"]))),
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
    if caller.follows().is_some_and(|made_for| *made_for != wanted.for_ticket()) {
        let detail = "The ticket was made for another `repo`, `run`, `thread` or `kind`.";
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    if origin::upgrades(request.headers()) {
        let (mut parts, _) = request.into_parts();
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &app)
            .await
            .map_err(|refusal| ApiError::bad_request(refusal.body_text()))?;
        let epoch = HeaderValue::from_str(app.hub.epoch());
        // Only this is answered of what was offered; a ticket among it is never repeated.
        let upgrade = upgrade.protocols([PROTOCOL]);
        let follow = Follow::new(&app, caller, wanted);
        let mut answer = socket::open(upgrade, app.closing.clone(), follow);
        if let Ok(epoch) = epoch {
            answer.headers_mut().insert(EPOCH, epoch);
        }
        return Ok(answer);
    }
    if accepts_stream(request.headers()) {
        let mut follow = Follow::new(&app, caller, wanted);
        follow.begin().await?;
        return Ok(sse::stream(follow));
    }
    Ok(Json(one_page(&caller.acting(), wanted).await?).into_response())
}

/// What a client asked for, checked.
struct Wanted {
    from: From,
    limit: u32,
    filter: EventFilter,
}

/// Where reading begins.
#[derive(Debug, Clone)]
enum From {
    After(EventCursor),
    Newest,
    Last(u32),
}

impl Wanted {
    fn from(query: EventQuery, headers: &HeaderMap) -> Answer<Self> {
        let limit = query.limit.unwrap_or(100);
        if !(1..=500).contains(&limit) {
            return Err(ApiError::bad_request("`limit` must be 1 to 500."));
        }
        let header = || headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let from = match (query.after.as_deref(), query.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::bad_request("Say `after` or `last`, not both."));
            }
            (None, Some(last @ 1..=10_000)) => From::Last(last),
            (None, Some(_)) => return Err(ApiError::bad_request("`last` must be 1 to 10,000.")),
            (Some(NEWEST), None) => From::Newest,
            (Some(text), None) => {
                let cursor = text.parse().map_err(|e| ApiError::bad_request(format!("{e}.")))?;
                From::After(cursor)
            }
            // What an event source sends by itself is no reason to refuse it.
            (None, None) => {
                From::After(header().and_then(|id| id.parse().ok()).unwrap_or_default())
            }
        };
        let kinds = kinds(query.kind.as_deref());
        let EventQuery { repo, run, thread, .. } = query;
        Ok(Self { from, limit, filter: EventFilter { repo, run, thread, kinds } })
    }

    /// What a ticket for this has to have been made for.
    fn for_ticket(&self) -> Filter {
        let EventFilter { repo, run, thread, kinds } = self.filter.clone();
        Filter { repo, run, thread, kinds, terminal: None }
    }
}

/// The kinds of a list separated by commas.
pub(crate) fn kinds(list: Option<&str>) -> Vec<String> {
    let kinds = list.unwrap_or_default().split(',').map(str::trim);
    kinds.filter(|kind| !kind.is_empty()).map(str::to_owned).collect()
}

/// The number to begin after.
async fn begin(hub: &Hub, from: &From, filter: &EventFilter) -> car_hub::Result<i64> {
    match from {
        From::After(cursor) => hub.resume(cursor),
        From::Newest => Ok(*hub.bell().borrow()),
        From::Last(count) => hub.before_last(*count, filter).await,
    }
}

async fn one_page(hub: &Hub, wanted: Wanted) -> Answer<Page<Event>> {
    let after = begin(hub, &wanted.from, &wanted.filter).await?;
    let items = hub.events(after, wanted.limit, &wanted.filter).await?;
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
