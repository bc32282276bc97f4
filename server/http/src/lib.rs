//! The hub over HTTP: it translates requests into calls of [`car_hub::Hub`] and answers back.
//!
//! This crate decides nothing. It knows no agent, no file, no database and no configuration file;
//! what a request means is said by one method of the hub. What it does own are the rules of the
//! wire: which hosts and origins are served, who is asked for a credential (everyone, but for
//! [`PUBLIC`]), how large a body may be, and what an error looks like.

mod agents;
mod api;
mod app;
mod audit;
mod backups;
mod body;
mod budgets;
mod caller;
mod channels;
mod compress;
mod connections;
mod contextspace;
mod credential;
mod devices;
mod diff;
mod docs;
mod document;
mod downloads;
mod events;
mod extract;
mod files;
mod gate;
mod host;
mod hub;
mod idempotency;
mod identity;
mod inbox;
mod jobs;
mod keys;
mod limits;
mod metrics;
mod notifications;
mod operations;
mod origin;
mod pairings;
mod pma;
mod problem;
mod proxy;
mod public;
mod push;
mod repos;
mod routes;
mod runs;
mod serve;
mod sockets;
mod templates;
mod terminals;
mod threads;
mod tickets;
mod tokens;
mod ui;
mod unread;
mod usage;
mod version;
mod voice;
mod webhooks;
mod worktrees;

pub use app::{App, Config};
pub use caller::PUBLIC;
pub use document::{openapi, operations_table};
pub use host::Hosts;
pub use limits::Limits;
pub use serve::{Closing, Listener, serve};

/// The whole service of one hub, to be given to [`serve`].
pub fn router(app: App) -> axum::Router {
    gate::before(app.clone(), api::router(app))
}
