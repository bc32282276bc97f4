//! What handlers are given.

use std::sync::Arc;

use axum::extract::FromRef;
use car_hub::Hub;
use serde::Deserialize;
use tokio::sync::watch;

use crate::{Closing, Hosts, metrics::Metrics};

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
    /// Counts deletions of tokens; open streams look again whether theirs still stands.
    pub(crate) revoked: watch::Sender<u64>,
    pub(crate) metrics: Metrics,
}

impl App {
    /// A hub that answers to `hosts` until `closing` says otherwise.
    #[must_use]
    pub fn new(hub: Hub, hosts: Hosts, closing: Closing) -> Self {
        Self {
            hub,
            hosts: Arc::new(hosts),
            closing,
            revoked: watch::Sender::new(0),
            metrics: Metrics::default(),
        }
    }
}

impl FromRef<App> for Hub {
    fn from_ref(app: &App) -> Self {
        app.hub.clone()
    }
}
