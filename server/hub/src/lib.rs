//! What the hub does: it applies the engine's transitions, owns runs, worktrees and the log.
//!
//! This crate knows no HTTP and no particular agent: agents come in as [`car_engine::agent::Adapter`]s,
//! requests come in as calls of [`Hub`], one method an operation of the API.

mod agents;
mod config;
mod contextspace;
mod error;
mod events;
mod hub;
mod jobs;
mod repos;
mod runs;
mod tickets;
mod tokens;
mod worktrees;

pub use config::{Config, FlowConfig};
pub use error::{Error, Result};
pub use events::EventFilter;
pub use hub::Hub;
