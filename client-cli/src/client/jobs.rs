//! Long operations with progress.

use car_api::{JobId, Page, PageQuery, job::Job};

use super::Client;
use crate::ClientError;

impl Client {
    /// Jobs, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn job_list(&self, page: &PageQuery) -> Result<Page<Job>, ClientError> {
        self.get("job_list", &["jobs"]).page(page).json().await
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
