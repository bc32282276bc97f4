//! An agent at its desk: its process, the turn it is at, what it says and asks.
//!
//! Runs and threads both have one. It decides nothing: what it hears that matters to whoever it
//! works for comes back as [`Heard`], and everything it notes is committed together with what that
//! one decides.

mod news;
pub(crate) mod probe;
pub(crate) mod session;

use std::{
    collections::HashMap,
    ffi::OsString,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use car_api::{
    AgentId, Code, EventKind, RepoId, SessionId, Timestamp, TurnId,
    event::LiveStream,
    item::{Decision, Item, ItemBody, PlanStep, Usage},
    turn::Writing,
};
use car_engine::agent::{Adapter, TurnOrder, Wish};
use car_store::{ApprovalRow, Errand, SessionRow, Write};

pub(crate) use news::Heard;
use session::{News, Session};

use crate::{Error, Result, clock, hub::Inner};

/// How long an interrupted turn may take to end before its process is ended.
pub(crate) const INTERRUPT_GRACE: Duration = Duration::from_secs(30);

/// An agent at work for somebody.
pub(crate) struct Desk {
    hub: Arc<Inner>,
    /// What it works for.
    errand: Errand,
    /// The repo or worktree it works in.
    repo: Option<RepoId>,
    pub(crate) session: Option<Session>,
    pub(crate) at: Option<AtWork>,
    pub(crate) approvals: Vec<ApprovalRow>,
    /// What is to be committed next.
    pub(crate) writes: Vec<Write>,
    /// Tokens used in each conversation before the present turn.
    pub(crate) spent: HashMap<String, Usage>,
}

/// The turn an agent is at.
pub(crate) struct AtWork {
    pub(crate) order: TurnOrder,
    /// The agent is to be interrupted.
    pub(crate) interrupt: bool,
    /// Since when it is to be interrupted.
    pub(crate) interrupted_at: Option<Instant>,
    /// Whether nobody is to be asked for a permission: the answer is yes.
    never_asks: bool,
    /// Pieces of the answer so far, by the agent's id.
    places: HashMap<String, u32>,
    /// Tokens used in the conversation before this turn.
    usage_before: Usage,
    /// Tokens used in this turn.
    pub(crate) usage: Usage,
    /// The model it runs with, where the agent tells.
    pub(crate) model: Option<String>,
    /// The last message that was finished.
    pub(crate) message: Option<String>,
    /// The plan as it last stood, when it was told.
    pub(crate) plan: Option<Vec<PlanStep>>,
    pub(crate) began: Instant,
    /// When the agent last wrote a line.
    pub(crate) last_line: Instant,
    /// Whether its process was started a second time because the first took no prompt.
    pub(crate) restarted: bool,
    /// Whether the database knows of pieces that are being written.
    writings_noted: bool,
}

impl AtWork {
    /// Has the agent interrupted; from now on it has a bounded time to end the turn.
    pub(crate) fn interrupt(&mut self) {
        self.interrupt = true;
        self.interrupted_at.get_or_insert_with(Instant::now);
    }

    /// When it is to be looked at although nothing happens: with an agent that waits for a person,
    /// or that was interrupted, silence means something else.
    pub(crate) fn patience(&self, idle: Duration, most: Duration, asking: bool) -> Instant {
        let over = self.began + most;
        match self.interrupted_at {
            Some(since) => since + INTERRUPT_GRACE,
            None if asking => over,
            None => over.min(self.last_line + idle),
        }
    }
}

impl Desk {
    pub(crate) fn new(hub: Arc<Inner>, errand: Errand, repo: Option<RepoId>) -> Self {
        Self {
            hub,
            errand,
            repo,
            session: None,
            at: None,
            approvals: Vec::new(),
            writes: Vec::new(),
            spent: HashMap::new(),
        }
    }

    /// The agent gets a turn to do.
    pub(crate) fn begin(&mut self, order: TurnOrder) {
        let before = order.thread.as_ref().and_then(|thread| self.spent.get(thread));
        self.at = Some(AtWork {
            usage_before: before.copied().unwrap_or_default(),
            model: None,
            never_asks: order.approvals == car_api::agent::ApprovalPolicy::Never,
            order,
            interrupt: false,
            interrupted_at: None,
            places: HashMap::new(),
            usage: Usage::default(),
            message: None,
            plan: None,
            began: Instant::now(),
            last_line: Instant::now(),
            restarted: false,
            writings_noted: false,
        });
    }

    /// The agent has had this turn since then; what is known of it is taken up.
    pub(crate) async fn take_up(&mut self, order: TurnOrder, since: Timestamp) -> Result<()> {
        let turn = order.turn.clone();
        self.begin(order);
        let pieces = self.hub.store.writings(&turn).await.map_err(Error::from)?;
        let items = self.hub.store.items(&turn).await.map_err(Error::from)?;
        let Some(at) = &mut self.at else { return Ok(()) };
        // A turn is as old as it is, however often the hub was started meanwhile.
        let age = u64::try_from(clock::now().millis_since(since)).unwrap_or(0);
        let began = Instant::now().checked_sub(Duration::from_millis(age));
        at.began = began.unwrap_or(at.began);
        at.writings_noted = !pieces.is_empty();
        self.hub.live.take_up(&turn, pieces);
        for (place, item) in (0..).zip(items) {
            if let ItemBody::Message { text } = item.body {
                at.message = Some(text);
            }
            at.places.insert(item.id, place);
        }
        Ok(())
    }

    /// Notes the messages that are being written as far as they came, for a turn that may end without
    /// finishing them.
    pub(crate) fn keep_pieces(&mut self) {
        let Some(turn) = self.turn().cloned() else { return };
        for piece in self.hub.live.writing(&turn) {
            if piece.stream == LiveStream::Message && !piece.text.is_empty() {
                let body = ItemBody::Message { text: piece.text.clone() };
                self.item(Item { id: piece.item, body }, false);
                if let Some(at) = &mut self.at {
                    at.message = Some(piece.text);
                }
            }
        }
    }

    /// The turn is over, whatever ended it: nothing is being written any more, and its questions
    /// wait for nobody.
    pub(crate) fn close(&mut self) -> Option<AtWork> {
        let at = self.at.take()?;
        if let Some(thread) = &at.order.thread {
            self.spent.insert(thread.clone(), at.usage_before.plus(at.usage));
        }
        self.over(&at.order.turn);
        Some(at)
    }

    /// The same for a turn that an earlier process of the hub left.
    pub(crate) fn over(&mut self, turn: &TurnId) {
        self.hub.live.over(turn);
        self.writes.push(Write::Writings(turn.clone(), Vec::new()));
        self.void_approvals();
    }

    /// Notes the model the turn runs with, as soon as it is known.
    fn note_model(&mut self) {
        let (Some(at), Some(session)) = (&mut self.at, &self.session) else { return };
        if let (None, Some(thread)) = (&at.model, &at.order.thread) {
            at.model = at.order.model.clone().or_else(|| session.model(thread));
        }
    }

    /// After a restart: what the turn had used by the last line that was taken in.
    fn note_used(&mut self) {
        let (Some(at), Some(session)) = (&mut self.at, &self.session) else { return };
        if let Some(total) = at.order.thread.as_ref().and_then(|thread| session.used(thread)) {
            at.usage = total.since(at.usage_before);
        }
    }

    pub(crate) fn turn(&self) -> Option<&TurnId> {
        self.at.as_ref().map(|at| &at.order.turn)
    }

    pub(crate) fn event(&mut self, kind: EventKind) {
        self.writes.push(Write::Event {
            at: clock::now(),
            repo: self.repo.clone(),
            run: self.errand.run().cloned(),
            thread: self.errand.thread().cloned(),
            kind: Box::new(kind),
        });
    }

    /// Whether the agent waits for a person.
    pub(crate) fn asks(&self) -> bool {
        self.approvals.iter().any(|row| row.decision.is_none())
    }

    /// Commits what is noted. A database that cannot be written delays, and loses nothing. Gives
    /// whether there was something.
    pub(crate) async fn commit(&mut self) -> bool {
        if self.writes.is_empty() {
            return false;
        }
        self.note_writings();
        if let Some(session) = &mut self.session {
            self.writes.push(Write::Session(session.note()));
        }
        let writes = std::mem::take(&mut self.writes);
        let mut wait = Duration::from_millis(100);
        while let Err(error) = self.hub.store.commit(writes.clone()).await {
            if matches!(error, car_store::Error::Closed) {
                return false;
            }
            tracing::error!(errand = %self.errand, %error, "what became of an agent's work cannot be written; trying again");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(30));
        }
        if let Some(session) = &mut self.session {
            session.acknowledge().await;
        }
        true
    }

    /// Notes what is being written as of the line that is about to be committed: after a restart
    /// the lines after it are read again, and live text must go on where it was.
    fn note_writings(&mut self) {
        let Some(at) = &mut self.at else { return };
        let pieces: Vec<Writing> = self.hub.live.writing(&at.order.turn);
        if !pieces.is_empty() || at.writings_noted {
            at.writings_noted = !pieces.is_empty();
            self.writes.push(Write::Writings(at.order.turn.clone(), pieces));
        }
    }

    /// The next thing the agent's process has to say. Safe to cancel.
    pub(crate) async fn news(session: &mut Option<Session>) -> News {
        match session {
            Some(session) => session.next().await,
            None => std::future::pending().await,
        }
    }

    /// Sends what is next, when it is the hub's move. Gives whether the turn is to be interrupted
    /// and the agent never had its prompt: then there is nothing to interrupt.
    pub(crate) async fn drive(&mut self) -> bool {
        let Some(session) = &mut self.session else { return false };
        let decisions: Vec<(String, Decision)> = self
            .approvals
            .iter()
            .filter(|row| row.session == session.row.id)
            .filter_map(|row| Some((row.key.clone(), row.decision?)))
            .collect();
        let wish = Wish {
            turn: self.at.as_ref().map(|at| &at.order),
            interrupt: self.at.as_ref().is_some_and(|at| at.interrupt),
            decisions: &decisions,
            models: false,
        };
        session.drive(&wish).await;
        self.at.as_ref().is_some_and(|at| at.interrupt && !session.prompt_sent(&at.order.turn))
    }

    /// A process that is about to be started: noted, so that it can be known before it is.
    pub(crate) fn plan(&mut self, planned: &SessionRow) {
        self.event(EventKind::SessionStarted {
            session: planned.id.clone(),
            agent: planned.agent.clone(),
            version: None,
        });
        self.writes.push(Write::Session(planned.clone()));
    }

    /// The row of a process that may be started.
    pub(crate) fn planned(&self, adapter: &Arc<dyn Adapter>, dir: &Path) -> SessionRow {
        let dir = dir.to_owned();
        session::plan(&session::Start { errand: &self.errand, adapter, dir })
    }

    /// Starts a planned process, which is committed by now.
    pub(crate) async fn start(
        &mut self,
        planned: SessionRow,
        adapter: &Arc<dyn Adapter>,
        tree: &Path,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<()> {
        let program = &self.hub.config.shim_program;
        self.session = Some(session::start(planned, adapter, program, tree, environment).await?);
        Ok(())
    }

    /// A hub that was started again between two turns goes on with the process it had: that one
    /// has the conversation open, and no second process may.
    pub(crate) async fn take_up_session(&mut self, adapter: &Arc<dyn Adapter>) -> Result<()> {
        let rows = self.hub.store.open_sessions(Some(&self.errand)).await.map_err(Error::from)?;
        let last = rows.into_iter().rev().find(|row| row.agent == adapter.id());
        let session = match last {
            Some(row) => session::take_up(row, adapter).await?,
            None => None,
        };
        self.session = session.filter(Session::is_live);
        let kept = self.session.as_ref().map(|session| session.row.id.clone());
        self.end_left(kept.as_ref()).await;
        Ok(())
    }

    /// Takes up the process a turn was given to; gives whether there was one.
    pub(crate) async fn take_up_session_of_turn(
        &mut self,
        planned: Option<&SessionId>,
        adapter: &Arc<dyn Adapter>,
    ) -> Result<bool> {
        let rows = self.hub.store.open_sessions(Some(&self.errand)).await.map_err(Error::from)?;
        self.session = match rows.into_iter().find(|row| Some(&row.id) == planned) {
            Some(row) => session::take_up(row, adapter).await?,
            None => None,
        };
        self.note_model();
        self.note_used();
        let kept = self.session.as_ref().map(|session| session.row.id.clone());
        self.end_left(kept.as_ref()).await;
        Ok(self.session.is_some())
    }

    /// Ends the agent's process.
    pub(crate) async fn end_session(&mut self, detail: &str) {
        if let Some(mut session) = self.session.take() {
            session.end().await;
            self.session_ended(&mut session, detail);
        }
    }

    /// Ends every process there is, also those an earlier process of the hub left.
    pub(crate) async fn end_sessions(&mut self) {
        let current = match self.session.take() {
            Some(mut session) => {
                session.end().await;
                self.session_ended(&mut session, "The hub ended it.");
                Some(session.row.id)
            }
            None => None,
        };
        self.end_left(current.as_ref()).await;
    }

    fn session_ended(&mut self, session: &mut Session, detail: &str) {
        let mut row = session.note();
        row.ended_at = Some(clock::now());
        let kind = EventKind::SessionEnded { session: row.id.clone(), detail: detail.to_owned() };
        self.writes.push(Write::Session(row));
        self.event(kind);
    }

    /// Ends processes an earlier process of the hub left open, except the one that is kept.
    async fn end_left(&mut self, kept: Option<&SessionId>) {
        let rows = match self.hub.store.open_sessions(Some(&self.errand)).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(errand = %self.errand, %error, "the sessions of an agent cannot be read");
                return;
            }
        };
        for row in rows {
            if kept != Some(&row.id) {
                self.end_left_session(row).await;
            }
        }
    }

    async fn end_left_session(&mut self, mut row: SessionRow) {
        if let Some(adapter) = self.hub.agents.get(&row.agent)
            && let Ok(Some(mut session)) = session::take_up(row.clone(), adapter).await
        {
            session.end().await;
        }
        session::sweep(&row.id).await;
        row.ended_at = Some(clock::now());
        let session = row.id.clone();
        self.writes.push(Write::Session(row));
        let detail = "The hub ended it after a restart.".to_owned();
        self.event(EventKind::SessionEnded { session, detail });
    }
}

impl Inner {
    /// The adapter of an agent of the registry.
    pub(crate) fn adapter(&self, agent: &AgentId) -> Result<Arc<dyn Adapter>> {
        self.agents.get(agent).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.agents.keys().map(AgentId::as_str).collect();
            let known = known.join(", ");
            let detail = format!("The hub has no agent `{agent}`; it has {known}.");
            Error::new(Code::AgentUnavailable, detail)
        })
    }
}

/// Waits until then; for ever without a time.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
