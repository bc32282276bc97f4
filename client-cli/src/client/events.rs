//! The hub's log, page by page. Following it is `watch`'s.

use car_api::{Event, Page, RepoId, RunId, ThreadId, event::EventCursor};
use reqwest::Url;

use super::{Client, coverage};
use crate::ClientError;

/// Which events are wanted; an empty filter wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only of this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of this thread.
    pub thread: Option<ThreadId>,
    /// Only of these kinds, by the words of `EventKind::word`.
    pub kinds: Vec<String>,
}

impl EventFilter {
    /// Whether every event passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The value of `kind=`: one parameter, words apart by commas.
    fn kinds(&self) -> Option<String> {
        (!self.kinds.is_empty()).then(|| self.kinds.join(","))
    }
}

/// Where to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventFrom {
    /// After this event; after 0, with the oldest that is kept.
    After(EventCursor),
    /// With the last so many that match.
    Last(u32),
}

impl Client {
    /// Events after the one numbered `after`, oldest first.
    ///
    /// # Errors
    /// `cursor_too_old` when the log does not reach back that far.
    pub async fn event_list(
        &self,
        after: i64,
        limit: Option<u32>,
        filter: &EventFilter,
    ) -> Result<Page<Event>, ClientError> {
        self.event_list_from(&EventFrom::After(after.into()), limit, filter).await
    }

    /// The same from wherever is wanted.
    ///
    /// # Errors
    /// `cursor_too_old` when the log does not reach back that far, or is not the cursor's.
    pub async fn event_list_from(
        &self,
        from: &EventFrom,
        limit: Option<u32>,
        filter: &EventFilter,
    ) -> Result<Page<Event>, ClientError> {
        let (after, last) = match from {
            EventFrom::After(cursor) => (Some(cursor), None),
            EventFrom::Last(count) => (None, Some(count)),
        };
        self.get("event_list", &["events"])
            .query("after", after)
            .query("last", last)
            .query("limit", limit)
            .query("repo", filter.repo.as_ref())
            .query("run", filter.run.as_ref())
            .query("thread", filter.thread.as_ref())
            .query("kind", filter.kinds())
            .json()
            .await
    }

    /// The address of the same events as a WebSocket.
    pub(crate) fn event_socket_url(&self, after: &EventCursor, filter: &EventFilter) -> Url {
        coverage::record("event_list");
        let mut url = self.api_url(&["events"]);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("after", &after.to_string());
            if let Some(repo) = &filter.repo {
                query.append_pair("repo", repo.as_str());
            }
            if let Some(run) = &filter.run {
                query.append_pair("run", run.as_str());
            }
            if let Some(thread) = &filter.thread {
                query.append_pair("thread", thread.as_str());
            }
            if let Some(kinds) = filter.kinds() {
                query.append_pair("kind", &kinds);
            }
        }
        url
    }
}
