//! Turns: one prompt to one agent and its answer.

use crate::{
    AgentId, RunId, SessionId, TicketId, Timestamp, TurnId,
    item::{Item, Usage},
    money::Amount,
    wire, words,
};

wire! {
    /// One turn.
    pub struct Turn {
        /// Its id.
        pub id: TurnId,
        /// The run it belongs to.
        pub run: RunId,
        /// Its number within the run, from 1.
        pub number: u32,
        /// The ticket it works on.
        pub ticket: TicketId,
        /// The ticket's file name.
        pub ticket_file: String,
        /// The agent.
        pub agent: AgentId,
        /// The model it ran with, where the agent tells.
        #[serde(default)]
        pub model: Option<String>,
        /// Why the agent was asked.
        pub purpose: TurnPurpose,
        /// How it stands.
        pub status: TurnStatus,
        /// The agent process it ran in.
        pub session: Option<SessionId>,
        /// The agent's own id of the conversation.
        pub thread: Option<String>,
        /// SHA-256 of the prompt (its text is `prompts/<turn>.md` in the run's directory).
        pub prompt_hash: Option<String>,
        /// When it began.
        pub started_at: Timestamp,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Tokens used in it.
        pub usage: Usage,
        /// What it cost, at the price there was when it ended, in millionths of the hub's currency.
        /// Absent while it is under way, and when there was no price.
        #[serde(default)]
        pub cost: Option<Amount>,
        /// The agent's last message.
        pub message: Option<String>,
        /// What went wrong.
        pub error: Option<TurnError>,
        /// What changed in the tree.
        pub diff: Option<DiffStats>,
    }
}

words! {
    /// Why the agent was asked.
    pub enum TurnPurpose {
        /// To work the ticket.
        Work = "work",
        /// To mend the ticket's frontmatter.
        LintRepair = "lint_repair",
        /// To commit what it left uncommitted.
        Commit = "commit",
        /// To mend what verification found.
        VerifyFix = "verify_fix",
        /// To go on after an interruption.
        Continue = "continue",
    }
}

words! {
    /// How a turn stands.
    pub enum TurnStatus {
        /// Under way.
        Running = "running",
        /// The agent finished its answer.
        Completed = "completed",
        /// It ended with an error.
        Failed = "failed",
        /// It was interrupted.
        Interrupted = "interrupted",
    }
}

wire! {
    /// What went wrong in a turn, classified by the agent's adapter.
    pub struct TurnError {
        /// What kind of error it is.
        pub class: ErrorClass,
        /// The agent's words.
        pub message: String,
        /// When to try again, if the provider said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub retry_at: Option<Timestamp>,
    }
}

words! {
    /// What kind of error ended a turn, and so what is done about it.
    pub enum ErrorClass {
        /// Network, overload, 5xx: tried again later.
        Transient = "transient",
        /// The account's limit is reached: parked until it resets.
        Quota = "quota",
        /// No valid log-in: a person is needed.
        Auth = "auth",
        /// The conversation is too long for the model: a fresh session.
        ContextOverflow = "context_overflow",
        /// The agent's process died or stopped answering.
        AgentLost = "agent_lost",
        /// Anything else: a person looks at it.
        Other = "other",
    }
}

/// What changed in a tree, untracked files included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DiffStats {
    /// Files that differ.
    pub files_changed: u64,
    /// Lines added.
    pub insertions: u64,
    /// Lines removed.
    pub deletions: u64,
}

wire! {
    /// A turn with everything the agent did in it.
    pub struct TurnDetail {
        /// The turn.
        pub turn: Turn,
        /// The pieces of the answer, in order, as far as they are known.
        pub items: Vec<Item>,
        /// What is being written right now, as far as it came: live frames go on from here.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub writing: Vec<Writing>,
        /// The prompt's text, while the run's directory is there.
        pub prompt: Option<String>,
    }
}

wire! {
    /// A piece that is being written. Its text goes on with the live frame whose `offset` is this
    /// `offset` plus the text's length in bytes; of a frame that begins earlier, the rest goes on.
    pub struct Writing {
        /// The agent's id of the piece.
        pub item: String,
        /// What is being written.
        pub stream: crate::event::LiveStream,
        /// Where `text` begins in the piece, in bytes; not 0 only for very long pieces.
        pub offset: u64,
        /// The text.
        pub text: String,
    }
}
