//! What follows from a transition.

use car_api::{Timestamp, TurnId, run::RunTicket, turn::TurnPurpose};
use serde::{Deserialize, Serialize};

use super::Flow;

/// What the hub must do next. Carried out only after the new flow is committed; every effect can
/// be carried out again after a crash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Look at the queue.
    Survey,
    /// Have the agent do the turn, or take it up where it is.
    RunTurn {
        /// The turn.
        turn: TurnId,
        /// Why.
        purpose: TurnPurpose,
    },
    /// Interrupt the turn.
    InterruptTurn {
        /// The turn.
        turn: TurnId,
    },
    /// Look at what the turn left behind.
    Examine {
        /// The turn.
        turn: TurnId,
    },
    /// Set the ticket back to not done, with what verification found.
    Reopen {
        /// What it found.
        report: String,
    },
    /// Run the verification commands.
    Verify {
        /// Which try it is for this ticket, from 1.
        attempt: u32,
    },
    /// Record that the ticket is finished.
    FinishTicket {
        /// The ticket.
        ticket: RunTicket,
        /// Whether the hub verified it.
        verified: bool,
    },
    /// Leave a dispatch of the hub's own.
    Notice {
        /// Its number.
        seq: u32,
        /// Title.
        title: String,
        /// Markdown body.
        body: String,
    },
    /// Feed [`Input::Elapsed`] at that time.
    WakeAt {
        /// When.
        at: Timestamp,
    },
    /// No run of that account shall begin a turn before then.
    HoldAccount {
        /// The account.
        account: String,
        /// Until when.
        until: Timestamp,
    },
    /// Runs of that account may begin turns again.
    ReleaseAccount {
        /// The account.
        account: String,
    },
    /// End the agent's process and everything it started.
    EndSession,
    /// End a verification that is under way.
    CancelVerify,
    /// Write the run's summary for good.
    Seal,
}

/// A new flow and what to do once it is committed.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a transition that is not committed never happened"]
pub struct Transition {
    /// The run from now on.
    pub flow: Flow,
    /// What to do.
    pub effects: Vec<Effect>,
}

/// The run cannot do that in its present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run cannot do that in its present state")]
pub struct Illegal;
