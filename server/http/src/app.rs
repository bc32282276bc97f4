//! What handlers are given.

use std::sync::Arc;

use axum::extract::FromRef;
use car_hub::Hub;
use serde::Deserialize;

use crate::{Closing, Hosts, caller::WsTickets, events::Tail};

/// What this crate can be told by configuration (`server:`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Names, each with its port unless that is the scheme's own, under which the hub is reached
    /// besides the loopback ones: what a browser or client sends as `Host`.
    pub allowed_hosts: Vec<String>,
}

/// One hub as it is served. Cheap to clone; every clone is the same.
#[derive(Clone)]
pub struct App {
    pub(crate) hub: Hub,
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) closing: Closing,
    pub(crate) ws_tickets: WsTickets,
    /// The end of the log, encoded once for all who follow it.
    pub(crate) tail: Arc<Tail>,
}

impl App {
    /// A hub that answers to `hosts` until `closing` says otherwise.
    #[must_use]
    pub fn new(hub: Hub, hosts: Hosts, closing: Closing) -> Self {
        let tail = Arc::new(Tail::new(*hub.bell().borrow()));
        Self { hub, hosts: Arc::new(hosts), closing, ws_tickets: WsTickets::default(), tail }
    }
}

impl FromRef<App> for Hub {
    fn from_ref(app: &App) -> Self {
        app.hub.clone()
    }
}
