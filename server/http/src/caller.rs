//! Who is asking, and whether they may.
//!
//! One function, [`identify`], takes a request to somebody or says why not; one table,
//! [`operations`], says what each operation needs. Whatever is in neither is refused.

pub(crate) mod access;
mod cookies;
mod once;
mod ws_tickets;

use std::{collections::HashMap, fmt};

use axum::{
    extract::{FromRequestParts, MatchedPath, RawPathParams, Request},
    http::{HeaderMap, HeaderValue, Method, header, header::AUTHORIZATION, request::Parts},
    response::{IntoResponse, Response},
};
use car_api::{Code, Scope, audit::ActorKind};
use car_hub::{Grant, Hub, Presented, Refused, idempotency::Claim};

use crate::{
    App, limits, operations, origin,
    problem::{self, ApiError},
    proxy,
};
use access::Limited;
pub(crate) use access::Rule;
pub(crate) use cookies::{forgotten, session_cookie};
pub(crate) use once::Once;
pub(crate) use ws_tickets::{Filter, LIFE as TICKET_LIFE, WsTickets};

/// The paths that answer without a credential; they tell nothing. Every other path, also one that
/// does not exist, asks for one first.
pub const PUBLIC: &[&str] = &[
    "/",
    "/pair",
    "/assets/{*file}",
    "/health/live",
    "/download/{link}",
    "/api/v1/pair",
    "/api/v1/pair/finish",
    "/api/v1/push/act",
];

/// The proof a browser sends beside its cookie.
const PROOF: &str = "x-car-proof";

/// Parameters of a query that would be a credential, had the hub any there. They are refused on
/// every path before anything else is looked at, so that no log and no history learns to hold them.
const NEVER_IN_A_QUERY: &[&str] =
    &["token", "access_token", "auth", "authorization", "ticket", "proof", "secret", "code", "key"];

/// Somebody with a valid credential. A handler that takes one cannot be called by anybody else.
#[derive(Clone)]
pub(crate) struct Caller {
    grant: Grant,
    hub: Hub,
    /// What a WebSocket's ticket was made for, when the caller came with one.
    follows: Option<Filter>,
    /// The cookie's value, when the caller came with one.
    session: Option<String>,
}

/// The hub, acted on by the caller: every handler that is not public takes it so.
pub(crate) struct Acting(pub(crate) Hub);

/// Why nobody was recognised behind a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// There is no credential.
    Missing,
    /// There is more than one, or one that cannot be read.
    Unreadable,
    /// A cookie without the proof that goes with it.
    CookieAlone,
    /// A cookie on a request that no page of this hub sent.
    CookieElsewhere,
    /// A cookie where only a ticket opens anything.
    CookieOnSocket,
    /// The ticket of a WebSocket is not known, was used, ran out, or is another page's.
    Ticket,
    /// The credential was looked at and not taken.
    Refused(Refused),
}

impl Unknown {
    /// The word for it, for counting and the audit.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::CookieAlone => "cookie_alone",
            Self::CookieElsewhere => "cookie_elsewhere",
            Self::CookieOnSocket => "cookie_on_socket",
            Self::Ticket => "ticket",
            Self::Refused(refused) => refused.as_str(),
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::Missing | Self::Unreadable => {
                "Send a token of this hub as `Authorization: Bearer car_pat_…`. On the hub's own \
                 machine `car` has one already; `car login URL` gets one for another machine."
            }
            Self::CookieAlone => {
                "The cookie alone opens nothing: send the proof from pairing as `X-Car-Proof`."
            }
            Self::CookieElsewhere => {
                "A cookie is taken only from the hub's own pages: the request says neither \
                 `Sec-Fetch-Site: same-origin` nor an `Origin` of this hub."
            }
            Self::CookieOnSocket => {
                "A cookie opens no socket: get a ticket with `ws_ticket_create` and offer it as a \
                 protocol."
            }
            Self::Ticket => {
                "This ticket is not known, was used, has run out, or was made for another page; \
                 `ws_ticket_create` makes another."
            }
            Self::Refused(refused) => match refused {
                Refused::Expired => "This credential has run out; log in again (`car login URL`).",
                Refused::Revoked => "This credential was ended; log in again (`car login URL`).",
                Refused::Early => "This credential is not good yet; look at the machine's clock.",
                Refused::Checksum | Refused::Malformed => {
                    "This is no credential of a hub: it was cut or mistyped."
                }
                Refused::Proof => "The proof does not go with the cookie; pair again.",
                Refused::Unknown | Refused::Signature | Refused::Claims => {
                    "This hub does not know this credential: it was deleted, or is another hub's."
                }
            },
        }
    }

    pub(crate) fn error(self) -> ApiError {
        let code = match self {
            // Nothing the caller could send would make it right from there.
            Self::CookieElsewhere => Code::Forbidden,
            Self::Missing
            | Self::Unreadable
            | Self::CookieAlone
            | Self::CookieOnSocket
            | Self::Ticket
            | Self::Refused(_) => Code::Unauthenticated,
        };
        ApiError::new(code, self.detail())
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromRequestParts<App> for Acting {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let hub = Caller::from_request_parts(parts, app).await?.acting();
        Ok(Self(match parts.extensions.get::<Claim>() {
            Some(claim) => hub.claiming(claim.clone()),
            None => hub,
        }))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Unknown::Missing.error())
    }
}

impl Caller {
    /// The hub, acted on by this caller.
    pub(crate) fn acting(&self) -> Hub {
        self.hub.acting(&self.grant)
    }

    /// Whether the credential still stands; open streams ask again.
    pub(crate) fn stands(&self) -> bool {
        self.hub.stands(&self.grant)
    }

    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    /// What a WebSocket's ticket was made for, when the caller came with one.
    pub(crate) fn follows(&self) -> Option<&Filter> {
        self.follows.as_ref()
    }
}

/// Who is behind a request, or why nobody is recognised: the one place where credentials are taken.
pub(crate) fn identify(parts: &Parts, app: &App) -> Result<Caller, Unknown> {
    let hub = app.hub.clone().coming_from(proxy::claimed(&parts.headers));
    let caller = |grant| Caller { grant, hub: hub.clone(), follows: None, session: None };
    let sockets = origin::upgrades(&parts.headers);
    if sockets && let Some(ticket) = ws_tickets::offered(&parts.headers)? {
        let (grant, filter) =
            app.ws_tickets.take(&ticket, origin_of(&parts.headers)).ok_or(Unknown::Ticket)?;
        if !app.hub.stands(&grant) {
            return Err(Unknown::Refused(Refused::Revoked));
        }
        return Ok(Caller { follows: Some(filter), ..caller(grant) });
    }
    if parts.headers.contains_key(AUTHORIZATION) {
        let secret = bearer(&parts.headers).ok_or(Unknown::Unreadable)?;
        let grant = app.hub.authenticate(Presented::Bearer(secret)).map_err(Unknown::Refused)?;
        return Ok(caller(grant));
    }
    let Some(session) = cookies::session(parts, app)? else { return Err(Unknown::Missing) };
    if sockets {
        return Err(Unknown::CookieOnSocket);
    }
    if !from_own_page(parts, app) {
        return Err(Unknown::CookieElsewhere);
    }
    let proof = single(&parts.headers, PROOF).ok_or(Unknown::CookieAlone)?;
    let presented = Presented::Browser { secret: session, proof };
    let grant = app.hub.authenticate(presented).map_err(Unknown::Refused)?;
    Ok(Caller { session: Some(session.to_owned()), ..caller(grant) })
}

/// Whether a request comes from whom a link was made for, who still has to be let in. A browser
/// that follows a link sends its cookie and cannot send its proof; the link is the proof.
pub(crate) fn is_of(parts: &Parts, app: &App, grant: &Grant) -> bool {
    if !app.hub.stands(grant) {
        return false;
    }
    if parts.headers.contains_key(AUTHORIZATION) {
        let asking =
            bearer(&parts.headers).map(|token| app.hub.authenticate(Presented::Bearer(token)));
        return asking.is_some_and(|asking| asking.is_ok_and(|asking| asking.actor == grant.actor));
    }
    let session = cookies::session(parts, app).ok().flatten();
    session.is_some_and(|secret| app.hub.is_session_of(secret, grant)) && from_own_page(parts, app)
}

/// Whether a page of this hub sent the request, as far as the browser says. Reading may come
/// without either header: some browsers send none on a plain `GET` of the same origin.
fn from_own_page(parts: &Parts, app: &App) -> bool {
    let site = parts.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    if origin::is_foreign_at_all(&parts.headers, &app.hosts) {
        return false;
    }
    reads || site.is_some() || parts.headers.contains_key(header::ORIGIN)
}

/// Lets a request through when its path is public, or when somebody is behind it who may do it.
pub(crate) async fn required<F: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Some(name) = credential_in_query(&parts) {
        let detail = format!(
            "`{name}` does not belong in an address, where histories and logs keep it; credentials \
             are taken from headers only."
        );
        return ApiError::bad_request(detail).into_response();
    }
    let path = parts.extensions.get::<MatchedPath>().cloned();
    if path.as_ref().is_some_and(|path| PUBLIC.contains(&path.as_str())) {
        return next(Request::from_parts(parts, body)).await;
    }
    let caller = match identify(&parts, app) {
        Ok(caller) => caller,
        Err(unknown) => {
            return limits::refused(app, &parts, unknown.error()).into_response();
        }
    };
    if let Err(refusal) = limits::admitted(app, &parts, &caller.grant.actor) {
        return refusal.into_response();
    }
    if let Some(path) = path {
        let operation = operations::named(&parts.method, path.as_str());
        let Some(rule) = operation.and_then(|operation| operation.rule.as_ref()) else {
            return no_operation(&parts, path.as_str());
        };
        if let Err(refusal) = allow(rule, &mut parts, app, &caller).await {
            return refusal.into_response();
        }
    }
    let renewed = match &caller.session {
        Some(session) => app.hub.device_rotate(&caller.grant, session).await,
        None => None,
    };
    let named = app.hosts.is_named(&parts.headers);
    parts.extensions.insert(caller);
    let mut answer = next(Request::from_parts(parts, body)).await;
    if let Some(cookie) = renewed.as_deref().and_then(|secret| session_cookie(secret, named)) {
        // A handler that says something about the cookie has the last word.
        answer.headers_mut().entry(header::SET_COOKIE).or_insert(cookie);
    }
    answer
}

/// Whether this caller may do this to what the path names.
async fn allow(rule: &Rule, parts: &mut Parts, app: &App, caller: &Caller) -> Result<(), ApiError> {
    let rights = &caller.grant.rights;
    if !rights.scopes.contains(&rule.scope) {
        return Err(missing_scope(rule.scope));
    }
    if caller.grant.actor.kind == ActorKind::Agent && !rule.agents {
        let detail = "The agent of a run may not do this; a person has to.";
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    if rights.reach.is_hub() {
        return Ok(());
    }
    match rule.limited {
        Limited::Any | Limited::Filtered => Ok(()),
        Limited::Refused => {
            let detail = "This concerns the whole hub, and this credential is limited to some of \
                          its repos or to a run.";
            Err(ApiError::new(Code::Forbidden, detail))
        }
        Limited::ByPath => {
            let named: HashMap<String, String> = RawPathParams::from_request_parts(parts, app)
                .await
                .map_err(|error| ApiError::bad_request(error.body_text()))?
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            within(&named, &caller.acting()).await
        }
    }
}

/// Whether everything the path names is within the caller's reach.
async fn within(named: &HashMap<String, String>, hub: &Hub) -> Result<(), ApiError> {
    let malformed = |error| ApiError::bad_request(format!("The path is not valid: {error}."));
    if let Some(repo) = named.get("repo") {
        hub.check_repo(&repo.parse().map_err(malformed)?)?;
    }
    if let Some(run) = named.get("run") {
        hub.check_run(&run.parse().map_err(malformed)?).await?;
    }
    if let Some(turn) = named.get("turn") {
        hub.check_turn(&turn.parse().map_err(malformed)?).await?;
    }
    if let Some(thread) = named.get("thread") {
        hub.check_thread(thread).await?;
    }
    Ok(())
}

fn missing_scope(scope: Scope) -> ApiError {
    let detail = format!("This needs the scope `{scope}`, which this credential does not have.");
    ApiError::new(Code::Forbidden, detail)
}

/// The answer where a path is known and the method is not.
fn no_operation(parts: &Parts, path: &str) -> Response {
    let methods = operations::methods(path);
    let mut answer = problem::no_method(&parts.method, &parts.uri);
    if let Ok(methods) = HeaderValue::from_str(&methods.join(",")) {
        answer.headers_mut().insert(header::ALLOW, methods);
    }
    answer
}

fn credential_in_query(parts: &Parts) -> Option<&'static str> {
    let query = parts.uri.query()?;
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    names
        .filter_map(|name| NEVER_IN_A_QUERY.iter().find(|n| name.eq_ignore_ascii_case(n)))
        .next()
        .copied()
}

/// The secret of an `Authorization: Bearer` header (RFC 6750); nowhere else is one looked for.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = single(headers, AUTHORIZATION.as_str())?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

/// The value of a header that is there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    value.to_str().ok()
}

/// The page a request says it comes from.
pub(crate) fn origin_of(headers: &HeaderMap) -> Option<&str> {
    single(headers, header::ORIGIN.as_str())
}
