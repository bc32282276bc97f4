//! Tickets that open one WebSocket: a browser cannot send headers of its own with one, and a
//! cookie shall not.

use std::time::Duration;

use axum::http::{HeaderMap, header::SEC_WEBSOCKET_PROTOCOL};
use car_api::{RepoId, RunId, TerminalId, ThreadId};
use car_hub::Grant;

use super::{Unknown, once::Once};
use crate::problem::ApiError;

/// How long a ticket can be used.
pub(crate) const LIFE: Duration = Duration::from_secs(30);

/// How a ticket stands among the protocols a socket offers.
const OFFER: &str = "car.ticket.";

/// What a socket follows, as in the query of `event_list`, or the terminal it opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) repo: Option<RepoId>,
    pub(crate) run: Option<RunId>,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) kinds: Vec<String>,
    /// Instead of all these: the terminal it opens.
    pub(crate) terminal: Option<TerminalId>,
}

/// Every ticket that was not used yet.
pub(crate) struct WsTickets(Once<Ticket>);

struct Ticket {
    grant: Grant,
    origin: Option<String>,
    filter: Filter,
}

impl Default for WsTickets {
    fn default() -> Self {
        Self(Once::new(LIFE))
    }
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
        let secret = self.0.make(Ticket { grant, origin: origin.map(str::to_owned), filter })?;
        Ok(format!("{OFFER}{secret}"))
    }

    /// Uses a ticket up, whatever comes of it.
    pub(super) fn take(&self, secret: &str, origin: Option<&str>) -> Option<(Grant, Filter)> {
        let ticket = self.0.take(secret)?;
        let good = ticket.origin.as_deref() == origin;
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
