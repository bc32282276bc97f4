//! The hub's log, to be read by a cursor.

use std::sync::Arc;

use car_api::{
    Code, Event, RepoId, RunId, ThreadId,
    event::{EventCursor, Gone, GoneReason},
};
use car_store::EventQuery;
use tokio::sync::{broadcast, watch};

use crate::{Error, Hub, LiveText, Result, hub::Inner};

/// Where the snapshot is that a reader starts from whose cursor is of no use.
const SNAPSHOT: &str = "/api/v1/hub/snapshot";

/// Which events are wanted; an empty filter wants all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventFilter {
    /// Only of this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of this thread.
    pub thread: Option<ThreadId>,
    /// Only of these kinds (`EventKind::word`).
    pub kinds: Vec<String>,
}

/// What an event belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct EventPlace<'a> {
    /// The repo or worktree.
    pub repo: Option<&'a RepoId>,
    /// The run.
    pub run: Option<&'a RunId>,
    /// The thread.
    pub thread: Option<&'a ThreadId>,
}

impl<'a> EventPlace<'a> {
    /// The place of an event.
    #[must_use]
    pub fn of(event: &'a Event) -> Self {
        Self { repo: event.repo.as_ref(), run: event.run.as_ref(), thread: event.thread.as_ref() }
    }
}

impl EventFilter {
    /// Whether an event of this origin and kind is wanted.
    #[must_use]
    pub fn wants(&self, place: EventPlace<'_>, kind: &str) -> bool {
        self.repo.as_ref().is_none_or(|wanted| Some(wanted) == place.repo)
            && self.run.as_ref().is_none_or(|wanted| Some(wanted) == place.run)
            && self.thread.as_ref().is_none_or(|wanted| Some(wanted) == place.thread)
            && (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
    }

    pub(crate) fn query(&self, after: i64, limit: u32) -> EventQuery {
        let Self { repo, run, thread, kinds } = self.clone();
        EventQuery { after, limit, repo, run, thread, kinds }
    }
}

impl Hub {
    /// Events after a number, oldest first; after 0, from the oldest that is kept.
    ///
    /// # Errors
    /// The number is older than what is kept, or the database does not answer.
    pub async fn events(&self, after: i64, limit: u32, filter: &EventFilter) -> Result<Vec<Event>> {
        let query = filter.query(after, limit);
        // A commit can be read before the bell has rung for it. Who saw such an event and came back
        // with its number would be ahead of the log.
        let newest = *self.inner.store.bell().borrow();
        let mut events = match self.rights.reach.is_hub() {
            true => self.inner.store.events(&query).await?,
            false => self.reached_events(query).await?,
        };
        events.truncate(events.partition_point(|event| event.seq <= newest));
        // In this order: what went before the reading began is seen here.
        if after > 0 && self.inner.store.gone() > after {
            return Err(self.gone(GoneReason::TooOld));
        }
        Ok(events)
    }

    /// The number to go on after, for a reader that comes with a cursor.
    ///
    /// # Errors
    /// The cursor is not of this log, or older than what is kept.
    pub fn resume(&self, cursor: &EventCursor) -> Result<i64> {
        if cursor.epoch.as_ref().is_some_and(|epoch| *epoch != self.inner.epoch) {
            return Err(self.gone(GoneReason::OtherEpoch));
        }
        if cursor.seq > *self.inner.store.bell().borrow() {
            return Err(self.gone(GoneReason::Future));
        }
        if cursor.seq > 0 && self.inner.store.gone() > cursor.seq {
            return Err(self.gone(GoneReason::TooOld));
        }
        Ok(cursor.seq)
    }

    /// The number to go on after, for a reader that wants the last so many events that match.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn before_last(&self, count: u32, filter: &EventFilter) -> Result<i64> {
        Ok(self.inner.store.before_last(&filter.query(0, count)).await?)
    }

    fn gone(&self, reason: GoneReason) -> Error {
        let gone = self.inner.gone_now(reason);
        let what = match reason {
            GoneReason::TooOld => "Events after this cursor are no longer kept",
            GoneReason::OtherEpoch => "The cursor is of the log before the hub was restored",
            GoneReason::Future => "The cursor is ahead of this hub's log, which may be another one",
        };
        let detail = format!(
            "{what} ({} to {} are there). Read {SNAPSHOT} and go on after its `as_of`.",
            gone.oldest, gone.newest
        );
        let mut error = Error::new(Code::CursorTooOld, detail);
        error.gone = Some(Box::new(gone));
        error
    }

    /// As many events as are asked for, of those the caller's credential reaches.
    async fn reached_events(&self, mut query: EventQuery) -> Result<Vec<Event>> {
        let wanted = query.limit as usize;
        let mut reached = Vec::new();
        loop {
            let events = self.inner.store.events(&query).await?;
            let all = events.len() < query.limit as usize;
            query.after = events.last().map_or(query.after, |event| event.seq);
            let own = |event: &Event| self.reaches_event_of(EventPlace::of(event));
            reached.extend(events.into_iter().filter(own));
            if all || reached.len() >= wanted {
                reached.truncate(wanted);
                return Ok(reached);
            }
        }
    }

    /// The log's epoch: another one after the database was restored.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.inner.epoch
    }

    /// The number of the newest event; changes mean "there is more", nothing else.
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<i64> {
        self.inner.store.bell()
    }

    /// Text that is being written now. Slow readers miss frames.
    #[must_use]
    pub fn live(&self) -> broadcast::Receiver<Arc<LiveText>> {
        self.inner.live.subscribe()
    }
}

impl Inner {
    fn gone_now(&self, reason: GoneReason) -> Gone {
        Gone {
            reason,
            epoch: self.epoch.clone(),
            oldest: self.store.gone() + 1,
            newest: *self.store.bell().borrow(),
            snapshot: SNAPSHOT.to_owned(),
        }
    }
}
