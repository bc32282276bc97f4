//! What the hub does: it applies the engine's transitions, owns runs, worktrees and the log.
//!
//! This crate knows no HTTP and no particular agent: agents come in as [`car_engine::agent::Adapter`]s,
//! requests come in as calls of [`Hub`], one method an operation of the API.

mod accounts;
mod agents;
mod audit;
pub mod backup;
mod car_history;
mod channel;
mod checks;
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
mod journals;
mod lifecycle;
mod live;
pub mod measure;
pub mod migrate;
mod orphan;
mod outbox;
mod pma;
mod push;
mod redact;
pub mod reindex;
mod repos;
mod retention;
mod run_records;
mod runner;
mod runs;
mod sender;
mod shell;
mod snapshot;
mod spending;
mod sync;
mod templates;
mod terminals;
mod text;
mod threads;
mod tickets;
mod tree_git;
mod trial;
mod voice;
mod watch;
mod webhooks;
mod worktrees;

pub use audit::{AuditFilter, verify_audit};
pub use car_engine::{pma::wake::DispatchRule, price::Price};
pub use channel::{Attempt, Channel, Channels, Message, PushAddress, Sent, WebhookChannel};
pub use clock::now;
pub use config::{
    CheckFiles, Config, ConfigCheck, EventsConfig, FlowConfig, KeepBudgets, KeepTemplates,
    MoneyConfig, NotificationsConfig, PmaConfig, ReadFlow, SafetyConfig, TemplateSourceConfig,
    TemplatesConfig, TerminalConfig, ThreadsConfig, TreeFlow, WakeConfig, WebhooksConfig,
    WriteBudgets, WriteTemplates,
};
pub use credentials::{Finished, Grant, Presented, Reach, ReachedAt, Refused, Rights};
pub use error::{Error, Result};
pub use events::{EventFilter, EventPlace};
pub use files::{BoxScope, Download};
pub use hub::Hub;
pub use inbox::InboxFilter;
pub use index::{RepoFilter, TicketFilter};
pub use jobs::JobFilter;
pub use journals::JournalsConfig;
pub use live::LiveText;
pub use outbox::NewChannel;
pub use redact::Redactor;
pub use runs::RunFilter;
pub use spending::{UsageFilter, offset_of};
pub use templates::TemplateFilter;
pub use terminals::{Seen, Viewer};
pub use threads::{MessagePage, PMA, ThreadFilter};
pub use voice::{AudioKind, Hearing, Speech, Transcriber, Unheard, VoiceConfig, is_a_language};

/// The agents a ticket may name, for checks outside a hub.
#[must_use]
pub fn known_agents(ids: &[car_api::AgentId]) -> car_engine::ticket::KnownAgents {
    car_engine::ticket::KnownAgents::new(ids.iter().map(car_api::AgentId::as_str))
}
