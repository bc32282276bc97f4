//! What holds for the program as a whole, seen from outside: the real `car-hub`, on a free port,
//! in a temporary hub, spoken to by the real client.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a panic")]

mod audit;
mod auth;
mod backup;
mod codex;
mod commands;
mod compat;
mod config;
mod contract;
mod corpus;
mod coverage;
mod credentials;
mod deploy;
mod diff;
mod doctor;
mod events;
mod files;
mod flow;
mod fuzz;
mod gate;
mod gone;
mod harness;
#[path = "../../../files/tests/it/hostile.rs"]
mod hostile;
mod http;
mod idempotency;
mod inbox;
mod jobs;
mod kill;
mod layers;
mod lifecycle;
mod limits;
mod lists;
mod lockout;
mod namespaces;
mod notifications;
mod outdated;
mod planted;
mod pma;
mod push;
mod secrets;
mod shims;
mod shutdown;
mod stage;
mod starters;
mod stream;
mod talk;
mod templates;
mod terminals;
mod threads;
mod trials;
mod ui;
mod usage;
mod versions;
mod voice;
mod web;
mod webhooks;
mod work;
