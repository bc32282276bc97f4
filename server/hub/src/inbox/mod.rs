//! The inbox: everything that waits for a person or went wrong, each thing once.
//!
//! What waits follows from how things stand (`derive`), is written in the commit that makes them
//! stand so, and is looked over once after a start (`reconcile`). What is done about it (`act`) goes
//! through the operations anybody can call; their commits end the item, however they were reached.

mod act;
pub(crate) mod derive;
mod reconcile;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use car_api::{
    InboxItemId, Page, PageQuery, RepoId, RunId, Timestamp,
    inbox::{InboxCounts, InboxItem, InboxKind, InboxStatus, InboxView},
    notification::{Notification, NotificationKind},
    repo::RepoStatus,
};
use car_store::{InboxEnd, InboxQuery, NotificationDraft, Write};

use crate::{Error, EventPlace, Hub, Result, clock, cursor, hub::Inner, index};

pub(crate) use reconcile::recover;

/// Which items of the inbox are wanted.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// Those that wait, unless others are asked for.
    pub view: InboxView,
    /// Only of this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of this kind.
    pub kind: Option<InboxKind>,
}

/// What the hub remembers of the inbox between two changes.
#[derive(Default)]
pub(crate) struct Inbox {
    /// What is known to be wrong with repos: only what changes is written.
    repos: Mutex<HashMap<RepoId, String>>,
    /// One act on an item at a time.
    acts: Mutex<HashMap<InboxItemId, Arc<tokio::sync::Mutex<()>>>>,
}

/// A word to the outside about something that does not wait.
pub(crate) fn plain_notification(
    dedupe_key: String,
    kind: NotificationKind,
    (title, line): (String, String),
    (repo, run): (Option<RepoId>, Option<RunId>),
    at: Timestamp,
) -> NotificationDraft {
    let notification = Notification {
        id: car_api::NotificationId::generate(),
        dedupe_key,
        kind,
        title,
        line,
        actions: Vec::new(),
        item: None,
        repo,
        run,
        thread: None,
        created_at: at,
        seen_at: None,
        acted_at: None,
        deliveries: Vec::new(),
    };
    NotificationDraft { notification, not_before: at, only: None }
}

impl Hub {
    /// A page of the inbox: what waits by rank and age, then what has ended, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn inbox_list(
        &self,
        filter: InboxFilter,
        page: PageQuery,
    ) -> Result<Page<InboxItem>> {
        let limit = index::limit(&page)?;
        let after: Option<InboxItemId> = cursor::read(&page)?;
        let after = match after {
            Some(id) => {
                let known = self.inner.store.inbox_item(&id).await?;
                Some(known.ok_or_else(cursor::unknown)?)
            }
            None => None,
        };
        let wanted = match filter.view {
            InboxView::Open => Some(InboxStatus::Open),
            InboxView::Resolved => Some(InboxStatus::Resolved),
            InboxView::Dismissed => Some(InboxStatus::Dismissed),
            InboxView::All => None,
        };
        let ended_only = matches!(filter.view, InboxView::Resolved | InboxView::Dismissed);
        let among_ended =
            ended_only || after.as_ref().is_some_and(|item| item.status != InboxStatus::Open);
        let mut query = InboxQuery {
            ended: among_ended,
            status: wanted,
            repo: filter.repo,
            run: filter.run,
            kind: filter.kind,
            after: after.map(|item| item.id),
            limit: index::more(limit),
        };
        let mut items = Vec::new();
        loop {
            let rows = self.inner.store.inbox(&query).await?;
            let all = rows.len() <= limit;
            query.after = rows.last().map(|item| item.id.clone()).or(query.after);
            items.extend(rows.into_iter().filter(|item| self.reaches_item(item)));
            if items.len() > limit {
                break;
            }
            if all && !query.ended && wanted.is_none() {
                (query.ended, query.after) = (true, None);
            } else if all {
                break;
            }
        }
        items.truncate(limit + 1);
        Ok(index::cut(items, limit, |item| item.id.to_string()))
    }

    /// One item of the inbox.
    ///
    /// # Errors
    /// See the API.
    pub async fn inbox_get(&self, item: &InboxItemId) -> Result<InboxItem> {
        let found = self.inner.store.inbox_item(item).await?;
        found
            .filter(|item| self.reaches_item(item))
            .ok_or_else(|| Error::not_found(format!("inbox item `{item}`")))
    }

    /// How many items wait.
    ///
    /// # Errors
    /// See the API.
    pub async fn inbox_counts(&self) -> Result<InboxCounts> {
        if self.rights.reach.is_hub() {
            return Ok(self.inner.store.inbox_counts().await?);
        }
        let query = InboxQuery { limit: u32::MAX, ..InboxQuery::default() };
        let mut counts = InboxCounts::default();
        for item in self.inner.store.inbox(&query).await? {
            if self.reaches_item(&item) {
                counts.open += 1;
                counts.unseen += u64::from(item.seen_at.is_none());
            }
        }
        Ok(counts)
    }

    /// A person has seen these.
    ///
    /// # Errors
    /// See the API.
    pub async fn inbox_seen(&self, items: Vec<InboxItemId>) -> Result<InboxCounts> {
        let at = clock::now();
        let mut writes = Vec::new();
        for item in &items {
            let item = self.inbox_get(item).await?;
            // What is only for information has been read then.
            if item.kind == InboxKind::Note && item.status == InboxStatus::Open {
                writes.push(Write::InboxEnd(Box::new(InboxEnd {
                    id: item.id,
                    at,
                    status: InboxStatus::Resolved,
                    action: None,
                    resolution: Some(format!("read by {}", self.actor.name)),
                })));
            }
        }
        let act = self.act("inbox_seen", "").detail(format!("{} items", items.len()));
        writes.insert(0, Write::InboxSeen(items, at));
        writes.push(act.done());
        self.inner.store.commit(writes).await?;
        self.inbox_counts().await
    }

    fn reaches_item(&self, item: &InboxItem) -> bool {
        self.reaches_event_of(EventPlace {
            repo: item.repo.as_ref(),
            run: item.run.as_ref(),
            thread: item.thread.as_ref(),
        })
    }
}

impl Inner {
    /// Whether a repo can be used may have changed.
    pub(crate) async fn repo_stands(&self, id: &RepoId) {
        let wrong = self.index.repo(id).ok().and_then(|repo| match repo.status {
            RepoStatus::Ready | RepoStatus::Uninitialized => None,
            status @ (RepoStatus::Missing | RepoStatus::Invalid) => Some(
                repo.issue.unwrap_or_else(|| format!("The directory {} is {status}.", repo.path)),
            ),
        });
        {
            let mut known = self.inbox.repos.lock().unwrap_or_else(PoisonError::into_inner);
            let same = known.get(id) == wrong.as_ref();
            if same {
                return;
            }
            match &wrong {
                Some(wrong) => known.insert(id.clone(), wrong.clone()),
                None => known.remove(id),
            };
        }
        let change = derive::repo(id, wrong.as_deref(), clock::now());
        if let Err(error) = self.store.commit(vec![change]).await {
            tracing::warn!(repo = %id, %error, "the inbox could not be written");
        }
    }
}
