//! `/terminals`

mod socket;

use axum::{
    extract::{FromRequestParts, Request, State, ws::WebSocketUpgrade},
    http::StatusCode,
    response::Response,
};
use car_api::{
    Code, Page, TerminalId,
    terminal::{Terminal, TerminalCreate},
};
use serde::Deserialize;

use crate::{
    App,
    body::Json,
    caller::{Acting, Caller},
    events::PROTOCOL,
    extract::{Paging, Path, Query},
    origin,
    problem::{Answer, ApiError},
};

/// List terminals
#[utoipa::path(
    get, path = "/terminals", tag = "terminals", operation_id = "terminal_list", params(Paging),
    extensions(("x-scope" = json!("terminal")), ("x-problems" = json!(["turned_off"]))),
    responses((status = 200, description = "One page, newest first", body = Page<Terminal>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Terminal>>> {
    Ok(Json(hub.terminal_list(paging.page()?).await?))
}

/// Open a terminal
///
/// A shell with all the rights of the hub's user, in a repo, a worktree or the hub's root. It is
/// turned off until the hub's owner sets `terminal.enabled` at its machine, ends by itself after
/// `terminal.life_s`, and does not outlive the hub. What it writes is recorded.
#[utoipa::path(
    post, path = "/terminals", tag = "terminals", operation_id = "terminal_create",
    request_body = TerminalCreate,
    extensions(
        ("x-scope" = json!("terminal")),
        ("x-problems" = json!(["turned_off", "busy", "not_found", "unprocessable", "restore_unconfirmed", "unavailable"])),
    ),
    responses((status = 201, description = "The terminal", body = Terminal)),
)]
pub(crate) async fn create(
    Acting(hub): Acting,
    Json(body): Json<TerminalCreate>,
) -> Answer<(StatusCode, Json<Terminal>)> {
    Ok((StatusCode::CREATED, Json(hub.terminal_create(body).await?)))
}

/// Get a terminal
#[utoipa::path(
    get, path = "/terminals/{terminal}", tag = "terminals", operation_id = "terminal_get",
    params(("terminal" = TerminalId, Path, description = "Terminal")),
    extensions(("x-scope" = json!("terminal")), ("x-problems" = json!(["turned_off"]))),
    responses((status = 200, description = "The terminal", body = Terminal)),
)]
pub(crate) async fn get(
    Acting(hub): Acting,
    Path(terminal): Path<TerminalId>,
) -> Answer<Json<Terminal>> {
    Ok(Json(hub.terminal_get(&terminal).await?))
}

/// End a terminal
///
/// Its terminal is hung up, and whatever was started in it is ended. What it wrote can still be
/// read for thirty days.
#[utoipa::path(
    delete, path = "/terminals/{terminal}", tag = "terminals", operation_id = "terminal_end",
    params(("terminal" = TerminalId, Path, description = "Terminal")),
    extensions(("x-scope" = json!("terminal")), ("x-problems" = json!(["turned_off", "illegal_transition"]))),
    responses((status = 200, description = "The terminal, which has ended", body = Terminal)),
)]
pub(crate) async fn end(
    Acting(hub): Acting,
    Path(terminal): Path<TerminalId>,
) -> Answer<Json<Terminal>> {
    Ok(Json(hub.terminal_end(&terminal).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AttachQuery {
    /// The place in what the shell wrote to go on at, in bytes from its beginning; somewhat before
    /// the end when absent.
    from: Option<u64>,
}

/// Look at a terminal and type into it
///
/// A WebSocket. In text come `TerminalMessage`s, the first of them `attached` with the place of the
/// next byte; in binary what the shell writes, without a gap from there. Count the bytes, and go on
/// with `from` after any cut. What is typed is sent in binary, `TerminalOrder`s in text. Several may
/// look and type; the last size anybody sent holds for all. A terminal that has ended shows what is
/// kept of it, then `ended`.
///
/// A browser opens its WebSocket with a ticket of `ws_ticket_create` for this terminal, offered as
/// a protocol beside `car.v1`; everything else with `Authorization`.
///
/// It is closed with 1000 after `ended`, 1012 when the hub restarts, which ends its terminals, 4401
/// when the credential was ended or ran out, 4408 when the client reads too slowly: go on with
/// `from`. 1008 is for what no client may send.
#[utoipa::path(
    get, path = "/terminals/{terminal}/attach", tag = "terminals", operation_id = "terminal_attach",
    params(("terminal" = TerminalId, Path, description = "Terminal"), AttachQuery),
    extensions(("x-scope" = json!("terminal")), ("x-problems" = json!(["turned_off"]))),
    responses((status = 101, description = "The terminal, as a WebSocket")),
)]
pub(crate) async fn attach(
    State(app): State<App>,
    caller: Caller,
    Path(terminal): Path<TerminalId>,
    Query(query): Query<AttachQuery>,
    request: Request,
) -> Answer<Response> {
    if caller.follows().is_some_and(|made_for| made_for.terminal.as_ref() != Some(&terminal)) {
        return Err(ApiError::new(Code::Forbidden, "The ticket was not made for this terminal."));
    }
    if !origin::upgrades(request.headers()) {
        // Says so first when there is no such terminal.
        caller.acting().terminal_get(&terminal).await?;
        return Err(ApiError::bad_request("A terminal is opened as a WebSocket."));
    }
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &app)
        .await
        .map_err(|refusal| ApiError::bad_request(refusal.body_text()))?;
    let viewer = caller.acting().terminal_attach(&terminal, query.from).await?;
    Ok(socket::open(upgrade.protocols([PROTOCOL]), &app, caller, viewer))
}
