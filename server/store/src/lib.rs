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
mod items;
mod jobs;
mod migrate;
mod runs;
mod salvages;
mod sessions;
mod snapshot;
mod store;
mod ticket_files;
mod tokens;
mod turns;
mod verdicts;
mod void;
mod write;

#[cfg(test)]
mod tests;

pub use accounts::AccountRow;
pub use approvals::ApprovalRow;
pub use effects::EffectRow;
pub use error::{Error, Result};
pub use events::EventQuery;
pub use items::ItemRow;
pub use migrate::{Plan, plan};
pub use runs::{RunQuery, RunRow};
pub use sessions::SessionRow;
pub use snapshot::{
    Look, SECRET_TABLES, fact_of, last_event_at, look, open_session_dirs, snapshot,
};
pub use store::{Committed, Store, schema};
pub use ticket_files::TicketFileRow;
pub use tokens::TokenRow;
pub use verdicts::VerdictRow;
pub use write::Write;
