//! The hub over HTTP: it translates requests into calls of [`car_hub::Hub`] and answers back.
//!
//! This crate decides nothing. It knows no agent, no file, no database and no configuration file;
//! what a request means is said by one method of the hub. What it does own are the rules of the
//! wire: which hosts and origins are served, who is asked for a credential (everyone, but for
//! [`PUBLIC`]), how large a body may be, and what an error looks like.

mod agents;
mod api;
mod app;
mod body;
mod caller;
mod compress;
mod contextspace;
mod docs;
mod document;
mod events;
mod extract;
mod gate;
mod host;
mod hub;
mod idempotency;
mod jobs;
mod metrics;
mod operations;
mod origin;
mod problem;
mod public;
mod repos;
mod runs;
mod serve;
mod tickets;
mod tokens;
mod version;
mod worktrees;

use axum::middleware::from_fn;

pub use app::{App, Config};
pub use caller::PUBLIC;
pub use document::openapi;
pub use host::Hosts;
pub use serve::{Closing, serve};

/// The whole service of one hub, to be given to [`serve`].
pub fn router(app: App) -> axum::Router {
    gate::before(app.clone(), api::router(app)).layer(from_fn(compress::answers))
}
