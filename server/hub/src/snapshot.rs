//! What wants attention, ranked: one small document for an agent or a phone.

use car_api::{
    PageQuery, Timestamp,
    hub::{AccountLine, Check, HubCounts, HubSnapshot, Readiness, RunLine},
    run::{Owner, Run, RunStatus},
};

use crate::{Hub, InboxFilter, Reach, Result, clock, hub::Inner, inbox::derive::cut as cut_at};

/// Things that wait, and runs, a snapshot has at most.
const ATTENTION: u32 = 20;
const RUNS: usize = 50;

/// How long a line is at most, in characters.
const LINE: usize = 200;

impl Hub {
    /// What wants attention.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn hub_snapshot(&self) -> Result<HubSnapshot> {
        let inner = &self.inner;
        // Before anything is read: what comes meanwhile is told again, and nothing is missed.
        let as_of = *inner.store.bell().borrow();
        let mut runs = Vec::new();
        let reach = &self.rights.reach;
        for row in inner.store.active_runs().await? {
            if !inner.index.reaches_run(reach, &row) {
                continue;
            }
            runs.push(inner.run_view(&row).await?);
        }
        let first = PageQuery { after: None, limit: Some(ATTENTION) };
        let mut attention = self.inbox_list(InboxFilter::default(), first).await?.items;
        for item in &mut attention {
            item.body = None;
        }
        let attention_total = self.inbox_counts().await?.open;
        runs.sort_by_key(|run| (run.explain.owner != Owner::User, run.created_at));
        let counts = counts(inner, &runs, reach);
        let now = clock::now();
        Ok(HubSnapshot {
            as_of,
            epoch: inner.epoch.clone(),
            audit: inner.store.audit_head().await?,
            at: now,
            attention,
            attention_total,
            runs: runs.iter().take(RUNS).map(line_of).collect(),
            counts,
            accounts: accounts(inner, now),
            today: reach.is_hub().then(|| inner.day_line()).flatten(),
        })
    }

    /// Whether the hub can work, and what keeps it from it.
    ///
    /// # Errors
    /// None: what is wrong is in the answer.
    pub async fn ready(&self) -> Result<Readiness> {
        let inner = &self.inner;
        let mut checks = Vec::new();
        let check = |name: &str, found: std::result::Result<String, String>| {
            let ok = found.is_ok();
            let (Ok(detail) | Err(detail)) = found;
            Check { name: name.to_owned(), ok, detail }
        };
        let database = inner.store.fact("instance").await;
        checks.push(check(
            "database",
            database.map(|_| "it answers".to_owned()).map_err(|error| error.to_string()),
        ));
        let queued = inner.store.stats().queued;
        checks.push(check(
            "writer",
            if queued < QUEUE_FULL {
                Ok(format!("{queued} changes wait"))
            } else {
                Err(format!("{queued} changes wait; is the disk full or slow?"))
            },
        ));
        let root = inner.config.root.join(car_files::CAR_DIR);
        checks.push(check(
            "root",
            match tokio::fs::metadata(&root).await {
                Ok(meta) if meta.permissions().readonly() => {
                    Err("the hub's directory cannot be written".to_owned())
                }
                Ok(_) => Ok("the hub's directory is there".to_owned()),
                Err(error) => Err(format!("the hub's directory: {}", error.kind())),
            },
        ));
        Ok(Readiness { ready: checks.iter().all(|check| check.ok), checks })
    }
}

/// How many changes wait when the writer does not keep up.
const QUEUE_FULL: u64 = 1000;

fn counts(inner: &Inner, runs: &[Run], reach: &Reach) -> HubCounts {
    let (repos, worktrees, tickets) = inner.index.totals(reach);
    let of = |status: RunStatus| {
        let many = runs.iter().filter(|run| run.state.status() == status).count();
        u64::try_from(many).unwrap_or(u64::MAX)
    };
    HubCounts {
        repos,
        worktrees,
        tickets,
        pending: of(RunStatus::Pending),
        running: of(RunStatus::Running) + of(RunStatus::Stopping),
        paused: of(RunStatus::Paused),
        parked: of(RunStatus::Parked),
        jobs: u64::try_from(inner.jobs.at_work()).unwrap_or(u64::MAX),
    }
}

fn accounts(inner: &Inner, now: Timestamp) -> Vec<AccountLine> {
    let line = |row: car_store::AccountRow| AccountLine {
        account: row.account,
        held_until: row.held_until.filter(|at| *at > now),
        limits: row.limits,
    };
    let all = inner.accounts.all().into_iter().map(line);
    all.filter(|line| line.held_until.is_some() || !line.limits.is_empty()).collect()
}

fn line_of(run: &Run) -> RunLine {
    let ticket = run.ticket.as_ref();
    RunLine {
        id: run.id.clone(),
        repo: run.repo.clone(),
        status: run.state.status(),
        explain: cut(&run.explain.line),
        owner: run.explain.owner,
        next_at: run.explain.next_at,
        ticket: ticket.map(|ticket| cut(&format!("{:03} {}", ticket.number, ticket.title))),
        tickets: run.tickets,
        turns: run.turns,
        tokens: run.usage.total(),
        created_at: run.created_at,
    }
}

/// One line that is not too long.
fn cut(text: &str) -> String {
    cut_at(text, LINE)
}
