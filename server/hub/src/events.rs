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
        if self.rights.reach.is_hub() {
            return Ok(self.inner.store.events(&query).await?);
        }
        self.reached_events(query).await
    }

    /// As many events as are asked for, of those the caller's credential reaches.
    async fn reached_events(&self, mut query: EventQuery) -> Result<Vec<Event>> {
        let wanted = query.limit as usize;
        let mut reached = Vec::new();
        loop {
            let events = self.inner.store.events(&query).await?;
            let all = events.len() < query.limit as usize;
            query.after = events.last().map_or(query.after, |event| event.seq);
            reached.extend(events.into_iter().filter(|event| self.reaches_event(event)));
            if all || reached.len() >= wanted {
                reached.truncate(wanted);
                return Ok(reached);
            }
        }
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
