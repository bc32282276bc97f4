//! What a run remembers.

use car_api::{
    TurnId,
    item::Usage,
    money::{Amount, Cost},
    run::{Finished, Phase, RunOptions, RunState, RunTicket},
    turn::TurnPurpose,
    verify::VerifyCommand,
};
use serde::{Deserialize, Serialize};

use super::{Effect, Transition};

/// A run as it is kept: its state and what it has to remember across states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Number of transitions so far; effects and their answers carry it.
    pub step: u64,
    /// How the run stands.
    pub state: RunState,
    /// What it was started with.
    pub options: RunOptions,
    /// The ticket it is at.
    pub work: Option<Work>,
    /// What it has spent.
    pub spent: Spent,
    /// What it has finished.
    pub finished: Finished,
    /// A wish that takes effect when the present phase is over.
    pub wish: Option<Wish>,
    /// Whether a person accepted changes to what protects the ticket that is at work.
    pub accept_protected: bool,
    /// Commands that check a claim of being done where a ticket names none, as the settings were
    /// when the run began: an agent that edits them changes nothing for this run.
    pub verify: Vec<VerifyCommand>,
    /// Number of the last reply an agent has had in a prompt of a turn that was completed.
    pub replies_seen: u32,
    /// Number of the last dispatch, turn summary or notice that was archived.
    pub dispatch_seq: u32,
}

/// What takes effect when the present phase is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Wish {
    /// A person wants the run to pause.
    Pause,
    /// A budget was used up in the middle of a turn.
    Budget {
        /// Which, for people.
        what: String,
    },
}

/// What a run has spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Turns since the run began.
    pub turns: u32,
    /// Turns since it was last resumed; this is what `max_total_turns` bounds.
    pub turns_since_resume: u32,
    /// Tokens since the run began.
    pub usage: Usage,
    /// What the turns cost that had a price.
    #[serde(default)]
    pub cost: Amount,
    /// Tokens of those turns; what the others cost is not known.
    #[serde(default)]
    pub priced_tokens: i64,
    /// Milliseconds agents were at work.
    pub active_ms: i64,
}

impl Spent {
    /// Adds what a turn used; `cost` is none when it had no price.
    pub fn add(&mut self, usage: Usage, cost: Option<Amount>) {
        self.usage = self.usage.plus(usage);
        if let Some(cost) = cost {
            self.cost = self.cost.plus(cost);
            self.priced_tokens = self.priced_tokens.saturating_add(usage.total());
        }
    }

    /// What it has cost.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let unpriced_tokens = self.usage.total().saturating_sub(self.priced_tokens).max(0);
        Cost { amount: self.cost, unpriced_tokens }
    }
}

/// The ticket a run is at and how far it got with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The ticket.
    pub ticket: RunTicket,
    /// Who works it and how, as the ticket said when it was selected.
    pub brief: Brief,
    /// The agent's own id of the conversation about this ticket.
    pub thread: Option<String>,
    /// Why the next turn is wanted.
    pub next: TurnPurpose,
    /// What the next prompt has to say about that.
    pub note: Option<String>,
    /// Turns spent on this ticket.
    pub turns: u32,
    /// Turns spent to mend frontmatter.
    pub lint_retries: u32,
    /// Turns spent to get a commit.
    pub commit_retries: u32,
    /// Times verification failed.
    pub verify_retries: u32,
    /// Passing errors in a row.
    pub network_retries: u32,
    /// Quota limits in a row.
    pub quota_hits: u32,
    /// Turns in a row that changed nothing.
    pub unchanged: u32,
    /// What the tree looked like after the last turn.
    pub fingerprint: Option<String>,
    /// Whether the agent was lost and taken up again without a finished turn since.
    pub continued: bool,
    /// Whether a fresh conversation was tried because the old one was too long.
    pub refreshed: bool,
    /// Whether this run finished the ticket before and checks it again on the tree as it is now.
    #[serde(default)]
    pub again: bool,
}

/// What a ticket asks for, as it was when the hub selected it. An agent that edits these does not
/// change what the hub does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    /// Model.
    pub model: Option<String>,
    /// Reasoning effort.
    pub reasoning: Option<String>,
    /// Whether a finished ticket leaves the tree clean.
    pub require_commit: bool,
    /// Commands that check the claim of being done.
    pub verify: Vec<VerifyCommand>,
    /// Globs of files whose change needs a person.
    pub protect: Vec<String>,
}

impl Flow {
    /// A new run that waits for a slot.
    #[must_use]
    pub fn new(options: RunOptions, verify: Vec<VerifyCommand>) -> Self {
        Self {
            step: 0,
            state: RunState::Pending,
            options,
            work: None,
            spent: Spent::default(),
            finished: Finished::default(),
            wish: None,
            accept_protected: false,
            verify,
            replies_seen: 0,
            dispatch_seq: 0,
        }
    }

    /// The turn that is under way, if one is.
    #[must_use]
    pub fn turn(&self) -> Option<&TurnId> {
        match &self.state {
            RunState::Running { phase: Phase::InTurn { turn, .. } } => Some(turn),
            RunState::Running {
                phase:
                    Phase::Selecting
                    | Phase::PostTurn { .. }
                    | Phase::Verifying { .. }
                    | Phase::BackingOff { .. },
            }
            | RunState::Pending
            | RunState::Paused { .. }
            | RunState::Parked { .. }
            | RunState::Stopping
            | RunState::Completed
            | RunState::Failed { .. }
            | RunState::Stopped
            | RunState::Superseded { .. } => None,
        }
    }

    pub(super) fn running(mut self, phase: Phase, effects: Vec<Effect>) -> Transition {
        self.state = RunState::Running { phase };
        Transition { flow: self, effects }
    }

    pub(super) fn select(self) -> Transition {
        self.running(Phase::Selecting, vec![Effect::Survey])
    }

    pub(super) fn end(mut self, state: RunState) -> Transition {
        self.state = state;
        self.wish = None;
        Transition { flow: self, effects: vec![Effect::EndSession, Effect::Seal] }
    }

    pub(super) fn keep(self) -> Transition {
        Transition { flow: self, effects: Vec::new() }
    }
}

impl Brief {
    /// Whether what checks or protects the ticket is not the same in both.
    pub(super) fn checks_differ(&self, other: &Self) -> bool {
        self.verify != other.verify || self.protect != other.protect
    }
}

impl Work {
    pub(super) fn new(ticket: RunTicket, brief: Brief, fingerprint: String) -> Self {
        Self {
            ticket,
            brief,
            thread: None,
            next: TurnPurpose::Work,
            note: None,
            turns: 0,
            lint_retries: 0,
            commit_retries: 0,
            verify_retries: 0,
            network_retries: 0,
            quota_hits: 0,
            unchanged: 0,
            fingerprint: Some(fingerprint),
            continued: false,
            refreshed: false,
            again: false,
        }
    }

    /// A person looked at it: every bounded retry begins anew.
    pub(super) fn reset_retries(&mut self) {
        self.lint_retries = 0;
        self.commit_retries = 0;
        self.verify_retries = 0;
        self.network_retries = 0;
        self.quota_hits = 0;
        self.unchanged = 0;
        self.continued = false;
        self.refreshed = false;
    }
}
