//! The words of a recording, asked of a service with the interface of OpenAI's: implements the hub's
//! [`car_hub::Transcriber`].
//!
//! Knows one address, one key and one request; not who speaks, nor what becomes of the words. It
//! asks once, follows no redirect, and neither the key nor the address is in what it says.

mod endpoint;
mod form;
mod transcriber;

pub use endpoint::Endpoint;
pub use transcriber::{Config, Endpoints};
