//! What can happen to a lane, and what is to be done then.

use car_api::{MessageId, Timestamp, TurnId, thread::MessageStatus, turn::TurnError};

use super::{Chore, Hold, Lane};
use crate::agent::TurnOutcome;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A message came.
    Posted {
        /// It.
        message: MessageId,
        /// It comes next, and what is under way is cut off for it.
        first: bool,
    },
    /// The agent may be asked.
    Admitted {
        /// The message that was looked at.
        message: MessageId,
    },
    /// A safety rule stopped the message.
    Blocked {
        /// It.
        message: MessageId,
        /// Which rule, for people.
        detail: String,
    },
    /// The message cannot be asked now; it waits, and all behind it.
    Held {
        /// It.
        message: MessageId,
        /// Why, and until when.
        hold: Hold,
    },
    /// The agent opened the conversation.
    Opened {
        /// Its own id of it.
        backend: String,
    },
    /// The agent does not know the conversation any more.
    Forgotten {
        /// What the new one begins with.
        seed: Option<String>,
    },
    /// The agent's turn is over.
    Ended {
        /// The turn.
        turn: TurnId,
        /// How.
        outcome: TurnOutcome,
    },
    /// The agent's process is gone in the middle of its turn.
    Lost {
        /// How, for people.
        detail: String,
    },
    /// The agent could not be asked.
    Failed {
        /// Why, for people.
        detail: String,
    },
    /// A message that waits is taken back.
    Cancel {
        /// It.
        message: MessageId,
    },
    /// A budget is used up while a turn is under way, which is cut off.
    BudgetReached {
        /// Which, for people.
        what: String,
    },
    /// What is under way is cut off; the queue goes on.
    Interrupt,
    /// The same, and nothing that waits is answered.
    Stop,
    /// The agent begins a new conversation.
    Reset,
    /// The conversation is made shorter.
    Compact {
        /// By a new one that begins with this; by the agent itself when absent.
        seed: Option<String>,
    },
    /// The time that was waited for has come.
    Elapsed,
    /// Nothing holds the lane any more.
    Released,
    /// The hub began again.
    Recovered,
    /// The hub's database is another one: nothing of what was under way is.
    Restored {
        /// What it was made from.
        from: Restored,
    },
}

/// What a database was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// A backup.
    Backup,
    /// The files it is an index of.
    Files,
}

/// What the shell prepared.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// An id for a turn that may begin.
    pub turn: TurnId,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask whether the agent may be asked.
    Admit {
        /// The message.
        message: MessageId,
    },
    /// Ask the agent; done again after a crash, it is taken up where it is.
    Ask {
        /// The message.
        message: MessageId,
        /// Its turn.
        turn: TurnId,
        /// It has had the prompt before and is told to go on.
        again: bool,
    },
    /// Have the agent see to its conversation; done again, it is taken up where it is.
    Tend {
        /// What it does.
        chore: Chore,
        /// The turn that takes.
        turn: TurnId,
    },
    /// Tell the agent to end its turn.
    Interrupt {
        /// The turn.
        turn: TurnId,
    },
    /// Note the end of a message, with the lane.
    End {
        /// The message.
        message: MessageId,
        /// How it stands now.
        status: MessageStatus,
        /// Why, when that needs a word.
        detail: Option<String>,
        /// What went wrong.
        error: Option<TurnError>,
    },
    /// Note that a message waits again, with the lane.
    Requeue {
        /// The message.
        message: MessageId,
        /// Why, for people.
        detail: String,
    },
    /// Say that the time came.
    WakeAt {
        /// The time.
        at: Timestamp,
    },
    /// No turn of the agent's account begins before then; noted with the lane.
    HoldAccount {
        /// The time.
        until: Timestamp,
    },
    /// End the agent's process: what it has open is not gone on with.
    EndSession,
}

/// What an input did.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a transition that is not committed has not happened"]
pub struct Transition {
    /// The lane as it is now.
    pub lane: Lane,
    /// What is to be done.
    pub effects: Vec<Effect>,
}

/// The input has no place in the present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that has no place in the present state")]
pub struct Illegal;
