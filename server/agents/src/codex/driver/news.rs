//! What Codex says of its own accord: notifications and requests.

use car_api::{
    Timestamp, TurnId,
    event::LiveStream,
    item::{ItemBody, ItemStatus},
};
use car_engine::agent::{AgentEvent, TurnOutcome};
use serde_json::value::RawValue;

use super::state::{Phase, State, read};
use crate::codex::{errors, items, proto, questions};

impl State {
    /// Takes up a line of Codex.
    pub(super) fn received(&mut self, message: &proto::Message<'_>) -> Vec<AgentEvent> {
        let at = message.emitted_at_ms.map(|ms| Timestamp::from_micros(ms.saturating_mul(1000)));
        match (message.id, message.method.as_deref()) {
            (Some(id), Some(method)) => self.asked(id.get(), method, message.params),
            (Some(id), None) => self.answered(id.get(), message.result, message.error.as_ref()),
            (None, Some(method)) => self.notified(method, message.params, at),
            (None, None) => Vec::new(),
        }
    }

    fn asked(&mut self, id: &str, method: &str, params: Option<&RawValue>) -> Vec<AgentEvent> {
        let params = params.map_or("{}", RawValue::get);
        let (question, request) = questions::question(method, params, &self.edits);
        self.questions.insert(id.to_owned(), question);
        request
            .map(|request| AgentEvent::ApprovalRequested { key: id.to_owned(), request })
            .into_iter()
            .collect()
    }

    fn notified(
        &mut self,
        method: &str,
        params: Option<&RawValue>,
        at: Option<Timestamp>,
    ) -> Vec<AgentEvent> {
        match method {
            "turn/started" => self.turn_started(read(params)),
            "turn/completed" => self.turn_completed(read(params), at),
            "item/started" => self.item(read(params), true),
            "item/completed" => self.item(read(params), false),
            "item/agentMessage/delta" | "item/plan/delta" => {
                self.delta(read(params), LiveStream::Message)
            }
            "item/reasoning/summaryTextDelta" => self.delta(read(params), LiveStream::Reasoning),
            "item/reasoning/summaryPartAdded" => self.summary_part(read(params)),
            "item/commandExecution/outputDelta" => self.delta(read(params), LiveStream::Output),
            "turn/plan/updated" => {
                let news: proto::PlanNews = read(params);
                self.of_thread(&news.thread_id, AgentEvent::Plan { steps: items::plan(news.plan) })
            }
            "thread/tokenUsage/updated" => {
                let news: proto::UsageNews = read(params);
                let total = items::usage(&news.token_usage.total);
                if let Some(thread) = self.threads.get_mut(&news.thread_id) {
                    thread.used = Some(total);
                }
                self.of_thread(&news.thread_id, AgentEvent::Usage { total })
            }
            "account/rateLimits/updated" => {
                let news: proto::LimitsNews = read(params);
                let limits = self.limits.merge(news.rate_limits);
                limits.map(|limits| AgentEvent::RateLimits { limits }).into_iter().collect()
            }
            "serverRequest/resolved" => {
                let news: proto::Resolved = read(params);
                news.request_id.map(|id| self.resolve(id.get())).unwrap_or_default()
            }
            "thread/closed" => {
                let news: proto::ItemNews = read(params);
                self.threads.remove(&news.thread_id);
                Vec::new()
            }
            "error" => error(&read(params)),
            "warning" | "configWarning" => note(read(params)),
            _ => Vec::new(),
        }
    }

    fn turn_started(&mut self, news: proto::TurnNews) -> Vec<AgentEvent> {
        let turn = self.threads.get(&news.thread_id).and_then(|thread| thread.turn.clone());
        let Some(turn) = turn else { return Vec::new() };
        match self.turns.get(&turn) {
            // The start may be told before the request for it is answered.
            Some(Phase::Sent { agent_turn, .. })
                if agent_turn.as_deref().is_none_or(|id| id == news.turn.id) => {}
            Some(
                Phase::Sent { .. }
                | Phase::Running { .. }
                | Phase::Opening
                | Phase::Opened { .. }
                | Phase::Ended,
            )
            | None => return Vec::new(),
        }
        let phase = Phase::Running {
            thread: news.thread_id,
            agent_turn: news.turn.id,
            interrupts: 0,
            interrupting: false,
            message: None,
        };
        self.turns.insert(turn.clone(), phase);
        vec![AgentEvent::TurnStarted { turn }]
    }

    fn turn_completed(&mut self, news: proto::TurnNews, at: Option<Timestamp>) -> Vec<AgentEvent> {
        let Some((turn, so_far)) = self.running(&news) else { return Vec::new() };
        let error = news.turn.error.unwrap_or_default();
        let outcome = match news.turn.status.as_str() {
            "completed" => {
                TurnOutcome::Completed { message: last_message(&news.turn.items).or(so_far) }
            }
            "interrupted" => TurnOutcome::Interrupted,
            _ => TurnOutcome::Failed(self.classify(&error, at)),
        };
        self.ended(turn, outcome)
    }

    /// The hub's turn that this is about, with its last message.
    fn running(&self, news: &proto::TurnNews) -> Option<(TurnId, Option<String>)> {
        let turn = self.threads.get(&news.thread_id)?.turn.clone()?;
        match self.turns.get(&turn)? {
            Phase::Running { agent_turn, message, .. } if *agent_turn == news.turn.id => {
                Some((turn, message.clone()))
            }
            Phase::Sent { agent_turn: Some(id), .. } if *id == news.turn.id => Some((turn, None)),
            Phase::Running { .. }
            | Phase::Sent { .. }
            | Phase::Opening
            | Phase::Opened { .. }
            | Phase::Ended => None,
        }
    }

    fn item(&mut self, news: proto::ItemNews, started: bool) -> Vec<AgentEvent> {
        let Some(item) = items::item(news.item, started) else { return Vec::new() };
        match &item.body {
            ItemBody::FileChange { changes, status: ItemStatus::InProgress } => {
                self.edits.insert(item.id.clone(), changes.clone());
            }
            ItemBody::Message { text } if !started => self.said(&news.thread_id, text),
            ItemBody::FileChange { .. } => {
                self.edits.remove(&item.id);
            }
            ItemBody::Message { .. }
            | ItemBody::Reasoning { .. }
            | ItemBody::Command { .. }
            | ItemBody::Tool { .. } => {}
        }
        let event = if started {
            AgentEvent::ItemStarted { item }
        } else {
            AgentEvent::ItemCompleted { item }
        };
        self.of_thread(&news.thread_id, event)
    }

    fn said(&mut self, thread: &str, text: &str) {
        let turn = self.threads.get(thread).and_then(|thread| thread.turn.as_ref());
        if let Some(Phase::Running { message, .. }) = turn.and_then(|t| self.turns.get_mut(t)) {
            *message = Some(text.to_owned());
        }
    }

    fn delta(&self, news: proto::DeltaNews, stream: LiveStream) -> Vec<AgentEvent> {
        let event = AgentEvent::Delta { item: news.item_id, stream, text: news.delta };
        self.of_thread(&news.thread_id, event)
    }

    /// Parts of a summary are parted as they are when the piece is complete.
    fn summary_part(&self, news: proto::DeltaNews) -> Vec<AgentEvent> {
        if news.summary_index == 0 {
            return Vec::new();
        }
        self.delta(proto::DeltaNews { delta: "\n\n".to_owned(), ..news }, LiveStream::Reasoning)
    }

    /// Codex may open threads of its own (for helpers); what happens there is no part of a turn
    /// of the hub.
    fn of_thread(&self, thread: &str, event: AgentEvent) -> Vec<AgentEvent> {
        if self.threads.contains_key(thread) { vec![event] } else { Vec::new() }
    }
}

/// A final error is told again by the end of its turn.
fn error(news: &proto::ErrorNews) -> Vec<AgentEvent> {
    if news.will_retry || news.thread_id.is_empty() {
        vec![AgentEvent::Notice { message: errors::message(&news.error) }]
    } else {
        Vec::new()
    }
}

fn note(note: proto::Note) -> Vec<AgentEvent> {
    let message = note.message.or(note.summary);
    message.map(|message| AgentEvent::Notice { message }).into_iter().collect()
}

fn last_message(items: &[Box<RawValue>]) -> Option<String> {
    items.iter().rev().find_map(|raw| {
        let item: proto::Item = serde_json::from_str(raw.get()).ok()?;
        (item.kind == "agentMessage").then_some(item.text)
    })
}
