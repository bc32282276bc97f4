//! Terminals: shells on the hub's machine, for people.

use crate::{RepoId, TerminalId, Timestamp, wire, words};

words! {
    /// How a terminal stands.
    pub enum TerminalStatus {
        /// Its shell is there.
        Running = "running",
        /// Its shell and everything it started is gone; what it wrote can still be read.
        Ended = "ended",
    }
}

words! {
    /// Why a terminal ended.
    pub enum TerminalEnd {
        /// The shell ended by itself.
        Exited = "exited",
        /// Somebody ended it.
        Killed = "killed",
        /// Its time was up.
        Expired = "expired",
        /// The hub stopped; a terminal does not outlive it.
        HubStopped = "hub_stopped",
    }
}

wire! {
    /// A shell on the hub's machine.
    pub struct Terminal {
        /// Its id.
        pub id: TerminalId,
        /// How it stands.
        pub status: TerminalStatus,
        /// The repo or worktree it was opened in; the hub's root when absent.
        pub repo: Option<RepoId>,
        /// The directory it was opened in.
        pub dir: String,
        /// The shell.
        pub command: String,
        /// Characters in a line.
        pub cols: u16,
        /// Lines.
        pub rows: u16,
        /// Bytes the shell has written.
        pub written: u64,
        /// How many look at it now.
        pub viewers: u32,
        /// Who opened it.
        pub opened_by: String,
        /// When it was opened.
        pub created_at: Timestamp,
        /// When it is ended at the latest.
        pub expires_at: Timestamp,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Why it ended.
        pub end: Option<TerminalEnd>,
        /// The shell's exit status, when it ended by itself and not by a signal.
        pub exit_code: Option<i32>,
    }
}

wire! {
    /// Body of `terminal_create`.
    #[serde(deny_unknown_fields)]
    pub struct TerminalCreate {
        /// The repo or worktree to open it in; the hub's root when absent.
        #[serde(default)]
        pub repo: Option<RepoId>,
        /// Characters in a line, 2 to 1000.
        #[cfg_attr(feature = "schema", schema(minimum = 2, maximum = 1000))]
        pub cols: u16,
        /// Lines, 1 to 1000.
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1000))]
        pub rows: u16,
    }
}

wire! {
    /// What a socket of `terminal_attach` says in text; what the shell writes are binary messages.
    #[serde(tag = "type")]
    pub enum TerminalMessage {
        /// The first message: the next binary one begins at `from`.
        Attached {
            /// The terminal.
            terminal: Box<Terminal>,
            /// The place of the next byte: later than asked for when what was before is no longer
            /// kept.
            from: u64,
        },
        /// Everything written so far was sent.
        CaughtUp {
            /// The place of the next byte.
            at: u64,
        },
        /// Somebody made it another size.
        Resized {
            /// Characters in a line.
            cols: u16,
            /// Lines.
            rows: u16,
        },
        /// No more will come.
        Ended {
            /// The terminal.
            terminal: Box<Terminal>,
        },
    }
}

wire! {
    /// What a client says in text; what is typed are binary messages.
    #[serde(tag = "type", deny_unknown_fields)]
    pub enum TerminalOrder {
        /// Make it this large.
        Resize {
            /// Characters in a line, 2 to 1000.
            cols: u16,
            /// Lines, 1 to 1000.
            rows: u16,
        },
    }
}
