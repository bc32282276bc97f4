//! The hub's memory: the only crate that knows SQL.
//!
//! Knows nothing of processes, git or HTTP. One table, one file; rows are plain structs; every
//! change goes through [`Store::commit`], which one writer turns into grouped, durable
//! transactions. Readers have their own connections and never wait for the writer.

mod accounts;
mod approvals;
mod columns;
mod effects;
mod error;
mod events;
mod facts;
mod idempotency;
mod items;
mod jobs;
mod runs;
mod salvages;
mod sessions;
mod stats;
mod store;
mod ticket_files;
mod tokens;
mod turns;
mod verdicts;
mod write;

#[cfg(test)]
mod tests;

pub use accounts::AccountRow;
pub use approvals::ApprovalRow;
pub use effects::EffectRow;
pub use error::{Error, Result};
pub use events::EventQuery;
pub use idempotency::{KeptAnswer, RequestKey, RequestRow};
pub use items::ItemRow;
pub use jobs::JobQuery;
pub use runs::{RunQuery, RunRow};
pub use sessions::SessionRow;
pub use stats::{Durations, Stats};
pub use store::{Committed, Store};
pub use ticket_files::TicketFileRow;
pub use tokens::TokenRow;
pub use verdicts::VerdictRow;
pub use write::Write;
