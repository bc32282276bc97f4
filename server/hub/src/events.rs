//! The hub's log, to be read by a cursor.

use std::sync::Arc;

use car_api::{Event, RepoId, RunId, event::LiveFrame};
use car_store::EventQuery;
use tokio::sync::{broadcast, watch};

use crate::{Hub, Result};

/// Which events are wanted; an empty filter wants all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventFilter {
    /// Only of this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of these kinds (`EventKind::word`).
    pub kinds: Vec<String>,
}

impl Hub {
    /// Events after a cursor, oldest first.
    ///
    /// # Errors
    /// The cursor is older than what is kept, or the database does not answer.
    pub async fn events(&self, after: i64, limit: u32, filter: &EventFilter) -> Result<Vec<Event>> {
        let query = EventQuery {
            after,
            limit,
            repo: filter.repo.clone(),
            run: filter.run.clone(),
            kinds: filter.kinds.clone(),
        };
        Ok(self.inner.store.events(&query).await?)
    }

    /// The number of the newest event; changes mean "there is more", nothing else.
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<i64> {
        self.inner.store.bell()
    }

    /// Text that is being written now. Slow readers miss frames.
    #[must_use]
    pub fn live(&self) -> broadcast::Receiver<Arc<LiveFrame>> {
        self.inner.live.subscribe()
    }
}
