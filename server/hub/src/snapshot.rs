//! What wants attention, ranked: one small document for an agent or a phone.

use car_api::{
    Timestamp,
    hub::{
        AccountLine, Attention, AttentionKind, Check, HubCounts, HubSnapshot, Readiness, RunLine,
    },
    item::{Approval, ApprovalRequest},
    repo::{Repo, RepoStatus},
    run::{Owner, PauseReason, ResumeRule, Run, RunState, RunStatus},
};

use crate::{Hub, Reach, Result, clock, hub::Inner};

/// Things that wait, and runs, a snapshot has at most.
const ATTENTION: usize = 20;
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
        let mut attention: Vec<Attention> = runs.iter().flat_map(of_run).collect();
        attention.extend(inner.index.in_need(reach).into_iter().map(of_repo));
        attention.sort_by_key(|one| (one.kind, one.since));
        let attention_total = u64::try_from(attention.len()).unwrap_or(u64::MAX);
        attention.truncate(ATTENTION);
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

/// What of a run waits for a person.
fn of_run(run: &Run) -> Vec<Attention> {
    let open = run.approvals.iter().filter(|approval| approval.decision.is_none());
    let mut all: Vec<Attention> = open.map(|approval| of_approval(run, approval)).collect();
    if let RunState::Paused { reason, since, resume, .. } = &run.state {
        all.push(of_pause(run, *reason, *since, *resume));
    }
    all
}

fn of_approval(run: &Run, approval: &Approval) -> Attention {
    let wish = match &approval.request {
        ApprovalRequest::Command { command, .. } => format!("May it run `{command}`?"),
        ApprovalRequest::FileChange { changes, .. } => match changes.as_slice() {
            [one] => format!("May it change {}?", one.path),
            many => format!("May it change {} files?", many.len()),
        },
        ApprovalRequest::Other { detail } => detail.clone(),
    };
    Attention {
        kind: AttentionKind::Approval,
        line: cut(&wish),
        action: format!("car approve {run} (or: car decline {run})", run = run.id),
        operation: "approval_decide".to_owned(),
        repo: run.repo.clone(),
        run: Some(run.id.clone()),
        approval: Some(approval.id.clone()),
        since: Some(approval.asked_at),
    }
}

fn of_pause(run: &Run, reason: PauseReason, since: Timestamp, resume: ResumeRule) -> Attention {
    let (kind, action, operation) = match resume {
        ResumeRule::Reply => {
            (AttentionKind::Question, format!("car reply {} \"…\"", run.id), "run_reply")
        }
        ResumeRule::Fix => (AttentionKind::Fix, format!("car run resume {}", run.id), "run_resume"),
        ResumeRule::UserTicket => {
            let number = run.ticket.as_ref().map_or(0, |ticket| ticket.number);
            let action = format!("car ticket done {number} --repo {}", run.repo);
            (AttentionKind::UserTicket, action, "ticket_done")
        }
    };
    Attention {
        kind,
        line: cut(&format!("{reason}: {}", run.explain.line)),
        action,
        operation: operation.to_owned(),
        repo: run.repo.clone(),
        run: Some(run.id.clone()),
        approval: None,
        since: Some(since),
    }
}

fn of_repo(repo: Repo) -> Attention {
    let failed = repo.run.filter(|run| run.status == RunStatus::Failed);
    let (kind, line, action, operation, run) = match (repo.status, failed) {
        (RepoStatus::Ready | RepoStatus::Uninitialized, Some(run)) => (
            AttentionKind::Failed,
            run.explain,
            format!("car run start --repo {}", repo.id),
            "run_start",
            Some(run.id),
        ),
        (status, _) => (
            AttentionKind::Repo,
            repo.issue.unwrap_or_else(|| format!("the directory {} is {status}", repo.path)),
            format!("car hub remove {}", repo.id),
            "repo_remove",
            None,
        ),
    };
    Attention {
        kind,
        line: cut(&line),
        action,
        operation: operation.to_owned(),
        repo: repo.id,
        run,
        approval: None,
        since: None,
    }
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
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LINE) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}
