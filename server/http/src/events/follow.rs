//! Reading the log from a cursor, for as long as somebody listens.
//!
//! The hub's bell says only "there is more"; what there is comes from the table, by way of the tail
//! that all followers share. So a slow client delays nobody, one that comes back with its last
//! number misses nothing, and what a client costs is bounded.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use car_api::{
    Code, RunId, ThreadId,
    event::{Gone, LiveFrame, StreamMessage},
};
use car_hub::{EventFilter, Hub, LiveText};
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    From, Wanted, begin,
    tail::{BATCH_BYTES, Encoded, Follower, Tail},
};
use crate::{App, caller::Caller, metrics::OpenStream, problem::ApiError};

/// How many events are read, and messages sent, at a time.
const BATCH: usize = 200;

/// How many events are read from the table at a time, first and at most: as many as are not too
/// large together.
const READ_FIRST: usize = 16;
const READ_MOST: usize = 512;

/// How often something is sent when there is nothing to say.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(20);

/// One message to send.
pub(super) struct Piece {
    /// The number of the event, or of the place the client is at now.
    pub(super) seq: Option<i64>,
    pub(super) text: Utf8Bytes,
}

/// Why a stream ends.
pub(super) enum End {
    /// The service is closing.
    Closing,
    /// The token was deleted or ran out.
    Revoked,
    /// The log cannot be read from where the client is.
    Gone(Gone),
    /// The hub could not read its log.
    Failed,
}

/// One client's reading of the log.
pub(super) struct Follow {
    /// The hub as the caller reaches it.
    hub: Hub,
    /// The hub without limits: what is shared by all followers is read through it.
    all: Hub,
    caller: Caller,
    from: From,
    filter: EventFilter,
    /// Everything up to here was read; what was read and not yet sent is in `queue`. None until
    /// the reading began.
    cursor: Option<i64>,
    queue: VecDeque<Arc<Encoded>>,
    /// How many events are read from the table next.
    read_next: usize,
    /// The cursor when the client was last told it has everything.
    told: Option<i64>,
    bell: watch::Receiver<i64>,
    tail: Arc<Tail>,
    live: Option<broadcast::Receiver<Arc<LiveText>>>,
    /// Whether the text of a run is wanted, as far as that was looked up.
    runs: HashMap<RunId, bool>,
    /// The same of threads.
    threads: HashMap<ThreadId, bool>,
    heartbeat: Interval,
    /// When the next batch may be given at the earliest.
    rest_until: Instant,
    revoked: watch::Receiver<u64>,
    closing: CancellationToken,
    /// Counted among the followers as long as it lives.
    _follower: Follower,
    _counted: OpenStream,
}

impl Follow {
    pub(super) fn new(app: &App, caller: Caller, wanted: Wanted) -> Self {
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            hub: caller.acting(),
            all: app.hub.clone(),
            caller,
            from: wanted.from,
            filter: wanted.filter,
            cursor: None,
            queue: VecDeque::new(),
            read_next: READ_FIRST,
            told: None,
            bell: app.hub.bell(),
            tail: Arc::clone(&app.tail),
            live: None,
            runs: HashMap::new(),
            threads: HashMap::new(),
            heartbeat,
            revoked: app.hub.revocations(),
            rest_until: Instant::now(),
            closing: app.closing.token.clone(),
            _follower: app.tail.follower(),
            _counted: app.metrics.stream(),
        }
    }

    /// Where the client would go on: everything up to here was handed out or passed over.
    pub(super) fn cursor(&self) -> String {
        let read = self.cursor.unwrap_or_default();
        let seq = self.queue.front().map_or(read, |event| event.seq - 1);
        self.cursor_at(seq)
    }

    /// A place as a cursor that is of this log alone.
    pub(super) fn cursor_at(&self, seq: i64) -> String {
        format!("{}-{seq}", self.hub.epoch())
    }

    /// Finds where to begin, so that a cursor that is of no use can still be answered plainly.
    pub(super) async fn begin(&mut self) -> Result<(), ApiError> {
        if self.cursor.is_none() {
            self.cursor = Some(begin(&self.hub, &self.from, &self.filter).await?);
        }
        Ok(())
    }

    /// The next messages to send, at least one, or none as a sign of life. May be dropped and
    /// called again: nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Vec<Piece>, End> {
        if self.rest_until > Instant::now() {
            sleep_until(self.rest_until).await;
        }
        let pieces = self.gather().await?;
        self.rest_until = Instant::now() + self.tail.pause();
        Ok(pieces)
    }

    async fn gather(&mut self) -> Result<Vec<Piece>, End> {
        loop {
            if self.closing.is_cancelled() {
                return Err(End::Closing);
            }
            if self.revoked.has_changed().unwrap_or(false) {
                self.revoked.mark_unchanged();
                self.check_caller()?;
            }
            if !self.queue.is_empty() {
                let piece =
                    |event: Arc<Encoded>| Piece { seq: Some(event.seq), text: event.text.clone() };
                return Ok(self.queue.drain(..).map(piece).collect());
            }
            let cursor = match self.cursor {
                Some(cursor) => cursor,
                None => {
                    let found = begin(&self.hub, &self.from, &self.filter).await;
                    *self.cursor.insert(found.map_err(ended)?)
                }
            };
            let newest = *self.bell.borrow_and_update();
            if cursor < newest {
                self.read(cursor, newest).await.map_err(ended)?;
                continue;
            }
            if self.told.is_none() {
                return Ok(vec![self.caught_up(cursor)]);
            }
            if let Some(pieces) = self.wait(cursor).await? {
                return Ok(pieces);
            }
        }
    }

    /// Fills the queue with what follows the cursor.
    async fn read(&mut self, cursor: i64, newest: i64) -> car_hub::Result<()> {
        let events = match self.tail.after(cursor, BATCH) {
            Some(events) if events.is_empty() => return self.tail.fill(&self.all, newest).await,
            Some(events) => events,
            None if self.tail.reach_back(&self.all, cursor).await? => return Ok(()),
            None => return self.catch_up(cursor, newest).await,
        };
        self.cursor = events.last().map(|event| event.seq).or(self.cursor);
        let (filter, hub) = (&self.filter, &self.hub);
        let passes = |event: &Arc<Encoded>| event.passes(filter) && event.is_reached_by(hub);
        self.queue.extend(events.into_iter().filter(passes));
        Ok(())
    }

    /// The same from the table, for a client that is further behind than the tail reaches.
    async fn catch_up(&mut self, cursor: i64, newest: i64) -> car_hub::Result<()> {
        let limit = u32::try_from(self.read_next).unwrap_or(u32::MAX);
        let events = self.hub.events(cursor, limit, &self.filter).await?;
        // A batch that is not full reached the end as it was before: events up to there that are
        // missing do not match.
        let end = if events.len() < self.read_next { newest } else { 0 };
        self.cursor = Some(events.last().map_or(cursor, |event| event.seq).max(end));
        self.queue.extend(events.into_iter().map(|event| Arc::new(Encoded::new(event))));
        let bytes: usize = self.queue.iter().map(|event| event.text.len()).sum();
        self.read_next = match bytes {
            0..BATCH_BYTES => (self.read_next * 2).min(READ_MOST),
            _ => (self.read_next / 2).max(1),
        };
        Ok(())
    }

    /// Everything was sent; live text begins here.
    fn caught_up(&mut self, cursor: i64) -> Piece {
        if self.told.is_none() && self.filter.kinds.is_empty() {
            self.live = Some(self.hub.live());
        }
        self.told = Some(cursor);
        let epoch = self.hub.epoch().to_owned();
        message(Some(cursor), &StreamMessage::CaughtUp { seq: cursor, epoch })
    }

    /// Waits until there is more to read (`None`) or something else to send.
    async fn wait(&mut self, cursor: i64) -> Result<Option<Vec<Piece>>, End> {
        tokio::select! {
            () = self.closing.cancelled() => Err(End::Closing),
            rung = self.bell.changed() => match rung {
                Ok(()) => Ok(None),
                Err(_) => Err(End::Closing),
            },
            _ = self.revoked.changed() => {
                self.check_caller()?;
                Ok(None)
            }
            first = next_frame(&mut self.live) => {
                let frames = self.frames(first).await;
                Ok((!frames.is_empty()).then_some(frames))
            }
            _ = self.heartbeat.tick() => {
                self.check_caller()?;
                let moved = self.told.is_some_and(|told| told < cursor);
                Ok(Some(if moved { vec![self.caught_up(cursor)] } else { Vec::new() }))
            }
        }
    }

    /// A live frame and those that came with it.
    async fn frames(&mut self, first: Arc<LiveText>) -> Vec<Piece> {
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(frame) = next {
            if self.wants(&frame.frame).await
                && let Ok(text) = Utf8Bytes::try_from(frame.json())
            {
                pieces.push(Piece { seq: None, text });
            }
            bytes += frame.frame.text.len();
            if pieces.len() >= BATCH || bytes >= BATCH_BYTES {
                break;
            }
            next = self.live.as_mut().and_then(|live| live.try_recv().ok());
        }
        pieces
    }

    fn check_caller(&self) -> Result<(), End> {
        if self.caller.stands() { Ok(()) } else { Err(End::Revoked) }
    }

    /// Whether a frame passes the filter. It does not carry its repo, so the first frame of each run
    /// and thread costs a look.
    async fn wants(&mut self, frame: &LiveFrame) -> bool {
        let EventFilter { run, thread, .. } = &self.filter;
        if run.is_some() && *run != frame.run || thread.is_some() && *thread != frame.thread {
            return false;
        }
        match (&frame.run, &frame.thread) {
            (Some(run), _) => self.wants_run(run).await,
            (None, Some(thread)) => self.wants_thread(thread).await,
            (None, None) => false,
        }
    }

    async fn wants_thread(&mut self, thread: &ThreadId) -> bool {
        let limited = !self.hub.rights().reach.is_hub();
        if self.filter.repo.is_none() && !limited {
            return true;
        }
        if let Some(wanted) = self.threads.get(thread) {
            return *wanted;
        }
        let repo = self.filter.repo.as_ref();
        let key = thread.as_str();
        let wanted = self.hub.check_thread(key).await.is_ok()
            && self
                .hub
                .thread_get(key)
                .await
                .is_ok_and(|found| repo.is_none_or(|repo| found.repo.as_ref() == Some(repo)));
        self.threads.insert(thread.clone(), wanted);
        wanted
    }

    async fn wants_run(&mut self, run: &RunId) -> bool {
        let limited = !self.hub.rights().reach.is_hub();
        if self.filter.repo.is_none() && !limited {
            return true;
        }
        if let Some(wanted) = self.runs.get(run) {
            return *wanted;
        }
        let repo = self.filter.repo.as_ref();
        let wanted = self.hub.check_run(run).await.is_ok()
            && self.hub.run_get(run).await.is_ok_and(|found| repo.is_none_or(|r| *r == found.repo));
        self.runs.insert(run.clone(), wanted);
        wanted
    }
}

/// A message of the stream, encoded.
pub(super) fn message(seq: Option<i64>, message: &StreamMessage) -> Piece {
    Piece { seq, text: serde_json::to_string(message).unwrap_or_default().into() }
}

fn ended(error: car_hub::Error) -> End {
    match (error.code, error.gone) {
        (Code::CursorTooOld, Some(gone)) => End::Gone(*gone),
        (code, _) => {
            tracing::error!(%code, source = ?error.source, "the log could not be read");
            End::Failed
        }
    }
}

/// The next live frame; those that were missed are missed.
async fn next_frame(live: &mut Option<broadcast::Receiver<Arc<LiveText>>>) -> Arc<LiveText> {
    loop {
        let Some(frames) = live else { return std::future::pending().await };
        match frames.recv().await {
            Ok(frame) => return frame,
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => *live = None,
        }
    }
}
