//! The audit chain.

use car_api::{
    Page, PageQuery, Timestamp,
    audit::{AuditHead, AuditLine, AuditReport},
};

use super::Client;
use crate::ClientError;

/// Which lines of the audit chain are wanted; an empty filter wants all.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only of this actor, by id or kind.
    pub actor: Option<String>,
    /// Only of this verb.
    pub verb: Option<String>,
    /// Only to this object.
    pub object: Option<String>,
    /// Only from this time on.
    pub since: Option<Timestamp>,
}

impl Client {
    /// A page of what was done, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit_list(
        &self,
        filter: &AuditFilter,
        page: &PageQuery,
    ) -> Result<Page<AuditLine>, ClientError> {
        self.get("audit_list", &["audit"])
            .query("actor", filter.actor.as_ref())
            .query("verb", filter.verb.as_ref())
            .query("object", filter.object.as_ref())
            .query("since", filter.since)
            .page(page)
            .json()
            .await
    }

    /// The end of the audit chain, or where it ended with a line.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit_head(&self, line: Option<i64>) -> Result<AuditHead, ClientError> {
        self.get("audit_head", &["audit", "head"]).query("line", line).json().await
    }

    /// Walks the audit chain, and looks whether a head that was kept is part of it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit_verify(&self, kept: Option<&AuditHead>) -> Result<AuditReport, ClientError> {
        self.get("audit_verify", &["audit", "verify"])
            .query("kept", kept.map(|kept| format!("{}-{}", kept.seq, kept.hash)))
            .json()
            .await
    }
}
