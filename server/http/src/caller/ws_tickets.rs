//! Tickets that open one WebSocket: a browser cannot send headers of its own with one, and a
//! cookie shall not.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, header::SEC_WEBSOCKET_PROTOCOL};
use car_api::{Code, RepoId, RunId, ThreadId};
use car_hub::Grant;

use super::Unknown;
use crate::problem::ApiError;

/// How long a ticket can be used.
pub(crate) const LIFE: Duration = Duration::from_secs(30);

/// Tickets that can be open at once; the oldest make room.
const OPEN_AT_ONCE: usize = 4096;

/// How a ticket stands among the protocols a socket offers.
const OFFER: &str = "car.ticket.";

/// What a socket follows, as in the query of `event_list`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) repo: Option<RepoId>,
    pub(crate) run: Option<RunId>,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) kinds: Vec<String>,
}

/// Every ticket that was not used yet, by itself: what is random needs no hash in memory.
#[derive(Clone, Default)]
pub(crate) struct WsTickets {
    open: Arc<Mutex<HashMap<String, Ticket>>>,
}

struct Ticket {
    grant: Grant,
    origin: Option<String>,
    filter: Filter,
    until: Instant,
}

impl WsTickets {
    /// A ticket for the page that asked for it; the protocol to offer.
    ///
    /// # Errors
    /// The machine gives no random bits.
    pub(crate) fn make(
        &self,
        grant: Grant,
        origin: Option<&str>,
        filter: Filter,
    ) -> Result<String, ApiError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            ApiError::new(Code::Internal, "No ticket could be made.").with_cause(error.to_string())
        })?;
        let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let until = Instant::now() + LIFE;
        let ticket = Ticket { grant, origin: origin.map(str::to_owned), filter, until };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        open.retain(|_, ticket| ticket.until > now);
        if open.len() >= OPEN_AT_ONCE
            && let Some(oldest) =
                open.iter().min_by_key(|(_, t)| t.until).map(|(key, _)| key.clone())
        {
            open.remove(&oldest);
        }
        open.insert(secret.clone(), ticket);
        Ok(format!("{OFFER}{secret}"))
    }

    /// Uses a ticket up, whatever comes of it.
    pub(super) fn take(&self, secret: &str, origin: Option<&str>) -> Option<(Grant, Filter)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = open.remove(secret)?;
        let good = ticket.until > Instant::now() && ticket.origin.as_deref() == origin;
        good.then_some((ticket.grant, ticket.filter))
    }
}

/// The ticket among the protocols a socket offers.
pub(super) fn offered(headers: &HeaderMap) -> Result<Option<String>, Unknown> {
    let offers =
        headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line| line.to_str().ok());
    let mut tickets = offers
        .flat_map(|line| line.split(','))
        .filter_map(|offer| offer.trim().strip_prefix(OFFER));
    match (tickets.next(), tickets.next()) {
        (ticket, None) => Ok(ticket.map(str::to_owned)),
        (_, Some(_)) => Err(Unknown::Unreadable),
    }
}
