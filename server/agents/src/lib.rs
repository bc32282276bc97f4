//! The agents the hub can drive: one directory per protocol, one adapter per agent.
//!
//! This crate starts no process, opens no file and reads no clock or environment: an adapter says
//! which command to start and what its lines mean, the hub does the rest. It does not know what a
//! ticket or a run is either, only turns.

pub mod codex;
mod config;
pub mod demo;

use std::sync::Arc;

use car_engine::agent::Adapter;

pub use config::Config;

/// Every agent that is configured, in the order in which it is shown.
#[must_use]
pub fn registry(config: &Config) -> Vec<Arc<dyn Adapter>> {
    let mut adapters: Vec<Arc<dyn Adapter>> = vec![Arc::new(codex::Codex::new(&config.codex))];
    if !config.demo.command.is_empty() {
        adapters.push(Arc::new(demo::demo(&config.demo)));
    }
    adapters
}
