//! What a thread's task is told, taken in: messages, acts, answers, settings.

use car_api::{
    Code,
    thread::{BusyPolicy, Message, ThreadKind, ThreadUpdate},
};
use car_engine::lane::Input;
use car_store::MessageRow;
use tokio::sync::oneshot;

use super::{
    actor::{Actor, PREVIEW, Waiting},
    lanes::{Posted, Told},
    post::{self, Draft},
    view,
};
use crate::{Error, Result, clock};

impl Actor {
    pub(super) async fn told(&mut self, told: Told) {
        match told {
            Told::Post(draft, done) => self.post(*draft, done).await,
            Told::Input(input, act, done) => match self.apply(input) {
                Ok(()) => {
                    self.desk.writes.extend(act);
                    self.waiting.push(Waiting::Done(done));
                }
                Err(error) => drop(done.send(Err(error))),
            },
            Told::Decide(approval, decision, act, done) => {
                let decided = self.desk.decided(&approval, decision, Some(act));
                if decided.is_ok() {
                    self.changed = true;
                    self.flush().await;
                }
                let _ = done.send(decided);
            }
            Told::Change(update, act, done) => match self.change(*update) {
                Ok(()) => {
                    self.desk.writes.push(act);
                    self.waiting.push(Waiting::Done(done));
                }
                Err(error) => drop(done.send(Err(error))),
            },
            Told::Close => {}
        }
    }

    /// Takes a message in, once: the same one again is the one there is.
    async fn post(&mut self, draft: Draft, done: oneshot::Sender<Result<Posted>>) {
        match self.known(&draft).await {
            Ok(None) => {}
            Ok(Some(message)) => {
                let _ = done.send(Ok(Posted { message, again: true }));
                return;
            }
            Err(error) => {
                let _ = done.send(Err(error));
                return;
            }
        }
        if let Err(error) = self.may_post(&draft) {
            let _ = done.send(Err(error));
            return;
        }
        self.row.messages += 1;
        let conversation = self.row.lane.conversation;
        let message = post::message(&draft, &self.row.id, self.row.messages, conversation);
        if self.row.name.is_empty() {
            self.row.name = view::beginning(&message.body, 60);
        }
        self.row.preview = Some(view::beginning(&message.body, PREVIEW));
        let id = message.id.clone();
        self.keep(MessageRow { message, session: None, plan: Vec::new() });
        self.desk.writes.extend(draft.with);
        let first = match draft.busy {
            BusyPolicy::Interrupt => true,
            BusyPolicy::Queue | BusyPolicy::Reject => false,
        };
        match self.apply(Input::Posted { message: id.clone(), first }) {
            Ok(()) => self.waiting.push(Waiting::Post(done, id)),
            Err(error) => drop(done.send(Err(error))),
        }
    }

    /// The message that came under the same id of its caller before.
    async fn known(&mut self, draft: &Draft) -> Result<Option<Message>> {
        let Some(id) = &draft.client_turn_id else { return Ok(None) };
        // One that was taken in a moment ago has to be found.
        self.flush().await;
        let Some(known) = self.hub.store.message_of(&self.row.id, id).await? else {
            return Ok(None);
        };
        if draft.is(&known.message) {
            return Ok(Some(known.message));
        }
        Err(Error::new(
            Code::IdempotencyMismatch,
            "This `client_turn_id` came with another message before; take a new one for a new message.",
        ))
    }

    fn may_post(&self, draft: &Draft) -> Result<()> {
        if self.row.archived_at.is_some() {
            let detail = "The thread was put away; take it out again first (`archived: false`).";
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        let lane = &self.row.lane;
        let busy = !lane.is_at_rest();
        if draft.busy == BusyPolicy::Reject && busy {
            let detail = view::explain(&self.row, self.desk.asks(), &self.hub);
            return Err(Error::new(Code::Busy, format!("{detail} `busy: queue` would wait.")));
        }
        let most = usize::try_from(self.hub.config.threads.queue_max).unwrap_or(usize::MAX);
        if lane.queue.len() >= most {
            let detail = format!(
                "{most} messages wait already (`threads.queue_max`); let some be answered, or take \
                 some back."
            );
            return Err(Error::new(Code::Busy, detail));
        }
        Ok(())
    }

    fn change(&mut self, update: ThreadUpdate) -> Result<()> {
        if update.archived == Some(true) {
            if self.row.kind == ThreadKind::Pma {
                let detail = "The project manager's thread is not put away; reset it instead.";
                return Err(Error::new(Code::IllegalTransition, detail));
            }
            if !self.row.lane.is_at_rest() {
                let detail = "The thread has something to do; stop it first.";
                return Err(Error::new(Code::IllegalTransition, detail));
            }
        }
        if let Some(archived) = update.archived {
            self.row.archived_at =
                archived.then(|| self.row.archived_at.unwrap_or_else(clock::now));
        }
        if let Some(name) = update.name {
            self.row.name = name.trim().to_owned();
        }
        self.row.model = update.model.or(self.row.model.take());
        self.row.effort = update.effort.or(self.row.effort.take());
        self.row.approvals = update.approvals.unwrap_or(self.row.approvals);
        self.touch();
        Ok(())
    }
}
