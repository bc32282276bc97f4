//! The contract between the hub and everything that talks to it.
//!
//! Vocabulary only: ids, states, events and bodies. This crate knows no I/O, no database and no
//! HTTP framework. `openapi.json` beside it is generated from these types and from the handlers
//! of `car-http`; a test fails when the two drift apart.

pub mod agent;
pub mod audit;
pub mod backup;
pub mod budget;
pub mod context;
pub mod device;
pub mod diff;
pub mod dispatch;
pub mod doctor;
pub mod event;
pub mod filebox;
pub mod hub;
mod id;
pub mod inbox;
pub mod item;
pub mod job;
pub mod key;
mod merge;
pub mod money;
pub mod notification;
pub mod page;
pub mod pairing;
pub mod pma;
pub mod problem;
pub mod push;
pub mod repo;
pub mod run;
pub mod scope;
pub mod template;
pub mod terminal;
pub mod thread;
pub mod ticket;
mod time;
pub mod token;
pub mod turn;
pub mod usage;
pub mod verify;
pub mod voice;
pub mod webhook;
pub mod worktree;

pub use event::{Event, EventKind};
pub use id::*;
pub use page::{Page, PageQuery};
pub use problem::{Code, Problem};
pub use scope::Scope;
pub use time::Timestamp;

/// Declares a wire type: comparable, printable, serialised in snake_case, with an OpenAPI schema
/// when the `schema` feature is on.
macro_rules! wire {
    ($(#[$meta:meta])* pub struct $($rest:tt)*) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        $(#[$meta])*
        pub struct $($rest)*
    };
    ($(#[$meta:meta])* pub enum $($rest:tt)*) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        $(#[$meta])*
        pub enum $($rest)*
    };
}
pub(crate) use wire;

/// Declares a closed set of words used the same way in SQL, JSON, CLI and UI. The word is taken as a
/// token tree: a `literal` fragment reaches utoipa's derive wrapped, which then does not see it.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every member, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in JSON, SQL and the CLI.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|w| w.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|w| w.as_str()).collect();
                    format!("`{text}` is not one of {}", known.join(", "))
                })
            }
        }
    };
}
pub(crate) use words;
