//! What an agent says, taken in: noted for the log, told to the engine, shown live.

use std::time::Instant;

use car_api::{
    ApprovalId, Code, EventKind, Timestamp,
    agent::ApprovalPolicy,
    item::{Approval, Decision, Item, ItemBody},
};
use car_engine::{
    agent::AgentEvent,
    flow::{Input, budget_spent},
};
use car_store::{ApprovalRow, ItemRow, Write};

use super::{Asked, actor::Actor, session::News};
use crate::{
    Error,
    audit::actor_of,
    clock,
    inbox::derive::{self, AskedIn},
};

/// How much of a command's output is kept in the log, from its end, in bytes.
const MAX_OUTPUT: usize = 32 << 10;

impl Actor {
    pub(super) async fn heard(&mut self, news: News) {
        match news {
            News::Line { events } => {
                if let Some(at_work) = &mut self.turn {
                    at_work.last_line = Instant::now();
                }
                for event in events {
                    self.take_in(event).await;
                }
                self.drive().await;
            }
            News::Ended { detail } => {
                let turn = self.turn_id();
                let mut sent = true;
                if let Some(mut session) = self.session.take() {
                    sent = turn.is_none_or(|turn| session.prompt_sent(&turn));
                    self.session_ended(&mut session, &detail);
                }
                self.lose_agent(detail, sent).await;
            }
        }
    }

    async fn take_in(&mut self, event: AgentEvent) {
        match event {
            AgentEvent::ThreadOpened { thread, .. } => self.thread_opened(thread),
            AgentEvent::ThreadLost { detail } => {
                let tree_changed = self.tree_changed().await;
                self.give_up_turn(&detail);
                let _ = self.apply(Input::ThreadLost { detail, tree_changed });
            }
            AgentEvent::Account { name: None, login_required: true } => {
                let agent = self.ticket().map_or_else(String::new, |t| t.agent.to_string());
                self.notice_event(format!("{agent} is not logged in on this machine."));
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
                if let Some(at_work) = &self.turn {
                    self.hub.live.write(&self.row.id, &at_work.row.id, item, stream, text);
                }
            }
            AgentEvent::Plan { steps } => {
                if let Some(turn) = self.turn_id() {
                    self.event(EventKind::PlanUpdated { turn, steps });
                }
            }
            AgentEvent::Usage { total } => self.used(total),
            AgentEvent::RateLimits { limits } => {
                if let Some(account) = self.turn.as_ref().map(|t| t.row.agent.to_string()) {
                    let row = self.hub.accounts.report(&account, limits.clone());
                    self.writes.push(Write::Account(row));
                    self.event(EventKind::RateLimitsUpdated { account, limits });
                }
            }
            AgentEvent::ApprovalRequested { key, request } => self.asked(key, request),
            AgentEvent::ApprovalResolved { key } => self.resolved(&key),
            AgentEvent::Notice { message } => self.notice_event(message),
            AgentEvent::TurnEnded { turn, outcome } => {
                // A late word about an earlier turn changes nothing.
                if self.turn.as_ref().is_some_and(|at_work| at_work.row.id == turn) {
                    self.end_turn(outcome);
                }
            }
        }
    }

    /// Notes what is being written as of the line that is about to be committed: after a restart
    /// the lines after it are read again, and live text must go on where it was.
    pub(super) fn note_writings(&mut self) {
        let Some(at_work) = &mut self.turn else { return };
        let pieces = self.hub.live.writing(&at_work.row.id);
        if !pieces.is_empty() || at_work.writings_noted {
            at_work.writings_noted = !pieces.is_empty();
            self.writes.push(Write::Writings(at_work.row.id.clone(), pieces));
        }
    }

    fn turn_id(&self) -> Option<car_api::TurnId> {
        self.turn.as_ref().map(|at_work| at_work.row.id.clone())
    }

    fn notice_event(&mut self, message: String) {
        if let Some(turn) = self.turn_id() {
            self.event(EventKind::AgentNotice { turn, message });
        }
    }

    fn thread_opened(&mut self, thread: String) {
        if let Some(at_work) = &mut self.turn {
            at_work.usage_before = self.thread_usage.get(&thread).copied().unwrap_or_default();
            at_work.order.thread = Some(thread.clone());
            at_work.row.thread = Some(thread.clone());
            self.writes.push(Write::Turn(Box::new(at_work.row.clone()), None));
        }
        let _ = self.apply(Input::ThreadOpened { thread });
    }

    fn item(&mut self, mut item: Item, completed: bool) {
        let Some(at_work) = &mut self.turn else { return };
        let next = u32::try_from(at_work.places.len()).unwrap_or(u32::MAX);
        let place = *at_work.places.entry(item.id.clone()).or_insert(next);
        let turn = at_work.row.id.clone();
        if let ItemBody::Command { output, .. } = &mut item.body {
            keep_tail(output);
        }
        if let (ItemBody::Message { text }, true) = (&item.body, completed) {
            at_work.row.message = Some(text.clone());
        }
        if completed {
            self.hub.live.written(&turn, &item.id);
        }
        let row = ItemRow { turn: turn.clone(), place, item: item.clone(), completed };
        self.writes.push(Write::Item(row));
        self.event(EventKind::ItemUpdated { turn, item, completed });
    }

    fn used(&mut self, total: car_api::item::Usage) {
        let Some(at_work) = &mut self.turn else { return };
        at_work.row.usage = total.since(at_work.usage_before);
        let mut spent = self.row.flow.spent;
        spent.usage = spent.usage.plus(at_work.row.usage);
        if at_work.over_budget {
            return;
        }
        if let Some(what) = budget_spent(&spent, &self.row.flow.options) {
            at_work.over_budget = true;
            let _ = self.apply(Input::BudgetReached { what });
        }
    }

    fn asked(&mut self, key: String, request: car_api::item::ApprovalRequest) {
        let (Some(turn), Some(session)) = (self.turn_id(), &self.session) else { return };
        // Under a policy that never asks the answer is yes.
        let never = self.row.flow.options.approvals == ApprovalPolicy::Never;
        let row = ApprovalRow {
            id: ApprovalId::generate(),
            run: self.row.id.clone(),
            turn: turn.clone(),
            session: session.row.id.clone(),
            key,
            request,
            asked_at: clock::now(),
            decision: never.then_some(Decision::Accept),
            resolved_at: None,
        };
        self.event(EventKind::ApprovalRequested { turn, approval: row.approval() });
        if !never {
            self.approval_stands(&row, row.asked_at, None);
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
        self.approval_stands(&row, clock::now(), None);
        self.writes.push(Write::Approval(Box::new(row)));
    }

    /// Whether a question waits for a person.
    fn approval_stands(&mut self, row: &ApprovalRow, at: Timestamp, who: Option<&str>) {
        let void = row.resolved_at.is_some();
        let place = AskedIn { repo: Some(&self.row.repo), run: Some(&self.row.id), thread: None };
        self.writes.push(derive::approval(&row.approval(), &place, void, (at, who)));
    }

    /// Questions of a turn that is over wait for nobody.
    pub(super) fn void_approvals(&mut self) {
        for row in std::mem::take(&mut self.approvals) {
            self.close_approval(row);
        }
    }

    /// A person answered a question.
    pub(super) async fn decided(
        &mut self,
        id: &ApprovalId,
        decision: Decision,
        asked: Asked<Approval>,
    ) {
        let Asked { act, done } = asked;
        let Some(row) = self.approvals.iter_mut().find(|row| row.id == *id) else {
            let _ = done.send(Err(Error::not_found("such open question of this run")));
            return;
        };
        if let Some(earlier) = row.decision
            && earlier != decision
        {
            let detail = format!("It was answered already: {earlier}.");
            let _ = done.send(Err(Error::new(Code::IllegalTransition, detail)));
            return;
        }
        row.decision = Some(decision);
        let (approval, row) = (row.approval(), row.clone());
        let who = act.as_ref().and_then(actor_of).map(str::to_owned);
        self.approval_stands(&row, clock::now(), who.as_deref());
        self.writes.push(Write::Approval(Box::new(row)));
        self.writes.extend(act);
        self.flush().await;
        let _ = done.send(Ok(approval));
        self.drive().await;
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
