//! What an agent says, taken in: noted for the log, shown live; what matters beyond is handed on.

use std::time::Instant;

use car_api::{
    ApprovalId, Code, EventKind,
    item::{Approval, ApprovalRequest, Decision, Item, ItemBody, Usage},
};
use car_engine::agent::{AgentEvent, TurnOutcome};
use car_store::{ApprovalRow, ItemRow, Write};

use super::{Desk, session::News};
use crate::{
    Error, Result,
    audit::actor_of,
    clock,
    inbox::derive::{self, AskedIn},
};

/// How much of a command's output is kept in the log, from its end, in bytes.
const MAX_OUTPUT: usize = 32 << 10;

/// What matters to whoever the agent works for.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The conversation is open under this id of the agent.
    Opened(String),
    /// The agent does not know its conversation any more.
    Forgotten(String),
    /// More tokens were used in the turn.
    Used,
    /// The turn is over.
    Ended(TurnOutcome),
    /// The agent's process is gone.
    Gone {
        /// How, for people.
        detail: String,
        /// Whether it had the prompt of the turn.
        sent: bool,
    },
}

impl Desk {
    /// Takes in what the agent's process has to say.
    pub(crate) fn hear(&mut self, news: News) -> Vec<Heard> {
        match news {
            News::Line { events } => {
                if let Some(at) = &mut self.at {
                    at.last_line = Instant::now();
                }
                let heard = events.into_iter().filter_map(|event| self.take_in(event)).collect();
                self.note_model();
                heard
            }
            News::Ended { detail } => {
                let turn = self.turn().cloned();
                let mut sent = true;
                if let Some(mut session) = self.session.take() {
                    sent = turn.is_none_or(|turn| session.prompt_sent(&turn));
                    self.session_ended(&mut session, &detail);
                }
                vec![Heard::Gone { detail, sent }]
            }
        }
    }

    fn take_in(&mut self, event: AgentEvent) -> Option<Heard> {
        match event {
            AgentEvent::ThreadOpened { thread, .. } => {
                if let Some(at) = &mut self.at {
                    at.usage_before = self.spent.get(&thread).copied().unwrap_or_default();
                    at.order.thread = Some(thread.clone());
                }
                return Some(Heard::Opened(thread));
            }
            AgentEvent::ThreadLost { detail } => return Some(Heard::Forgotten(detail)),
            AgentEvent::Account { name: None, login_required: true } => {
                let agent = self.session.as_ref().map(|session| session.agent().to_string());
                let agent = agent.unwrap_or_default();
                self.notice(format!("{agent} is not logged in on this machine."));
            }
            AgentEvent::Ready { .. }
            | AgentEvent::Account { .. }
            | AgentEvent::Models { .. }
            | AgentEvent::TurnStarted { .. } => {}
            AgentEvent::ItemStarted { item } => {
                // Text is worth noting when it is whole; a command is worth showing at once.
                if shown_at_once(&item) {
                    self.item(item, false);
                }
            }
            AgentEvent::ItemCompleted { item } => self.item(item, true),
            AgentEvent::Delta { item, stream, text } => {
                if let Some(at) = &self.at {
                    self.hub.live.write(&self.errand, &at.order.turn, item, stream, text);
                }
            }
            AgentEvent::Plan { steps } => {
                if let Some(at) = &mut self.at {
                    let turn = at.order.turn.clone();
                    at.plan = Some(steps.clone());
                    self.event(EventKind::PlanUpdated { turn, steps });
                }
            }
            AgentEvent::Usage { total } => return self.used(total),
            AgentEvent::RateLimits { limits } => {
                let agent = self.session.as_ref().map(|session| session.agent().to_string());
                if let (Some(_), Some(account)) = (&self.at, agent) {
                    let row = self.hub.accounts.report(&account, limits.clone());
                    self.writes.push(Write::Account(row));
                    self.event(EventKind::RateLimitsUpdated { account, limits });
                }
            }
            AgentEvent::ApprovalRequested { key, request } => self.asked(key, request),
            AgentEvent::ApprovalResolved { key } => self.resolved(&key),
            AgentEvent::Notice { message } => self.notice(message),
            AgentEvent::TurnEnded { turn, outcome } => {
                // A late word about an earlier turn changes nothing.
                if self.turn() == Some(&turn) {
                    if let (Some(at), TurnOutcome::Completed { message: Some(last) }) =
                        (&mut self.at, &outcome)
                    {
                        at.message = Some(last.clone());
                    }
                    return Some(Heard::Ended(outcome));
                }
            }
        }
        None
    }

    /// Something worth showing that is neither answer nor error.
    pub(crate) fn notice(&mut self, message: String) {
        if let Some(turn) = self.turn().cloned() {
            self.event(EventKind::AgentNotice { turn, message });
        }
    }

    pub(super) fn item(&mut self, mut item: Item, completed: bool) {
        let Some(at) = &mut self.at else { return };
        let next = u32::try_from(at.places.len()).unwrap_or(u32::MAX);
        let place = *at.places.entry(item.id.clone()).or_insert(next);
        let turn = at.order.turn.clone();
        if let ItemBody::Command { output, .. } = &mut item.body {
            keep_tail(output);
        }
        if let (ItemBody::Message { text }, true) = (&item.body, completed) {
            at.message = Some(text.clone());
        }
        if completed {
            self.hub.live.written(&turn, &item.id);
        }
        let row = ItemRow { turn: turn.clone(), place, item: item.clone(), completed };
        self.writes.push(Write::Item(row));
        self.event(EventKind::ItemUpdated { turn, item, completed });
    }

    fn used(&mut self, total: Usage) -> Option<Heard> {
        let at = self.at.as_mut()?;
        at.usage = total.since(at.usage_before);
        Some(Heard::Used)
    }

    fn asked(&mut self, key: String, request: ApprovalRequest) {
        let (Some(at), Some(session)) = (&self.at, &self.session) else { return };
        let turn = at.order.turn.clone();
        // Under a policy that never asks the answer is yes.
        let row = ApprovalRow {
            id: ApprovalId::generate(),
            errand: self.errand.clone(),
            turn: turn.clone(),
            session: session.row.id.clone(),
            key,
            request,
            asked_at: clock::now(),
            decision: at.never_asks.then_some(Decision::Accept),
            resolved_at: None,
        };
        self.event(EventKind::ApprovalRequested { turn, approval: row.approval() });
        if row.decision.is_none() {
            self.approval_stands(&row, None);
        }
        self.writes.push(Write::Approval(Box::new(row.clone())));
        self.approvals.push(row);
    }

    fn resolved(&mut self, key: &str) {
        let Some(session) = self.session.as_ref().map(|session| session.row.id.clone()) else {
            return;
        };
        let at = self.approvals.iter().position(|row| row.key == key && row.session == session);
        if let Some(at) = at {
            let row = self.approvals.remove(at);
            self.close_approval(row);
        }
    }

    fn close_approval(&mut self, mut row: ApprovalRow) {
        row.resolved_at = Some(clock::now());
        self.event(EventKind::ApprovalResolved {
            turn: row.turn.clone(),
            approval: row.approval(),
        });
        self.approval_stands(&row, None);
        self.writes.push(Write::Approval(Box::new(row)));
    }

    /// Whether a question waits for a person.
    fn approval_stands(&mut self, row: &ApprovalRow, who: Option<&str>) {
        let void = row.resolved_at.is_some();
        let place = AskedIn {
            repo: self.repo.as_ref(),
            run: self.errand.run(),
            thread: self.errand.thread(),
        };
        let change = derive::approval(&row.approval(), &place, void, (clock::now(), who));
        self.writes.push(change);
    }

    /// Questions of a turn that is over wait for nobody.
    pub(super) fn void_approvals(&mut self) {
        for row in std::mem::take(&mut self.approvals) {
            self.close_approval(row);
        }
    }

    /// A person answered a question: noted, with their act.
    ///
    /// # Errors
    /// There is no such open question, or it was answered otherwise.
    pub(crate) fn decided(
        &mut self,
        id: &ApprovalId,
        decision: Decision,
        act: Option<Write>,
    ) -> Result<Approval> {
        let Some(row) = self.approvals.iter_mut().find(|row| row.id == *id) else {
            let whose = if self.errand.run().is_some() { "run" } else { "thread" };
            return Err(Error::not_found(format!("such open question of this {whose}")));
        };
        if let Some(earlier) = row.decision
            && earlier != decision
        {
            let detail = format!("It was answered already: {earlier}.");
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        row.decision = Some(decision);
        let (approval, row) = (row.approval(), row.clone());
        let who = act.as_ref().and_then(actor_of).map(str::to_owned);
        self.approval_stands(&row, who.as_deref());
        self.writes.push(Write::Approval(Box::new(row)));
        self.writes.extend(act);
        Ok(approval)
    }
}

fn shown_at_once(item: &Item) -> bool {
    match item.body {
        ItemBody::Command { .. } | ItemBody::FileChange { .. } | ItemBody::Tool { .. } => true,
        ItemBody::Message { .. } | ItemBody::Reasoning { .. } => false,
    }
}

/// Keeps the end of a long output.
fn keep_tail(output: &mut String) {
    if output.len() > MAX_OUTPUT {
        let mut from = output.len() - MAX_OUTPUT;
        while !output.is_char_boundary(from) {
            from += 1;
        }
        *output = format!("[... cut ...]\n{}", &output[from..]);
    }
}
