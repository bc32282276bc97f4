//! Jobs: long operations with progress.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use car_api::{
    Code, EventKind, JobId, Page, PageQuery, Problem, RepoId,
    audit::Outcome,
    job::{Job, JobKind, JobStatus},
};
use car_store::Write;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{Error, Hub, Result, audit::Act, clock, hub::Inner, index};

/// Jobs at work.
#[derive(Default)]
pub(crate) struct Jobs {
    running: Mutex<HashMap<JobId, (Job, CancellationToken)>>,
}

/// What a job's work reports its progress to.
#[derive(Clone)]
pub(crate) struct Reporter {
    hub: Arc<Inner>,
    id: JobId,
    phases: mpsc::UnboundedSender<Job>,
    pub(crate) cancel: CancellationToken,
}

impl Reporter {
    /// The job is at something. Another phase joins the log; percents are for whoever asks.
    pub(crate) fn at(&self, phase: &str, percent: Option<u8>) {
        let mut running = self.hub.jobs.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((job, _)) = running.get_mut(&self.id) else { return };
        job.percent = percent;
        if job.phase == phase {
            return;
        }
        phase.clone_into(&mut job.phase);
        let _ = self.phases.send(job.clone());
    }
}

fn writes(job: &Job) -> Vec<Write> {
    vec![
        Write::Job(Box::new(job.clone())),
        Write::Event {
            at: clock::now(),
            repo: job.repo.clone(),
            run: None,
            kind: Box::new(EventKind::JobUpdated { job: job.clone() }),
        },
    ]
}

/// Starts a job, and notes its begin and its end as somebody's act. Its work is told how to report and when to give up, and may end with a note that
/// whoever asked should see.
pub(crate) async fn start<F, W>(
    hub: &Arc<Inner>,
    kind: JobKind,
    repo: Option<RepoId>,
    act: Act,
    work: F,
) -> Result<Job>
where
    F: FnOnce(Reporter) -> W,
    W: Future<Output = Result<Option<String>>> + Send + 'static,
{
    let job = Job {
        id: JobId::generate(),
        kind,
        repo,
        status: JobStatus::Running,
        phase: "starting".to_owned(),
        percent: None,
        problem: None,
        created_at: clock::now(),
        ended_at: None,
    };
    let mut begin = writes(&job);
    begin.push(act.begun());
    hub.store.commit(begin).await?;
    let cancel = CancellationToken::new();
    {
        let mut running = hub.jobs.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(job.id.clone(), (job.clone(), cancel.clone()));
    }
    let (phases, mut news) = mpsc::unbounded_channel();
    let reporter = Reporter { hub: Arc::clone(hub), id: job.id.clone(), phases, cancel };
    let work = work(reporter.clone());
    tokio::spawn(async move {
        let mut work = std::pin::pin!(work);
        // One hand writes, so that nothing is written after the end.
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                Some(job) = news.recv() => {
                    if let Err(error) = reporter.hub.store.commit(writes(&job)).await {
                        tracing::warn!(job = %job.id, %error, "a job's phase could not be written");
                    }
                }
            }
        };
        let ended = {
            let mut running =
                reporter.hub.jobs.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.remove(&reporter.id)
        };
        let Some((mut job, cancel)) = ended else { return };
        job.ended_at = Some(clock::now());
        let act = match result {
            Ok(note) => {
                job.phase = note.unwrap_or_else(|| "done".to_owned());
                job.status = JobStatus::Completed;
                job.percent = Some(100);
                act.done()
            }
            Err(error) => {
                let cancelled = cancel.is_cancelled();
                job.status = if cancelled { JobStatus::Cancelled } else { JobStatus::Failed };
                job.problem = Some(error.problem());
                tracing::info!(job = %job.id, %error, source = ?error.source, "a job did not end well");
                act.detail(error.detail).ended(Outcome::Failed)
            }
        };
        let mut end = writes(&job);
        end.push(act);
        if let Err(error) = reporter.hub.store.commit(end).await {
            tracing::error!(%error, "a job's end could not be written");
        }
    });
    Ok(job)
}

/// After a start no job is at work: those an earlier process left have failed.
pub(crate) async fn fail_left(hub: &Arc<Inner>) -> Result<()> {
    for mut job in hub.store.running_jobs().await? {
        job.status = JobStatus::Failed;
        job.ended_at = Some(clock::now());
        let detail = "The hub was restarted while this was at work; start it again.";
        job.problem = Some(Problem::new(Code::Unavailable, detail));
        hub.store.commit(writes(&job)).await?;
    }
    Ok(())
}

impl Hub {
    /// Jobs, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn job_list(&self, page: PageQuery) -> Result<Page<Job>> {
        let limit = index::limit(&page)?;
        let before = page.after.as_deref().map(str::parse).transpose();
        let before = before.map_err(|e| Error::bad_request(format!("`after`: {e}.")))?;
        let more = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        let mut jobs = self.inner.store.jobs(before.as_ref(), more).await?;
        for job in &mut jobs {
            if let Some(live) = self.running(&job.id) {
                *job = live;
            }
        }
        Ok(index::cut(jobs, limit, |job| job.id.to_string()))
    }

    fn running(&self, id: &JobId) -> Option<Job> {
        let running = self.inner.jobs.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(id).map(|(job, _)| job.clone())
    }

    /// One job.
    ///
    /// # Errors
    /// See the API.
    pub async fn job_get(&self, job: &JobId) -> Result<Job> {
        if let Some(job) = self.running(job) {
            return Ok(job);
        }
        let stored = self.inner.store.job(job).await?;
        stored.ok_or_else(|| Error::not_found(format!("job `{job}`")))
    }

    /// Asks a job to give up.
    ///
    /// # Errors
    /// See the API.
    pub async fn job_cancel(&self, job: &JobId) -> Result<Job> {
        let cancelled = {
            let running = self.inner.jobs.running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((job, cancel)) = running.get(job) {
                cancel.cancel();
                Some(job.clone())
            } else {
                None
            }
        };
        if let Some(job) = cancelled {
            self.note(self.act("job_cancel", &job.id)).await?;
            return Ok(job);
        }
        let ended = self.job_get(job).await?;
        let detail = format!("The job has ended: {}.", ended.status);
        Err(Error::new(Code::IllegalTransition, detail))
    }
}
