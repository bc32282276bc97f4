//! The typed client of the hub's API.
//!
//! Knows the contract (`car-api`) and HTTP, nothing else: no engine, no git, no database, and no
//! terminal. What it says of a ticket or a run is what the hub answered; it decides nothing itself.
//! The command line `car` is a binary of this crate and uses only what is public here.
//!
//! One method per operation of the API, by the operation's own name: `client.repo_list(…)`.

mod client;
pub mod credentials;
mod error;
pub mod find;
pub mod heads;
pub mod private_file;
pub mod watch;

pub use client::{
    AuditFilter, Client, EventFilter, EventFrom, InboxFilter, Incoming, JobFilter, MessagePage,
    RawAnswer, RawRequest, RepoFilter, RunFilter, TemplateFilter, TerminalSaid, TerminalSocket,
    ThreadFilter, TicketFilter, Upload, UsageCount,
};
pub use error::ClientError;
