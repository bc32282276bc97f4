//! What waits for a person.

use car_api::{
    InboxItemId, Page, PageQuery, RepoId, RunId,
    inbox::{InboxAct, InboxCounts, InboxItem, InboxKind, InboxSeen, InboxView},
};

use super::Client;
use crate::ClientError;

/// Which items of the inbox are wanted; an empty filter wants all that wait.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// Which part of it.
    pub status: InboxView,
    /// Only what is about this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only what is about this run.
    pub run: Option<RunId>,
    /// Only of this kind.
    pub kind: Option<InboxKind>,
}

impl Client {
    /// A page of the inbox.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn inbox_list(
        &self,
        filter: &InboxFilter,
        page: &PageQuery,
    ) -> Result<Page<InboxItem>, ClientError> {
        self.get("inbox_list", &["inbox"])
            .query("status", Some(filter.status))
            .query("repo", filter.repo.as_ref())
            .query("run", filter.run.as_ref())
            .query("kind", filter.kind)
            .page(page)
            .json()
            .await
    }

    /// How many items wait.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn inbox_counts(&self) -> Result<InboxCounts, ClientError> {
        self.get("inbox_counts", &["inbox", "counts"]).json().await
    }

    /// A person has seen these.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn inbox_seen(&self, body: &InboxSeen) -> Result<InboxCounts, ClientError> {
        self.post("inbox_seen", &["inbox", "seen"]).body(body).json().await
    }

    /// One item.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn inbox_get(&self, item: &InboxItemId) -> Result<InboxItem, ClientError> {
        self.get("inbox_get", &["inbox", item.as_str()]).json().await
    }

    /// Does one of an item's actions.
    ///
    /// # Errors
    /// `not_found`; `illegal_transition` when it waits no longer; `unprocessable` for an action it
    /// does not have; what the action itself may give.
    pub async fn inbox_act(
        &self,
        item: &InboxItemId,
        body: &InboxAct,
    ) -> Result<InboxItem, ClientError> {
        self.post("inbox_act", &["inbox", item.as_str(), "act"]).body(body).json().await
    }
}
