//! The project manager.

use car_api::{
    Page,
    pma::{PmaDoc, PmaDocName, PmaDocUpdate, PmaInfo},
};

use super::Client;
use crate::ClientError;

impl Client {
    /// How it stands.
    ///
    /// # Errors
    /// `not_found` while the hub waits for the report of a restore to be confirmed.
    pub async fn pma_get(&self) -> Result<PmaInfo, ClientError> {
        self.get("pma_get", &["pma"]).json().await
    }

    /// Closes the circuit breaker of every thread.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_breaker_reset(&self) -> Result<PmaInfo, ClientError> {
        self.post("pma_breaker_reset", &["pma", "breaker", "reset"]).json().await
    }

    /// All its documents.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_doc_list(&self) -> Result<Page<PmaDoc>, ClientError> {
        self.get("pma_doc_list", &["pma", "docs"]).all().await
    }

    /// One document.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_doc_get(&self, name: PmaDocName) -> Result<PmaDoc, ClientError> {
        self.get("pma_doc_get", &["pma", "docs", name.as_str()]).json().await
    }

    /// Replaces a document if it is still the version of `if_match` (`*` = whatever is there).
    ///
    /// # Errors
    /// `stale` with the present text.
    pub async fn pma_doc_update(
        &self,
        name: PmaDocName,
        body: &PmaDocUpdate,
        if_match: Option<&str>,
    ) -> Result<PmaDoc, ClientError> {
        self.put("pma_doc_update", &["pma", "docs", name.as_str()])
            .if_match(if_match)
            .body(body)
            .json()
            .await
    }

    /// Moves its working set into its log.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_doc_prune(&self) -> Result<PmaDoc, ClientError> {
        self.post("pma_doc_prune", &["pma", "docs", "active_context", "prune"]).json().await
    }

    /// What it is shown of the hub.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_packet(&self) -> Result<String, ClientError> {
        self.get("pma_packet", &["pma", "packet"]).text().await
    }
}
