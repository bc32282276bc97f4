//! What handlers are given.

use std::{ops::Deref, sync::Arc};

use axum::extract::FromRef;
use car_hub::Hub;

use crate::{
    Closing, Hosts, Limits, caller::WsTickets, downloads, events::Tail, limits::Usage,
    metrics::Metrics,
};

/// How one hub is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The path a proxy serves the hub under: empty, or begins with a slash and ends without one.
    pub base_path: String,
    /// Whether the hub may be served to the open internet by `tailscale funnel`.
    pub public: bool,
    /// Who may come through `tailscale serve`; everybody with a credential when empty.
    pub allowed_logins: Vec<String>,
    /// How much may be asked.
    pub limits: Limits,
}

/// One hub as it is served. Cheap to clone, since every layer of every request does; every clone is
/// the same.
#[derive(Clone)]
pub struct App(Arc<Served>);

/// What there is of a hub once.
pub struct Served {
    pub(crate) hub: Hub,
    pub(crate) hosts: Hosts,
    pub(crate) config: Config,
    pub(crate) usage: Usage,
    pub(crate) closing: Closing,
    pub(crate) ws_tickets: WsTickets,
    pub(crate) links: downloads::Links,
    /// The end of the log, encoded once for all who follow it.
    pub(crate) tail: Arc<Tail>,
    pub(crate) metrics: Metrics,
}

impl Deref for App {
    type Target = Served;

    fn deref(&self) -> &Served {
        &self.0
    }
}

impl App {
    /// A hub that answers to `hosts` until `closing` says otherwise.
    #[must_use]
    pub fn new(hub: Hub, hosts: Hosts, config: Config, closing: Closing) -> Self {
        let tail = Arc::new(Tail::new(*hub.bell().borrow()));
        let usage = Usage::new(config.limits.clone());
        Self(Arc::new(Served {
            hub,
            hosts,
            config,
            usage,
            closing,
            ws_tickets: WsTickets::default(),
            links: downloads::none(),
            tail,
            metrics: Metrics::default(),
        }))
    }
}

impl FromRef<App> for Hub {
    fn from_ref(app: &App) -> Self {
        app.hub.clone()
    }
}
