//! File boxes: files handed to agents (inbox) and by agents (outbox), one pair a repo or worktree
//! and one for the hub.

use crate::{Timestamp, wire, words};

words! {
    /// One of the two boxes.
    pub enum FileBox {
        /// Files for agents.
        Inbox = "inbox",
        /// Files of agents.
        Outbox = "outbox",
    }
}

wire! {
    /// One file of a box.
    pub struct BoxFile {
        /// The box.
        pub r#box: FileBox,
        /// Its name, a single path part.
        pub name: String,
        /// Bytes.
        pub size: u64,
        /// The media type, by its name.
        pub media_type: String,
        /// When it was last written.
        pub modified_at: Timestamp,
    }
}
