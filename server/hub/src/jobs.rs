//! Jobs: long operations with progress, a log, and an end that can be asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use car_api::{
    Code, EventKind, JobId, Page, PageQuery, Problem, RepoId, audit,
    job::{Job, JobKind, JobLine, JobResult, JobStatus},
};
use car_store::{JobQuery, Write};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Hub, Result, audit::Act, clock, cursor, hub::Inner, idempotency::Made, inbox::derive,
    index,
};

/// How many lines of a job are kept; what comes after them is counted.
const LINES: u32 = 2000;

/// How long a line may be, in bytes.
const LINE: usize = 2000;

/// How many percent lie between two events of one phase.
const STEP: u8 = 10;

/// How much is written at once.
const BATCH: usize = 64;

/// Jobs at work.
#[derive(Default)]
pub(crate) struct Jobs {
    running: Mutex<HashMap<JobId, Running>>,
}

struct Running {
    job: Job,
    cancel: CancellationToken,
    /// Percent that the log last told of.
    told: u8,
    lines: u32,
    /// The end of what was said, without its line's end yet.
    open: String,
    news: mpsc::UnboundedSender<News>,
}

impl Running {
    fn line(&mut self, text: &str) {
        let text = text.trim_end();
        if text.is_empty() || self.lines > LINES {
            return;
        }
        self.lines += 1;
        let mut line = if self.lines > LINES { "… (not kept)" } else { text }.to_owned();
        if line.len() > LINE {
            let end = (0..=LINE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
            line.truncate(end);
            line.push('…');
        }
        let line = JobLine { seq: self.lines, at: clock::now(), line };
        let _ = self.news.send(News::Line(line));
    }
}

/// What is to be written of a job.
enum News {
    Job(Box<Job>),
    Line(JobLine),
}

/// How a job ended well.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) result: Option<JobResult>,
    /// What whoever asked should see.
    pub(crate) note: Option<String>,
}

/// What a job's work reports its progress to.
#[derive(Clone)]
pub(crate) struct Reporter {
    hub: Arc<Inner>,
    id: JobId,
    pub(crate) cancel: CancellationToken,
}

impl Reporter {
    /// What the processes of this job are found by.
    pub(crate) fn marker(&self) -> String {
        marker(&self.id)
    }

    fn change(&self, change: impl FnOnce(&mut Running)) {
        let mut running = self.hub.jobs.lock();
        if let Some(running) = running.get_mut(&self.id) {
            change(running);
        }
    }

    /// The job is at something. Another phase joins the log, and so does every tenth percent;
    /// what lies between is for whoever asks.
    pub(crate) fn at(&self, phase: &str, percent: Option<u8>, bytes: Option<u64>) {
        self.change(|running| {
            let job = &mut running.job;
            job.percent = percent;
            job.bytes = bytes.or(job.bytes);
            let another = job.phase != phase;
            let step = percent.is_some_and(|now| now >= running.told.saturating_add(STEP));
            if another {
                phase.clone_into(&mut job.phase);
            }
            if another || step {
                running.told = percent.unwrap_or(0);
                let _ = running.news.send(News::Job(Box::new(running.job.clone())));
            }
            if another {
                running.line(phase);
            }
        });
    }

    /// Tells what git is at.
    pub(crate) fn git_progress(&self) -> impl FnMut(car_git::Progress) + use<> {
        let reporter = self.clone();
        move |progress| {
            let phase = match &progress.phase {
                car_git::Phase::Counting => "counting",
                car_git::Phase::Compressing => "compressing",
                car_git::Phase::Receiving => "receiving",
                car_git::Phase::Resolving => "resolving",
                car_git::Phase::CheckingOut => "checking out",
                car_git::Phase::Other(words) => words,
            };
            reporter.at(phase, progress.percent, progress.received_bytes);
        }
    }

    /// One line for the log.
    pub(crate) fn say(&self, line: &str) {
        self.change(|running| running.line(line));
    }

    /// A piece of a command's output, for the log.
    pub(crate) fn output(&self, text: &str) {
        self.change(|running| {
            running.open.push_str(text);
            while let Some(end) = running.open.find(['\n', '\r']) {
                let rest = running.open.split_off(end + 1);
                let line = std::mem::replace(&mut running.open, rest);
                running.line(&line);
            }
            if running.open.len() > LINE {
                let line = std::mem::take(&mut running.open);
                running.line(&line);
            }
        });
    }

    /// A command has ended, and with it its last line.
    pub(crate) fn output_ended(&self) {
        self.change(|running| {
            let line = std::mem::take(&mut running.open);
            running.line(&line);
        });
    }

    /// Whether the work may go on.
    pub(crate) fn not_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }
}

fn marker(job: &JobId) -> String {
    format!("job-{job}")
}

/// Why work that was asked to end has not come to its end.
pub(crate) fn cancelled() -> Error {
    Error::new(Code::Unavailable, "It was cancelled.")
}

impl Jobs {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job as it is now: what it is at is written only now and then.
    fn as_it_is(&self, stored: Job) -> Job {
        if stored.ended_at.is_some() {
            return stored;
        }
        self.lock().get(&stored.id).map_or(stored, |running| running.job.clone())
    }

    /// How many are at work.
    pub(crate) fn at_work(&self) -> usize {
        self.lock().len()
    }
}

fn writes(job: &Job) -> Vec<Write> {
    let told = Write::Event {
        at: clock::now(),
        repo: job.repo.clone(),
        run: None,
        thread: None,
        kind: Box::new(EventKind::JobUpdated { job: job.clone() }),
    };
    let writes = [Write::Job(Box::new(job.clone())), told];
    writes.into_iter().chain(derive::job(job)).collect()
}

fn writes_of(id: &JobId, news: Vec<News>) -> Vec<Write> {
    let write = |news| match news {
        News::Job(job) => writes(&job),
        News::Line(line) => vec![Write::JobLine(id.clone(), line)],
    };
    news.into_iter().flat_map(write).collect()
}

/// Starts a job, and notes its begin and its end as somebody's act. Its work is told how to report
/// and when to give up, and may end with something it made and a note that whoever asked should
/// see.
pub(crate) async fn start<F, W>(
    hub: &Hub,
    kind: JobKind,
    repo: Option<RepoId>,
    act: Act,
    work: F,
) -> Result<Job>
where
    F: FnOnce(Reporter) -> W,
    W: Future<Output = Result<Outcome>> + Send + 'static,
{
    let job = Job {
        id: JobId::generate(),
        kind,
        repo,
        status: JobStatus::Running,
        phase: "starting".to_owned(),
        percent: None,
        bytes: None,
        cancelling: false,
        result: None,
        problem: None,
        created_at: clock::now(),
        ended_at: None,
    };
    let mut first = writes(&job);
    first.push(act.begun());
    first.extend(hub.remember(&Made::Job { id: job.id.clone() })?);
    hub.inner.store.commit(first).await?;
    let cancel = CancellationToken::new();
    let (sender, news) = mpsc::unbounded_channel();
    hub.inner.jobs.lock().insert(
        job.id.clone(),
        Running {
            job: job.clone(),
            cancel: cancel.clone(),
            told: 0,
            lines: 0,
            open: String::new(),
            news: sender,
        },
    );
    let reporter = Reporter { hub: Arc::clone(&hub.inner), id: job.id.clone(), cancel };
    let work = work(reporter.clone());
    tokio::spawn(async move { follow(reporter, work, news, act).await });
    Ok(job)
}

/// Writes what the work reports, and its end. One hand writes, so that nothing is written after
/// the end.
async fn follow(
    reporter: Reporter,
    work: impl Future<Output = Result<Outcome>>,
    mut news: mpsc::UnboundedReceiver<News>,
    act: Act,
) {
    let (hub, id) = (&reporter.hub, &reporter.id);
    let mut work = std::pin::pin!(work);
    let mut batch = Vec::with_capacity(BATCH);
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = news.recv_many(&mut batch, BATCH) => {
                let writes = writes_of(id, std::mem::take(&mut batch));
                if let Err(error) = hub.store.commit(writes).await {
                    tracing::warn!(job = %id, %error, "a job's progress could not be written");
                }
            }
        }
    };
    reporter.change(|running| match &result {
        Ok(Outcome { note: Some(note), .. }) => running.line(note),
        Ok(Outcome { note: None, .. }) => {}
        Err(error) => running.line(&error.detail),
    });
    let running = hub.jobs.lock().get(id).map(|one| (one.job.clone(), one.cancel.clone()));
    let Some((mut job, cancel)) = running else { return };
    job.ended_at = Some(clock::now());
    let act = match result {
        Ok(outcome) => {
            job.phase = outcome.note.unwrap_or_else(|| "done".to_owned());
            job.status = JobStatus::Completed;
            job.percent = Some(100);
            job.result = outcome.result;
            act.done()
        }
        Err(_) if cancel.is_cancelled() => {
            job.status = JobStatus::Cancelled;
            job.phase = "cancelled".to_owned();
            job.percent = None;
            act.detail("cancelled").ended(audit::Outcome::Failed)
        }
        Err(error) => {
            tracing::info!(job = %job.id, %error, source = ?error.source, "a job did not end well");
            job.status = JobStatus::Failed;
            job.problem = Some(error.problem());
            act.detail(error.detail).ended(audit::Outcome::Failed)
        }
    };
    let mut last = Vec::new();
    while let Ok(one) = news.try_recv() {
        last.push(one);
    }
    let mut last = writes_of(id, last);
    last.extend(writes(&job));
    last.push(act);
    if let Err(error) = hub.store.commit(last).await {
        tracing::error!(%error, "a job's end could not be written");
    }
    // Not before: until its end is written it has not ended for anybody.
    hub.jobs.lock().remove(id);
}

/// After a start no job is at work: those an earlier process left have failed.
pub(crate) async fn fail_left(hub: &Arc<Inner>) -> Result<()> {
    for mut job in hub.store.running_jobs().await? {
        if job.kind == JobKind::Verify {
            let left = marker(&job.id);
            tokio::task::spawn_blocking(move || car_shim::sweep(&left, Duration::from_millis(200)));
        }
        job.status = JobStatus::Failed;
        job.ended_at = Some(clock::now());
        let detail = "The hub was restarted while this was at work; start it again.";
        job.problem = Some(Problem::new(Code::Unavailable, detail));
        hub.store.commit(writes(&job)).await?;
    }
    Ok(())
}

/// Which jobs are wanted.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only those that stand so.
    pub status: Option<JobStatus>,
    /// Only those of this kind.
    pub kind: Option<JobKind>,
    /// Only those of this repo or worktree.
    pub repo: Option<RepoId>,
}

impl Hub {
    /// Jobs, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn job_list(&self, filter: JobFilter, page: PageQuery) -> Result<Page<Job>> {
        let limit = index::limit(&page)?;
        let JobFilter { status, kind, repo } = filter;
        let query = JobQuery {
            status,
            kind,
            repo,
            before: cursor::read(&page)?,
            limit: index::more(limit),
        };
        let jobs = self.inner.store.jobs(&query).await?;
        let jobs = jobs.into_iter().map(|job| self.inner.jobs.as_it_is(job)).collect();
        Ok(index::cut(jobs, limit, |job| job.id.to_string()))
    }

    /// One job.
    ///
    /// # Errors
    /// See the API.
    pub async fn job_get(&self, job: &JobId) -> Result<Job> {
        let stored = self.inner.store.job(job).await?;
        let stored = stored.ok_or_else(|| Error::not_found(format!("job `{job}`")))?;
        Ok(self.inner.jobs.as_it_is(stored))
    }

    /// A page of a job's log, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn job_log(&self, job: &JobId, page: PageQuery) -> Result<Page<JobLine>> {
        self.job_get(job).await?;
        let limit = index::limit(&page)?;
        let after = cursor::read(&page)?.unwrap_or(0);
        let lines = self.inner.store.job_lines(job, after, index::more(limit)).await?;
        Ok(index::cut(lines, limit, |line| line.seq.to_string()))
    }

    /// Asks a job to give up.
    ///
    /// # Errors
    /// See the API.
    pub async fn job_cancel(&self, job: &JobId) -> Result<Job> {
        let asked = {
            let mut running = self.inner.jobs.lock();
            running.get_mut(job).map(|running| {
                if !running.job.cancelling {
                    running.job.cancelling = true;
                    running.line("asked to end");
                    let _ = running.news.send(News::Job(Box::new(running.job.clone())));
                }
                running.cancel.cancel();
                running.job.clone()
            })
        };
        if let Some(asked) = asked {
            self.note(self.act("job_cancel", job)).await?;
            return Ok(asked);
        }
        let ended = self.job_get(job).await?;
        let detail = format!("The job has ended: {}.", ended.status);
        Err(Error::new(Code::IllegalTransition, detail))
    }
}
