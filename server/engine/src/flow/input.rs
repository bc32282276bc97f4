//! What can happen to a run, and what is found when the hub looks.

use car_api::{
    RunId, Timestamp, TurnId,
    item::Usage,
    money::Amount,
    run::{FailureCode, RunTicket},
    turn::TurnError,
};

use super::Brief;
use crate::budget::Today;

/// What the shell prepares for a step, because the core neither reads clocks nor draws ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// The id of the next turn, should one begin.
    pub turn: TurnId,
    /// What may be used today, and what was.
    pub today: Today,
}

/// What can happen to a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A slot is free for it.
    Granted,
    /// The queue was looked at.
    Surveyed(Finding),
    /// The agent opened a conversation.
    ThreadOpened {
        /// The agent's own id of it.
        thread: String,
    },
    /// The agent cannot take up the conversation again.
    ThreadLost {
        /// The agent's words.
        detail: String,
        /// Whether the tree differs from when the turn began.
        tree_changed: bool,
    },
    /// The turn is over.
    TurnEnded(TurnResult),
    /// The agent's process is gone and the turn has not ended.
    AgentLost {
        /// What is known about it.
        detail: String,
        /// Whether the tree differs from when the turn began.
        tree_changed: bool,
        /// Tokens the turn is known to have used.
        usage: Usage,
        /// What they cost; none without a price.
        cost: Option<Amount>,
        /// How long it took, in milliseconds.
        active_ms: i64,
    },
    /// What a turn left behind was looked at.
    Examined(Examination),
    /// The hub has its verdict.
    Verified(VerifyOutcome),
    /// The time a phase waited for has come.
    Elapsed,
    /// A budget is used up while a turn is under way.
    BudgetReached {
        /// Which, for people.
        what: String,
    },
    /// A person's answer came.
    Replied,
    /// A ticket of the queue was marked done.
    TicketDone,
    /// A person wants it to go on.
    Resume {
        /// Turns to allow from here; the option's value when absent.
        max_total_turns: Option<u32>,
        /// Tokens the whole run may use; the option's value when absent.
        max_tokens: Option<i64>,
        /// What the whole run may cost; the option's value when absent.
        max_cost: Option<Amount>,
        /// Seconds of work the whole run may take; the option's value when absent.
        max_seconds: Option<i64>,
        /// Accept changes to protected files.
        accept_protected: bool,
    },
    /// A person wants it to pause after the present turn.
    Pause,
    /// A person wants it to stop.
    Stop,
    /// A newer run takes its place.
    Supersede {
        /// The newer run.
        by: RunId,
    },
    /// The hub could not carry out what comes next; a person has to see why.
    Blocked {
        /// Why, in full.
        details: String,
    },
    /// It cannot go on.
    Fail {
        /// Why.
        code: FailureCode,
        /// Why, in full.
        message: String,
    },
    /// The hub started again and found it so.
    Recovered,
    /// It came out of a backup: what was under way then is not any more.
    Restored {
        /// When the backup was made.
        backup: Timestamp,
    },
}

/// What a look at the queue found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// There is no ticket.
    NoTickets,
    /// Something is wrong with the queue or the next ticket.
    NeedsFix {
        /// What, naming the files.
        details: String,
    },
    /// Every ticket is finished.
    AllDone,
    /// The next ticket is for a person.
    ForUser {
        /// The ticket.
        ticket: RunTicket,
    },
    /// A file the next ticket requires is missing.
    MissingContext {
        /// Which.
        details: String,
    },
    /// The account of the next ticket's agent has no quota left.
    Held {
        /// The account.
        account: String,
        /// Until when.
        until: Timestamp,
    },
    /// The next ticket.
    Next(Box<Candidate>),
}

/// The next ticket, as a look at the queue found it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The ticket.
    pub ticket: RunTicket,
    /// What it asks for.
    pub brief: Brief,
    /// Whether it says done already.
    pub done: bool,
    /// Whether this run finished it before, and the tree has changed since it was checked.
    pub again: bool,
    /// What `git status` says when the tree is not clean.
    pub dirty: Option<String>,
    /// Protected files that differ from the run's base.
    pub protected: Vec<String>,
    /// Hash of HEAD, status and contents of the tree now.
    pub fingerprint: String,
}

/// How a turn ended, and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnResult {
    /// The turn.
    pub turn: TurnId,
    /// How it ended.
    pub outcome: TurnOutcome,
    /// Tokens used in it.
    pub usage: Usage,
    /// What they cost; none without a price.
    pub cost: Option<Amount>,
    /// How long it took, in milliseconds.
    pub active_ms: i64,
    /// The account the agent used.
    pub account: String,
    /// Number of the last reply that was in its prompt.
    pub replies_seen: u32,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnOutcome {
    /// The agent finished its answer.
    Completed,
    /// It was interrupted.
    Interrupted,
    /// It failed.
    Failed(TurnError),
}

/// What a turn left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Examination {
    /// What the agent has to say to a person.
    pub dispatch: DispatchFinding,
    /// How the ticket reads now.
    pub ticket: Reading,
    /// What `git status` says when the tree is not clean.
    pub dirty: Option<String>,
    /// Hash of HEAD, status and contents.
    pub fingerprint: String,
    /// Protected files that differ from the run's base, and the ticket's own `verify`/`protect`
    /// when the agent changed them.
    pub protected: Vec<String>,
    /// Number of the last dispatch or turn summary there is now.
    pub dispatch_seq: u32,
}

/// What the agent has to say to a person.
#[derive(Debug, Clone, PartialEq)]
pub enum DispatchFinding {
    /// Nothing, or something for information.
    None,
    /// It waits for an answer.
    Pause {
        /// The title, or the first line.
        title: String,
    },
    /// The dispatch cannot be read; its file was left.
    Broken {
        /// What is wrong.
        details: String,
    },
}

/// How a ticket reads after a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Its frontmatter is broken.
    Broken {
        /// What the linter says.
        details: String,
    },
    /// Its file is gone.
    Gone,
    /// Not done.
    Open,
    /// Says done.
    Done,
}

/// What came of a verification.
#[derive(Debug, Clone, PartialEq)]
pub enum VerifyOutcome {
    /// Passed, or failed only as the base commit does where policy allows that.
    Passed,
    /// Failed.
    Failed {
        /// The failing command and the end of its output.
        report: String,
    },
    /// It could not be run.
    Broken {
        /// Why.
        details: String,
    },
}
