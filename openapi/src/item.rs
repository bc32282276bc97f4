//! What an agent does and says within a turn, in words common to all agents.

use crate::{ApprovalId, Timestamp, wire, words};

wire! {
    /// One piece of a turn: a message, a command, an edit.
    pub struct Item {
        /// The agent's own id of the piece, unique within its thread.
        pub id: String,
        /// What it is.
        pub body: ItemBody,
    }
}

wire! {
    /// What a piece of a turn is.
    #[serde(tag = "type")]
    pub enum ItemBody {
        /// Text the agent addressed to the user.
        Message {
            /// The whole text.
            text: String,
        },
        /// A summary of the agent's reasoning.
        Reasoning {
            /// The whole text.
            text: String,
        },
        /// A command the agent ran.
        Command {
            /// The command line as the agent reports it.
            command: String,
            /// Where it ran, absolute.
            cwd: String,
            /// How it went.
            status: ItemStatus,
            /// Exit code once ended.
            exit_code: Option<i32>,
            /// What it printed; long output is cut at its start.
            output: String,
            /// How long it took, in milliseconds.
            duration_ms: Option<i64>,
        },
        /// Files the agent edited by its own editing tool.
        FileChange {
            /// How it went.
            status: ItemStatus,
            /// One entry a file.
            changes: Vec<FileChange>,
        },
        /// A tool of another kind (MCP, search, …).
        Tool {
            /// The tool's name.
            name: String,
            /// How it went.
            status: ItemStatus,
            /// A short account of arguments and result.
            detail: String,
        },
    }
}

words! {
    /// How a command, edit or tool call went.
    pub enum ItemStatus {
        /// Still at it.
        InProgress = "in_progress",
        /// Ended well.
        Completed = "completed",
        /// Ended badly.
        Failed = "failed",
        /// A person or a policy said no.
        Declined = "declined",
    }
}

wire! {
    /// One edited file.
    pub struct FileChange {
        /// Path as the agent reports it.
        pub path: String,
        /// `add`, `delete` or `update`.
        pub kind: String,
        /// Unified diff, or the content of a new file.
        pub diff: String,
    }
}

wire! {
    /// One step of the agent's plan.
    pub struct PlanStep {
        /// What is to be done.
        pub step: String,
        /// How far it is.
        pub status: PlanStatus,
    }
}

words! {
    /// How far a step of a plan is.
    pub enum PlanStatus {
        /// Not begun.
        Pending = "pending",
        /// Begun.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
    }
}

/// Tokens used, as the agent's provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: i64,
    /// Of those, served from the provider's cache.
    pub cached_input_tokens: i64,
    /// Tokens written, reasoning included.
    pub output_tokens: i64,
    /// Of those, reasoning.
    pub reasoning_tokens: i64,
}

impl Usage {
    /// Tokens read and written.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_input_tokens: self.cached_input_tokens.saturating_add(other.cached_input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
        }
    }

    /// What was used since `earlier`; never negative.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            input_tokens: (self.input_tokens - earlier.input_tokens).max(0),
            cached_input_tokens: (self.cached_input_tokens - earlier.cached_input_tokens).max(0),
            output_tokens: (self.output_tokens - earlier.output_tokens).max(0),
            reasoning_tokens: (self.reasoning_tokens - earlier.reasoning_tokens).max(0),
        }
    }
}

wire! {
    /// How much of one quota window of an account is used.
    pub struct RateLimit {
        /// Which window, in the provider's words (`primary`, `secondary`).
        pub window: String,
        /// Percent used, 0 to 100.
        pub used_percent: f64,
        /// The window's length in minutes.
        pub window_minutes: Option<i64>,
        /// When it resets.
        pub resets_at: Option<Timestamp>,
    }
}

wire! {
    /// A question of an agent that waits for a yes or a no.
    pub struct Approval {
        /// The question's id.
        pub id: ApprovalId,
        /// What is asked for.
        pub request: ApprovalRequest,
        /// When it was asked.
        pub asked_at: Timestamp,
        /// The answer, once given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decision: Option<Decision>,
    }
}

wire! {
    /// What an agent asks permission for.
    #[serde(tag = "type")]
    pub enum ApprovalRequest {
        /// To run a command.
        Command {
            /// The command line.
            command: String,
            /// Where it would run.
            cwd: String,
            /// The agent's reason, if it gave one.
            reason: Option<String>,
        },
        /// To change files.
        FileChange {
            /// One entry a file.
            changes: Vec<FileChange>,
            /// The agent's reason, if it gave one.
            reason: Option<String>,
        },
        /// Something else the agent words itself.
        Other {
            /// The agent's words.
            detail: String,
        },
    }
}

words! {
    /// An answer to a question of an agent.
    pub enum Decision {
        /// Yes, this once.
        Accept = "accept",
        /// Yes, and for the rest of the session.
        AcceptForSession = "accept_for_session",
        /// No; the turn goes on without it.
        Decline = "decline",
        /// No, and end the turn.
        Cancel = "cancel",
    }
}
