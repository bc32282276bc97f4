//! What the hub wants of an agent, and what an agent's lines mean.
//!
//! An adapter is a [`Driver`]: a pure state machine fed with the lines of a session's journal,
//! those the hub sent as well as those the agent wrote. Because the journal holds both, feeding it
//! again brings a driver back to exactly where it was: that is how a restarted hub takes up a turn
//! without sending anything twice.

use car_api::{
    AgentId, TurnId,
    agent::{ApprovalPolicy, Model},
    item::{ApprovalRequest, Decision, Item, PlanStep, RateLimit, Usage},
    turn::TurnError,
};
use serde::{Deserialize, Serialize};

/// Which way a line went over the agent's pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the hub to the agent.
    In,
    /// From the agent to the hub.
    Out,
}

/// A turn the hub wants done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnOrder {
    /// The hub's id of the turn; adapters pass it to the agent where the protocol has a place for
    /// it, so that the journal tells whether the prompt was sent.
    pub turn: TurnId,
    /// The prompt.
    pub prompt: String,
    /// Working directory, absolute.
    pub cwd: String,
    /// The agent's own id of the conversation to go on with; a new one when absent.
    pub thread: Option<String>,
    /// The agent's own id of a conversation a new one begins as a copy of.
    #[serde(default)]
    pub fork_of: Option<String>,
    /// What is wanted of the agent.
    #[serde(default)]
    pub task: Task,
    /// Model, in the agent's words.
    pub model: Option<String>,
    /// Reasoning effort, in the agent's words.
    pub effort: Option<String>,
    /// How much the agent may do without asking.
    pub approvals: ApprovalPolicy,
    /// Directories outside `cwd` a sandboxed agent must be able to write: the repository's `.git`,
    /// and for a worktree also its own directory in it (`.git/worktrees/<name>`), which Codex's
    /// sandbox keeps read-only unless it is named.
    pub writable: Vec<String>,
}

/// What is wanted of an agent in a turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// To answer the prompt.
    #[default]
    Answer,
    /// To make the conversation shorter; there is no prompt.
    Compact,
    /// To open the conversation and nothing else; there is no prompt.
    Open,
}

/// What the hub wants of a session at this moment. The driver compares it with what the journal
/// shows and says which line, if any, comes next.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish<'a> {
    /// The turn to be done.
    pub turn: Option<&'a TurnOrder>,
    /// Interrupt that turn as soon as the agent can.
    pub interrupt: bool,
    /// Answers to questions, by the key the driver gave them.
    pub decisions: &'a [(String, Decision)],
    /// Read the list of models.
    pub models: bool,
}

/// What a line of the journal meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AgentEvent {
    /// The agent answered the hand-shake.
    Ready {
        /// Its version as it reports it.
        version: Option<String>,
    },
    /// A conversation is open.
    ThreadOpened {
        /// The agent's own id of it.
        thread: String,
        /// Whether it is an earlier one taken up again.
        resumed: bool,
    },
    /// The conversation that was asked for cannot be taken up again.
    ThreadLost {
        /// The agent's words.
        detail: String,
    },
    /// The account that is used, if the agent tells.
    Account {
        /// Its name, such as `chatgpt:plus` or `apiKey`; none when there is no log-in.
        name: Option<String>,
        /// Whether a log-in is needed to use the agent as it is configured.
        login_required: bool,
    },
    /// The models the agent offers.
    Models {
        /// All of them.
        models: Vec<Model>,
    },
    /// The agent began to work on the turn.
    TurnStarted {
        /// The hub's id.
        turn: TurnId,
    },
    /// A piece of the answer began or moved on.
    ItemStarted {
        /// The piece.
        item: Item,
    },
    /// A piece of the answer is finished.
    ItemCompleted {
        /// The piece.
        item: Item,
    },
    /// Text that is being written.
    Delta {
        /// The piece.
        item: String,
        /// What kind of text.
        stream: car_api::event::LiveStream,
        /// The text.
        text: String,
    },
    /// The plan changed.
    Plan {
        /// The whole plan.
        steps: Vec<PlanStep>,
    },
    /// Tokens used in this conversation so far.
    Usage {
        /// Since the conversation began.
        total: Usage,
    },
    /// The account's quota, merged with what was known before.
    RateLimits {
        /// Its windows.
        limits: Vec<RateLimit>,
    },
    /// The agent asks for permission.
    ApprovalRequested {
        /// The driver's key of the question, unique within the session.
        key: String,
        /// What is asked for.
        request: ApprovalRequest,
    },
    /// A question was answered or became void.
    ApprovalResolved {
        /// Its key.
        key: String,
    },
    /// Something worth showing that is neither answer nor error (a retry, a warning).
    Notice {
        /// The text.
        message: String,
    },
    /// The turn is over.
    TurnEnded {
        /// The hub's id.
        turn: TurnId,
        /// How it ended.
        outcome: TurnOutcome,
    },
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TurnOutcome {
    /// The agent finished its answer.
    Completed {
        /// Its last message.
        message: Option<String>,
    },
    /// It was interrupted.
    Interrupted,
    /// It failed.
    Failed(TurnError),
}

/// One session's protocol, decoded. No I/O, no clock.
pub trait Driver: Send + Sync {
    /// Takes one line of the journal and says what it meant. Lines that mean nothing to the hub,
    /// and lines that are no protocol at all, give no events. Never panics, whatever the line.
    fn observe(&mut self, direction: Direction, line: &str) -> Vec<AgentEvent>;

    /// The next line to send so that the wish comes true, or none when the next move is the
    /// agent's. The hub sends the line and calls again only after the line has come back through
    /// [`Driver::observe`] as [`Direction::In`].
    fn next(&self, wish: &Wish<'_>) -> Option<String>;

    /// Whether the journal shows that the turn's prompt was sent. Once it is, the turn must not be
    /// started again; before, nothing of it has happened and an interrupt has nothing to end.
    fn prompt_sent(&self, turn: &TurnId) -> bool;

    /// The model a conversation runs with, as the agent told when it was opened.
    fn model(&self, thread: &str) -> Option<&str>;

    /// Tokens used in a conversation as the agent last told, since it began.
    fn used(&self, thread: &str) -> Option<Usage>;

    /// The state as text, from which [`Adapter::driver`] makes the same driver again.
    fn snapshot(&self) -> String;
}

/// One kind of agent.
pub trait Adapter: Send + Sync {
    /// Its id in tickets.
    fn id(&self) -> AgentId;

    /// Its name for people.
    fn name(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> &'static [car_api::agent::Capability];

    /// The program and arguments that start a session.
    fn command(&self) -> Vec<String>;

    /// Environment the session needs beyond the allow-listed one, as `name=value`.
    fn environment(&self) -> Vec<(String, String)>;

    /// Names of variables of the hub's own environment the session is given when they are set.
    fn passed_environment(&self) -> Vec<String>;

    /// The program and arguments that print the version, for detection.
    fn version_command(&self) -> Vec<String>;

    /// What to do when the program is not there or has no log-in.
    fn install_hint(&self) -> &'static str;

    /// A driver at the beginning of a session, or where a snapshot was taken. A snapshot that
    /// cannot be read is an error text.
    ///
    /// # Errors
    /// The snapshot is not one of this adapter.
    fn driver(&self, snapshot: Option<&str>) -> Result<Box<dyn Driver>, String>;
}
