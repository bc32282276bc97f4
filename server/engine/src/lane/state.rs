//! What a thread remembers.

use std::collections::VecDeque;

use car_api::{MessageId, Timestamp, TurnId, thread::ThreadStatus};
use serde::{Deserialize, Serialize};

use super::{Effect, Transition};

/// A thread's lane as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// How it stands.
    pub state: State,
    /// Messages that wait, the next one first.
    pub queue: VecDeque<MessageId>,
    /// Which conversation of the agent it is at, from 1.
    pub conversation: u32,
    /// The agent's own id of the conversation, once it is open.
    pub backend: Option<String>,
    /// The agent's conversation this one begins as a copy of.
    pub fork_of: Option<String>,
    /// A summary the next conversation begins with.
    pub seed: Option<String>,
    /// The message whose prompt the agent has had without finishing its answer; asked again, it is
    /// told to go on.
    pub half_done: Option<MessageId>,
    /// Passing errors in a row.
    pub tries: u32,
}

/// How a lane stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum State {
    /// Nothing is to be done.
    Idle,
    /// The next message is looked at: whether the agent may be asked now.
    Admitting {
        /// The message.
        message: MessageId,
        /// It was cut off before the agent was asked.
        cut: bool,
    },
    /// The agent answers.
    Answering {
        /// The message.
        message: MessageId,
        /// Its turn.
        turn: TurnId,
        /// The agent was told to end it.
        cut: bool,
        /// Which budget cut it off, for people; a person did where absent.
        #[serde(default)]
        over: Option<String>,
        /// A new conversation begins after it.
        reset: bool,
    },
    /// The agent sees to its conversation; nobody waits for an answer.
    Tending {
        /// What it does.
        chore: Chore,
        /// The turn that takes.
        turn: TurnId,
        /// The agent was told to end it.
        cut: bool,
        /// A new conversation begins after it.
        reset: bool,
    },
    /// Nothing is answered for now, whether something waits or not.
    Held {
        /// Why, and until when.
        hold: Hold,
    },
}

/// What an agent does with a conversation besides answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chore {
    /// It makes it shorter.
    Compact,
    /// It begins it as a copy of another one.
    Fork,
}

/// Why a lane is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// In one line, for people.
    pub reason: String,
    /// When it goes on by itself; it is looked at again when somebody says so where absent.
    pub until: Option<Timestamp>,
    /// Since when it is for a person to see, because they have to let it go on or something keeps
    /// going wrong; absent where it passes by itself.
    #[serde(default)]
    pub person_since: Option<Timestamp>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            state: State::Idle,
            queue: VecDeque::new(),
            conversation: 1,
            backend: None,
            fork_of: None,
            seed: None,
            half_done: None,
            tries: 0,
        }
    }
}

impl Lane {
    /// The lane of a thread that begins as a copy of a conversation of its agent.
    #[must_use]
    pub fn forked(of: String, turn: TurnId) -> Self {
        let state = State::Tending { chore: Chore::Fork, turn, cut: false, reset: false };
        Self { state, fork_of: Some(of), ..Self::default() }
    }

    /// Whether it has nothing to do, and will have nothing until somebody does something.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.state == State::Idle && self.queue.is_empty()
    }

    /// The message that is looked at or answered.
    #[must_use]
    pub fn current(&self) -> Option<&MessageId> {
        match &self.state {
            State::Admitting { message, .. } | State::Answering { message, .. } => Some(message),
            State::Idle | State::Tending { .. } | State::Held { .. } => None,
        }
    }

    /// The turn the agent is at.
    #[must_use]
    pub fn turn(&self) -> Option<&TurnId> {
        match &self.state {
            State::Answering { turn, .. } | State::Tending { turn, .. } => Some(turn),
            State::Idle | State::Admitting { .. } | State::Held { .. } => None,
        }
    }

    /// How the thread stands; `asking` says whether the agent waits for a permission.
    #[must_use]
    pub fn status(&self, asking: bool) -> ThreadStatus {
        match &self.state {
            State::Idle => ThreadStatus::Idle,
            State::Answering { .. } | State::Tending { .. } if asking => ThreadStatus::Asking,
            State::Admitting { .. } | State::Answering { .. } | State::Tending { .. } => {
                ThreadStatus::Working
            }
            State::Held { .. } => ThreadStatus::Held,
        }
    }

    /// The next message is looked at, or there is none; `effects` come first.
    pub(super) fn next(mut self, mut effects: Vec<Effect>) -> Transition {
        self.state = match self.queue.pop_front() {
            Some(message) => {
                effects.push(Effect::Admit { message: message.clone() });
                State::Admitting { message, cut: false }
            }
            None => State::Idle,
        };
        Transition { lane: self, effects }
    }

    pub(super) fn hold(mut self, hold: Hold, mut effects: Vec<Effect>) -> Transition {
        if let Some(at) = hold.until {
            effects.push(Effect::WakeAt { at });
        }
        self.state = State::Held { hold };
        Transition { lane: self, effects }
    }

    pub(super) fn keep(self, effects: Vec<Effect>) -> Transition {
        Transition { lane: self, effects }
    }

    /// The agent knows nothing of what was said so far.
    pub(super) fn begin_anew(&mut self, seed: Option<String>) {
        self.conversation += 1;
        self.backend = None;
        self.fork_of = None;
        self.half_done = None;
        self.seed = seed;
    }
}
