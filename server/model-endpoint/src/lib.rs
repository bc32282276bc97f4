//! A model that does what the prompt says: the endpoint real agents are tested against, offline.
//!
//! It knows no agent and no session. The script travels in the prompt (`car_demo_agent::script`),
//! and how far it has come is counted from the conversation each request carries, so any number of
//! agents, threads and restarts can share one endpoint. The only state are the counters of
//! failures that happen so many times, and the log.

pub mod codex;
mod log;
mod moves;
mod responses;
mod server;
mod stream;

pub use server::{Endpoint, router};
