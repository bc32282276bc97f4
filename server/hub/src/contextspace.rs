//! Operations on contextspace.

use car_api::{
    Page, RepoId,
    context::{ContextDoc, ContextName, ContextUpdate},
};

use crate::{Error, Hub, Result};

impl Hub {
    /// context_list
    ///
    /// # Errors
    /// See the API.
    pub async fn context_list(&self, repo: &RepoId) -> Result<Page<ContextDoc>> {
        let _ = (repo,);
        Err(Error::not_found("context_list"))
    }

    /// context_get
    ///
    /// # Errors
    /// See the API.
    pub async fn context_get(&self, repo: &RepoId, name: ContextName) -> Result<ContextDoc> {
        let _ = (repo, name);
        Err(Error::not_found("context_get"))
    }

    /// context_update
    ///
    /// # Errors
    /// See the API.
    pub async fn context_update(
        &self,
        repo: &RepoId,
        name: ContextName,
        body: ContextUpdate,
        if_match: Option<String>,
    ) -> Result<ContextDoc> {
        let _ = (repo, name, body, if_match);
        Err(Error::not_found("context_update"))
    }
}
