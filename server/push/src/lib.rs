//! Messages that leave the hub by HTTP: implements the hub's [`car_hub::Channel`].
//!
//! Knows addresses, signatures and answers; not what is sent, to whom, or how often. It makes one
//! attempt and says what came of it. Nothing of an address or a secret is in what it says.

mod answer;
mod clients;
mod ece;
mod sign;
mod vapid;
mod web_push;
mod webhook;

pub use web_push::WebPushes;
pub use webhook::{Config, Webhooks};
