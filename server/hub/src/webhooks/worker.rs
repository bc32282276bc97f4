//! One webhook's work: events join its ledger, what is due is sent, what came of it is noted.
//!
//! The cursor and the lines it gave rise to are one commit, so no event is left out and none gets
//! two ids. What came of an attempt is noted after it: a hub that dies in between sends the same
//! bytes with the same id once more.

use std::{sync::Arc, time::Duration};

use car_api::{
    DeliveryId, Event, EventKind, Timestamp,
    webhook::{DeliveryStatus, WebhookDelivery, WebhookPayload},
};
use car_store::{DeliveryRow, WebhookRow, Write};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::retry;
use crate::{
    Channel, Error, EventFilter, Message, Result, channel::Outcome, clock, hub::Inner,
    sender::Sender,
};

/// So many lines may wait; events after them wait in the log.
pub(super) const MOST_PENDING: u32 = 1000;

/// Events that are looked at at a time.
const BATCH: u32 = 200;

/// Attempts made at once, while the address answers.
const AT_ONCE: u32 = 8;

/// After so many events that do not match, the cursor is noted all the same.
const NOTED_EVERY: i64 = 256;

/// How long to rest when the database refuses.
const REST: Duration = Duration::from_secs(5);

/// The longest sleep: a clock that was set must not keep a delivery back for long.
const NAP: Duration = Duration::from_secs(3600);

/// A webhook at work.
pub(super) struct Worker {
    sender: Sender,
    wake: Arc<Notify>,
}

impl Worker {
    pub(super) fn start(hub: &Arc<Inner>, channel: Arc<dyn Channel>, row: WebhookRow) -> Self {
        let wake = Arc::new(Notify::new());
        let work = Work {
            pending: row.webhook.pending,
            noted: row.webhook.cursor,
            cursor: row.webhook.cursor,
            misses: 0,
            rest_until: None,
            hub: Arc::clone(hub),
            channel,
            row,
        };
        let woken = Arc::clone(&wake);
        let sender = Sender::start(|ending| work.run(woken, ending));
        Self { sender, wake }
    }

    /// Something is due.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends the work and waits until it has.
    pub(super) async fn stop(self) {
        self.sender.stop().await;
    }
}

struct Work {
    hub: Arc<Inner>,
    channel: Arc<dyn Channel>,
    row: WebhookRow,
    /// Lines that wait.
    pending: u64,
    /// Events up to here were looked at; up to `noted` that is committed.
    cursor: i64,
    noted: i64,
    /// Rounds in a row in which nothing arrived, and until when the address is left alone then:
    /// many lines that wait must not become a storm.
    misses: u32,
    rest_until: Option<Timestamp>,
}

impl Work {
    /// Works until the webhook is turned off.
    async fn run(mut self, wake: Arc<Notify>, ending: CancellationToken) {
        let mut bell = self.hub.store.bell();
        while !ending.is_cancelled() {
            let newest = *bell.borrow_and_update();
            match self.round(newest).await {
                Ok(Round::Again) => {}
                Ok(Round::Over) => return,
                Ok(Round::Until(next)) => {
                    let nap = next.map_or(NAP, |at| clock::until(at).min(NAP));
                    tokio::select! {
                        () = ending.cancelled() => return,
                        rung = bell.changed() => if rung.is_err() { return },
                        () = wake.notified() => self.rest_until = None,
                        () = tokio::time::sleep(nap) => {}
                    }
                }
                Err(error) => {
                    let webhook = &self.row.webhook.id;
                    tracing::warn!(%webhook, %error, "a webhook's ledger cannot be kept; trying again");
                    ending.run_until_cancelled(tokio::time::sleep(REST)).await;
                }
            }
        }
    }

    async fn round(&mut self, newest: i64) -> Result<Round> {
        let more = self.look(newest).await?;
        let resting = self.rest_until.filter(|until| *until > clock::now());
        if resting.is_some() {
            return Ok(if more { Round::Again } else { Round::Until(resting) });
        }
        let at_once = if self.row.webhook.failing_since.is_some() { 1 } else { AT_ONCE };
        let mut next = self.hub.store.next_deliveries(&self.row.webhook.id, at_once).await?;
        let now = clock::now();
        let later = next.iter().filter_map(|row| row.delivery.next_attempt_at).find(|at| *at > now);
        next.retain(|row| row.delivery.next_attempt_at.is_none_or(|at| at <= now));
        if next.is_empty() {
            return Ok(if more { Round::Again } else { Round::Until(later) });
        }
        self.send(next).await
    }

    /// Takes events into the ledger; whether there may be more.
    async fn look(&mut self, newest: i64) -> Result<bool> {
        if self.cursor >= newest || self.pending >= u64::from(MOST_PENDING) {
            return Ok(false);
        }
        let wanted = &self.row.webhook.filter;
        let filter = EventFilter {
            repo: wanted.repo.clone(),
            run: wanted.run.clone(),
            thread: None,
            kinds: wanted.kinds.clone(),
        };
        let events = self.hub.store.events(&filter.query(self.cursor, BATCH)).await?;
        let full = events.len() >= BATCH as usize;
        // A batch that is not full reached the end as it was before.
        let end = if full { 0 } else { newest };
        let cursor = events.last().map_or(self.cursor, |event| event.seq).max(end);
        let count = events.len() as u64;
        if count > 0 || cursor - self.noted >= NOTED_EVERY {
            let mut writes = Vec::with_capacity(events.len() + 1);
            for event in events {
                writes.push(Write::Delivery(Box::new(self.line(event)?)));
            }
            let webhook = self.row.webhook.id.clone();
            writes.push(Write::WebhookCursor { webhook, cursor });
            self.hub.store.commit(writes).await?;
            self.noted = cursor;
        }
        self.cursor = cursor;
        self.pending += count;
        Ok(full)
    }

    fn line(&self, event: Event) -> Result<DeliveryRow> {
        let now = clock::now();
        let kind = event.event.word();
        let seq = event.seq;
        let payload =
            WebhookPayload { r#type: kind.to_owned(), timestamp: event.at, data: Some(event) };
        Ok(DeliveryRow {
            delivery: WebhookDelivery {
                id: DeliveryId::generate(),
                webhook: self.row.webhook.id.clone(),
                seq: Some(seq),
                kind: kind.to_owned(),
                status: DeliveryStatus::Pending,
                attempts: 0,
                created_at: now,
                last_attempt_at: None,
                last_status: None,
                last_error: None,
                next_attempt_at: Some(now),
            },
            body: serde_json::to_string(&payload).map_err(Error::internal)?,
        })
    }

    /// Makes the attempts that are due and notes what came of them.
    async fn send(&mut self, mut due: Vec<DeliveryRow>) -> Result<Round> {
        let (channel, row) = (self.channel.as_ref(), &self.row);
        let attempts = due.iter_mut().map(|line| attempt(channel, row, line));
        let outcomes = futures_util::future::join_all(attempts).await;
        let config = self.hub.config.webhooks;
        let mut writes = Vec::with_capacity(due.len() + 2);
        let (mut arrived, mut unwanted, mut ended) = (false, false, 0);
        let first = Duration::from_millis(config.retry_first_ms);
        let mut asked_longest = None;
        for (mut line, outcome) in due.into_iter().zip(outcomes) {
            let delivery = &mut line.delivery;
            match outcome {
                Outcome::Arrived => {
                    arrived = true;
                    delivery.status = DeliveryStatus::Delivered;
                    delivery.next_attempt_at = None;
                }
                Outcome::Unwanted => {
                    unwanted = true;
                    delivery.status = DeliveryStatus::Failed;
                    delivery.next_attempt_at = None;
                }
                Outcome::Missed(_) if delivery.attempts >= config.max_attempts => {
                    delivery.status = DeliveryStatus::Failed;
                    delivery.next_attempt_at = None;
                }
                Outcome::Missed(asked) => {
                    asked_longest = asked_longest.max(asked);
                    let wait = retry::delay(first, delivery.attempts, retry::chance(), asked);
                    delivery.next_attempt_at = Some(after(wait));
                }
            }
            ended += u64::from(delivery.status != DeliveryStatus::Pending);
            writes.push(Write::Delivery(Box::new(line)));
        }
        let webhook = &mut self.row.webhook;
        let before = webhook.clone();
        if arrived {
            webhook.failing_since = None;
            (self.misses, self.rest_until) = (0, None);
        } else {
            self.misses = self.misses.saturating_add(1);
            let wait = retry::delay(first, self.misses, retry::chance(), asked_longest);
            self.rest_until = Some(after(wait));
        }
        if !arrived && webhook.failing_since.is_none() {
            webhook.failing_since = Some(clock::now());
        }
        if let Some(reason) = give_up(webhook.failing_since, unwanted, config.disable_after_s) {
            webhook.enabled = false;
            webhook.disabled_reason = Some(reason.clone());
            let kind = EventKind::WebhookDisabled {
                webhook: webhook.id.clone(),
                description: webhook.description.clone(),
                reason,
            };
            let (at, repo, run) = (clock::now(), None, None);
            writes.push(Write::Event { at, repo, run, thread: None, kind: Box::new(kind) });
        }
        let over = !webhook.enabled;
        if *webhook != before {
            writes.push(Write::Webhook(Box::new(self.row.clone())));
        }
        self.hub.store.commit(writes).await?;
        self.pending = self.pending.saturating_sub(ended);
        Ok(if over { Round::Over } else { Round::Again })
    }
}

/// What is to be done after a round.
enum Round {
    Again,
    /// Nothing until then, or until something happens.
    Until(Option<Timestamp>),
    /// The webhook was turned off.
    Over,
}

/// Why a webhook is turned off, if it is.
fn give_up(since: Option<Timestamp>, unwanted: bool, after_s: u64) -> Option<String> {
    if unwanted {
        return Some("The address answered 410: it wants no more events.".to_owned());
    }
    let seconds = clock::now().millis_since(since?) / 1000;
    let long = u64::try_from(seconds).is_ok_and(|seconds| seconds >= after_s);
    long.then(|| format!("Nothing arrived for {seconds} s; see its deliveries for the reasons."))
}

/// Makes one attempt and notes it in the line.
pub(super) async fn attempt(
    channel: &dyn Channel,
    row: &WebhookRow,
    line: &mut DeliveryRow,
) -> Outcome {
    let now = clock::now();
    let old = row.secrets.old.clone().filter(|_| row.webhook.old_secret_until > Some(now));
    let message = Message {
        id: line.delivery.id.to_string(),
        at: now,
        to: row.webhook.url.clone(),
        secrets: std::iter::once(row.secrets.present.clone()).chain(old).collect(),
        body: line.body.clone(),
    };
    let sent = channel.send(&message).await;
    let delivery = &mut line.delivery;
    delivery.attempts = delivery.attempts.saturating_add(1);
    delivery.last_attempt_at = Some(now);
    let (outcome, status, error) = sent.outcome();
    (delivery.last_status, delivery.last_error) = (status, error);
    outcome
}

fn after(wait: Duration) -> Timestamp {
    clock::now().plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}
