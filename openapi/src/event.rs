//! The hub's log.

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, RepoId, RunId, SessionId, ThreadId, TicketId, Timestamp, TurnId,
    dispatch::DispatchMode,
    item::{Approval, Item, PlanStep, RateLimit, Usage},
    job::Job,
    money::Amount,
    run::{RunState, RunTicket},
    thread::{Message, Thread},
    turn::{DiffStats, TurnError, TurnPurpose, TurnStatus},
    verify::Evidence,
    wire,
};

/// One entry of the hub's log. `seq` is global and has no gaps, so a watcher goes on with
/// `after=<seq>` and misses nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its number, from 1.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// The repo or worktree it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<RepoId>,
    /// The run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The thread it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadId>,
    /// What has become true.
    pub event: EventKind,
}

wire! {
    /// What has become true.
    #[serde(tag = "kind")]
    pub enum EventKind {
        /// The hub's process began.
        HubStarted {
            /// Its version.
            version: String,
        },
        /// A repo or worktree joined the hub.
        RepoAdded {
            /// Its directory, relative to the hub's root.
            path: String,
        },
        /// A repo or worktree left the hub.
        RepoRemoved {
            /// Directory of what was kept of it, relative to the hub's root.
            salvage: Option<String>,
        },
        /// A ticket file appeared, changed or went.
        TicketChanged {
            /// File name.
            file: String,
            /// The ticket, while the file is there.
            ticket: Option<TicketId>,
            /// Whether it says done.
            done: bool,
        },
        /// A contextspace document changed.
        ContextChanged {
            /// Which.
            name: crate::context::ContextName,
        },
        /// A file of a box appeared, changed or went.
        FileChanged {
            /// The box; of a repo when the event has one, else of the hub.
            r#box: crate::filebox::FileBox,
            /// The file.
            name: crate::BoxFileName,
            /// Bytes, while it is there.
            size: Option<u64>,
        },
        /// A document of the project manager changed.
        PmaDocChanged {
            /// Which.
            name: crate::pma::PmaDocName,
        },
        /// A run was asked for.
        RunCreated,
        /// A run changed its state.
        RunStateChanged {
            /// The new state.
            state: RunState,
            /// One line for people.
            explain: String,
        },
        /// A run chose its next ticket.
        TicketSelected {
            /// The ticket.
            ticket: RunTicket,
        },
        /// A run finished a ticket.
        TicketFinished {
            /// The ticket.
            ticket: RunTicket,
            /// Whether the hub verified it.
            verified: bool,
        },
        /// An agent's process was started.
        SessionStarted {
            /// The process.
            session: SessionId,
            /// The agent.
            agent: AgentId,
            /// The agent's version as it reports it.
            version: Option<String>,
        },
        /// An agent's process ended.
        SessionEnded {
            /// The process.
            session: SessionId,
            /// How, for people.
            detail: String,
        },
        /// A turn began.
        TurnStarted {
            /// The turn.
            turn: TurnId,
            /// Its number within the run.
            number: u32,
            /// The ticket it works on.
            ticket: TicketId,
            /// The agent.
            agent: AgentId,
            /// Why the agent was asked.
            purpose: TurnPurpose,
            /// SHA-256 of the prompt.
            prompt_hash: String,
        },
        /// The agent began or finished a piece of its answer.
        ItemUpdated {
            /// The turn.
            turn: TurnId,
            /// The piece.
            item: Item,
            /// Whether it is finished.
            completed: bool,
        },
        /// The agent changed its plan.
        PlanUpdated {
            /// The turn.
            turn: TurnId,
            /// The whole plan.
            steps: Vec<PlanStep>,
        },
        /// The agent's account reported its quota.
        RateLimitsUpdated {
            /// The account.
            account: String,
            /// Its windows.
            limits: Vec<RateLimit>,
        },
        /// The agent asks for permission.
        ApprovalRequested {
            /// The turn.
            turn: TurnId,
            /// The question.
            approval: Approval,
        },
        /// A question of the agent was answered or became void.
        ApprovalResolved {
            /// The turn.
            turn: TurnId,
            /// The question with its answer; no answer when it became void.
            approval: Approval,
        },
        /// The agent or its adapter has something to say that is neither answer nor error.
        AgentNotice {
            /// The turn.
            turn: TurnId,
            /// The text.
            message: String,
        },
        /// A turn ended.
        TurnEnded {
            /// The turn.
            turn: TurnId,
            /// How.
            status: TurnStatus,
            /// What went wrong.
            error: Option<TurnError>,
            /// Tokens used in it.
            usage: Usage,
            /// What it cost, in millionths of the hub's currency; absent without a price.
            #[serde(default)]
            cost: Option<Amount>,
        },
        /// What a turn changed in the tree.
        DiffUpdated {
            /// The turn.
            turn: TurnId,
            /// Against the tree before the turn.
            diff: DiffStats,
        },
        /// A checkpoint was committed, or could not be.
        Checkpoint {
            /// The turn.
            turn: TurnId,
            /// The commit.
            commit: Option<String>,
            /// Why there is none.
            error: Option<String>,
        },
        /// An agent's dispatch, or the hub's own, was archived.
        DispatchCreated {
            /// Its number within the run.
            seq: u32,
            /// What it asks for.
            mode: DispatchMode,
            /// Title.
            title: Option<String>,
        },
        /// A reply was archived.
        ReplyReceived {
            /// Its number within the run.
            seq: u32,
            /// Where it came from: `file` or `api`.
            via: String,
        },
        /// The hub began to check a claim of being done.
        VerifyStarted {
            /// The ticket.
            ticket: TicketId,
            /// Which try it is for this ticket, from 1.
            attempt: u32,
            /// The commands.
            commands: Vec<String>,
            /// Whether the ticket was finished before and is checked once more because the tree
            /// has changed since.
            #[serde(default)]
            again: bool,
        },
        /// The hub has its verdict.
        VerifyEnded {
            /// The evidence, as kept in the run's directory.
            evidence: Evidence,
        },
        /// A backup the hub wanted to make by itself was not made.
        BackupFailed {
            /// Why.
            detail: String,
        },
        /// A backup was restored and a person has confirmed what it gave.
        RestoreConfirmed,
        /// A job began, moved a phase on, or ended.
        JobUpdated {
            /// The job.
            job: Job,
        },
        /// The hub gave a webhook up, which now waits for its owner.
        WebhookDisabled {
            /// The webhook.
            webhook: crate::WebhookId,
            /// What its owner calls it.
            description: String,
            /// Why, for people.
            reason: String,
        },
        /// A thread was made, or stands differently.
        ThreadUpdated {
            /// The thread as it is now.
            thread: Box<Thread>,
        },
        /// A message was posted, or stands differently.
        MessageUpdated {
            /// The message as it is now.
            message: Box<Message>,
        },
        /// Something waits for a person, waits no longer, or was seen.
        InboxUpdated {
            /// The item as it is now.
            item: crate::inbox::InboxItem,
            /// How many items of the hub wait.
            counts: crate::inbox::InboxCounts,
        },
        /// A notification was made, or something became of it.
        NotificationUpdated {
            /// The notification as it is now.
            notification: crate::notification::Notification,
        },
        /// A terminal was opened, or has ended.
        TerminalUpdated {
            /// The terminal as it is now.
            terminal: Box<crate::terminal::Terminal>,
        },
        /// A source of templates came, went or was fetched, or what is trusted of it has changed.
        TemplatesChanged {
            /// The source.
            source: crate::TemplateSourceId,
        },
    }
}

impl EventKind {
    /// The `kind` word of this event, for filters.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::HubStarted { .. } => "hub_started",
            Self::RepoAdded { .. } => "repo_added",
            Self::RepoRemoved { .. } => "repo_removed",
            Self::TicketChanged { .. } => "ticket_changed",
            Self::ContextChanged { .. } => "context_changed",
            Self::FileChanged { .. } => "file_changed",
            Self::PmaDocChanged { .. } => "pma_doc_changed",
            Self::RunCreated => "run_created",
            Self::RunStateChanged { .. } => "run_state_changed",
            Self::TicketSelected { .. } => "ticket_selected",
            Self::TicketFinished { .. } => "ticket_finished",
            Self::SessionStarted { .. } => "session_started",
            Self::SessionEnded { .. } => "session_ended",
            Self::TurnStarted { .. } => "turn_started",
            Self::ItemUpdated { .. } => "item_updated",
            Self::PlanUpdated { .. } => "plan_updated",
            Self::RateLimitsUpdated { .. } => "rate_limits_updated",
            Self::ApprovalRequested { .. } => "approval_requested",
            Self::ApprovalResolved { .. } => "approval_resolved",
            Self::AgentNotice { .. } => "agent_notice",
            Self::TurnEnded { .. } => "turn_ended",
            Self::DiffUpdated { .. } => "diff_updated",
            Self::Checkpoint { .. } => "checkpoint",
            Self::DispatchCreated { .. } => "dispatch_created",
            Self::ReplyReceived { .. } => "reply_received",
            Self::VerifyStarted { .. } => "verify_started",
            Self::VerifyEnded { .. } => "verify_ended",
            Self::BackupFailed { .. } => "backup_failed",
            Self::RestoreConfirmed => "restore_confirmed",
            Self::JobUpdated { .. } => "job_updated",
            Self::WebhookDisabled { .. } => "webhook_disabled",
            Self::ThreadUpdated { .. } => "thread_updated",
            Self::MessageUpdated { .. } => "message_updated",
            Self::InboxUpdated { .. } => "inbox_updated",
            Self::NotificationUpdated { .. } => "notification_updated",
            Self::TerminalUpdated { .. } => "terminal_updated",
            Self::TemplatesChanged { .. } => "templates_changed",
        }
    }

    /// Every `kind` word, in the order of the variants.
    pub const WORDS: &'static [&'static str] = &[
        "hub_started",
        "repo_added",
        "repo_removed",
        "ticket_changed",
        "context_changed",
        "file_changed",
        "pma_doc_changed",
        "run_created",
        "run_state_changed",
        "ticket_selected",
        "ticket_finished",
        "session_started",
        "session_ended",
        "turn_started",
        "item_updated",
        "plan_updated",
        "rate_limits_updated",
        "approval_requested",
        "approval_resolved",
        "agent_notice",
        "turn_ended",
        "diff_updated",
        "checkpoint",
        "dispatch_created",
        "reply_received",
        "verify_started",
        "verify_ended",
        "backup_failed",
        "restore_confirmed",
        "job_updated",
        "webhook_disabled",
        "thread_updated",
        "message_updated",
        "inbox_updated",
        "notification_updated",
        "terminal_updated",
        "templates_changed",
    ];
}

wire! {
    /// Text that is not in the log yet: a piece of an answer as it is being written. Frames may
    /// be missed; whoever was away reads the item once and goes on from its length.
    pub struct LiveFrame {
        /// The run, when it is a run's agent that writes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<RunId>,
        /// The thread, when it is a thread's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub thread: Option<ThreadId>,
        /// The turn.
        pub turn: TurnId,
        /// The agent's id of the piece.
        pub item: String,
        /// What is being written.
        pub stream: LiveStream,
        /// Where `text` begins in the piece, in bytes.
        pub offset: u64,
        /// The text.
        pub text: String,
    }
}

crate::words! {
    /// What a live frame is part of.
    pub enum LiveStream {
        /// A message.
        Message = "message",
        /// A reasoning summary.
        Reasoning = "reasoning",
        /// A command's output.
        Output = "output",
        /// A verification command's output.
        Verify = "verify",
    }
}

wire! {
    /// One message of the event stream.
    #[serde(tag = "type")]
    pub enum StreamMessage {
        /// An entry of the log.
        Event {
            /// The entry.
            event: Box<Event>,
        },
        /// Text not in the log yet.
        Live {
            /// The text.
            frame: LiveFrame,
        },
        /// All entries up to `seq` that match were sent; new ones follow as they come.
        CaughtUp {
            /// Number of the newest entry.
            seq: i64,
            /// The log's epoch: `<epoch>-<seq>` is a cursor that is never taken for another log's.
            #[serde(default)]
            epoch: String,
        },
        /// The log cannot be followed from where the client was; the stream ends with this.
        Gone {
            /// Why, and where to start instead.
            gone: Gone,
        },
    }
}

wire! {
    /// The log cannot be read from a cursor. Read the snapshot and go on from its `as_of`; what
    /// happened in between is not told one by one.
    pub struct Gone {
        /// Why not.
        pub reason: GoneReason,
        /// The log's epoch.
        pub epoch: String,
        /// Number of the oldest entry that is kept.
        pub oldest: i64,
        /// Number of the newest entry.
        pub newest: i64,
        /// Where the snapshot is, relative to the hub's address.
        pub snapshot: String,
    }
}

crate::words! {
    /// Why the log cannot be read from a cursor.
    pub enum GoneReason {
        /// Entries after the cursor are no longer kept.
        TooOld = "too_old",
        /// The cursor is of the log before the hub's database was restored.
        OtherEpoch = "other_epoch",
        /// The cursor is of an entry that was not written yet.
        Future = "future",
    }
}

/// A place in the log: `<seq>`, or `<epoch>-<seq>`, which a restored log refuses instead of taking
/// its own entry of that number for the one that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventCursor {
    /// The log's epoch, when it is known.
    pub epoch: Option<String>,
    /// Number of the last entry that was read; 0 before the first that is kept.
    pub seq: i64,
}

impl std::fmt::Display for EventCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.epoch {
            Some(epoch) => write!(f, "{epoch}-{}", self.seq),
            None => write!(f, "{}", self.seq),
        }
    }
}

impl std::str::FromStr for EventCursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (epoch, seq) = match text.split_once('-') {
            Some((epoch, seq)) if !epoch.is_empty() => (Some(epoch.to_owned()), seq),
            Some(_) | None => (None, text),
        };
        let seq = seq.parse().ok().filter(|seq| *seq >= 0).ok_or_else(|| {
            format!("`{text}` is no place in the log: an event's number, or `<epoch>-<number>`")
        })?;
        Ok(Self { epoch, seq })
    }
}

impl From<i64> for EventCursor {
    fn from(seq: i64) -> Self {
        Self { epoch: None, seq }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_are_written() {
        for text in ["0", "17", "9f3a01bc-17"] {
            assert_eq!(text.parse::<EventCursor>().unwrap().to_string(), text);
        }
        for text in ["", "-1", "x", "e-", "e--1", "1.5", "99999999999999999999"] {
            assert!(text.parse::<EventCursor>().is_err(), "{text}");
        }
    }
}
