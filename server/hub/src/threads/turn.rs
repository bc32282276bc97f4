//! A turn of a thread: begun, taken up again, driven, and ended.

use std::{ffi::OsString, sync::Arc};

use car_api::{MessageId, TurnId, money::Cost, thread::MessageStatus};
use car_engine::{
    agent::{Adapter, Task, TurnOrder, TurnOutcome},
    lane::{Chore, Input, State},
};
use car_files::thread_dir::ThreadDir;
use car_store::{SessionRow, UsageRow, Write};

use super::{actor::Actor, gate, prompt, summary, token};
use crate::{
    Error, Result, clock,
    desk::{AtWork, Heard, session::News},
    environment,
    hub::blocking,
};

impl Actor {
    /// Has the agent answer a message. Done again after a crash it takes the turn up where it is: a
    /// prompt that is in a session's journal is never sent a second time.
    pub(super) async fn ask(&mut self, id: &MessageId, turn: TurnId, again: bool) -> Result<()> {
        let Some(mut row) = self.messages.get(id).cloned() else {
            return Err(Error::internal("a turn without a message"));
        };
        self.tree = self.hub.tree_of(&self.row)?;
        let adapter = self.hub.adapter(&self.row.agent)?;
        if row.message.turn.as_ref() == Some(&turn) {
            let prompt = match self.kept_prompt(&turn).await {
                Ok(kept) => kept,
                // It was not sent either, or it stands in the journal and this is never used.
                Err(_) => prompt::prompt_of(&self.hub, &self.row, &row.message, again).await?,
            };
            let order = self.order(&turn, prompt, Task::Answer);
            let since = row.message.started_at.unwrap_or_else(clock::now);
            self.desk.take_up(order, since).await?;
            if !self.desk.take_up_session_of_turn(row.session.as_ref(), &adapter).await? {
                self.start_session(&adapter).await?;
            }
            return Ok(());
        }
        let prompt = prompt::prompt_of(&self.hub, &self.row, &row.message, again).await?;
        self.keep_prompt(&turn, &prompt).await?;
        let planned = self.ready_session(&adapter).await?;
        row.message.status = MessageStatus::Working;
        row.message.detail = None;
        row.message.turn = Some(turn.clone());
        row.message.conversation = self.row.lane.conversation;
        row.message.started_at = Some(clock::now());
        row.session = Some(planned.id.clone());
        row.plan.clear();
        self.keep(row);
        let order = self.order(&turn, prompt, Task::Answer);
        self.desk.begin(order);
        self.launch(planned, &adapter).await
    }

    /// Has the agent see to its conversation.
    pub(super) async fn tend(&mut self, chore: Chore, turn: TurnId) -> Result<()> {
        self.tree = self.hub.tree_of(&self.row)?;
        let adapter = self.hub.adapter(&self.row.agent)?;
        let planned = self.ready_session(&adapter).await?;
        if chore == Chore::Compact {
            self.hub.pma_untold(&self.row).await;
        }
        let task = match chore {
            Chore::Compact => Task::Compact,
            Chore::Fork => Task::Open,
        };
        let order = self.order(&turn, String::new(), task);
        self.desk.begin(order);
        self.launch(planned, &adapter).await
    }

    fn order(&self, turn: &TurnId, prompt: String, task: Task) -> TurnOrder {
        // A sandboxed agent commits: a worktree's own git directory lies in its repository's.
        let git = self.row.repo.as_ref().and_then(|_| car_git::Git::at(&self.tree).layout().ok());
        let git = git.map(|layout| vec![layout.common_dir, layout.git_dir]).unwrap_or_default();
        TurnOrder {
            turn: turn.clone(),
            prompt,
            cwd: self.tree.to_string_lossy().into_owned(),
            thread: self.row.lane.backend.clone(),
            fork_of: self.row.lane.fork_of.clone(),
            task,
            model: self.row.model.clone(),
            effort: self.row.effort.clone(),
            approvals: self.row.approvals,
            writable: git.iter().map(|dir| dir.to_string_lossy().into_owned()).collect(),
        }
    }

    /// The agent's process there is, or the plan of a new one.
    async fn ready_session(&mut self, adapter: &Arc<dyn Adapter>) -> Result<SessionRow> {
        let agent = &self.row.agent;
        if self.desk.session.as_ref().is_some_and(|session| session.agent() != agent) {
            self.desk.end_session("The thread has another agent now.").await;
        }
        if self.desk.session.is_none() {
            // What is known to have ended must not be found open.
            self.flush().await;
            self.desk.take_up_session(adapter).await?;
        }
        match &self.desk.session {
            Some(session) => Ok(session.row.clone()),
            None => {
                let name = clock::now().micros().to_string();
                let dir = self.dir(move |dir| Ok(dir.create_session(&name)?)).await?;
                Ok(self.desk.planned(adapter, &dir))
            }
        }
    }

    /// Starts a planned process, when there is none.
    async fn launch(&mut self, planned: SessionRow, adapter: &Arc<dyn Adapter>) -> Result<()> {
        if self.desk.session.is_some() {
            return Ok(());
        }
        self.desk.plan(&planned);
        // Whatever process there may be must be known before it is.
        self.flush().await;
        let mut environment: Vec<(OsString, OsString)> =
            environment::for_agent(&self.hub.config, self.row.repo.as_ref(), adapter.as_ref());
        environment.push(("CAR_THREAD".into(), self.row.id.as_str().into()));
        environment.extend(token::agent_token(&self.hub, &self.row).await?);
        self.desk.start(planned, adapter, &self.tree, environment).await
    }

    /// Starts a process for the turn at work and notes it there.
    async fn start_session(&mut self, adapter: &Arc<dyn Adapter>) -> Result<()> {
        let name = clock::now().micros().to_string();
        let dir = self.dir(move |dir| Ok(dir.create_session(&name)?)).await?;
        let planned = self.desk.planned(adapter, &dir);
        if let Some(id) = self.row.lane.current().cloned()
            && let Some(mut row) = self.messages.get(&id).cloned()
        {
            row.session = Some(planned.id.clone());
            self.keep(row);
        }
        self.launch(planned, adapter).await
    }

    async fn dir<T: Send + 'static>(
        &self,
        work: impl FnOnce(ThreadDir) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (root, thread) = (self.hub.config.root.clone(), self.row.id.clone());
        blocking(move || work(ThreadDir::create(&root, thread.as_str())?)).await
    }

    async fn keep_prompt(&self, turn: &TurnId, prompt: &str) -> Result<()> {
        let (name, prompt) = (format!("{turn}.md"), prompt.to_owned());
        self.dir(move |dir| Ok(dir.keep_prompt(&name, &prompt)?)).await
    }

    async fn kept_prompt(&self, turn: &TurnId) -> Result<String> {
        let name = format!("{turn}.md");
        self.dir(move |dir| Ok(dir.kept_prompt(&name)?)).await
    }

    /// Sends what is next, when it is the hub's move.
    pub(super) async fn drive(&mut self) {
        // An agent that never had the prompt has nothing to interrupt.
        if self.desk.drive().await {
            self.ended(TurnOutcome::Interrupted).await;
        }
    }

    /// Takes in what the agent's process has to say.
    pub(super) async fn heard(&mut self, news: News) {
        let line = matches!(news, News::Line { .. });
        let asked = self.desk.approvals.len();
        for heard in self.desk.hear(news) {
            match heard {
                Heard::Opened(backend) => {
                    let _ = self.apply(Input::Opened { backend });
                }
                Heard::Used => self.used(),
                Heard::Forgotten(detail) => {
                    tracing::info!(thread = %self.row.id, detail, "the agent has forgotten a conversation");
                    let seed = summary::of(&self.hub, &self.row).await;
                    self.close_turn(true).await;
                    let _ = self.apply(Input::Forgotten { seed });
                }
                Heard::Ended(outcome) => self.ended(outcome).await,
                Heard::Gone { detail, sent } => self.gone(detail, sent).await,
            }
        }
        self.changed |= asked != self.desk.approvals.len();
        if line {
            self.drive().await;
        }
    }

    /// The budget of the day counts what is under way, and ends it when it is used up.
    fn used(&mut self) {
        let Some(at) = &self.desk.at else { return };
        let (agent, model) = (self.row.agent.as_str(), at.model.as_deref());
        let cost = self.hub.spending.price(agent, model, &at.usage);
        let repo = self.row.repo.as_ref();
        self.hub.spending.under_way(&at.order.turn, repo, &at.usage, cost);
        let cut = matches!(
            self.row.lane.state,
            State::Answering { cut: true, .. } | State::Tending { cut: true, .. }
        );
        if let Some(what) = self.hub.today(repo).used_up().filter(|_| !cut) {
            let _ = self.apply(Input::BudgetReached { what });
        }
    }

    async fn ended(&mut self, outcome: TurnOutcome) {
        let Some(turn) = self.desk.turn().cloned() else { return };
        let failed = matches!(outcome, TurnOutcome::Failed(_));
        self.close_turn(failed).await;
        if let Err(error) = self.apply(Input::Ended { turn, outcome }) {
            tracing::warn!(thread = %self.row.id, %error, "the end of a turn came too late");
        }
    }

    /// The agent's process is gone; `sent` says whether it had the prompt.
    async fn gone(&mut self, detail: String, sent: bool) {
        let Some(at) = &self.desk.at else { return };
        if !sent
            && !at.interrupt
            && !at.restarted
            && let Ok(adapter) = self.hub.adapter(&self.row.agent)
        {
            // The prompt never left: another process may have it, once.
            match self.start_session(&adapter).await {
                Ok(()) => {
                    if let Some(at) = &mut self.desk.at {
                        at.restarted = true;
                    }
                }
                Err(error) => self.cannot(&error).await,
            }
            return;
        }
        self.lost(format!("The agent's process is gone: {detail}")).await;
    }

    /// The agent's process is gone for good in the middle of its turn.
    pub(super) async fn lost(&mut self, detail: String) {
        self.close_turn(true).await;
        let _ = self.apply(Input::Lost { detail });
    }

    /// Notes what a turn used, answer or chore, and gives what it cost at the price there is now.
    fn note_usage(&mut self, at: &AtWork) -> Cost {
        let (repo, agent) = (self.row.repo.clone(), self.row.agent.clone());
        let cost = self.hub.spending.price(agent.as_str(), at.model.as_deref(), &at.usage);
        self.hub.spending.ended(&at.order.turn, repo.as_ref(), &at.usage, cost);
        let ended_at = clock::now();
        let age = i64::try_from(at.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.desk.writes.push(Write::Usage(Box::new(UsageRow {
            turn: at.order.turn.clone(),
            thread: self.row.id.clone(),
            repo,
            agent,
            model: at.model.clone(),
            usage: at.usage,
            cost,
            started_at: ended_at.plus_millis(-age),
            ended_at,
        })));
        Cost::of_turn(cost, at.usage.total())
    }

    /// Notes the end of the turn at work, whatever ended it.
    pub(super) async fn close_turn(&mut self, failed: bool) {
        // What was being written is part of the answer, also of one that is cut off.
        self.desk.keep_pieces();
        let Some(at) = self.desk.close() else { return };
        self.row.usage = self.row.usage.plus(at.usage);
        let cost = self.note_usage(&at);
        if let Some(backend) = &at.order.thread {
            self.row.spent = self.desk.spent.get(backend).copied().unwrap_or_default();
        }
        let current = self.row.lane.current().cloned();
        if let Some(row) = current.and_then(|id| self.messages.get_mut(&id)) {
            row.message.usage = row.message.usage.plus(at.usage);
            row.message.cost = Some(row.message.cost.unwrap_or_default().plus(cost));
            row.message.answer = at.message;
            row.plan = at.plan.unwrap_or_default();
        }
        gate::ended(&self.hub, &self.row, failed).await;
    }
}
