//! The hub's memory: the only crate that knows SQL.
//!
//! Knows nothing of processes, git or HTTP. One table, one file; rows are plain structs; every
//! change goes through [`Store::commit`], which one writer turns into grouped, durable
//! transactions. Readers have their own connections and never wait for the writer.

mod accounts;
mod approvals;
mod audit;
mod car_runs;
mod channels;
mod clean;
mod columns;
mod deliveries;
mod devices;
mod effects;
mod errand;
mod error;
mod events;
mod facts;
mod idempotency;
mod inbox;
mod items;
mod jobs;
mod message_search;
mod messages;
mod migrate;
mod notifications;
mod push;
mod run_grants;
mod runs;
mod salvages;
mod sessions;
mod snapshot;
mod stats;
mod store;
mod templates;
mod terminals;
mod thread_grants;
mod thread_safety;
mod thread_told;
mod threads;
mod ticket_files;
mod tokens;
mod turns;
mod usage;
mod verdicts;
mod void;
mod wakes;
mod webhooks;
mod write;
mod writings;

#[cfg(test)]
mod tests;

pub use accounts::AccountRow;
pub use approvals::ApprovalRow;
pub use audit::{AuditEntry, AuditQuery, verify_audit_file};
pub use car_runs::{CarRun, car_runs};
pub use channels::ChannelRow;
pub use clean::Clean;
pub use deliveries::{DeliveryQuery, DeliveryRow};
pub use devices::DeviceRow;
pub use effects::EffectRow;
pub use errand::Errand;
pub use error::{Error, Result};
pub use events::EventQuery;
pub use idempotency::{KeptAnswer, RequestKey, RequestRow};
pub use inbox::{InboxDraft, InboxEnd, InboxQuery, InboxSync};
pub use items::ItemRow;
pub use jobs::JobQuery;
pub use message_search::{FoundMessage, SearchQuery};
pub use messages::{MessageQuery, MessageRow};
pub use migrate::{Plan, plan};
pub use notifications::{NotificationDraft, NotificationQuery};
pub use run_grants::RunGrantRow;
pub use runs::{RunQuery, RunRow};
pub use sessions::SessionRow;
pub use snapshot::{
    Look, SECRET_TABLES, fact_of, last_event_at, look, open_session_dirs, snapshot,
};
pub use stats::{Durations, Stats};
pub use store::{Committed, Store, schema};
pub use templates::{TemplateSourceRow, TemplateTrustRow};
pub use thread_grants::ThreadGrantRow;
pub use threads::{ThreadQuery, ThreadRow};
pub use ticket_files::TicketFileRow;
pub use tokens::TokenRow;
pub use usage::{Counted, UsageQuery, UsageRow};
pub use verdicts::VerdictRow;
pub use wakes::WakeRow;
pub use webhooks::{Secrets, WebhookRow};
pub use write::Write;
