//! One action that resolves an item, with the caller's rights and through the operations it stands
//! for.
//!
//! What is wanted is noted before it is done: a hub that dies in between is told again, and finds
//! either that it was done or that it is to be done.

use std::sync::{Arc, PoisonError};

use car_api::{
    Code, InboxItemId, RunId, Scope, ThreadId,
    audit::ActorKind,
    dispatch::ReplyCreate,
    inbox::{InboxAct, InboxAction, InboxItem, InboxKind, InboxStatus},
    item::Decision,
    run::{ApprovalDecide, PauseReason, RunResume, RunStart, RunState},
    ticket::TicketDone,
};
use car_store::{InboxEnd, Write};

use crate::{Error, Hub, Result, clock};

impl Hub {
    /// Does one of an item's actions. Done again it changes nothing more.
    ///
    /// # Errors
    /// See the API.
    pub async fn inbox_act(&self, item: &InboxItemId, body: InboxAct) -> Result<InboxItem> {
        self.inner.unconfirmed.refuse()?;
        let alone = {
            let mut acts = self.inner.inbox.acts.lock().unwrap_or_else(PoisonError::into_inner);
            acts.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(acts.entry(item.clone()).or_default())
        };
        let _alone = alone.lock().await;
        let found = self.inbox_get(item).await?;
        let action = body.action;
        if found.status != InboxStatus::Open {
            if found.acted == Some(action) {
                return Ok(found);
            }
            let how = found.resolution.unwrap_or_else(|| found.status.to_string());
            let detail = format!("It waits no longer: {how}");
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        if !found.actions.contains(&action) {
            let known: Vec<_> = found.actions.iter().map(|action| action.as_str()).collect();
            let detail = format!("`action`: here it is one of {}.", known.join(", "));
            return Err(Error::new(Code::Unprocessable, detail));
        }
        self.allowed(&found, action)?;
        let text = body.body.filter(|text| !text.trim().is_empty());
        if action == InboxAction::Reply && text.is_none() {
            let detail = "`body`: a reply needs a text.";
            return Err(Error::new(Code::Unprocessable, detail));
        }
        self.note_act(&found, Some(action), InboxStatus::Open).await?;
        // A repeated request must find the item, not what its action made.
        let hub = Self { claim: None, ..self.clone() };
        if let Err(error) = hub.do_action(&found, action, text).await {
            self.note_act(&found, None, InboxStatus::Open).await?;
            return Err(error);
        }
        let ends = match action {
            InboxAction::Dismiss => InboxStatus::Dismissed,
            InboxAction::Escalate => InboxStatus::Open,
            // A note that was answered is one that was read.
            InboxAction::Reply
            | InboxAction::Approve
            | InboxAction::Decline
            | InboxAction::Resume
            | InboxAction::Retry
            | InboxAction::Done
            | InboxAction::Stop => InboxStatus::Resolved,
        };
        self.note_act(&found, Some(action), ends).await?;
        self.note(self.act("inbox_act", item).detail(action.as_str())).await?;
        self.inbox_get(item).await
    }

    /// Writes down what is done about an item, and how it stands then.
    async fn note_act(
        &self,
        item: &InboxItem,
        action: Option<InboxAction>,
        status: InboxStatus,
    ) -> Result<()> {
        let end = InboxEnd {
            id: item.id.clone(),
            at: clock::now(),
            status,
            action,
            resolution: action.map(|action| format!("{} by {}", past(action), self.actor.name)),
        };
        self.inner.store.commit(vec![Write::InboxEnd(Box::new(end))]).await?;
        Ok(())
    }

    /// Whether the caller may do what the action stands for.
    fn allowed(&self, item: &InboxItem, action: InboxAction) -> Result<()> {
        let scope = match (action, item.kind) {
            (InboxAction::Approve | InboxAction::Decline, InboxKind::Approval) => Scope::Approve,
            (InboxAction::Retry, InboxKind::DeliveryFailed) => Scope::Admin,
            (InboxAction::Dismiss | InboxAction::Done, _) => Scope::Write,
            (
                InboxAction::Reply
                | InboxAction::Approve
                | InboxAction::Decline
                | InboxAction::Resume
                | InboxAction::Retry
                | InboxAction::Stop
                | InboxAction::Escalate,
                _,
            ) => Scope::Run,
        };
        if !self.rights.scopes.contains(&scope) {
            let detail = format!("This needs the scope `{scope}`, which this credential lacks.");
            return Err(Error::new(Code::Forbidden, detail));
        }
        let grants = matches!(action, InboxAction::Approve | InboxAction::Decline);
        if grants && self.actor.kind == ActorKind::Agent {
            let detail = "An agent may not give itself a permission; a person has to.";
            return Err(Error::new(Code::Forbidden, detail));
        }
        Ok(())
    }

    async fn do_action(
        &self,
        item: &InboxItem,
        action: InboxAction,
        text: Option<String>,
    ) -> Result<()> {
        match action {
            InboxAction::Reply => {
                let body = ReplyCreate { title: None, body: text.unwrap_or_default() };
                self.run_reply(run_of(item)?, body).await?;
            }
            InboxAction::Approve if item.kind == InboxKind::Approval => {
                self.decide(item, Decision::Accept).await?;
            }
            InboxAction::Approve => {
                let body = RunResume { accept_protected: true, ..RunResume::default() };
                self.run_resume(run_of(item)?, body).await?;
            }
            InboxAction::Decline => self.decide(item, Decision::Decline).await?,
            InboxAction::Resume if item.kind == InboxKind::ThreadHeld => {
                self.thread_resume(thread_of(item)?.as_str()).await?;
            }
            InboxAction::Stop if item.kind == InboxKind::ThreadHeld => {
                self.thread_stop(thread_of(item)?.as_str()).await?;
            }
            InboxAction::Resume => {
                let run = run_of(item)?;
                let more = self.more_budget(run).await?;
                self.run_resume(run, more).await?;
            }
            InboxAction::Retry => self.retry(item).await?,
            InboxAction::Done => self.ticket_of(run_of(item)?).await?,
            InboxAction::Stop => {
                self.run_stop(run_of(item)?).await?;
            }
            InboxAction::Escalate => {
                let told = Write::InboxRelease(item.id.clone(), clock::now());
                self.inner.store.commit(vec![told]).await?;
            }
            InboxAction::Dismiss => {}
        }
        Ok(())
    }

    async fn decide(&self, item: &InboxItem, decision: Decision) -> Result<()> {
        let Some(approval) = &item.approval else { return Err(odd(item)) };
        let body = ApprovalDecide { decision };
        match &item.thread {
            Some(thread) => {
                self.thread_approval_decide(thread.as_str(), approval, body).await?;
            }
            None => {
                self.approval_decide(run_of(item)?, approval, body).await?;
            }
        }
        Ok(())
    }

    async fn retry(&self, item: &InboxItem) -> Result<()> {
        match item.kind {
            InboxKind::RunFailed => {
                let Some(repo) = &item.repo else { return Err(odd(item)) };
                self.run_start(repo, RunStart::default()).await?;
                Ok(())
            }
            InboxKind::DeliveryFailed => {
                let Some(channel) = &item.channel else { return Err(odd(item)) };
                self.inner.retry_channel(channel).await
            }
            InboxKind::MessageFailed => {
                let (Some(thread), Some(message)) = (&item.thread, &item.message) else {
                    return Err(odd(item));
                };
                self.message_continue(thread.as_str(), message).await?;
                Ok(())
            }
            InboxKind::Approval
            | InboxKind::Question
            | InboxKind::Fix
            | InboxKind::Budget
            | InboxKind::UserTicket
            | InboxKind::ThreadHeld
            | InboxKind::JobFailed
            | InboxKind::Repo
            | InboxKind::Note => Err(odd(item)),
        }
    }

    /// A run that used up its budget may use as much again.
    async fn more_budget(&self, run: &RunId) -> Result<RunResume> {
        let row = self.inner.run_row(run).await?;
        let mut body = RunResume::default();
        if let RunState::Paused { reason: PauseReason::Budget, .. } = row.flow.state {
            let (options, spent) = (&row.flow.options, &row.flow.spent);
            // Only what is used up: when it is the day's budget, none of them is.
            let tokens = options.max_tokens.filter(|max| spent.usage.total() >= *max);
            body.max_tokens = tokens.map(|max| max.saturating_mul(2));
            let cost = options.max_cost.filter(|max| spent.cost >= *max);
            body.max_cost = cost.map(|max| max.plus(max));
            // A turn that was interrupted at the very end of its time has used it up.
            let seconds = spent.active_ms / 1000 + 1;
            let time = options.max_seconds.filter(|max| seconds >= *max);
            body.max_seconds = time.map(|max| max.saturating_mul(2));
        }
        Ok(body)
    }

    /// Marks the ticket done that a run waits for.
    async fn ticket_of(&self, run: &RunId) -> Result<()> {
        let row = self.inner.run_row(run).await?;
        let ticket = row.flow.work.as_ref().map(|work| work.ticket.id.clone());
        let ticket = ticket.ok_or_else(|| Error::not_found(format!("ticket of run `{run}`")))?;
        self.ticket_done(&row.repo, ticket.as_str(), TicketDone { done: true }, None).await?;
        Ok(())
    }
}

fn run_of(item: &InboxItem) -> Result<&RunId> {
    item.run.as_ref().ok_or_else(|| odd(item))
}

fn thread_of(item: &InboxItem) -> Result<&ThreadId> {
    item.thread.as_ref().ok_or_else(|| odd(item))
}

fn odd(item: &InboxItem) -> Error {
    Error::internal(format!("inbox item {} does not say what it is about", item.id))
}

/// What was done, for people.
fn past(action: InboxAction) -> &'static str {
    match action {
        InboxAction::Reply => "answered",
        InboxAction::Approve => "approved",
        InboxAction::Decline => "declined",
        InboxAction::Resume => "resumed",
        InboxAction::Retry => "tried again",
        InboxAction::Done => "done",
        InboxAction::Stop => "stopped",
        InboxAction::Escalate => "passed on",
        InboxAction::Dismiss => "put away",
    }
}
