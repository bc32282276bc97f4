//! What happened in a session so far, and what comes next.
//!
//! All of the state comes from the journal's lines, the hub's own as well as Codex's, and nothing
//! is assumed sent before its line has been seen there. That is why a driver made again from the
//! journal, or from a snapshot of any moment, says nothing twice.

mod news;
mod state;

use car_api::{TurnId, item::Usage};
use car_engine::agent::{AgentEvent, Direction, Driver, Task, TurnOrder, Wish};

use self::state::{Handshake, Phase, State};
use super::{config::Config, outgoing, proto};

/// Interrupts that are tried for one turn when Codex refuses them.
const INTERRUPT_TRIES: u8 = 3;

/// Codex's protocol as a driver.
pub(super) struct CodexDriver {
    config: Config,
    state: State,
}

impl CodexDriver {
    pub(super) fn new(config: Config, snapshot: Option<&str>) -> serde_json::Result<Self> {
        let state = snapshot.map(serde_json::from_str).transpose()?.unwrap_or_default();
        Ok(Self { config, state })
    }

    fn request(
        &self,
        turn: Option<&TurnId>,
        method: &str,
        params: impl serde::Serialize,
    ) -> String {
        outgoing::request(&outgoing::request_id(self.state.requests + 1, turn), method, params)
    }

    /// Answers that are due: those that need nobody, and those people have decided.
    fn answer(&self, wish: &Wish<'_>) -> Option<String> {
        self.state.questions.iter().find_map(|(key, question)| {
            let decision = wish.decisions.iter().find(|(k, _)| k == key).map(|(_, d)| *d);
            question.answer(decision).map(|answer| outgoing::answer(key, answer))
        })
    }

    /// An interrupted command goes on as a background terminal until it is cleaned away.
    fn clean(&self) -> Option<String> {
        let (thread, _) = self.state.threads.iter().find(|(_, thread)| thread.clean)?;
        let params = serde_json::json!({ "threadId": thread });
        Some(self.request(None, "thread/backgroundTerminals/clean", params))
    }

    fn account(&self) -> Option<String> {
        let params = serde_json::json!({ "refreshToken": false });
        (!self.state.account_asked).then(|| self.request(None, "account/read", params))
    }

    fn models(&self, wish: &Wish<'_>) -> Option<String> {
        let cursor = self.state.models.next_page(wish.models)?;
        let params = match cursor {
            Some(cursor) => serde_json::json!({ "limit": 100, "cursor": cursor }),
            None => serde_json::json!({ "limit": 100 }),
        };
        Some(self.request(None, "model/list", params))
    }

    fn turn(&self, order: &TurnOrder, interrupt: bool) -> Option<String> {
        let id = Some(&order.turn);
        match self.state.turns.get(&order.turn) {
            Some(Phase::Running { thread, agent_turn, interrupts, interrupting, .. }) => {
                let due = interrupt && !interrupting && *interrupts < INTERRUPT_TRIES;
                let params = serde_json::json!({ "threadId": thread, "turnId": agent_turn });
                due.then(|| self.request(id, "turn/interrupt", params))
            }
            // An interrupt before `turn/started` is refused and lost: it waits.
            Some(Phase::Sent { .. } | Phase::Opening | Phase::Ended) => None,
            Some(Phase::Opened { .. }) | None if interrupt => None,
            Some(Phase::Opened { thread }) => self.begin(order, thread),
            None => match &order.thread {
                Some(thread) if self.state.threads.contains_key(thread) => {
                    self.begin(order, thread)
                }
                Some(thread) if self.state.lost.contains(thread) => None,
                Some(thread) => Some(self.open(order, "thread/resume", Some(thread))),
                None => match &order.fork_of {
                    Some(thread) => Some(self.open(order, "thread/fork", Some(thread))),
                    None => Some(self.open(order, "thread/start", None)),
                },
            },
        }
    }

    fn open(&self, order: &TurnOrder, method: &str, thread: Option<&str>) -> String {
        let params = outgoing::OpenThread::new(order, &self.config, thread);
        outgoing::request(&outgoing::open_id(self.state.requests + 1, order), method, params)
    }

    /// Begins the turn on its open thread.
    fn begin(&self, order: &TurnOrder, thread: &str) -> Option<String> {
        match order.task {
            Task::Answer => self.start(order, thread),
            Task::Compact => {
                let busy = self.state.threads.get(thread).is_some_and(|t| t.turn.is_some());
                let params = serde_json::json!({ "threadId": thread });
                let id = Some(&order.turn);
                (!busy).then(|| self.request(id, "thread/compact/start", params))
            }
            // The thread was opened for it, and that was all.
            Task::Open => None,
        }
    }

    /// A prompt sent to a busy thread would be taken as a word in the running turn.
    fn start(&self, order: &TurnOrder, thread: &str) -> Option<String> {
        let busy = self.state.threads.get(thread).is_some_and(|t| t.turn.is_some());
        let params = outgoing::StartTurn::new(order, &self.config, thread);
        (!busy).then(|| self.request(Some(&order.turn), "turn/start", params))
    }
}

impl Driver for CodexDriver {
    fn observe(&mut self, direction: Direction, line: &str) -> Vec<AgentEvent> {
        let Ok(message) = serde_json::from_str::<proto::Message<'_>>(line) else {
            return Vec::new();
        };
        match direction {
            Direction::In => self.state.sent(&message),
            Direction::Out => self.state.received(&message),
        }
    }

    fn next(&self, wish: &Wish<'_>) -> Option<String> {
        match self.state.handshake {
            Handshake::Open => return Some(self.request(None, "initialize", outgoing::client())),
            Handshake::Asked => return None,
            Handshake::Answered => return Some(outgoing::notification("initialized")),
            Handshake::Done => {}
        }
        self.answer(wish)
            .or_else(|| self.clean())
            .or_else(|| self.account())
            .or_else(|| self.models(wish))
            .or_else(|| wish.turn.and_then(|order| self.turn(order, wish.interrupt)))
    }

    fn prompt_sent(&self, turn: &TurnId) -> bool {
        match self.state.turns.get(turn) {
            Some(Phase::Sent { .. } | Phase::Running { .. } | Phase::Ended) => true,
            Some(Phase::Opening | Phase::Opened { .. }) | None => false,
        }
    }

    fn model(&self, thread: &str) -> Option<&str> {
        self.state.threads.get(thread)?.model.as_deref()
    }

    fn used(&self, thread: &str) -> Option<Usage> {
        self.state.threads.get(thread)?.used
    }

    fn snapshot(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }
}
