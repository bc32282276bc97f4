//! Dispatches (an agent's word to a person) and replies (a person's word to an agent).

use crate::{Timestamp, wire, words};

words! {
    /// What a dispatch asks for.
    pub enum DispatchMode {
        /// For information.
        Notify = "notify",
        /// The run waits for an answer.
        Pause = "pause",
        /// The hub's own record of a turn's last message.
        TurnSummary = "turn_summary",
    }
}

wire! {
    /// One entry of a run's dispatch history.
    pub struct Dispatch {
        /// Its number within the run (`dispatch_history/NNNN`).
        pub seq: u32,
        /// What it asks for.
        pub mode: DispatchMode,
        /// Title, when one was given.
        pub title: Option<String>,
        /// Markdown body.
        pub body: String,
        /// Names of attached files.
        pub attachments: Vec<String>,
        /// When it was archived.
        pub created_at: Option<Timestamp>,
    }
}

wire! {
    /// Body of `dispatch_create`.
    #[serde(deny_unknown_fields)]
    pub struct DispatchCreate {
        /// What it asks for: `notify` or `pause`.
        pub mode: DispatchMode,
        /// Title.
        #[serde(default)]
        pub title: Option<String>,
        /// Markdown body.
        pub body: String,
    }
}

wire! {
    /// One entry of a run's reply history.
    pub struct Reply {
        /// Its number within the run (`reply_history/NNNN`).
        pub seq: u32,
        /// Title, when one was given.
        pub title: Option<String>,
        /// Markdown body.
        pub body: String,
        /// Names of attached files.
        pub attachments: Vec<String>,
        /// When it was archived.
        pub created_at: Option<Timestamp>,
    }
}

wire! {
    /// Body of `run_reply`.
    #[serde(deny_unknown_fields)]
    pub struct ReplyCreate {
        /// Title.
        #[serde(default)]
        pub title: Option<String>,
        /// Markdown body; it will be in the next prompt.
        pub body: String,
    }
}
