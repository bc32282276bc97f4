//! What the hub does: it applies the engine's transitions, owns runs, worktrees and the log.
//!
//! This crate knows no HTTP and no particular agent: agents come in as [`car_engine::agent::Adapter`]s,
//! requests come in as calls of [`Hub`], one method an operation of the API.

mod accounts;
mod agents;
mod audit;
pub mod backup;
mod channel;
mod clock;
mod config;
mod contextspace;
mod convert;
mod credentials;
mod cursor;
mod desk;
mod diff;
pub mod doctor;
mod environment;
mod error;
mod events;
mod files;
mod hub;
pub mod idempotency;
mod inbox;
mod index;
mod jobs;
mod live;
pub mod measure;
pub mod migrate;
mod orphan;
mod outbox;
mod pma;
mod redact;
pub mod reindex;
mod repos;
mod retention;
mod runner;
mod runs;
mod shell;
mod snapshot;
mod text;
mod threads;
mod tickets;
mod tree_git;
mod watch;
mod webhooks;
mod worktrees;

pub use audit::{AuditFilter, verify_audit};
pub use channel::{Attempt, Channel, Channels, Message, PushAddress, Sent, WebhookChannel};
pub use clock::now;
pub use config::{
    Config, EventsConfig, FlowConfig, NotificationsConfig, PmaConfig, ReadFlow, SafetyConfig,
    ThreadsConfig, TreeFlow, WebhooksConfig,
};
pub use credentials::{Finished, Grant, Presented, Reach, Refused, Rights};
pub use error::{Error, Result};
pub use events::{EventFilter, EventPlace};
pub use files::{BoxScope, Download};
pub use hub::Hub;
pub use inbox::InboxFilter;
pub use index::{RepoFilter, TicketFilter};
pub use jobs::JobFilter;
pub use live::LiveText;
pub use outbox::NewChannel;
pub use redact::Redactor;
pub use runs::RunFilter;
pub use threads::{MessagePage, PMA, ThreadFilter};

/// The agents a ticket may name, for checks outside a hub.
#[must_use]
pub fn known_agents(ids: &[car_api::AgentId]) -> car_engine::ticket::KnownAgents {
    car_engine::ticket::KnownAgents::new(ids.iter().map(car_api::AgentId::as_str))
}
