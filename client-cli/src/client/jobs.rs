//! Long operations with progress.

use car_api::{
    JobId, Page, PageQuery, RepoId,
    job::{Job, JobKind, JobLine, JobStatus},
};

use super::Client;
use crate::ClientError;

/// Which jobs are wanted.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only those that stand so.
    pub status: Option<JobStatus>,
    /// Only those of this kind.
    pub kind: Option<JobKind>,
    /// Only those that make or change this repo or worktree.
    pub repo: Option<RepoId>,
}

impl Client {
    /// Jobs, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn job_list(&self, page: &PageQuery) -> Result<Page<Job>, ClientError> {
        self.job_list_of(&JobFilter::default(), page).await
    }

    /// Some jobs, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn job_list_of(
        &self,
        filter: &JobFilter,
        page: &PageQuery,
    ) -> Result<Page<Job>, ClientError> {
        self.get("job_list", &["jobs"])
            .query("status", filter.status)
            .query("kind", filter.kind)
            .query("repo", filter.repo.as_ref())
            .page(page)
            .json()
            .await
    }

    /// What a job had to say, oldest first.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn job_log(
        &self,
        job: &JobId,
        page: &PageQuery,
    ) -> Result<Page<JobLine>, ClientError> {
        self.get("job_log", &["jobs", job.as_str(), "log"]).page(page).json().await
    }

    /// One job.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn job_get(&self, job: &JobId) -> Result<Job, ClientError> {
        self.get("job_get", &["jobs", job.as_str()]).json().await
    }

    /// Ends a job that is still at work.
    ///
    /// # Errors
    /// `not_found`, `illegal_transition`.
    pub async fn job_cancel(&self, job: &JobId) -> Result<Job, ClientError> {
        self.post("job_cancel", &["jobs", job.as_str(), "cancel"]).json().await
    }
}
