//! Contextspace documents of a repo.

use car_api::{
    Page, RepoId,
    context::{ContextDoc, ContextName, ContextUpdate},
};

use super::Client;
use crate::ClientError;

impl Client {
    /// All documents.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn context_list(&self, repo: &RepoId) -> Result<Page<ContextDoc>, ClientError> {
        self.get("context_list", &["repos", repo.as_str(), "contextspace"]).all().await
    }

    /// One document.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn context_get(
        &self,
        repo: &RepoId,
        name: ContextName,
    ) -> Result<ContextDoc, ClientError> {
        self.get("context_get", &["repos", repo.as_str(), "contextspace", name.as_str()])
            .json()
            .await
    }

    /// Replaces a document if it is still the version of `if_match` (`*` = whatever is there).
    ///
    /// # Errors
    /// `stale` with the present text.
    pub async fn context_update(
        &self,
        repo: &RepoId,
        name: ContextName,
        body: &ContextUpdate,
        if_match: Option<&str>,
    ) -> Result<ContextDoc, ClientError> {
        self.put("context_update", &["repos", repo.as_str(), "contextspace", name.as_str()])
            .if_match(if_match)
            .body(body)
            .json()
            .await
    }
}
