//! Who did what.

use crate::{wire, words};

words! {
    /// What kind of somebody acts on the hub.
    pub enum ActorKind {
        /// The hub itself: recovery, expiry, a run's own steps.
        Hub = "hub",
        /// A script or the command line, with a personal access token.
        Token = "token",
        /// A browser that was paired.
        Device = "device",
        /// The agent of a run, with the run's own credential.
        Agent = "agent",
    }
}

wire! {
    /// Somebody who acts on the hub.
    pub struct Actor {
        /// What kind of somebody.
        pub kind: ActorKind,
        /// Id of the credential, or of the run for an agent; `hub` for the hub itself.
        pub id: String,
        /// Its name, in the words of its owner.
        pub name: String,
    }
}

impl Actor {
    /// The hub itself.
    #[must_use]
    pub fn hub() -> Self {
        Self { kind: ActorKind::Hub, id: "hub".to_owned(), name: "hub".to_owned() }
    }
}
