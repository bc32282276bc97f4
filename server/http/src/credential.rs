//! `/credential` and `/ws-tickets`: the caller's own.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use car_api::{
    Timestamp,
    token::{Credential, WsTicket, WsTicketCreate},
};

use crate::{
    App,
    body::Json,
    caller::{self, Caller, Filter, forgotten, origin_of},
    events,
    problem::Answer,
};

/// Get what your credential is and allows
#[utoipa::path(
    get, path = "/credential", tag = "tokens", operation_id = "credential_get",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any")), ("x-agents" = json!(true))),
    responses((status = 200, description = "The credential of this request", body = Credential)),
)]
pub(crate) async fn get(caller: Caller) -> Json<Credential> {
    Json(caller.grant().credential())
}

/// Log out: end your own credential
///
/// A personal token stops working; a browser has to pair again.
#[utoipa::path(
    delete, path = "/credential", tag = "tokens", operation_id = "credential_delete",
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any"))),
    responses((status = 204, description = "The credential is gone")),
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Answer<Response> {
    caller.acting().credential_delete(caller.grant()).await?;
    let mut answer = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = forgotten(app.hosts.is_named(&headers)) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// Get a ticket that opens one WebSocket
///
/// Browsers cannot send a credential with a WebSocket. The ticket holds for 30 seconds and once,
/// for a page of the same origin and for exactly this filter of `event_list`, or for one terminal. Offer two protocols:
/// `car.v1` and the ticket's; the answer names `car.v1` only.
#[utoipa::path(
    post, path = "/ws-tickets", tag = "events", operation_id = "ws_ticket_create",
    request_body = WsTicketCreate,
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any")), ("x-agents" = json!(true)), ("x-secret" = json!(true))),
    responses((status = 201, description = "The ticket", body = WsTicket)),
)]
pub(crate) async fn ws_ticket(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<WsTicketCreate>,
) -> Answer<(StatusCode, Json<WsTicket>)> {
    let kinds = events::kinds(body.kind.as_deref());
    let filter = Filter {
        repo: body.repo,
        run: body.run,
        thread: body.thread,
        kinds,
        terminal: body.terminal,
    };
    let grant = caller.grant().clone();
    let protocol = app.ws_tickets.make(grant, origin_of(&headers), filter)?;
    let life = i64::try_from(caller::TICKET_LIFE.as_millis()).unwrap_or(0);
    let expires_at: Timestamp = car_hub::now().plus_millis(life);
    Ok((StatusCode::CREATED, Json(WsTicket { protocol, expires_at })))
}
