//! The end of the log, read and encoded once for everybody who follows it.
//!
//! Whoever finds that it does not reach to the newest event fills it, one at a time; whoever is
//! behind its beginning reads the table himself until he has caught up. It is bounded, and nothing
//! happens in it while nobody follows.

use std::{
    collections::VecDeque,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use car_api::{Event, RepoId, RunId, ThreadId, event::StreamMessage};
use car_hub::{EventFilter, EventPlace, Hub};
use tokio::sync::Mutex;

/// Events and bytes that are kept.
const MOST: usize = 4096;
const MOST_BYTES: usize = 8 << 20;

/// How much one follower is given at a time, but for one event.
pub(super) const BATCH_BYTES: usize = 128 << 10;

/// How far back a filling reaches at most.
const REACH: i64 = 500;

/// How far back followers are served from here, and how much of that is read at a time.
const FAR_BACK: i64 = 1000;
const BACK: i64 = 100;

/// How long each follower beyond `FEW` adds to the pause between two sendings, and the longest
/// pause: with very many of them, each is sent more at a time instead of more often.
const FEW: u32 = 50;
const PAUSE_EACH: Duration = Duration::from_micros(50);
const PAUSE_MOST: Duration = Duration::from_millis(50);

/// An event as it is sent, and what filters ask of it.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) seq: i64,
    repo: Option<RepoId>,
    run: Option<RunId>,
    thread: Option<ThreadId>,
    kind: &'static str,
    pub(super) text: Utf8Bytes,
}

impl Encoded {
    pub(super) fn new(event: Event) -> Self {
        let (seq, kind) = (event.seq, event.event.word());
        let (repo, run) = (event.repo.clone(), event.run.clone());
        let thread = event.thread.clone();
        let message = StreamMessage::Event { event: Box::new(event) };
        let text = serde_json::to_string(&message).unwrap_or_default().into();
        Self { seq, repo, run, thread, kind, text }
    }

    pub(super) fn passes(&self, filter: &EventFilter) -> bool {
        filter.wants(self.place(), self.kind)
    }

    /// Whether whoever acts through this handle may see it.
    pub(super) fn is_reached_by(&self, hub: &Hub) -> bool {
        hub.reaches_event_of(self.place())
    }

    fn place(&self) -> EventPlace<'_> {
        EventPlace {
            repo: self.repo.as_ref(),
            run: self.run.as_ref(),
            thread: self.thread.as_ref(),
        }
    }
}

/// The end of one hub's log.
pub(crate) struct Tail {
    ring: RwLock<Ring>,
    filling: Mutex<()>,
    followers: AtomicUsize,
}

/// The events after `after`, without a gap.
struct Ring {
    after: i64,
    events: VecDeque<Arc<Encoded>>,
    bytes: usize,
}

impl Ring {
    fn end(&self) -> i64 {
        self.events.back().map_or(self.after, |event| event.seq)
    }

    /// The event before the first.
    fn push_front(&mut self, event: Encoded) {
        self.bytes += event.text.len();
        self.after = event.seq - 1;
        self.events.push_front(Arc::new(event));
    }

    fn push(&mut self, event: Encoded) {
        self.bytes += event.text.len();
        self.events.push_back(Arc::new(event));
        while self.events.len() > MOST || (self.bytes > MOST_BYTES && self.events.len() > 1) {
            let Some(first) = self.events.pop_front() else { return };
            self.bytes -= first.text.len();
            self.after = first.seq;
        }
    }
}

/// Somebody who follows; counted as long as this is kept.
pub(super) struct Follower(Arc<Tail>);

impl Drop for Follower {
    fn drop(&mut self) {
        let left = self.0.followers.fetch_sub(1, Ordering::Relaxed) - 1;
        if left == 0 {
            // Nobody needs it; the next filling begins where the log is then.
            let mut ring = self.0.ring.write().unwrap_or_else(PoisonError::into_inner);
            let end = ring.end();
            *ring = Ring { after: end, events: VecDeque::new(), bytes: 0 };
        }
    }
}

impl Tail {
    /// An empty tail of a log that ends here.
    pub(crate) fn new(newest: i64) -> Self {
        let ring = Ring { after: newest, events: VecDeque::new(), bytes: 0 };
        Self { ring: RwLock::new(ring), filling: Mutex::new(()), followers: AtomicUsize::new(0) }
    }

    pub(super) fn follower(self: &Arc<Self>) -> Follower {
        self.followers.fetch_add(1, Ordering::Relaxed);
        Follower(Arc::clone(self))
    }

    /// How long a follower rests after a sending.
    pub(super) fn pause(&self) -> Duration {
        let followers = u32::try_from(self.followers.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        PAUSE_EACH.saturating_mul(followers.saturating_sub(FEW)).min(PAUSE_MOST)
    }

    /// Up to so many events after a number; nothing when it is before what is kept here. Whoever
    /// does not get rid of them keeps them from going, so there are few of them when they are
    /// large.
    pub(super) fn after(&self, cursor: i64, limit: usize) -> Option<Vec<Arc<Encoded>>> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let skip = usize::try_from(cursor.checked_sub(ring.after)?).ok()?;
        let mut bytes = 0;
        let few = |event: &&Arc<Encoded>| {
            let room = bytes < BATCH_BYTES;
            bytes += event.text.len();
            room
        };
        Some(ring.events.iter().skip(skip).take(limit).take_while(few).cloned().collect())
    }

    /// Reads back, so that whoever is here finds what follows; whether it reaches that far. After
    /// a restart all followers come back with cursors that lie close together: they are served by
    /// one reading.
    pub(super) async fn reach_back(&self, hub: &Hub, cursor: i64) -> car_hub::Result<bool> {
        let _one_at_a_time = self.filling.lock().await;
        loop {
            let (after, room) = {
                let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
                let room = ring.events.len() < MOST / 2 && ring.bytes < MOST_BYTES / 2;
                (ring.after, room)
            };
            if cursor >= after {
                return Ok(true);
            }
            if !room || after - cursor > FAR_BACK {
                return Ok(false);
            }
            let from = (after - BACK).max(0);
            let limit = u32::try_from(after - from).unwrap_or_default();
            let Ok(events) = hub.events(from, limit, &EventFilter::default()).await else {
                // So far back nothing is kept; whether that matters is seen by the cursor.
                return Ok(false);
            };
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            for event in events.into_iter().rev() {
                if event.seq == ring.after {
                    ring.push_front(Encoded::new(event));
                }
            }
            if ring.after == after {
                return Ok(false);
            }
        }
    }

    /// Reads on, up to this number at least.
    pub(super) async fn fill(&self, hub: &Hub, newest: i64) -> car_hub::Result<()> {
        let _one_at_a_time = self.filling.lock().await;
        let mut end = self.ring.read().unwrap_or_else(PoisonError::into_inner).end();
        while end < newest {
            let from = end.max(newest - REACH);
            let limit = u32::try_from(REACH).unwrap_or(u32::MAX);
            let events = hub.events(from, limit, &EventFilter::default()).await?;
            let encoded: Vec<Encoded> = events.into_iter().map(Encoded::new).collect();
            let Some(last) = encoded.last().map(|event| event.seq) else { return Ok(()) };
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            if from > ring.end() {
                *ring = Ring { after: from, events: VecDeque::new(), bytes: 0 };
            }
            for event in encoded {
                ring.push(event);
            }
            end = last;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use car_api::{EventKind, Timestamp};

    use super::*;

    fn event(seq: i64) -> Encoded {
        let at = Timestamp::from_secs(0);
        let event = EventKind::RunCreated;
        Encoded::new(Event { seq, at, repo: None, run: None, thread: None, event })
    }

    #[test]
    fn the_tail_gives_what_follows_and_says_when_it_does_not_reach_back() {
        let tail = Arc::new(Tail::new(5));
        let seqs = |cursor, limit| -> Option<Vec<i64>> {
            Some(tail.after(cursor, limit)?.iter().map(|event| event.seq).collect())
        };
        assert_eq!(seqs(5, 10), Some(vec![]));
        assert_eq!(seqs(4, 10), None);
        let follower = tail.follower();
        for seq in 6..=9 {
            tail.ring.write().unwrap().push(event(seq));
        }
        assert_eq!(seqs(5, 10), Some(vec![6, 7, 8, 9]));
        assert_eq!(seqs(6, 2), Some(vec![7, 8]));
        assert_eq!(seqs(9, 2), Some(vec![]));
        tail.ring.write().unwrap().push_front(event(5));
        assert_eq!((seqs(4, 2), seqs(3, 2)), (Some(vec![5, 6]), None));
        for seq in 10..6 + 2 * i64::try_from(MOST).unwrap() {
            tail.ring.write().unwrap().push(event(seq));
        }
        assert_eq!(seqs(9, 1), None);
        assert_eq!(tail.ring.read().unwrap().events.len(), MOST);
        drop(follower);
        assert!(tail.ring.read().unwrap().events.is_empty());
    }
}
