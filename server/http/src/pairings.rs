//! `/pairings` for those who decide, `/pair` for those who want in.

use std::time::Duration;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use car_api::{
    Code, Page, PairingId,
    pairing::{
        PairFinish, PairOutcome, PairRequest, PairRequested, Pairing, PairingCreate,
        PairingCreated, PairingDecide, PairingState,
    },
};
use car_hub::ReachedAt;
use serde::Deserialize;

use crate::{
    App,
    body::Json,
    caller::{Acting, session_cookie},
    extract::{Path, Query},
    problem::{Answer, ApiError},
    serve::Peer,
};

/// The longest wait for a decision, in seconds.
const WAIT_MAX: u32 = 25;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PairingQuery {
    /// Seconds to wait for the pairing to become another than `seen`, at most 25; at once when
    /// absent.
    #[param(maximum = 25)]
    wait: Option<u32>,
    /// The state the caller knows.
    seen: Option<PairingState>,
}

/// List who asks to be let in, and who did a moment ago
#[utoipa::path(
    get, path = "/pairings", tag = "devices", operation_id = "pairing_list",
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "All of the last minutes, oldest first", body = Page<Pairing>)),
)]
pub(crate) async fn list(Acting(hub): Acting) -> Json<Page<Pairing>> {
    Json(hub.pairing_list())
}

/// Open a code for one browser
///
/// It is good for ten minutes and one claim, and is kept in memory only. Show it as the fragment of
/// `/pair#…`; whoever claims it is let in only after `pairing_decide`. Five wrong codes burn all
/// that are open.
#[utoipa::path(
    post, path = "/pairings", tag = "devices", operation_id = "pairing_create",
    request_body = PairingCreate,
    extensions(("x-problems" = json!(["not_found"])), ("x-scope" = json!("admin")), ("x-secret" = json!(true))),
    responses((status = 201, description = "The code, shown only now", body = PairingCreated)),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Acting(hub): Acting,
    Json(body): Json<PairingCreate>,
) -> Answer<(StatusCode, Json<PairingCreated>)> {
    let hosts = app.hosts.named().to_vec();
    let reached = ReachedAt { hosts, base_path: app.config.base_path.clone() };
    Ok((StatusCode::CREATED, Json(hub.pairing_create(body, reached).await?)))
}

/// Get a pairing, or wait for it to change
#[utoipa::path(
    get, path = "/pairings/{pairing}", tag = "devices", operation_id = "pairing_get",
    params(("pairing" = PairingId, Path, description = "Pairing"), PairingQuery),
    extensions(("x-scope" = json!("admin"))),
    responses((status = 200, description = "How it stands", body = Pairing)),
)]
pub(crate) async fn get(
    State(app): State<App>,
    Acting(hub): Acting,
    Path(pairing): Path<PairingId>,
    Query(query): Query<PairingQuery>,
) -> Answer<Json<Pairing>> {
    let look = hub.pairing_get(&pairing, query.seen, wait(query.wait)?);
    match app.closing.token.run_until_cancelled(look).await {
        Some(pairing) => Ok(Json(pairing?)),
        None => Err(closing()),
    }
}

/// Let somebody in, or not
#[utoipa::path(
    post, path = "/pairings/{pairing}/decide", tag = "devices", operation_id = "pairing_decide",
    params(("pairing" = PairingId, Path, description = "Pairing")), request_body = PairingDecide,
    extensions(("x-scope" = json!("admin")), ("x-problems" = json!(["not_found", "illegal_transition"]))),
    responses((status = 200, description = "How it stands now", body = Pairing)),
)]
pub(crate) async fn decide(
    Acting(hub): Acting,
    Path(pairing): Path<PairingId>,
    Json(body): Json<PairingDecide>,
) -> Answer<Json<Pairing>> {
    Ok(Json(hub.pairing_decide(&pairing, body).await?))
}

/// Ask to be let in
///
/// Public. A browser claims a code that was opened for it; another machine asks for a token and
/// shows the short code of the answer to its user, who has the hub's owner approve it. A bounded
/// number of requests is open at once.
#[utoipa::path(
    post, path = "/pair", tag = "devices", operation_id = "pair_request", security(()),
    request_body = PairRequest, extensions(("x-problems" = json!(["not_found", "forbidden", "rate_limited", "unprocessable"]))),
    responses((status = 202, description = "How to ask for the outcome", body = PairRequested)),
)]
pub(crate) async fn request(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Json(body): Json<PairRequest>,
) -> Answer<(StatusCode, Json<PairRequested>)> {
    let requested = app.hub.pair_request(body, Some(peer.ip().to_string()))?;
    Ok((StatusCode::ACCEPTED, Json(requested)))
}

/// Ask whether you were let in, and get your credential
///
/// Public: the secret from `pair_request` says who asks. The credential is handed out once. A
/// browser gets its cookie with this answer, and the proof that has to go with it.
#[utoipa::path(
    post, path = "/pair/finish", tag = "devices", operation_id = "pair_finish", security(()),
    request_body = PairFinish, extensions(("x-problems" = json!(["not_found", "illegal_transition", "unavailable", "storage"]))),
    responses((status = 200, description = "How it stands", body = PairOutcome)),
)]
pub(crate) async fn finish(
    State(app): State<App>,
    headers: HeaderMap,
    Json(body): Json<PairFinish>,
) -> Answer<Response> {
    let waited = app.hub.pair_wait(&body.secret, wait(body.wait)?);
    if app.closing.token.run_until_cancelled(waited).await.is_none() {
        return Err(closing());
    }
    let finished = app.hub.pair_finish(&body.secret).await?;
    let named = app.hosts.is_named(&headers);
    let cookie = finished.session.and_then(|secret| session_cookie(&secret, named));
    let mut answer = Json(finished.outcome).into_response();
    if let Some(cookie) = cookie {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

fn wait(seconds: Option<u32>) -> Answer<Duration> {
    let seconds = seconds.unwrap_or(0);
    if seconds > WAIT_MAX {
        return Err(ApiError::bad_request(format!("`wait` is at most {WAIT_MAX} seconds.")));
    }
    Ok(Duration::from_secs(seconds.into()))
}

fn closing() -> ApiError {
    ApiError::new(Code::Unavailable, "The hub is closing; ask again in a moment.")
}
