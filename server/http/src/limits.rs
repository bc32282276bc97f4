//! How much a caller may ask in how much time.
//!
//! A valid credential is looked at first and is never locked out, whoever else is at the door:
//! what fails is limited by what it claims to be, not by where it comes from, since everything
//! that comes through a proxy comes from the same address.

mod bucket;
mod failures;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::{Method, header::AUTHORIZATION, request::Parts};
use car_api::{Code, audit::Actor};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{App, connections::Connection, origin, problem::ApiError};
use bucket::{Bucket, Rate};
use failures::Failures;

/// Limits (`server.limits`); 0 is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests a second of one credential, in the long run.
    pub requests_per_second: u32,
    /// Requests of one credential that may come at once.
    pub request_burst: u32,
    /// Runs one credential may start in a minute.
    pub run_starts_per_minute: u32,
    /// Terminals one credential may open in a minute.
    pub terminals_per_minute: u32,
    /// Recordings one credential may have heard in a minute.
    pub transcriptions_per_minute: u32,
    /// WebSockets one credential may open in a minute.
    pub sockets_per_minute: u32,
    /// Wrong credentials in a minute, whatever they claim to be.
    pub failures_per_minute: u32,
    /// Wrong credentials in a minute that claim to be the same one.
    pub failures_per_credential_per_minute: u32,
    /// Connections at once; more wait.
    pub connections: u32,
    /// Connections at once that have not shown a valid credential; the oldest goes for a new one.
    pub unknown_connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: 50,
            request_burst: 200,
            run_starts_per_minute: 30,
            terminals_per_minute: 6,
            transcriptions_per_minute: 20,
            sockets_per_minute: 60,
            failures_per_minute: 100,
            failures_per_credential_per_minute: 10,
            connections: 1024,
            unknown_connections: 256,
        }
    }
}

/// What every credential has used up, and what failed.
pub(crate) struct Usage {
    limits: Limits,
    callers: Mutex<HashMap<String, Caller>>,
    failures: Failures,
}

/// What one credential has used up.
#[derive(Default)]
struct Caller {
    requests: Bucket,
    run_starts: Bucket,
    terminals: Bucket,
    transcriptions: Bucket,
    sockets: Bucket,
}

impl Usage {
    pub(crate) fn new(limits: Limits) -> Self {
        let failures = Failures::new(
            Rate::per_minute(limits.failures_per_minute),
            Rate::per_minute(limits.failures_per_credential_per_minute),
        );
        Self { limits, callers: Mutex::default(), failures }
    }

    fn take(&self, actor: &Actor, parts: &Parts) -> Result<(), ApiError> {
        let (limits, now) = (&self.limits, Instant::now());
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = callers.entry(actor.id.clone()).or_default();
        let rate = Rate::per_second(limits.requests_per_second, limits.request_burst);
        let mut taken = caller.requests.take(rate, now);
        if taken.is_ok() && starts_a_run(parts) {
            let rate = Rate::per_minute(limits.run_starts_per_minute);
            taken = caller.run_starts.take(rate, now);
        }
        if taken.is_ok() && opens_a_terminal(parts) {
            taken = caller.terminals.take(Rate::per_minute(limits.terminals_per_minute), now);
        }
        if taken.is_ok() && speaks(parts) {
            let rate = Rate::per_minute(limits.transcriptions_per_minute);
            taken = caller.transcriptions.take(rate, now);
        }
        if taken.is_ok() && origin::upgrades(&parts.headers) {
            taken = caller.sockets.take(Rate::per_minute(limits.sockets_per_minute), now);
        }
        taken.map_err(|wait| {
            let detail = format!(
                "This credential asks more than `server.limits` allows; go on in {} s.",
                wait.as_secs() + 1
            );
            ApiError::new(Code::RateLimited, detail).after(wait)
        })
    }
}

fn starts_a_run(parts: &Parts) -> bool {
    let mut path = parts.uri.path().rsplit('/');
    parts.method == Method::POST && path.next() == Some("runs") && path.nth(1) == Some("repos")
}

fn opens_a_terminal(parts: &Parts) -> bool {
    parts.method == Method::POST && parts.uri.path().ends_with("/terminals")
}

fn speaks(parts: &Parts) -> bool {
    parts.method == Method::POST && parts.uri.path().ends_with("/voice/transcriptions")
}

/// A request with a valid credential: its connection is known from now on, and it may be told to
/// wait because of what this credential itself asked before.
pub(crate) fn admitted(app: &App, parts: &Parts, actor: &Actor) -> Result<(), ApiError> {
    if let Some(connection) = parts.extensions.get::<Connection>() {
        connection.known();
    }
    app.usage.take(actor, parts)
}

/// What a request without a valid credential is answered: `unauthenticated`, or that it must wait
/// when too many wrong ones came. One that shows none at all guesses nothing.
pub(crate) fn refused(app: &App, parts: &Parts, unauthenticated: ApiError) -> ApiError {
    let shown = parts.headers.get(AUTHORIZATION).or_else(|| parts.headers.get("cookie"));
    let Some(shown) = shown else { return unauthenticated };
    let claim = failures::claim(shown.as_bytes());
    let wait = app.usage.failures.count(app, &claim);
    match wait {
        None => unauthenticated,
        Some(wait) => {
            let detail = "Too many wrong credentials came; valid ones are served as always.";
            ApiError::new(Code::RateLimited, detail).after(wait)
        }
    }
}
