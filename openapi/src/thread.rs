//! Threads: conversations with an agent outside any run, the project manager's among them.

use crate::{
    AgentId, MessageId, RepoId, ThreadId, Timestamp, TurnId,
    agent::ApprovalPolicy,
    item::{Approval, Item, PlanStep, Usage},
    money::Cost,
    turn::{TurnError, Writing},
    wire, words,
};

wire! {
    /// A conversation with one agent: messages of people (and of the hub), one turn each, in order.
    pub struct Thread {
        /// Its id.
        pub id: ThreadId,
        /// Its name for people.
        pub name: String,
        /// What it is for: the one thread of the project manager, or any other.
        pub kind: ThreadKind,
        /// The repo or worktree the agent works in; the hub's root when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub repo: Option<RepoId>,
        /// The agent.
        pub agent: AgentId,
        /// Model, in the agent's words; its default when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        /// Reasoning effort, in the agent's words; its default when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub effort: Option<String>,
        /// How much the agent may do without asking.
        pub approvals: ApprovalPolicy,
        /// How it stands.
        pub status: ThreadStatus,
        /// Why it stands so and what happens next, in one line.
        pub explain: String,
        /// The message that is being answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub current: Option<MessageId>,
        /// Messages that wait for their turn.
        pub queued: u32,
        /// How many messages it has, answered or not.
        pub messages: u32,
        /// Which conversation of the agent it is at: 1, and one more with every reset.
        pub conversation: u32,
        /// The beginning of the newest message or answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub preview: Option<String>,
        /// Questions of the agent that wait for a yes or a no.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub approvals_open: Vec<Approval>,
        /// Tokens used in it.
        pub usage: Usage,
        /// The thread it was forked from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub forked_from: Option<ThreadId>,
        /// When it was made.
        pub created_at: Timestamp,
        /// When something last happened in it.
        pub updated_at: Timestamp,
        /// When it was put away; it takes no messages until it is taken out again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub archived_at: Option<Timestamp>,
    }
}

words! {
    /// What a thread is for.
    pub enum ThreadKind {
        /// The project manager agent of the hub. There is exactly one.
        Pma = "pma",
        /// Any other conversation.
        Chat = "chat",
    }
}

words! {
    /// How a thread stands.
    pub enum ThreadStatus {
        /// It waits for a message.
        Idle = "idle",
        /// The agent answers.
        Working = "working",
        /// The agent waits for a permission.
        Asking = "asking",
        /// Its queue is held: by the circuit breaker, or until a quota resets.
        Held = "held",
    }
}

wire! {
    /// One message of a thread and what came of it. A message is one turn of the agent.
    pub struct Message {
        /// Its id.
        pub id: MessageId,
        /// The thread.
        pub thread: ThreadId,
        /// Its number within the thread, from 1.
        pub number: u32,
        /// The conversation of the agent it belongs to.
        pub conversation: u32,
        /// Who wrote it.
        pub origin: MessageOrigin,
        /// Who wrote it, for people: a device's or token's name, or the rule that woke the agent.
        pub author: String,
        /// The caller's own id; posted again, it is the same message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub client_turn_id: Option<String>,
        /// Markdown text.
        pub body: String,
        /// Names of files of the inbox box of its thread's scope.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub attachments: Vec<String>,
        /// How it stands.
        pub status: MessageStatus,
        /// Why it stands so, when that needs a word: why it was refused, held, interrupted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub detail: Option<String>,
        /// The message it goes on from, when that one was cut off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub continues: Option<MessageId>,
        /// The turn, once the agent was asked; live frames and items carry it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub turn: Option<TurnId>,
        /// The agent's last words, once it has answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub answer: Option<String>,
        /// What went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<TurnError>,
        /// Tokens used.
        pub usage: Usage,
        /// What answering it cost, at the prices there were when its turns ended. Absent until the
        /// first of them has ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cost: Option<Cost>,
        /// When it was posted.
        pub created_at: Timestamp,
        /// When the agent was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub started_at: Option<Timestamp>,
        /// When it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<Timestamp>,
    }
}

words! {
    /// Who wrote a message.
    pub enum MessageOrigin {
        /// A person, or a program in their name.
        User = "user",
        /// The hub, because something happened.
        Wake = "wake",
    }
}

words! {
    /// How a message stands.
    pub enum MessageStatus {
        /// It waits for its turn.
        Queued = "queued",
        /// The agent answers it.
        Working = "working",
        /// It was answered.
        Completed = "completed",
        /// The answer was cut off; it can be continued.
        Interrupted = "interrupted",
        /// The answer ended with an error; it can be continued.
        Failed = "failed",
        /// It was taken back before its turn.
        Cancelled = "cancelled",
        /// A safety rule stopped it before its turn.
        Blocked = "blocked",
    }
}

wire! {
    /// A message with everything the agent did to answer it.
    pub struct MessageDetail {
        /// The message.
        pub message: Message,
        /// The pieces of the answer, in order, as far as they are known.
        pub items: Vec<Item>,
        /// The agent's plan as it last stood.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub plan: Vec<PlanStep>,
        /// What is being written right now: live frames go on from here.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub writing: Vec<Writing>,
    }
}

wire! {
    /// Body of `thread_create`.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct ThreadCreate {
        /// Its name; made from the first message when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(max_length = 200))]
        pub name: Option<String>,
        /// The repo or worktree the agent works in; the hub's root when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub repo: Option<RepoId>,
        /// The agent; the configured default when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub agent: Option<AgentId>,
        /// Model, in the agent's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        /// Reasoning effort, in the agent's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub effort: Option<String>,
        /// How much the agent may do without asking; the configured default when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub approvals: Option<ApprovalPolicy>,
    }
}

wire! {
    /// Body of `thread_update`, a JSON merge patch: what is absent stays.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct ThreadUpdate {
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(max_length = 200))]
        pub name: Option<String>,
        /// Model for the turns to come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        /// Reasoning effort for the turns to come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub effort: Option<String>,
        /// How much the agent may do without asking, for the turns to come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub approvals: Option<ApprovalPolicy>,
        /// Put away (`true`) or taken out again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub archived: Option<bool>,
    }
}

wire! {
    /// Body of `message_post`.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct MessagePost {
        /// Markdown text; may be empty only when there are attachments.
        #[cfg_attr(feature = "schema", schema(max_length = 100_000))]
        pub body: String,
        /// Names of files in the inbox box of the thread's scope.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(max_items = 50))]
        pub attachments: Vec<String>,
        /// The caller's own id of this message. Posted again with the same id, before or after a
        /// restart, it is the same message; with another body that is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(max_length = 200))]
        pub client_turn_id: Option<String>,
        /// What to do when the agent is busy.
        #[serde(default)]
        pub busy: BusyPolicy,
    }
}

words! {
    /// What becomes of a message that comes while the agent is busy.
    #[derive(Default)]
    pub enum BusyPolicy {
        /// It waits its turn.
        #[default]
        Queue = "queue",
        /// The answer under way is cut off, and it comes next.
        Interrupt = "interrupt",
        /// It is refused.
        Reject = "reject",
    }
}

wire! {
    /// Body of `thread_fork`.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct ThreadFork {
        /// The new thread's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(max_length = 200))]
        pub name: Option<String>,
    }
}

wire! {
    /// One message a search found.
    pub struct MessageHit {
        /// The thread.
        pub thread: ThreadId,
        /// The thread's name.
        pub thread_name: String,
        /// The message.
        pub message: MessageId,
        /// Its number within the thread.
        pub number: u32,
        /// Whether the words were found in the answer rather than in the message.
        pub in_answer: bool,
        /// Where the words stand, with `[` and `]` around each.
        pub excerpt: String,
        /// When it was posted.
        pub at: Timestamp,
    }
}
