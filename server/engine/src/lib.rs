//! What the hub decides, as pure functions.
//!
//! This crate does no I/O, reads no clock, draws no random number and knows no async. Time and
//! facts enter as arguments; what is to be done leaves as values.

pub mod agent;
pub mod budget;
pub mod detect;
pub mod dispatch;
pub mod flow;
pub mod generated;
pub mod lane;
pub mod manifest;
pub mod pma;
pub mod price;
pub mod prompt;
pub mod template;
pub mod ticket;
pub mod yaml;
