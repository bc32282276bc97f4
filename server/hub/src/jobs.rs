//! Operations on jobs.

use car_api::{JobId, Page, PageQuery, job::Job};

use crate::{Error, Hub, Result};

impl Hub {
    /// job_list
    ///
    /// # Errors
    /// See the API.
    pub async fn job_list(&self, page: PageQuery) -> Result<Page<Job>> {
        let _ = (page,);
        Err(Error::not_found("job_list"))
    }

    /// job_get
    ///
    /// # Errors
    /// See the API.
    pub async fn job_get(&self, job: &JobId) -> Result<Job> {
        let _ = (job,);
        Err(Error::not_found("job_get"))
    }

    /// job_cancel
    ///
    /// # Errors
    /// See the API.
    pub async fn job_cancel(&self, job: &JobId) -> Result<Job> {
        let _ = (job,);
        Err(Error::not_found("job_cancel"))
    }
}
