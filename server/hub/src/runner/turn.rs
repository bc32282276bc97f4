//! A turn at work: begun, taken up again, driven, and ended.

use std::{ffi::OsString, path::PathBuf};

use car_api::{
    EventKind, TurnId,
    item::Usage,
    run::RunTicket,
    turn::{ErrorClass, Turn, TurnError, TurnPurpose, TurnStatus},
};
use car_engine::{
    agent::{Task, TurnOrder, TurnOutcome},
    flow::{self, Input, TurnResult, Wish as FlowWish},
};
use car_files::run_dir::{self, RunDir};
use car_store::Write;
use sha2::{Digest, Sha256};

use super::actor::Actor;
use crate::{Error, Result, clock, environment, hub::blocking};

/// The turn the run's agent is at, as the run sees it.
pub(super) struct TurnAtWork {
    pub(super) row: Turn,
    /// Number of the last reply in the prompt.
    pub(super) replies_seen: u32,
    /// Whether a budget was found used up.
    pub(super) over_budget: bool,
}

impl Actor {
    /// Has the agent do a turn. Done again after a crash it takes the turn up where it is: a
    /// prompt that is in a session's journal is never sent a second time.
    pub(super) async fn run_turn(&mut self, turn: TurnId, purpose: TurnPurpose) -> Result<()> {
        let Some(work) = self.row.flow.work.clone() else {
            return Err(Error::internal("a turn without a ticket"));
        };
        self.hold_tree().await?;
        let known = self.hub.store.turn(&turn).await.map_err(Error::from)?;
        let Some(known) = known else {
            return self.begin_turn(turn, purpose, &work).await;
        };
        self.turns = self.turns.max(known.number);
        let adapter = self.hub.adapter(&known.agent)?;
        let planned = known.session.clone();
        self.take_up_turn(known, &work).await?;
        if !self.desk.take_up_session_of_turn(planned.as_ref(), &adapter).await? {
            // Its process was never started: the prompt was not sent either.
            self.start_session(&adapter).await?;
        }
        Ok(())
    }

    async fn begin_turn(
        &mut self,
        turn: TurnId,
        purpose: TurnPurpose,
        work: &flow::Work,
    ) -> Result<()> {
        let agent = work.ticket.agent.clone();
        let adapter = self.hub.adapter(&agent)?;
        let seen = self.look().await?;
        let thread = work.thread.clone();
        let (prompt, replies_seen) = self.prompt(work, purpose, thread.is_some()).await?;
        self.turns += 1;
        let number = self.turns;
        let hash = crate::text::hex(&Sha256::digest(prompt.as_bytes()));
        self.keep_prompt(&turn, &prompt).await?;

        if self.desk.session.as_ref().is_some_and(|session| *session.agent() != agent) {
            self.desk.end_session("The next ticket is for another agent.").await;
        }
        if self.desk.session.is_none() {
            // What is known to have ended must not be found open.
            self.flush().await;
            self.desk.take_up_session(&adapter).await?;
        }
        let planned = match &self.desk.session {
            Some(session) => session.row.clone(),
            None => self.desk.planned(&adapter, &self.session_dir().await?),
        };
        let row = Turn {
            id: turn.clone(),
            run: self.row.id.clone(),
            number,
            ticket: work.ticket.id.clone(),
            ticket_file: work.ticket.file.clone(),
            agent: agent.clone(),
            model: work.brief.model.clone(),
            purpose,
            status: TurnStatus::Running,
            session: Some(planned.id.clone()),
            thread: thread.clone(),
            prompt_hash: Some(hash.clone()),
            started_at: clock::now(),
            ended_at: None,
            usage: Usage::default(),
            cost: None,
            message: None,
            error: None,
            diff: None,
        };
        self.event(EventKind::TurnStarted {
            turn: turn.clone(),
            number,
            ticket: work.ticket.id.clone(),
            agent: agent.clone(),
            purpose,
            prompt_hash: hash,
        });
        self.desk.writes.push(Write::Turn(Box::new(row.clone()), Some(seen.fingerprint.clone())));
        let order = self.order(&turn, prompt, work);
        self.desk.begin(order);
        self.turn = Some(TurnAtWork { row, replies_seen, over_budget: false });
        if self.desk.session.is_none() {
            self.desk.plan(&planned);
            // Whatever process there may be must be known before it is.
            self.flush().await;
            self.spawn(planned, &adapter).await?;
        }
        Ok(())
    }

    async fn take_up_turn(&mut self, row: Turn, work: &flow::Work) -> Result<()> {
        let kept = self.kept_prompt(&row.id).await.ok();
        let hash = |prompt: &String| crate::text::hex(&Sha256::digest(prompt.as_bytes()));
        let prompt = match kept.filter(|kept| row.prompt_hash == Some(hash(kept))) {
            Some(kept) => kept,
            // A power cut took the file. If the prompt was sent it stands in the journal and what
            // is made here is never used; if not, it is made from the same facts.
            None => self.prompt(work, row.purpose, row.thread.is_some()).await?.0,
        };
        let order = self.order(&row.id, prompt, work);
        let replies_seen = self.replies_in(&order.prompt);
        self.desk.take_up(order, row.started_at).await?;
        let over_budget = matches!(self.row.flow.wish, Some(FlowWish::Budget { .. }));
        if let Some(at) = self.desk.at.as_mut().filter(|_| over_budget) {
            at.interrupt();
        }
        self.turn = Some(TurnAtWork { row, replies_seen, over_budget });
        Ok(())
    }

    fn order(&self, turn: &TurnId, prompt: String, work: &flow::Work) -> TurnOrder {
        // A sandboxed agent commits: a worktree's own git directory lies in its repository's.
        let git = car_git::Git::at(&self.tree).layout().ok();
        let git = git.map(|layout| vec![layout.common_dir, layout.git_dir]).unwrap_or_default();
        TurnOrder {
            turn: turn.clone(),
            prompt,
            cwd: self.tree.to_string_lossy().into_owned(),
            thread: work.thread.clone(),
            fork_of: None,
            task: Task::Answer,
            model: work.brief.model.clone(),
            effort: work.brief.reasoning.clone(),
            approvals: self.row.flow.options.approvals,
            writable: git.iter().map(|dir| dir.to_string_lossy().into_owned()).collect(),
        }
    }

    /// Starts a process for the turn at work and notes it there.
    async fn start_session(
        &mut self,
        adapter: &std::sync::Arc<dyn car_engine::agent::Adapter>,
    ) -> Result<()> {
        let planned = self.desk.planned(adapter, &self.session_dir().await?);
        if let Some(at_work) = &mut self.turn {
            at_work.row.session = Some(planned.id.clone());
            self.desk.writes.push(Write::Turn(Box::new(at_work.row.clone()), None));
        }
        self.desk.plan(&planned);
        self.flush().await;
        self.spawn(planned, adapter).await
    }

    async fn spawn(
        &mut self,
        planned: car_store::SessionRow,
        adapter: &std::sync::Arc<dyn car_engine::agent::Adapter>,
    ) -> Result<()> {
        let mut environment: Vec<(OsString, OsString)> =
            environment::for_agent(&self.hub.config, Some(&self.row.repo), adapter.as_ref());
        let token = self.hub.grant_run(&self.row.id, &self.row.repo, &self.tree).await?;
        if let Some(dir) = token.parent() {
            environment.push(("CAR_RUN_DIR".into(), dir.into()));
        }
        environment.push(("CAR_TOKEN_FILE".into(), token.into()));
        self.desk.start(planned, adapter, &self.tree, environment).await
    }

    async fn session_dir(&self) -> Result<PathBuf> {
        let (tree, run) = (self.tree.clone(), self.row.id.clone());
        let name = format!("{}/{}", run_dir::SESSIONS, clock::now().micros());
        blocking(move || Ok(RunDir::create(&tree, run.as_str())?.create_dir(name.as_ref())?)).await
    }

    async fn keep_prompt(&self, turn: &TurnId, prompt: &str) -> Result<()> {
        let (tree, run) = (self.tree.clone(), self.row.id.clone());
        let (name, prompt) = (format!("{turn}.md"), prompt.to_owned());
        blocking(move || {
            RunDir::create(&tree, run.as_str())?.keep_prompt(&name, &prompt)?;
            Ok(())
        })
        .await
    }

    async fn kept_prompt(&self, turn: &TurnId) -> Result<String> {
        let (tree, run) = (self.tree.clone(), self.row.id.clone());
        let name = format!("{turn}.md");
        blocking(move || Ok(RunDir::open(&tree, run.as_str())?.kept_prompt(&name)?)).await
    }

    /// Sends what is next, when it is the hub's move.
    pub(super) async fn drive(&mut self) {
        // An agent that never had the prompt has nothing to interrupt.
        if self.desk.drive().await {
            self.end_turn(TurnOutcome::Interrupted);
        }
    }

    /// The turn is over: notes it and tells the engine.
    pub(super) fn end_turn(&mut self, outcome: TurnOutcome) {
        let (status, error) = match outcome.clone() {
            TurnOutcome::Completed { .. } => (TurnStatus::Completed, None),
            TurnOutcome::Interrupted => (TurnStatus::Interrupted, None),
            TurnOutcome::Failed(error) => (TurnStatus::Failed, Some(error)),
        };
        let Some((at_work, active_ms)) = self.close_turn(status, error) else { return };
        self.last_message.clone_from(&at_work.row.message);
        let result = TurnResult {
            turn: at_work.row.id,
            outcome: match outcome {
                TurnOutcome::Completed { .. } => flow::TurnOutcome::Completed,
                TurnOutcome::Interrupted => flow::TurnOutcome::Interrupted,
                TurnOutcome::Failed(error) => flow::TurnOutcome::Failed(error),
            },
            usage: at_work.row.usage,
            cost: at_work.row.cost,
            active_ms,
            account: at_work.row.agent.to_string(),
            replies_seen: at_work.replies_seen,
        };
        if let Err(error) = self.apply(Input::TurnEnded(result)) {
            tracing::warn!(run = %self.row.id, %error, "the end of a turn came too late");
        }
    }

    /// Notes the end of the turn at work, whatever ended it; gives the turn and how long it took,
    /// in milliseconds.
    fn close_turn(
        &mut self,
        status: TurnStatus,
        error: Option<TurnError>,
    ) -> Option<(TurnAtWork, i64)> {
        let mut at_work = self.turn.take()?;
        if let Some(at) = self.desk.close() {
            at_work.row.usage = at.usage;
            at_work.row.model = at.model.or(at_work.row.model);
            at_work.row.message = at.message.or(at_work.row.message);
        }
        let active_ms = clock::now().millis_since(at_work.row.started_at);
        self.note_end(&mut at_work.row, status, error);
        Some((at_work, active_ms))
    }

    fn note_end(&mut self, turn: &mut Turn, status: TurnStatus, error: Option<TurnError>) {
        turn.status = status;
        turn.error.clone_from(&error);
        turn.ended_at = Some(clock::now());
        // The price there is now: what it costs later changes nothing.
        let (agent, model) = (turn.agent.as_str(), turn.model.as_deref());
        turn.cost = self.hub.spending.price(agent, model, &turn.usage);
        self.hub.spending.ended(&turn.id, Some(&self.row.repo), &turn.usage, turn.cost);
        self.event(EventKind::TurnEnded {
            turn: turn.id.clone(),
            status,
            error,
            usage: turn.usage,
            cost: turn.cost,
        });
        self.desk.writes.push(Write::Turn(Box::new(turn.clone()), None));
        self.seen = None;
    }

    /// The turn cannot go on and the agent has not ended it.
    pub(super) fn give_up_turn(&mut self, detail: &str) -> Option<(TurnAtWork, i64)> {
        let class = ErrorClass::AgentLost;
        let error = TurnError { class, message: detail.to_owned(), retry_at: None };
        self.close_turn(TurnStatus::Failed, Some(error))
    }

    /// A turn ends with its agent at the latest, also one that an earlier process of the hub left.
    pub(super) async fn break_off_turn(&mut self) {
        if self.close_turn(TurnStatus::Interrupted, None).is_some() {
            return;
        }
        match self.hub.store.last_turn(&self.row.id).await {
            Ok(Some(mut left)) if left.ended_at.is_none() => {
                self.desk.over(&left.id);
                self.note_end(&mut left, TurnStatus::Interrupted, None);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(run = %self.row.id, %error, "a run's last turn cannot be read")
            }
        }
    }

    /// The agent's process is gone before the turn ended; `sent` says whether it had the prompt.
    pub(super) async fn lose_agent(&mut self, detail: String, sent: bool) {
        let Some(at_work) = &self.turn else { return };
        let agent = at_work.row.agent.clone();
        let fresh = self.desk.at.as_ref().is_some_and(|at| !at.interrupt && !at.restarted);
        if !sent
            && fresh
            && self.row.flow.turn() == Some(&at_work.row.id)
            && let Ok(adapter) = self.hub.adapter(&agent)
        {
            // The prompt never left: another process may have it, once.
            match self.start_session(&adapter).await {
                Ok(()) => {
                    if let Some(at) = &mut self.desk.at {
                        at.restarted = true;
                    }
                }
                Err(error) => self.cannot_begin(error),
            }
            return;
        }
        let tree_changed = self.tree_changed().await;
        let Some((at_work, active_ms)) = self.give_up_turn(&detail) else { return };
        let (usage, cost) = (at_work.row.usage, at_work.row.cost);
        let lost = Input::AgentLost { detail, tree_changed, usage, cost, active_ms };
        if let Err(error) = self.apply(lost) {
            tracing::warn!(run = %self.row.id, %error, "the loss of an agent came too late");
        }
    }

    fn cannot_begin(&mut self, error: Error) {
        self.give_up_turn(&error.detail);
        let _ = self.apply(Input::Blocked { details: error.detail });
    }

    /// Whether the tree differs from when the work at hand began: with the turn, or, where that one
    /// continues others that were cut off, with the first of them. What cannot be told counts as a
    /// difference.
    pub(super) async fn tree_changed(&mut self) -> bool {
        let Some(at_work) = &self.turn else { return true };
        let (number, ticket) = (at_work.row.number, at_work.row.ticket.clone());
        let Ok(turns) = self.hub.store.turns(&self.row.id, 0, u32::MAX).await else { return true };
        let earlier = turns.iter().rev().filter(|turn| turn.number < number);
        let cut_off = earlier
            .take_while(|turn| turn.ticket == ticket && turn.status != TurnStatus::Completed);
        let first = cut_off.last().map_or(&at_work.row.id, |turn| &turn.id);
        let began = self.hub.store.turn_fingerprint(first).await.ok().flatten();
        self.seen = None;
        let now = self.look().await.ok().map(|seen| seen.fingerprint);
        began.is_none() || began != now
    }

    pub(super) fn ticket(&self) -> Option<&RunTicket> {
        self.row.flow.work.as_ref().map(|work| &work.ticket)
    }
}
