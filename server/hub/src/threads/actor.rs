//! The task of one thread: takes what happens, has the engine decide, commits, carries out. It is
//! there only while the thread has something to do, or its agent's process waits for more.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use car_api::{
    Code, EventKind, MessageId, ThreadId, Timestamp, TurnId, thread::MessageStatus, turn::TurnError,
};
use car_engine::lane::{Effect, Input, Moment, State, step};
use car_store::{Errand, MessageRow, ThreadRow, Write};
use tokio::sync::{mpsc, oneshot};

use super::{
    gate::{self, Verdict},
    lanes::{Posted, Told},
    record, recover, view,
};
use crate::{
    Error, Result, clock,
    desk::{self, Desk},
    hub::Inner,
    inbox::derive,
};

/// Longest beginning of a message that is shown in lists, in characters.
pub(super) const PREVIEW: usize = 160;

pub(super) struct Actor {
    pub(super) hub: Arc<Inner>,
    pub(super) row: ThreadRow,
    /// Where the agent works.
    pub(super) tree: PathBuf,
    /// The agent, and what is to be committed next.
    pub(super) desk: Desk,
    /// Messages that are looked at, answered or wait, as they will be committed next.
    pub(super) messages: HashMap<MessageId, MessageRow>,
    effects: VecDeque<Effect>,
    /// When the engine wants to be told that the time came.
    wake: Option<Timestamp>,
    /// Since when there is nothing to do.
    resting: Option<Instant>,
    /// Who waits for the next commit.
    pub(super) waiting: Vec<Waiting>,
    /// Whether the thread as everybody sees it is to be told of with the next commit.
    pub(super) changed: bool,
}

/// Who waits for a commit, and for what.
pub(super) enum Waiting {
    Done(oneshot::Sender<Result<()>>),
    Post(oneshot::Sender<Result<Posted>>, MessageId),
}

/// Works a thread until it has nothing to do or the hub closes.
pub(super) async fn run(
    hub: Arc<Inner>,
    thread: ThreadId,
    mut inbox: mpsc::UnboundedReceiver<Told>,
) {
    let mut actor = loop {
        match Actor::open(&hub, &thread).await {
            Ok(Some(actor)) => break actor,
            // Whoever asks is told so; an answer that is dropped says the same.
            Ok(None) => {
                if hub.lanes.leave(&thread, &inbox) {
                    return;
                }
                refuse(&mut inbox).await;
            }
            Err(error) => {
                tracing::error!(%thread, %error, "a thread cannot be read");
                if hub.lanes.leave(&thread, &inbox) {
                    return;
                }
                refuse(&mut inbox).await;
            }
        }
    };
    actor.work(&mut inbox).await;
}

async fn refuse(inbox: &mut mpsc::UnboundedReceiver<Told>) {
    let gone = || Error::not_found("such thread, or it cannot be read");
    match inbox.recv().await {
        Some(Told::Post(_, done)) => drop(done.send(Err(gone()))),
        Some(Told::Input(_, _, done) | Told::Change(_, _, done)) => drop(done.send(Err(gone()))),
        Some(Told::Decide(_, _, _, done)) => drop(done.send(Err(gone()))),
        Some(Told::Close) | None => {}
    }
}

impl Actor {
    async fn open(hub: &Arc<Inner>, thread: &ThreadId) -> Result<Option<Self>> {
        let store = &hub.store;
        let Some(row) = store.thread(thread).await? else { return Ok(None) };
        let errand = Errand::Thread(thread.clone());
        let mut desk = Desk::new(Arc::clone(hub), errand.clone(), row.repo.clone());
        desk.approvals = store.open_approvals(&errand).await?;
        if let Some(backend) = row.lane.backend.as_ref().or(row.lane.fork_of.as_ref()) {
            desk.spent.insert(backend.clone(), row.spent);
        }
        let mut messages = HashMap::new();
        for id in row.lane.queue.iter().chain(row.lane.current()) {
            if let Some(message) = store.message(id).await? {
                messages.insert(id.clone(), message);
            }
        }
        let mut actor = Self {
            tree: PathBuf::new(),
            hub: Arc::clone(hub),
            row,
            desk,
            messages,
            effects: VecDeque::new(),
            wake: None,
            resting: None,
            waiting: Vec::new(),
            changed: false,
        };
        // What an earlier task or process of the hub left is said again.
        let _ = actor.apply(Input::Recovered);
        Ok(Some(actor))
    }

    async fn work(&mut self, inbox: &mut mpsc::UnboundedReceiver<Told>) {
        loop {
            while let Some(effect) = self.effects.pop_front() {
                // What has not been committed never happened: nothing is carried out before.
                self.flush().await;
                self.carry_out(effect).await;
            }
            self.flush().await;
            if self.may_leave().await && self.hub.lanes.leave(&self.row.id, inbox) {
                return;
            }
            self.drive().await;
            if !self.effects.is_empty() || !self.desk.writes.is_empty() {
                continue;
            }
            let deadline = self.deadline();
            tokio::select! {
                biased;
                told = inbox.recv() => match told {
                    None | Some(Told::Close) => {
                        // An agent in the middle of an answer lives on; one that waits for more is
                        // started again when it is needed.
                        if self.desk.at.is_none() {
                            self.desk.end_session("The hub is closing.").await;
                        }
                        self.flush().await;
                        return;
                    }
                    Some(told) => self.told(told).await,
                },
                news = Desk::news(&mut self.desk.session) => {
                    self.heard(news).await;
                    self.hear_more().await;
                }
                () = desk::until(deadline) => self.time_came().await,
            }
        }
    }

    /// Takes in what else the session has to say right now, so that one commit holds it all.
    async fn hear_more(&mut self) {
        use futures_util::FutureExt;
        for _ in 0..256 {
            if !self.effects.is_empty() {
                return;
            }
            let news = Desk::news(&mut self.desk.session).now_or_never();
            let Some(news) = news else { return };
            self.heard(news).await;
        }
    }

    /// Has the engine decide, and notes what is to be committed.
    pub(super) fn apply(&mut self, input: Input) -> Result<()> {
        let moment = Moment { now: clock::now(), turn: TurnId::generate() };
        let before = self.row.lane.clone();
        let transition = step(&before, input, &moment).map_err(|illegal| {
            let line = view::explain(&self.row, self.desk.asks(), &self.hub);
            let detail = format!("The thread cannot do that now. {line}");
            Error::new(Code::IllegalTransition, detail).with_source(illegal)
        })?;
        self.row.lane = transition.lane;
        if before.backend != self.row.lane.backend && self.row.lane.backend.is_none() {
            self.row.spent = car_api::item::Usage::default();
            if self.row.kind == car_api::thread::ThreadKind::Pma {
                // A new conversation is with whom the configuration names by now.
                self.row.agent = recover::agent(&self.hub, self.row.kind);
            }
        }
        for effect in transition.effects {
            self.oblige(effect);
        }
        if before != self.row.lane {
            if before.state != self.row.lane.state {
                let held = |state: &State| matches!(state, State::Held { .. });
                if held(&before.state) || held(&self.row.lane.state) {
                    self.desk.writes.push(derive::held(&self.row, moment.now));
                }
                self.resting = None;
                self.wake = self.wake.filter(|_| matches!(self.row.lane.state, State::Held { .. }));
            }
            self.touch();
        }
        Ok(())
    }

    /// What is only memory is committed with the lane; the state itself implies the rest, and
    /// recovery says it again.
    fn oblige(&mut self, effect: Effect) {
        match effect {
            Effect::End { message, status, detail, error } => {
                self.end(&message, status, detail, error);
            }
            Effect::Requeue { message, detail } => {
                if let Some(mut row) = self.messages.get(&message).cloned() {
                    row.message.status = MessageStatus::Queued;
                    row.message.detail = Some(detail);
                    row.message.answer = None;
                    self.keep(row);
                }
            }
            Effect::HoldAccount { until } => {
                let account = self.row.agent.to_string();
                let row = self.hub.accounts.hold(&account, until, clock::now());
                self.desk.writes.push(Write::Account(row));
            }
            Effect::Admit { .. }
            | Effect::Ask { .. }
            | Effect::Tend { .. }
            | Effect::Interrupt { .. }
            | Effect::WakeAt { .. }
            | Effect::EndSession => self.effects.push_back(effect),
        }
    }

    /// The end of a message. It is final: it is taken out of the actor's hands.
    fn end(
        &mut self,
        id: &MessageId,
        status: MessageStatus,
        detail: Option<String>,
        error: Option<TurnError>,
    ) {
        let Some(mut row) = self.messages.get(id).cloned() else { return };
        let message = &mut row.message;
        message.status = status;
        message.detail = detail;
        message.error = error;
        message.ended_at = Some(clock::now());
        if let Some(answer) = &message.answer {
            self.row.preview = Some(view::beginning(answer, PREVIEW));
        }
        self.keep(row);
        self.messages.remove(id);
    }

    /// A message as it is now, to be committed and told of.
    pub(super) fn keep(&mut self, row: MessageRow) {
        let message = row.message.clone();
        self.desk.writes.push(derive::message(&message, self.row.repo.as_ref()));
        self.desk.event(EventKind::MessageUpdated { message: Box::new(message) });
        self.desk.writes.push(Write::Message(Box::new(row.clone())));
        self.messages.insert(row.message.id.clone(), row);
        self.touch();
    }

    /// The thread is another one than before.
    pub(super) fn touch(&mut self) {
        self.row.updated_at = clock::now();
        self.changed = true;
    }

    async fn carry_out(&mut self, effect: Effect) {
        let result = match effect {
            Effect::Admit { message } => {
                self.admit(&message).await;
                Ok(())
            }
            Effect::Ask { message, turn, again } => self.ask(&message, turn, again).await,
            Effect::Tend { chore, turn } => self.tend(chore, turn).await,
            Effect::Interrupt { turn } => {
                if let Some(at) = self.desk.at.as_mut().filter(|at| at.order.turn == turn) {
                    at.interrupt();
                }
                Ok(())
            }
            Effect::WakeAt { at } => {
                self.wake = Some(at);
                Ok(())
            }
            Effect::EndSession => {
                self.desk.end_sessions().await;
                Ok(())
            }
            Effect::End { .. } | Effect::Requeue { .. } | Effect::HoldAccount { .. } => Ok(()),
        };
        if let Err(error) = result {
            self.cannot(&error).await;
        }
    }

    async fn admit(&mut self, id: &MessageId) {
        let Some(row) = self.messages.get(id) else {
            let _ = self.apply(Input::Failed { detail: "The message is gone.".to_owned() });
            return;
        };
        let message = row.message.clone();
        let input = match gate::admit(&self.hub, &self.row, &message).await {
            Verdict::Go => Input::Admitted { message: id.clone() },
            Verdict::Block(detail) => Input::Blocked { message: id.clone(), detail },
            Verdict::Hold(hold) => Input::Held { message: id.clone(), hold },
        };
        let _ = self.apply(input);
    }

    /// The agent cannot be asked: the message fails with the reason.
    pub(super) async fn cannot(&mut self, error: &Error) {
        tracing::warn!(thread = %self.row.id, %error, source = ?error.source, "a message cannot be answered");
        let detail = match &error.source {
            Some(source) if error.code == Code::Internal => source.to_string(),
            Some(_) | None => error.detail.clone(),
        };
        self.close_turn(true).await;
        let _ = self.apply(Input::Failed { detail });
    }

    /// Commits what is noted, with the thread as it is now.
    pub(super) async fn flush(&mut self) {
        if self.changed {
            self.changed = false;
            let thread = view::thread(&self.row, &self.desk.approvals, &self.hub);
            self.desk.event(EventKind::ThreadUpdated { thread: Box::new(thread) });
            self.desk.writes.push(Write::Thread(Box::new(self.row.clone())));
        }
        record::keep(&self.hub, &self.row.id, &self.desk.writes).await;
        self.desk.commit().await;
        for waiting in self.waiting.drain(..) {
            match waiting {
                Waiting::Done(done) => drop(done.send(Ok(()))),
                Waiting::Post(done, id) => {
                    let posted = match self.messages.get(&id) {
                        Some(row) => Ok(row.message.clone()),
                        None => Err(Error::internal("a message was gone before it was there")),
                    };
                    let _ = done.send(posted.map(|message| Posted { message, again: false }));
                }
            }
        }
    }

    /// Whether nothing is to be done any more. An agent's process is kept for a while: the next
    /// message finds it warm.
    async fn may_leave(&mut self) -> bool {
        if !self.row.lane.is_at_rest() || !self.effects.is_empty() {
            self.resting = None;
            return false;
        }
        let since = *self.resting.get_or_insert_with(Instant::now);
        if self.desk.session.is_some() {
            if since.elapsed() < self.idle() {
                return false;
            }
            self.desk.end_session("It had nothing to do for a while.").await;
        }
        // Also one that an earlier process of the hub left.
        self.desk.end_sessions().await;
        self.flush().await;
        true
    }

    fn idle(&self) -> Duration {
        Duration::from_secs(self.hub.config.threads.idle_s)
    }

    /// When something is to be done although nothing happens.
    fn deadline(&self) -> Option<Instant> {
        let wake = self.wake.map(|at| Instant::now() + clock::until(at));
        let flow = &self.hub.config.flow;
        let turn = self.desk.at.as_ref().map(|at| {
            let idle = Duration::from_secs(flow.turn_idle_timeout_s.max(1));
            let most = Duration::from_secs(flow.turn_timeout_s.max(1));
            at.patience(idle, most, self.desk.asks())
        });
        let rest = self.resting.map(|since| since + self.idle());
        [wake, turn, rest].into_iter().flatten().min()
    }

    async fn time_came(&mut self) {
        if self.wake.is_some_and(|at| at <= clock::now()) {
            self.wake = None;
            let _ = self.apply(Input::Elapsed);
            return;
        }
        let idle = self.hub.config.flow.turn_idle_timeout_s;
        let Some(at) = &mut self.desk.at else { return };
        let detail = match at.interrupted_at {
            Some(since) if since.elapsed() >= desk::INTERRUPT_GRACE => {
                "It did not answer an interrupt; the hub ended it."
            }
            Some(_) => return,
            None => {
                let silent = at.last_line.elapsed() >= Duration::from_secs(idle.max(1));
                let long = at.began.elapsed()
                    >= Duration::from_secs(self.hub.config.flow.turn_timeout_s.max(1));
                if !silent && !long {
                    return;
                }
                at.interrupt();
                self.desk.notice(format!(
                    "No line from the agent for {idle} s, or the turn took too long; interrupting it."
                ));
                return;
            }
        };
        self.desk.end_session(detail).await;
        self.lost(detail.to_owned()).await;
    }
}
