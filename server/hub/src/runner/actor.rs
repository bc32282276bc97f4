//! The task of one run: takes what happens, has the engine decide, commits, carries out.

use std::{collections::VecDeque, path::PathBuf, sync::Arc};

use car_api::{
    Code, EventKind, Timestamp, TurnId,
    run::{FailureCode, Phase, RunState, RunStatus},
    verify::VerifyCommand,
};
use car_engine::flow::{Effect, Input, Moment, explain, step};
use car_files::{replies, run_dir::RunDir};
use car_store::{EffectRow, Errand, RunRow, Write};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{Asked, Message, examine::TreeSeen, turn::TurnAtWork, verify::Verification};
use crate::{
    Error, FlowConfig, Result,
    audit::{Act, who_does},
    clock,
    desk::{self, Desk, session::Session},
    hub::Inner,
    inbox::derive::{self, Question},
};

pub(super) struct Actor {
    pub(super) hub: Arc<Inner>,
    pub(super) row: RunRow,
    /// The working tree.
    pub(super) tree: PathBuf,
    /// How its runs are worked, as its files said at the last look at the queue.
    pub(super) config: FlowConfig,
    /// Effects of committed transitions that wait to be carried out.
    effects: VecDeque<Pending>,
    /// The agent, and what is to be committed next.
    pub(super) desk: Desk,
    /// Whether what is to be committed may wait for the next transition, because all that follows
    /// from it is looking again.
    lazy: bool,
    /// Who waits for the next commit.
    waiting: Vec<oneshot::Sender<Result<()>>>,
    /// Held while the run has a slot.
    tree_lock: Option<car_files::TreeLock>,
    pub(super) turn: Option<TurnAtWork>,
    pub(super) verification: Option<Verification>,
    /// Trees and the commands that passed on them, since this process took the run up.
    pub(super) proven: Vec<(String, Vec<VerifyCommand>)>,
    pub(super) wake: Option<Timestamp>,
    /// What the tree looked like, while nobody can have changed it since.
    pub(super) seen: Option<TreeSeen>,
    /// What is counted of a turn's changes while the run goes on.
    pub(super) counting: Option<(TurnId, JoinHandle<CountedDiff>)>,
    /// The agent's last message and why the last checkpoint failed, for the next prompt.
    pub(super) last_message: Option<String>,
    pub(super) checkpoint_error: Option<String>,
    /// What the agent asked in the turn that is being looked at.
    pub(super) question: Option<Question>,
    /// Who brings about what is decided next.
    cause: Option<String>,
    /// Turns of this run so far.
    pub(super) turns: u32,
}

/// What `git diff` counted.
type CountedDiff = std::result::Result<car_git::DiffStats, car_git::GitError>;

struct Pending {
    /// The transition it belongs to.
    step: u64,
    /// Its place, when it left a row.
    row: Option<u32>,
    effect: Effect,
}

/// Works a run until it has ended or the hub closes.
pub(super) async fn run(
    hub: Arc<Inner>,
    row: RunRow,
    mut inbox: mpsc::Receiver<Message>,
    first: Option<Input>,
) {
    let id = row.id.clone();
    let Some(tree) = hub.index.tree_path(&row.repo) else {
        let mut actor = Actor::new(hub, row, PathBuf::new());
        let message = "The run's repo is not in the hub any more.".to_owned();
        let _ = actor.apply(Input::Fail { code: FailureCode::RepoNotFound, message });
        // Whatever it left at work ends; what touches files of the tree has no place any more.
        actor.end_session().await;
        let (run, step) = (actor.row.id.clone(), actor.row.flow.step);
        actor.desk.writes.push(Write::EffectsDone { run, step });
        actor.flush().await;
        actor.settle();
        actor.hub.runs.forget(&id);
        return;
    };
    let mut actor = Actor::new(hub, row, tree);
    actor.prepare().await;
    if let Some(input) = first {
        let _ = actor.apply(input);
    }
    actor.recall_reply().await;
    let closing = actor.work(&mut inbox).await;
    if !closing {
        actor.hub.runs.forget(&id);
        // Whoever asked after the end is told so.
        inbox.close();
        while let Some(message) = inbox.recv().await {
            refuse(message);
        }
    }
}

fn refuse(message: Message) {
    let ended = || Error::new(Code::IllegalTransition, "The run has ended.");
    match message {
        Message::Input(_, Some(asked)) => drop(asked.done.send(Err(ended()))),
        Message::Decide(_, _, asked) => drop(asked.done.send(Err(ended()))),
        Message::Input(_, None) | Message::Close => {}
    }
}

impl Actor {
    fn new(hub: Arc<Inner>, row: RunRow, tree: PathBuf) -> Self {
        let errand = Errand::Run(row.id.clone());
        Self {
            config: hub.config.flow.clone(),
            desk: Desk::new(Arc::clone(&hub), errand, Some(row.repo.clone())),
            hub,
            row,
            tree,
            effects: VecDeque::new(),
            lazy: false,
            waiting: Vec::new(),
            tree_lock: None,
            turn: None,
            verification: None,
            proven: Vec::new(),
            wake: None,
            seen: None,
            counting: None,
            last_message: None,
            checkpoint_error: None,
            question: None,
            cause: None,
            turns: 0,
        }
    }

    /// Reads what earlier processes of the hub left of this run.
    async fn prepare(&mut self) {
        match self.hub.flow_of(&self.tree).await {
            Ok(config) => self.config = config,
            Err(error) => {
                tracing::warn!(run = %self.row.id, %error, "the tree's settings cannot be read")
            }
        }
        let store = &self.hub.store;
        let read = async {
            let effects = store.effects(&self.row.id).await?;
            let approvals = store.open_approvals(&Errand::Run(self.row.id.clone())).await?;
            let turns = store.turns(&self.row.id, 0, u32::MAX).await?;
            Ok::<_, car_store::Error>((effects, approvals, turns))
        };
        match read.await {
            Ok((effects, approvals, turns)) => {
                self.effects = effects
                    .into_iter()
                    .map(|row| Pending { step: row.step, row: Some(row.place), effect: row.effect })
                    .collect();
                self.desk.approvals = approvals;
                for turn in &turns {
                    self.turns = self.turns.max(turn.number);
                    if let Some(thread) = &turn.thread
                        && turn.ended_at.is_some()
                    {
                        let used = self.desk.spent.entry(thread.clone()).or_default();
                        *used = used.plus(turn.usage);
                    }
                }
                self.last_message = turns.last().and_then(|turn| turn.message.clone());
            }
            Err(error) => {
                tracing::error!(run = %self.row.id, %error, "a run's past cannot be read")
            }
        }
    }

    /// A reply may have come while no hub was there to hear of it: a run that waits for it goes on.
    async fn recall_reply(&mut self) {
        self.hub.watch.watch_run(&self.row.repo, &self.row.id, &self.tree);
        let RunState::Paused { since, .. } = &self.row.flow.state else { return };
        let (tree, run, since) = (self.tree.clone(), self.row.id.clone(), since.micros());
        let seen = self.row.flow.replies_seen;
        let came = crate::hub::blocking(move || {
            let directory = RunDir::create(&tree, run.as_str())?;
            let newer = replies::list_after(&directory, seen)?;
            Ok(replies::is_waiting(&directory)? || newer.iter().any(|e| e.archived_us > since))
        });
        if came.await.unwrap_or(false) {
            let _ = self.apply(Input::Replied);
        }
    }

    /// Gives whether the hub is closing (else the run has ended).
    async fn work(&mut self, inbox: &mut mpsc::Receiver<Message>) -> bool {
        loop {
            while let Some(pending) = self.effects.pop_front() {
                // What has not been committed never happened: nothing is carried out before.
                if !self.lazy {
                    self.flush().await;
                }
                self.carry_out(pending.effect).await;
                if let Some(place) = pending.row {
                    let step = pending.step;
                    let run = self.row.id.clone();
                    self.desk.writes.push(Write::EffectDone { run, step, place });
                }
            }
            self.lazy = false;
            self.flush().await;
            self.settle();
            if self.row.flow.state.status().is_end() {
                self.hub.end_run_grant(&self.row.id, &self.tree).await;
                self.hub.watch.forget_run(&self.row.id, &self.tree);
                return false;
            }
            self.drive().await;
            let deadline = self.deadline();
            tokio::select! {
                biased;
                message = inbox.recv() => match message {
                    None | Some(Message::Close) => {
                        self.flush().await;
                        return true;
                    }
                    Some(Message::Input(input, asked)) => self.told(input, asked),
                    Some(Message::Decide(approval, decision, asked)) => {
                        self.decided(&approval, decision, asked).await;
                    }
                },
                outcome = Verification::outcome(&mut self.verification) => {
                    self.verified(outcome).await;
                }
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
            let Some(news) = Desk::news(&mut self.desk.session).now_or_never() else { return };
            self.heard(news).await;
        }
    }

    fn told(&mut self, input: Input, asked: Option<Asked<()>>) {
        self.cause = asked.as_ref().and_then(|asked| who_does(asked.act.as_ref()?));
        let result = self.apply(input);
        self.cause = None;
        match (result, asked) {
            (Ok(()), Some(asked)) => {
                self.desk.writes.extend(asked.act);
                self.waiting.push(asked.done);
            }
            (Err(error), Some(asked)) => drop(asked.done.send(Err(error))),
            (Ok(()) | Err(_), None) => {}
        }
    }

    /// Has the engine decide, and notes what is to be committed.
    pub(super) fn apply(&mut self, input: Input) -> Result<()> {
        let now = clock::now();
        let today = self.hub.today(Some(&self.row.repo));
        let moment = Moment { now, turn: TurnId::generate(), today };
        // The next look at the queue asks the database for verdicts.
        let decided = matches!(input, Input::Verified(_));
        let transition = step(&self.row.flow, input, &moment).map_err(|illegal| {
            let line = explain(&self.row.flow, None).line;
            let detail = format!("The run cannot do that now. {line}");
            Error::new(Code::IllegalTransition, detail).with_source(illegal)
        })?;
        let before = std::mem::replace(&mut self.row.flow, transition.flow);
        let status = self.row.flow.state.status();
        if before.state != self.row.flow.state {
            self.moved(before.state.status(), status, now);
        }
        let step = self.row.flow.step;
        self.lazy = status == RunStatus::Running
            && !decided
            && !transition.effects.is_empty()
            && transition.effects.iter().all(|effect| self.may_wait(effect));
        for (place, effect) in (0..).zip(transition.effects) {
            self.oblige(step, place, effect, now);
        }
        self.desk.writes.push(Write::Run(Box::new(self.row.clone())));
        Ok(())
    }

    /// Whether carrying an effect out changes nothing outside before the next commit, so that what
    /// it follows from may be committed together with what follows from it.
    fn may_wait(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Survey | Effect::Examine { .. } | Effect::FinishTicket { .. } => true,
            // With the agent there already a turn is only noted: its prompt is sent after the
            // commit.
            Effect::RunTurn { .. } => {
                let agent = self.desk.session.as_ref().map(Session::agent);
                agent.is_some() && agent == self.ticket().map(|ticket| &ticket.agent)
            }
            Effect::InterruptTurn { .. }
            | Effect::Verify { .. }
            | Effect::WakeAt { .. }
            | Effect::EndSession
            | Effect::CancelVerify
            | Effect::Notice { .. }
            | Effect::HoldAccount { .. }
            | Effect::ReleaseAccount { .. }
            | Effect::Reopen { .. }
            | Effect::Seal => false,
        }
    }

    /// The run's state is another one.
    fn moved(&mut self, before: RunStatus, status: RunStatus, now: Timestamp) {
        self.wake = None;
        match status {
            RunStatus::Pending => self.row.queued_at = now,
            RunStatus::Running => {
                self.row.started_at.get_or_insert(now);
            }
            RunStatus::Completed
            | RunStatus::Failed
            | RunStatus::Stopped
            | RunStatus::Superseded => self.row.ended_at = Some(now),
            RunStatus::Paused | RunStatus::Parked | RunStatus::Stopping => {}
        }
        if [before, status].iter().any(|one| matches!(one, RunStatus::Paused | RunStatus::Failed)) {
            let question = self.question.take();
            let cause = (now, self.cause.as_deref());
            let held = self.hub.config.pma.held_until(now);
            self.desk.writes.push(derive::run_stands(&self.row, question.as_ref(), held, cause));
        }
        if status == RunStatus::Completed && before != status {
            self.desk.writes.push(derive::completed(&self.row, now));
        }
        // What a running run is at from moment to moment has events of its own.
        let backing_off =
            matches!(&self.row.flow.state, RunState::Running { phase: Phase::BackingOff { .. } });
        if before != status {
            // While the run waited, anybody may have changed the tree.
            self.seen = None;
        }
        if before != status || backing_off {
            let explain = explain(&self.row.flow, None).line;
            let state = self.row.flow.state.clone();
            self.audit_state(status, &explain);
            self.event(EventKind::RunStateChanged { state, explain });
        }
    }

    /// A run that pauses or ends is the hub's own act; who asked for it has a line of their own.
    fn audit_state(&mut self, status: RunStatus, explain: &str) {
        let verb = match status {
            RunStatus::Paused => "run_paused",
            RunStatus::Completed => "run_completed",
            RunStatus::Failed => "run_failed",
            RunStatus::Stopped => "run_stopped",
            RunStatus::Superseded => "run_superseded",
            RunStatus::Pending | RunStatus::Running | RunStatus::Parked | RunStatus::Stopping => {
                return;
            }
        };
        self.desk.writes.push(Act::of_hub(verb, &self.row.id).detail(explain).done());
    }

    /// An effect that is only memory is committed with the transition; one that touches files
    /// leaves a row, so that it is done even if the hub dies; one the state itself implies is
    /// said again by recovery.
    fn oblige(&mut self, step: u64, place: u32, effect: Effect, now: Timestamp) {
        match effect {
            Effect::FinishTicket { ticket, verified } => {
                self.event(EventKind::TicketFinished { ticket, verified });
            }
            Effect::HoldAccount { account, until } => {
                let row = self.hub.accounts.hold(&account, until, now);
                self.desk.writes.push(Write::Account(row));
            }
            Effect::ReleaseAccount { account } => {
                let row = self.hub.accounts.release(&account);
                self.desk.writes.push(Write::Account(row));
            }
            Effect::Notice { .. } | Effect::Reopen { .. } | Effect::Seal => {
                let run = self.row.id.clone();
                let row = EffectRow { run, step, place, effect: effect.clone() };
                self.desk.writes.push(Write::EffectAdd(row));
                self.effects.push_back(Pending { step, row: Some(place), effect });
            }
            Effect::Survey
            | Effect::RunTurn { .. }
            | Effect::InterruptTurn { .. }
            | Effect::Examine { .. }
            | Effect::Verify { .. }
            | Effect::WakeAt { .. }
            | Effect::EndSession
            | Effect::CancelVerify => {
                self.effects.push_back(Pending { step, row: None, effect });
            }
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        let result = match effect {
            Effect::Survey => self.survey().await,
            Effect::RunTurn { turn, purpose } => self.run_turn(turn, purpose).await,
            Effect::InterruptTurn { turn } => {
                if let Some(at) = &mut self.desk.at
                    && at.order.turn == turn
                {
                    at.interrupt();
                }
                Ok(())
            }
            Effect::Examine { turn } => self.examine(&turn).await,
            Effect::Verify { attempt } => self.verify(attempt).await,
            Effect::WakeAt { at } => {
                self.wake = Some(at);
                Ok(())
            }
            Effect::EndSession => {
                self.end_session().await;
                Ok(())
            }
            Effect::CancelVerify => {
                self.verification = None;
                Ok(())
            }
            Effect::Notice { seq, title, body } => self.notice(seq, title, body).await,
            Effect::Reopen { report } => self.reopen(&report).await,
            Effect::Seal => self.seal().await,
            Effect::FinishTicket { .. }
            | Effect::HoldAccount { .. }
            | Effect::ReleaseAccount { .. } => Ok(()),
        };
        if let Err(error) = result {
            self.cannot(&error);
        }
    }

    /// Something the hub had to do cannot be done: the run waits for a person, with the reason.
    fn cannot(&mut self, error: &Error) {
        tracing::warn!(run = %self.row.id, %error, source = ?error.source, "a run cannot go on");
        let details = match &error.source {
            Some(source) if error.code == Code::Internal => source.to_string(),
            Some(_) | None => error.detail.clone(),
        };
        self.give_up_turn(&details);
        let input = if self.tree.exists() {
            Input::Blocked { details }
        } else {
            let message = format!("The working tree {} is gone.", self.tree.display());
            Input::Fail { code: FailureCode::RepoNotFound, message }
        };
        let _ = self.apply(input);
        // What was still to be done belonged to a transition that is overtaken now.
        let step = self.row.flow.step;
        self.effects.retain(|pending| pending.row.is_some() || pending.step == step);
    }

    pub(super) fn event(&mut self, kind: EventKind) {
        self.desk.event(kind);
    }

    /// Commits what is noted. A database that cannot be written delays, and loses nothing.
    pub(super) async fn flush(&mut self) {
        if let Err(error) = self.counted().await {
            tracing::warn!(run = %self.row.id, %error, "a turn's changes could not be counted");
        }
        if self.desk.commit().await {
            self.hub.index.set_run(&self.row);
        }
        for done in self.waiting.drain(..) {
            let _ = done.send(Ok(()));
        }
    }

    /// Takes, keeps or gives back the slot, as the committed state has it.
    fn settle(&mut self) {
        let status = self.row.flow.state.status();
        if !matches!(status, RunStatus::Running | RunStatus::Stopping) {
            self.tree_lock = None;
        }
        let granted = match status {
            RunStatus::Pending => self.hub.slots.wait(&self.row.id, self.row.queued_at),
            RunStatus::Running | RunStatus::Stopping => {
                self.hub.slots.hold(&self.row.id);
                Vec::new()
            }
            RunStatus::Paused
            | RunStatus::Parked
            | RunStatus::Completed
            | RunStatus::Failed
            | RunStatus::Stopped
            | RunStatus::Superseded => self.hub.slots.release(&self.row.id),
        };
        for run in granted {
            self.hub.runs.hint(&run, Input::Granted);
        }
    }

    /// Nobody else works the tree meanwhile: no other hub, and no CAR.
    pub(super) async fn hold_tree(&mut self) -> Result<()> {
        if self.tree_lock.is_none() {
            let tree = self.tree.clone();
            let take = move || {
                car_files::TreeLock::take(&tree).map_err(|error| {
                    let detail =
                        format!("Somebody else works this tree ({error}); stop that first.");
                    Error::new(Code::RunActive, detail)
                })
            };
            self.tree_lock = Some(crate::hub::blocking(take).await?);
        }
        Ok(())
    }

    async fn end_session(&mut self) {
        self.break_off_turn().await;
        self.desk.end_sessions().await;
    }
}
