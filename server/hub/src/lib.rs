//! What the hub does: it applies the engine's transitions, owns runs, worktrees and the log.
//!
//! This crate knows no HTTP and no particular agent: agents come in as [`car_engine::agent::Adapter`]s,
//! requests come in as calls of [`Hub`], one method an operation of the API.

mod accounts;
mod agents;
mod clock;
mod config;
mod contextspace;
mod convert;
mod cursor;
mod environment;
mod error;
mod events;
mod hub;
pub mod idempotency;
mod index;
mod jobs;
mod live;
pub mod measure;
mod repos;
mod runner;
mod runs;
mod shell;
mod snapshot;
mod text;
mod tickets;
mod tokens;
mod watch;
mod worktrees;

pub use config::{Config, FlowConfig, ReadFlow, TreeFlow};
pub use error::{Error, Result};
pub use events::EventFilter;
pub use hub::Hub;
pub use index::{RepoFilter, TicketFilter};
pub use jobs::JobFilter;
pub use runs::RunFilter;
