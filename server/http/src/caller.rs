//! Who is asking.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use car_api::{
    Code,
    audit::{Actor, ActorKind},
};
use car_hub::{Hub, idempotency::Claim};

use crate::{App, problem::ApiError};

/// The paths that answer without a credential; they tell nothing. Every other path, also one that
/// does not exist, asks for one first.
pub const PUBLIC: &[&str] = &["/", "/health/live"];

/// Somebody with a valid token. A handler that takes one cannot be called by anybody else.
#[derive(Clone)]
pub(crate) struct Caller {
    secret: String,
    actor: Arc<Actor>,
    hub: Hub,
}

/// The hub, acted on by the caller: every handler that is not public takes it so.
pub(crate) struct Acting(pub(crate) Hub);

impl FromRequestParts<App> for Acting {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let hub = caller.hub.acting(caller.actor);
        Ok(Self(match parts.extensions.get::<Claim>() {
            Some(claim) => hub.claiming(claim.clone()),
            None => hub,
        }))
    }
}

impl Caller {
    /// Whether the token still stands; open streams ask again.
    pub(crate) fn stands(&self) -> bool {
        self.hub.authenticate(&self.secret).is_some()
    }

    fn of(parts: &Parts, hub: &Hub) -> Option<Self> {
        let secret = bearer(parts)?;
        let token = hub.authenticate(secret)?;
        let actor = Actor { kind: ActorKind::Token, id: token.id.to_string(), name: token.name };
        Some(Self { secret: secret.to_owned(), actor: Arc::new(actor), hub: hub.clone() })
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unauthenticated)
    }
}

/// Lets a request through when its path is public or its token is valid.
pub(crate) async fn required(State(app): State<App>, request: Request, next: Next) -> Response {
    let public = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| PUBLIC.contains(&path.as_str()));
    let (mut parts, body) = request.into_parts();
    match Caller::of(&parts, &app.hub) {
        Some(caller) => {
            parts.extensions.insert(caller);
        }
        None if public => {}
        None => return unauthenticated().into_response(),
    }
    next.run(Request::from_parts(parts, body)).await
}

/// The secret of an `Authorization: Bearer` header (RFC 6750); nowhere else is one looked for.
fn bearer(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && secret.starts_with("car_pat_")).then_some(secret)
}

fn unauthenticated() -> ApiError {
    ApiError::new(
        Code::Unauthenticated,
        "Send a token of this hub as `Authorization: Bearer car_pat_…`. On the hub's own machine \
         `car` has one already; `car token create` makes another.",
    )
}
