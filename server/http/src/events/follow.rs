//! Reading the log from a cursor, for as long as somebody listens.
//!
//! The hub's bell says only "there is more"; what there is comes from the table. So a slow client
//! delays nobody, and one that comes back with its last number misses nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use car_api::{
    Code, Event, RunId,
    event::{LiveFrame, StreamMessage},
};
use car_hub::{EventFilter, Hub};
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

use super::Wanted;
use crate::{App, caller::Caller, metrics::OpenStream, problem::ApiError};

/// How many events are read at a time.
const BATCH: u32 = 200;

/// How often something is sent when there is nothing to say.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(20);

/// One thing to send.
pub(super) enum Step {
    Message(StreamMessage),
    Heartbeat,
}

/// Why a stream ends.
pub(super) enum End {
    /// The service is closing.
    Closing,
    /// The token was deleted or ran out.
    Revoked,
    /// The cursor is older than what is kept.
    TooOld(ApiError),
    /// The hub could not read its log.
    Failed(ApiError),
}

/// One client's reading of the log.
pub(super) struct Follow {
    hub: Hub,
    caller: Caller,
    filter: EventFilter,
    /// Everything up to here was read; what was read and not yet sent is in `queue`.
    cursor: i64,
    queue: VecDeque<Event>,
    /// The cursor when the client was last told it has everything.
    told: Option<i64>,
    started: bool,
    bell: watch::Receiver<i64>,
    live: Option<broadcast::Receiver<Arc<LiveFrame>>>,
    /// Whether the text of a run is wanted, as far as that was looked up.
    runs: HashMap<RunId, bool>,
    heartbeat: Interval,
    revoked: watch::Receiver<u64>,
    closing: CancellationToken,
    _counted: OpenStream,
}

impl Follow {
    pub(super) fn new(app: &App, caller: Caller, wanted: Wanted) -> Self {
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            hub: app.hub.clone(),
            caller,
            filter: wanted.filter,
            cursor: wanted.after,
            queue: VecDeque::new(),
            told: None,
            started: false,
            bell: app.hub.bell(),
            live: None,
            runs: HashMap::new(),
            heartbeat,
            revoked: app.revoked.subscribe(),
            closing: app.closing.token.clone(),
            _counted: app.metrics.stream(),
        }
    }

    /// Number of the last event that was handed out or passed over.
    pub(super) fn cursor(&self) -> i64 {
        self.queue.front().map_or(self.cursor, |event| event.seq - 1)
    }

    /// Reads the first events, so that a cursor that is too old can still be answered plainly.
    pub(super) async fn begin(&mut self) -> Result<(), ApiError> {
        self.read().await.map_err(|end| match end {
            End::TooOld(error) | End::Failed(error) => error,
            End::Closing | End::Revoked => ApiError::new(Code::Unavailable, "The hub is closing."),
        })
    }

    /// The next thing to send. May be dropped and called again: nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Step, End> {
        loop {
            if self.closing.is_cancelled() {
                return Err(End::Closing);
            }
            if self.revoked.has_changed().unwrap_or(false) {
                self.revoked.mark_unchanged();
                self.check_caller()?;
            }
            if let Some(event) = self.queue.pop_front() {
                return Ok(Step::Message(StreamMessage::Event { event: event.into() }));
            }
            self.read().await?;
            if !self.queue.is_empty() {
                continue;
            }
            if self.told.is_none() {
                return Ok(self.caught_up());
            }
            if let Some(step) = self.wait().await? {
                return Ok(step);
            }
        }
    }

    /// Fills the queue with what follows the cursor.
    async fn read(&mut self) -> Result<(), End> {
        let newest = *self.bell.borrow_and_update();
        if self.started && newest <= self.cursor {
            return Ok(());
        }
        let events = self.hub.events(self.cursor, BATCH, &self.filter).await.map_err(|error| {
            match error.code == Code::CursorTooOld {
                true => End::TooOld(error.into()),
                false => End::Failed(error.into()),
            }
        })?;
        self.started = true;
        // A batch that is not full reached the end as it was before: events up to there that are
        // missing do not match.
        let end = if events.len() < BATCH as usize { newest } else { 0 };
        self.cursor = events.last().map_or(self.cursor, |event| event.seq).max(end);
        self.queue.extend(events);
        Ok(())
    }

    /// Everything was sent; live text begins here.
    fn caught_up(&mut self) -> Step {
        if self.told.is_none() && self.filter.kinds.is_empty() {
            self.live = Some(self.hub.live());
        }
        self.told = Some(self.cursor);
        Step::Message(StreamMessage::CaughtUp { seq: self.cursor })
    }

    /// Waits until there is more to read (`None`) or something else to send.
    async fn wait(&mut self) -> Result<Option<Step>, End> {
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
            frame = next_frame(&mut self.live) => {
                let wanted = self.wants(&frame.run).await;
                let frame = Arc::unwrap_or_clone(frame);
                Ok(wanted.then_some(Step::Message(StreamMessage::Live { frame })))
            }
            _ = self.heartbeat.tick() => {
                self.check_caller()?;
                let moved = self.told.is_some_and(|told| told < self.cursor);
                Ok(Some(if moved { self.caught_up() } else { Step::Heartbeat }))
            }
        }
    }

    fn check_caller(&self) -> Result<(), End> {
        if self.caller.stands() { Ok(()) } else { Err(End::Revoked) }
    }

    /// Whether a run's text passes the filter. A frame does not carry its repo, so the first frame
    /// of each run costs a look.
    async fn wants(&mut self, run: &RunId) -> bool {
        if self.filter.run.as_ref().is_some_and(|wanted| wanted != run) {
            return false;
        }
        let Some(repo) = &self.filter.repo else { return true };
        if let Some(wanted) = self.runs.get(run) {
            return *wanted;
        }
        let wanted = self.hub.run_get(run).await.is_ok_and(|found| found.repo == *repo);
        self.runs.insert(run.clone(), wanted);
        wanted
    }
}

/// The next live frame; those that were missed are missed.
async fn next_frame(live: &mut Option<broadcast::Receiver<Arc<LiveFrame>>>) -> Arc<LiveFrame> {
    loop {
        let Some(frames) = live else { return std::future::pending().await };
        match frames.recv().await {
            Ok(frame) => return frame,
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => *live = None,
        }
    }
}
