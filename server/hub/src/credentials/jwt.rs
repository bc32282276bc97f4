//! Signed tokens (RFC 7519, hardened as RFC 8725 says).
//!
//! A signature is a format here, not a reason to skip the look-up: what a token says is compared
//! with what the hub knows on every request. Nothing in a token's header is believed but the name
//! of a key, and that only as a name in the hub's own table.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use car_api::{Scope, Timestamp};
use jsonwebtoken::{Algorithm, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};

use super::{Refused, keys::Keys};
use crate::{Error, Result, clock};

/// Longest token that is looked at.
const MAX_LEN: usize = 2048;

/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 5;

/// What a token is for; one is never taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The agent of a run.
    Run,
    /// The agent of a thread.
    Thread,
    /// What a personal token was exchanged for (RFC 9068).
    Access,
    /// One action of a pushed notification.
    Push,
}

impl Kind {
    fn typ(self) -> &'static str {
        match self {
            Self::Run => "car-run+jwt",
            Self::Thread => "car-thread+jwt",
            Self::Access => "at+jwt",
            Self::Push => "car-push+jwt",
        }
    }

    /// Longest life, in seconds.
    fn max_life(self) -> u64 {
        match self {
            Self::Run | Self::Thread | Self::Push => 24 * 3600,
            Self::Access => 600,
        }
    }
}

/// Every claim, each required, none else allowed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    scope: String,
    epoch: u64,
    iat: u64,
    nbf: u64,
    exp: u64,
}

/// All a header may hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    alg: String,
    typ: String,
    kid: String,
}

/// What is to be signed.
pub(super) struct Order<'a> {
    pub(super) kind: Kind,
    pub(super) instance: &'a str,
    pub(super) subject: &'a str,
    pub(super) id: String,
    pub(super) scopes: &'a BTreeSet<Scope>,
    pub(super) epoch: u64,
    pub(super) life_ms: i64,
}

/// What a good token says.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) subject: String,
    pub(super) id: String,
    pub(super) scopes: BTreeSet<Scope>,
    pub(super) epoch: u64,
    pub(super) expires_at: Timestamp,
}

/// A signed token and when it runs out.
pub(super) fn sign(keys: &Keys, order: Order<'_>) -> Result<(String, Timestamp)> {
    let key = keys.signing()?;
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(order.kind.typ().to_owned());
    header.kid = Some(key.id.to_string());
    let now = u64::try_from(clock::now().micros() / 1_000_000).map_err(Error::internal)?;
    let life = u64::try_from(order.life_ms / 1000).unwrap_or(0).min(order.kind.max_life());
    let words: Vec<_> = order.scopes.iter().map(|scope| scope.as_str()).collect();
    let claims = Claims {
        iss: issuer(order.instance),
        aud: order.instance.to_owned(),
        sub: order.subject.to_owned(),
        jti: order.id,
        scope: words.join(" "),
        epoch: order.epoch,
        iat: now,
        nbf: now,
        exp: now + life,
    };
    let token = jsonwebtoken::encode(&header, &claims, &key.signing).map_err(Error::internal)?;
    Ok((token, seconds(claims.exp)))
}

/// What a token says, if this hub signed it, for this kind of use, and it is good now.
pub(super) fn verify(
    keys: &Keys,
    kind: Kind,
    instance: &str,
    token: &str,
) -> Result<Verified, Refused> {
    if token.len() > MAX_LEN {
        return Err(Refused::Malformed);
    }
    let head = head(token).ok_or(Refused::Malformed)?;
    if head.alg != "EdDSA" {
        return Err(Refused::Signature);
    }
    if head.typ != kind.typ() {
        return Err(Refused::Claims);
    }
    let key = keys.verifying(&head.kid).ok_or(Refused::Signature)?;
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    rules.set_audience(&[instance]);
    rules.set_issuer(&[issuer(instance)]);
    rules.validate_exp = true;
    rules.validate_nbf = true;
    rules.validate_aud = true;
    rules.leeway = LEEWAY;
    let claims =
        jsonwebtoken::decode::<Claims>(token, &key, &rules).map_err(|error| reason(&error))?;
    let claims = claims.claims;
    let now = u64::try_from(clock::now().micros() / 1_000_000).unwrap_or(0);
    let life = claims.exp.checked_sub(claims.iat).ok_or(Refused::Claims)?;
    if life > kind.max_life() || claims.iat > now + LEEWAY || claims.nbf < claims.iat {
        return Err(Refused::Claims);
    }
    let scopes = claims.scope.split(' ').map(str::parse).collect::<Result<BTreeSet<Scope>, _>>();
    Ok(Verified {
        subject: claims.sub,
        id: claims.jti,
        scopes: scopes.map_err(|_| Refused::Claims)?,
        epoch: claims.epoch,
        expires_at: seconds(claims.exp),
    })
}

fn head(token: &str) -> Option<Head> {
    let mut parts = token.split('.');
    let (head, _, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()
}

fn issuer(instance: &str) -> String {
    format!("car-hub:{instance}")
}

fn seconds(secs: u64) -> Timestamp {
    Timestamp::from_secs(i64::try_from(secs).unwrap_or(i64::MAX / 1_000_000))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's list is open")]
fn reason(error: &jsonwebtoken::errors::Error) -> Refused {
    match error.kind() {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => Refused::Signature,
        ErrorKind::ExpiredSignature => Refused::Expired,
        ErrorKind::ImmatureSignature => Refused::Early,
        _ => Refused::Claims,
    }
}
