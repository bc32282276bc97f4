//! Who did what.

use crate::{Timestamp, wire, words};

words! {
    /// What kind of somebody acts on the hub.
    pub enum ActorKind {
        /// The hub itself: recovery, expiry, a run's own steps.
        Hub = "hub",
        /// A script or the command line, with a personal access token.
        Token = "token",
        /// A browser that was paired.
        Device = "device",
        /// The agent of a run or thread, with a credential of its own.
        Agent = "agent",
        /// The project manager's agent.
        Pma = "pma",
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

words! {
    /// How an act went.
    pub enum Outcome {
        /// It is done.
        Done = "done",
        /// It was begun; a later line of the same verb and object says how it ended. An act that
        /// cannot be part of a transaction, such as removing a worktree, is noted before it is done.
        Begun = "begun",
        /// It was not allowed.
        Refused = "refused",
        /// It was tried and did not succeed.
        Failed = "failed",
    }
}

wire! {
    /// One line of the audit chain.
    ///
    /// `hash` is the SHA-256, in hex, of the line without `prev` and `hash` as canonical JSON
    /// (RFC 8785), followed by `prev`, which is the `hash` of the line before; of the first line it
    /// is 64 zeros.
    pub struct AuditLine {
        /// Its number: 1, 2, 3, … without a gap.
        pub seq: i64,
        /// When.
        pub at: Timestamp,
        /// Who.
        pub actor: Actor,
        /// Where the request says it came from, behind a proxy; nobody has checked that.
        pub ip_claimed: Option<String>,
        /// What: an operation's id, or what the hub did by itself.
        pub verb: String,
        /// To what: an id or a name; empty when it is the hub.
        pub object: String,
        /// How it went.
        pub outcome: Outcome,
        /// More, where there is more to say.
        pub detail: Option<String>,
        /// The hash of the line before.
        pub prev: String,
        /// The line's own hash.
        pub hash: String,
    }
}

wire! {
    /// The end of the audit chain. Whoever keeps one finds out later whether lines were cut off or
    /// the chain was made anew: `audit_verify` with this number and hash.
    #[derive(Eq, Default)]
    pub struct AuditHead {
        /// Number of the last line; 0 when there is none.
        pub seq: i64,
        /// Its hash; 64 zeros when there is none.
        pub hash: String,
    }
}

wire! {
    /// What a walk over the audit chain found.
    pub struct AuditReport {
        /// Whether every line is as it was written, none is missing, and the head that was asked
        /// for is part of it.
        pub ok: bool,
        /// How many lines were walked before the end or the first that is broken.
        pub lines: i64,
        /// The end of the chain as it is now.
        pub head: AuditHead,
        /// The first line that is not as it was written.
        pub broken: Option<AuditBreak>,
    }
}

wire! {
    /// Where the audit chain is broken.
    pub struct AuditBreak {
        /// Number of the line.
        pub seq: i64,
        /// What is wrong with it.
        pub detail: String,
    }
}

impl AuditHead {
    /// The head of a chain without lines.
    #[must_use]
    pub fn none() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }
}
