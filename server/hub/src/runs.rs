//! Operations on runs, turns, dispatches and replies.

use std::sync::Arc;

use car_api::{
    ApprovalId, Code, EventKind, Page, PageQuery, RepoId, RunId, Timestamp, TurnId,
    budget::BudgetLimits,
    dispatch::{DispatchCreate, DispatchMode, Reply, ReplyCreate},
    item::{Approval, Item, ItemBody, ItemStatus},
    money::Amount,
    problem::FieldError,
    run::{
        ApprovalDecide, Explain, Owner, ResumeRule, Run, RunOptions, RunResume, RunStart, RunState,
        RunStatus,
    },
    ticket::Severity,
    turn::{Turn, TurnDetail},
};
use car_engine::flow::{Flow, Input, explain};
use car_files::{atomic::WriteError, dispatches, replies, run_dir::RunDir, tickets};
use car_git::Git;
use car_store::{Errand, RunQuery, RunRow, Write};

use crate::{
    Error, Hub, Result, clock, cursor,
    hub::{Inner, blocking},
    idempotency::Made,
    inbox::derive,
    index,
    run_records::reply_view,
};

/// Which runs are wanted.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only those of this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only those that stand so.
    pub status: Option<RunStatus>,
    /// Only those asked for at or after this time.
    pub since: Option<Timestamp>,
    /// Only those asked for before this time.
    pub until: Option<Timestamp>,
}

impl Hub {
    /// Starts a run on the queue of a working tree.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_start(&self, repo: &RepoId, body: RunStart) -> Result<Run> {
        self.inner.unconfirmed.refuse()?;
        let inner = &self.inner;
        let tree = inner.tree(repo)?;
        let status = Git::at(&tree).status().await?;
        if status.head.is_none() {
            let detail = format!("{repo} has no commit yet; make a first one, then start.");
            return Err(Error::new(Code::GitState, detail));
        }
        inner.check_queue(repo, &tree).await?;
        let config = inner.flow_of(&tree).await?;
        let BudgetLimits { max_cost, max_tokens, max_seconds, .. } = inner.spending.limits();
        let defaults = RunOptions { max_cost, max_tokens, max_seconds, ..config.options };
        let now = clock::now();
        let row = RunRow {
            id: RunId::generate(),
            repo: repo.clone(),
            flow: Flow::new(options(&defaults, &body)?, config.verify),
            base_commit: status.head.map(|oid| oid.to_string()),
            created_at: now,
            queued_at: now,
            started_at: None,
            ended_at: None,
        };
        let _alone = inner.runs.start_alone(repo).await;
        if let Some(active) = inner.active_run(repo).await? {
            let waits = matches!(active.flow.state.status(), RunStatus::Paused | RunStatus::Parked);
            if !(body.supersede && waits) {
                return Err(active_error(&active, Way::Start));
            }
            let told =
                inner.runs.tell(&active.id, Input::Supersede { by: row.id.clone() }, None).await;
            // It may have gone on a moment ago; if it has ended, all is well.
            if told.is_err()
                && let Some(active) = inner.active_run(repo).await?
            {
                return Err(active_error(&active, Way::Start));
            }
        }
        let (dir, id) = (tree.clone(), row.id.clone());
        blocking(move || {
            RunDir::create(&dir, id.as_str())?;
            Ok(())
        })
        .await?;
        let created = Write::Event {
            at: now,
            repo: Some(repo.clone()),
            run: Some(row.id.clone()),
            thread: None,
            kind: Box::new(EventKind::RunCreated),
        };
        let act = self.act("run_start", &row.id).detail(format!("repo {repo}")).done();
        let mut writes = vec![Write::RunCreate(Box::new(row.clone())), created, act];
        writes.extend(derive::run_begins(repo, &row.id, now, &self.actor.name));
        writes.extend(self.remember(&Made::Run { id: row.id.clone() })?);
        match inner.store.commit(writes).await {
            Ok(_) => {}
            // Somebody else was a moment earlier: the schema allows one run a tree.
            Err(car_store::Error::Conflict) => {
                return Err(match inner.active_run(repo).await? {
                    Some(active) => active_error(&active, Way::Start),
                    None => Error::new(Code::RunActive, "Another run was started just now."),
                });
            }
            Err(error) => return Err(error.into()),
        }
        inner.watch.watch_run(repo, &row.id, &tree);
        inner.index.set_run(&row);
        inner.runs.start(inner, row.clone(), None);
        self.run_get(&row.id).await
    }

    /// A page of runs, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_list(&self, filter: RunFilter, page: PageQuery) -> Result<Page<Run>> {
        let limit = index::limit(&page)?;
        let RunFilter { repo, status, since, until } = filter;
        let (before, limit_read) = (cursor::read(&page)?, index::more(limit));
        let mut query = RunQuery { repo, status, since, until, before, limit: limit_read };
        let mut runs = Vec::new();
        // A limited credential is shown what it reaches; the others are passed over.
        loop {
            let rows = self.inner.store.runs(&query).await?;
            let all = rows.len() <= limit;
            query.before = rows.last().map(|row| row.id.clone());
            for row in rows {
                if runs.len() <= limit && self.inner.index.reaches_run(&self.rights.reach, &row) {
                    runs.push(self.inner.run_view(&row).await?);
                }
            }
            if all || runs.len() > limit {
                break;
            }
        }
        Ok(index::cut(runs, limit, |run| run.id.to_string()))
    }

    /// One run.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_get(&self, run: &RunId) -> Result<Run> {
        let row = self.inner.run_row(run).await?;
        self.inner.run_view(&row).await
    }

    /// Why a run stands as it does, who acts next, and when.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_explain(&self, run: &RunId) -> Result<Explain> {
        Ok(self.run_get(run).await?.explain)
    }

    /// Lets a paused or parked run go on.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_resume(&self, run: &RunId, body: RunResume) -> Result<Run> {
        self.inner.unconfirmed.refuse()?;
        self.inner.run_row(run).await?;
        let input = Input::Resume {
            max_total_turns: turns(body.max_total_turns)?,
            max_tokens: positive("max_tokens", body.max_tokens)?,
            max_cost: amount(body.max_cost)?,
            max_seconds: positive("max_seconds", body.max_seconds)?,
            accept_protected: body.accept_protected,
        };
        let act = self.act("run_resume", run).done();
        self.inner.runs.tell(run, input, Some(act)).await?;
        self.run_get(run).await
    }

    /// Pauses a run after its present turn.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_pause(&self, run: &RunId) -> Result<Run> {
        self.inner.unconfirmed.refuse()?;
        self.inner.run_row(run).await?;
        self.inner.runs.tell(run, Input::Pause, Some(self.act("run_pause", run).done())).await?;
        self.run_get(run).await
    }

    /// Stops a run; its agent's processes end.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_stop(&self, run: &RunId) -> Result<Run> {
        self.inner.unconfirmed.refuse()?;
        self.inner.run_row(run).await?;
        self.inner.runs.tell(run, Input::Stop, Some(self.act("run_stop", run).done())).await?;
        self.run_get(run).await
    }

    /// Answers a run's agent. A run that waits for that goes on.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_reply(&self, run: &RunId, body: ReplyCreate) -> Result<Reply> {
        self.inner.unconfirmed.refuse()?;
        let row = self.inner.run_row(run).await?;
        if row.flow.state.status().is_end() {
            let detail = "The run has ended; start a new one, or write to its ticket.";
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        if body.body.len() > 256 << 10 {
            return Err(Error::new(Code::TooLarge, "A reply has at most 256 KiB."));
        }
        let tree = self.inner.tree(&row.repo)?;
        let id = row.id.clone();
        let after = self.inner.last_reply(run).await?;
        self.intend(&Made::reply(run, after, &body)).await?;
        let reply = blocking(move || {
            let directory = RunDir::create(&tree, id.as_str())?;
            let seq = replies::add(&directory, body.title.as_deref(), &body.body, &[])?;
            Ok(reply_view(replies::read(&directory, seq)?))
        })
        .await?;
        let act = self.act("run_reply", run).detail(format!("reply {}", reply.seq)).done();
        let who = &self.actor.name;
        self.inner.replied(&row, reply.seq, ("api", who), Some(act)).await?;
        Ok(reply)
    }

    /// Leaves a dispatch in the agent's place; the end of its turn takes it up.
    ///
    /// # Errors
    /// See the API.
    pub async fn dispatch_create(&self, run: &RunId, body: DispatchCreate) -> Result<()> {
        let row = self.inner.run_row(run).await?;
        if row.flow.state.status().is_end() {
            return Err(Error::new(Code::IllegalTransition, "The run has ended."));
        }
        if body.mode == DispatchMode::TurnSummary {
            let detail = "`mode` is `notify` or `pause`; turn summaries are the hub's own.";
            return Err(Error::new(Code::Unprocessable, detail));
        }
        if body.body.trim().is_empty() || body.body.len() > 256 << 10 {
            let detail = "`body` is 1 byte to 256 KiB of text.";
            return Err(Error::new(Code::Unprocessable, detail));
        }
        let tree = self.inner.tree(&row.repo)?;
        let id = row.id.clone();
        blocking(move || {
            let directory = RunDir::create(&tree, id.as_str())?;
            let left = dispatches::leave(&directory, body.mode, body.title.as_deref(), &body.body);
            left.map_err(|error| match error {
                WriteError::Conflict { .. } => Error::new(
                    Code::AlreadyExists,
                    "A dispatch waits already; it is taken up when the turn ends.",
                ),
                WriteError::File(error) => error.into(),
            })
        })
        .await?;
        self.note(self.act("dispatch_create", run)).await
    }

    /// A page of a run's turns, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn run_turns(&self, run: &RunId, page: PageQuery) -> Result<Page<Turn>> {
        self.inner.run_row(run).await?;
        let limit = index::limit(&page)?;
        let after = cursor::read(&page)?.unwrap_or(0);
        let turns = self.inner.store.turns(run, after, index::more(limit)).await?;
        Ok(index::cut(turns, limit, |turn| turn.number.to_string()))
    }

    /// A turn with everything the agent did in it so far.
    ///
    /// # Errors
    /// See the API.
    pub async fn turn_get(&self, turn: &TurnId) -> Result<TurnDetail> {
        let row = self.inner.store.turn(turn).await?;
        let row = row.ok_or_else(|| Error::not_found(format!("turn `{turn}`")))?;
        let mut items = self.inner.store.items(turn).await?;
        let writing = self.inner.live.writing(turn);
        for piece in writing.clone() {
            use car_api::event::LiveStream;
            let body = match piece.stream {
                LiveStream::Message => ItemBody::Message { text: piece.text },
                LiveStream::Reasoning => ItemBody::Reasoning { text: piece.text },
                LiveStream::Output | LiveStream::Verify => {
                    let known = items.iter_mut().find(|item| item.id == piece.item);
                    if let Some(Item { body: ItemBody::Command { output, .. }, .. }) = known {
                        *output = piece.text;
                        continue;
                    }
                    ItemBody::Tool {
                        name: piece.item.clone(),
                        status: ItemStatus::InProgress,
                        detail: piece.text,
                    }
                }
            };
            items.push(Item { id: piece.item, body });
        }
        let run = self.inner.run_row(&row.run).await?;
        let tree = self.inner.index.tree_path(&run.repo);
        let name = format!("{turn}.md");
        let prompt = blocking(move || {
            let open = tree.and_then(|tree| RunDir::open(&tree, run.id.as_str()).ok());
            Ok(open.and_then(|run| run.kept_prompt(&name).ok()))
        })
        .await?;
        Ok(TurnDetail { turn: row, items, writing, prompt })
    }

    /// Answers a question of a run's agent.
    ///
    /// # Errors
    /// See the API.
    pub async fn approval_decide(
        &self,
        run: &RunId,
        approval: &ApprovalId,
        body: ApprovalDecide,
    ) -> Result<Approval> {
        self.inner.run_row(run).await?;
        let act = self.act("approval_decide", approval);
        let act = act.detail(format!("{} for run {run}", body.decision)).done();
        self.inner.runs.decide(run, approval, body.decision, act).await
    }
}

/// A limit of turns that means something.
fn turns(value: Option<u32>) -> Result<Option<u32>> {
    match value {
        Some(0) | Some(1_000_001..) => {
            Err(Error::bad_request("`max_total_turns` is 1 to 1,000,000."))
        }
        value => Ok(value),
    }
}

fn positive(name: &str, value: Option<i64>) -> Result<Option<i64>> {
    match value {
        Some(value) if value <= 0 => Err(Error::bad_request(format!("`{name}` is 1 or more."))),
        value => Ok(value),
    }
}

fn amount(value: Option<Amount>) -> Result<Option<Amount>> {
    let millionths = positive("max_cost", value.map(Amount::millionths))?;
    Ok(millionths.map(Amount::from_millionths))
}

fn options(defaults: &RunOptions, body: &RunStart) -> Result<RunOptions> {
    Ok(RunOptions {
        max_total_turns: turns(body.max_total_turns)?.unwrap_or(defaults.max_total_turns),
        max_tokens: positive("max_tokens", body.max_tokens)?.or(defaults.max_tokens),
        max_cost: amount(body.max_cost)?.or(defaults.max_cost),
        max_seconds: positive("max_seconds", body.max_seconds)?.or(defaults.max_seconds),
        auto_commit: body.auto_commit.unwrap_or(defaults.auto_commit),
        require_commit: body.require_commit.unwrap_or(defaults.require_commit),
        approvals: body.approvals.unwrap_or(defaults.approvals),
        ..defaults.clone()
    })
}

/// What a run that stands in the way stands in the way of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Another run of its tree.
    Start,
    /// What needs the tree for itself.
    Alone,
    /// What must not happen under an agent at work.
    Quiet,
}

/// The refusal of what cannot be done because of a run that is not over.
pub(crate) fn active_error(active: &RunRow, of: Way) -> Error {
    let id = &active.id;
    let line = explain(&active.flow, None).line;
    let waits = matches!(active.flow.state.status(), RunStatus::Paused | RunStatus::Parked);
    let way = match of {
        Way::Start if waits => "Resume it, stop it, or start with --supersede.".to_owned(),
        Way::Start => "Wait for it, or stop it.".to_owned(),
        Way::Alone => format!("Stop it first (`car run stop {id}`)."),
        Way::Quiet => format!("Pause it first (`car run pause {id}`)."),
    };
    Error::new(Code::RunActive, format!("Run {id} works this tree and is not over ({line}) {way}"))
}

impl Inner {
    /// Refuses what needs a tree for itself while a run of it is not over; waits until the agent of
    /// one that is has gone.
    pub(crate) async fn no_run(&self, repo: &RepoId) -> Result<()> {
        if let Some(active) = self.active_run(repo).await? {
            return Err(active_error(&active, Way::Alone));
        }
        self.runs.have_left(repo).await;
        Ok(())
    }

    pub(crate) async fn run_row(&self, run: &RunId) -> Result<RunRow> {
        let row = self.store.run(run).await?;
        row.ok_or_else(|| Error::not_found(format!("run `{run}`")))
    }

    pub(crate) async fn active_run(&self, repo: &RepoId) -> Result<Option<RunRow>> {
        let rows = self.store.active_runs().await?;
        Ok(rows.into_iter().find(|row| row.repo == *repo))
    }

    /// A run as the contract has it.
    pub(crate) async fn run_view(&self, row: &RunRow) -> Result<Run> {
        let open = !row.flow.state.status().is_end();
        let approvals: Vec<Approval> = if open {
            let rows = self.store.open_approvals(&Errand::Run(row.id.clone())).await?;
            rows.iter().map(car_store::ApprovalRow::approval).collect()
        } else {
            Vec::new()
        };
        let mut why = explain(&row.flow, self.slots.ahead(&row.id));
        if approvals.iter().any(|approval| approval.decision.is_none()) {
            why.line = "The agent asks for your permission.".to_owned();
            why.owner = Owner::User;
            why.next_action = "answer with `car approve` or `car decline`".to_owned();
        }
        let ticket = row.flow.work.as_ref().map(|work| work.ticket.clone());
        let account = ticket.as_ref().map(|ticket| ticket.agent.to_string());
        Ok(Run {
            id: row.id.clone(),
            repo: row.repo.clone(),
            state: row.flow.state.clone(),
            explain: why,
            options: row.flow.options.clone(),
            ticket,
            turns: row.flow.spent.turns,
            usage: row.flow.spent.usage,
            cost: row.flow.spent.cost(),
            tickets: self.index.counts(&row.repo),
            finished: row.flow.finished,
            approvals,
            rate_limits: account.map(|account| self.accounts.limits(&account)).unwrap_or_default(),
            base_commit: row.base_commit.clone(),
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        })
    }

    /// A queue that cannot be worked is refused before there is a run.
    async fn check_queue(self: &Arc<Self>, repo: &RepoId, tree: &std::path::Path) -> Result<()> {
        let (dir, agents) = (tree.to_owned(), self.known_agents.clone());
        let listing = blocking(move || Ok(tickets::list(&dir, &agents)?)).await?;
        if listing.files.is_empty() {
            let detail = format!("{repo} has no tickets; add one with `car ticket new \"Title\"`.");
            return Err(Error::new(Code::TicketsInvalid, detail));
        }
        let errors: Vec<FieldError> = listing
            .errors()
            .filter(|(_, issue)| issue.severity() == Severity::Error)
            .map(|(file, issue)| FieldError {
                pointer: file,
                detail: format!("line {}: {}", issue.line, issue.message),
            })
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "{} finding(s) in the tickets of {repo}; mend them (`car tickets lint --fix` mends some).",
            errors.len()
        );
        let mut error = Error::new(Code::TicketsInvalid, detail);
        error.errors = errors;
        Err(error)
    }

    /// The number of a run's latest reply, 0 when there is none.
    async fn last_reply(&self, run: &RunId) -> Result<u32> {
        let row = self.run_row(run).await?;
        let tree = self.tree(&row.repo)?;
        blocking(move || {
            let directory = RunDir::create(&tree, row.id.as_str())?;
            Ok(replies::next_seq(&directory)?.saturating_sub(1))
        })
        .await
    }

    async fn replied(
        self: &Arc<Self>,
        row: &RunRow,
        seq: u32,
        (via, who): (&str, &str),
        act: Option<Write>,
    ) -> Result<()> {
        let at = clock::now();
        let event = Write::Event {
            at,
            repo: Some(row.repo.clone()),
            run: Some(row.id.clone()),
            thread: None,
            kind: Box::new(EventKind::ReplyReceived { seq, via: via.to_owned() }),
        };
        let waits = matches!(
            row.flow.state,
            RunState::Paused { resume: ResumeRule::Reply | ResumeRule::UserTicket, .. }
        );
        let answered = format!("answered by {who} (reply {seq})");
        let ended = waits.then(|| derive::nothing(derive::runs_of(&row.repo), at, Some(&answered)));
        self.store.commit(std::iter::once(event).chain(act).chain(ended).collect()).await?;
        self.runs.tell(&row.id, Input::Replied, None).await
    }

    /// Somebody wrote a reply as a file: a run that waits for it goes on.
    pub(crate) async fn take_reply_file(self: &Arc<Self>, run: &RunId) -> Result<()> {
        let row = self.run_row(run).await?;
        let tree = self.tree(&row.repo)?;
        let waits = matches!(row.flow.state, RunState::Paused { .. });
        if !waits {
            // It is taken before the next turn.
            return Ok(());
        }
        let id = row.id.clone();
        let seq = blocking(move || {
            let directory = RunDir::create(&tree, id.as_str())?;
            if !replies::is_waiting(&directory)? {
                return Ok(None);
            }
            let seq = replies::next_seq(&directory)?;
            Ok(replies::archive(&directory, seq)?.map(|entry| entry.seq))
        })
        .await?;
        match seq {
            Some(seq) => self.replied(&row, seq, ("file", "a file"), None).await,
            None => Ok(()),
        }
    }
}
