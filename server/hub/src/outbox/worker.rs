//! One channel's work: what is due is sent, one at a time, and what came of it is noted.
//!
//! What came of an attempt is noted after it: a hub that dies in between sends the same bytes with
//! the same id once more. What was resolved before it left does not leave: its line is obsolete in
//! the transaction that resolved it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use car_api::{
    Timestamp,
    notification::{
        ChannelKind, Notification, NotificationData, NotificationDelivery, NotificationPayload,
        NotificationStatus,
    },
};
use car_store::{ChannelRow, Write};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::quiet_until;
use crate::{
    Channel, Error, Message, Result, channel::Outcome, clock, hub::Inner, inbox::derive,
    sender::Sender, webhooks::retry,
};

/// Time in which so many are sent at most, in milliseconds.
const WINDOW_MS: i64 = 60_000;

/// How long to rest when the database refuses.
const REST: Duration = Duration::from_secs(5);

/// The longest sleep: a clock that was set must not keep a notification back for long.
const NAP: Duration = Duration::from_secs(600);

/// A channel at work.
pub(super) struct Worker {
    sender: Sender,
    anew: Arc<Notify>,
}

impl Worker {
    pub(super) fn start(hub: &Arc<Inner>, carrier: Arc<dyn Channel>, row: ChannelRow) -> Self {
        let anew = Arc::new(Notify::new());
        let work = |ending| Work {
            hub: Arc::clone(hub),
            carrier,
            row,
            ending,
            anew: Arc::clone(&anew),
            sent: VecDeque::new(),
            misses: 0,
            rest_until: None,
        };
        let sender = Sender::start(|ending| work(ending).run());
        Self { sender, anew }
    }

    /// A channel that is left alone for a while is tried at once all the same.
    pub(super) fn begin_anew(&self) {
        self.anew.notify_one();
    }

    /// Ends the work and waits until it has.
    pub(super) async fn stop(self) {
        self.sender.stop().await;
    }
}

struct Work {
    hub: Arc<Inner>,
    carrier: Arc<dyn Channel>,
    row: ChannelRow,
    ending: CancellationToken,
    anew: Arc<Notify>,
    /// When attempts were made lately, oldest first.
    sent: VecDeque<Timestamp>,
    /// Attempts in a row that did not arrive, and until when the channel is left alone then.
    misses: u32,
    rest_until: Option<Timestamp>,
}

/// What is to be done after a round.
enum Round {
    Again,
    /// Nothing until then, or until something is to be sent.
    Until(Option<Timestamp>),
    /// Nothing until then, whatever is to be sent.
    KeptBack(Timestamp),
    /// The channel was turned off.
    Over,
}

impl Work {
    /// Works until the channel is turned off.
    async fn run(mut self) {
        let most = self.hub.config.notifications.per_minute;
        match self.hub.store.last_attempts(&self.row.channel.id, most).await {
            Ok(times) => self.sent = times.into_iter().rev().collect(),
            Err(error) => tracing::warn!(%error, "a channel's ledger cannot be read"),
        }
        let mut outbox = self.hub.store.outbox();
        while !self.ending.is_cancelled() {
            outbox.mark_unchanged();
            let (nap, listens) = match self.round().await {
                Ok(Round::Again) => continue,
                Ok(Round::Over) => return,
                Ok(Round::Until(next)) => (next.map_or(NAP, clock::until), true),
                Ok(Round::KeptBack(until)) => (clock::until(until), false),
                Err(error) => {
                    let channel = &self.row.channel.id;
                    tracing::warn!(%channel, %error, "a channel's ledger cannot be kept; trying again");
                    (REST, false)
                }
            };
            tokio::select! {
                () = self.ending.cancelled() => return,
                () = self.anew.notified() => (self.misses, self.rest_until) = (0, None),
                rung = outbox.changed(), if listens => if rung.is_err() { return },
                () = tokio::time::sleep(nap.min(NAP)) => {}
            }
        }
    }

    async fn round(&mut self) -> Result<Round> {
        let now = clock::now();
        let kept_back =
            [quiet_until(&self.row.channel, now), self.rest_until, self.full_until(now)];
        if let Some(until) = kept_back.into_iter().flatten().filter(|until| *until > now).max() {
            return Ok(Round::KeptBack(until));
        }
        let id = &self.row.channel.id;
        let next = self.hub.store.next_notifications(id, 1).await?.into_iter().next();
        let Some(next) = next else { return Ok(Round::Until(None)) };
        let Some(notification) = self.hub.store.notification(&next).await? else {
            return Ok(Round::Until(None));
        };
        let line = notification.deliveries.iter().find(|line| line.channel == *id).cloned();
        let Some(line) = line.filter(|line| line.status == NotificationStatus::Pending) else {
            return Ok(Round::Again);
        };
        if let Some(later) = line.next_attempt_at.filter(|at| *at > now) {
            return Ok(Round::Until(Some(later)));
        }
        self.send(&notification, line).await
    }

    /// When one more may be sent, when so many were sent lately that none may be now.
    fn full_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        while let Some(first) = self.sent.front()
            && now.millis_since(*first) >= WINDOW_MS
        {
            self.sent.pop_front();
        }
        let most = usize::try_from(self.hub.config.notifications.per_minute).unwrap_or(usize::MAX);
        if self.sent.len() < most {
            return None;
        }
        self.sent.front().map(|first| first.plus_millis(WINDOW_MS))
    }

    async fn send(
        &mut self,
        notification: &Notification,
        mut line: NotificationDelivery,
    ) -> Result<Round> {
        let carrier = self.carrier.as_ref();
        let outcome = attempt(&self.hub, carrier, &self.row, notification, &mut line).await?;
        let now = clock::now();
        self.sent.push_back(now);
        let config = self.hub.config.notifications;
        let first = Duration::from_millis(config.retry_first_ms);
        let arrived = outcome == Outcome::Arrived;
        match outcome {
            Outcome::Arrived => {
                line.status = NotificationStatus::Delivered;
                line.delivered_at = Some(now);
                line.next_attempt_at = None;
                (self.misses, self.rest_until) = (0, None);
            }
            Outcome::Missed(asked) if line.attempts < config.max_attempts => {
                let wait = retry::delay(first, line.attempts, retry::chance(), asked);
                line.next_attempt_at = Some(after(wait));
                self.rest(first, asked);
            }
            Outcome::Missed(asked) => {
                line.status = NotificationStatus::Failed;
                line.next_attempt_at = None;
                self.rest(first, asked);
            }
            Outcome::Unwanted => {
                line.status = NotificationStatus::Failed;
                line.next_attempt_at = None;
                self.row.channel.enabled = false;
            }
        }
        let mut writes = Vec::new();
        let channel = &mut self.row.channel;
        let since = if arrived { None } else { channel.failing_since.or(Some(now)) };
        if since != channel.failing_since {
            channel.failing_since = since;
            writes.push(Write::ChannelFailing(channel.id.clone(), since));
        }
        let over = !channel.enabled;
        if over {
            writes.push(Write::Channel(Box::new(self.row.clone())));
        }
        if arrived {
            let subject = derive::channel(&self.row.channel.id);
            writes.push(derive::nothing(subject, now, Some("Notifications arrive again.")));
        } else if line.status == NotificationStatus::Failed {
            let why = line.last_error.as_deref().unwrap_or_default();
            let change = derive::delivery_failed(&self.row.channel, notification, why, now);
            writes.push(change);
        }
        writes.insert(0, Write::NotificationAttempt(notification.id.clone(), Box::new(line)));
        self.hub.store.commit(writes).await?;
        Ok(if over { Round::Over } else { Round::Again })
    }

    /// A channel that does not answer is left alone for a while: many notifications that wait must
    /// not become a storm.
    fn rest(&mut self, first: Duration, asked: Option<Duration>) {
        self.misses = self.misses.saturating_add(1);
        self.rest_until = Some(after(retry::delay(first, self.misses, retry::chance(), asked)));
    }
}

/// Makes one attempt and notes it in the line.
pub(super) async fn attempt(
    hub: &Inner,
    carrier: &dyn Channel,
    row: &ChannelRow,
    notification: &Notification,
    line: &mut NotificationDelivery,
) -> Result<Outcome> {
    let now = clock::now();
    let message = Message {
        id: notification.id.to_string(),
        at: now,
        to: row.address.clone(),
        secrets: row.secrets.clone(),
        body: match row.channel.kind {
            ChannelKind::Webhook => body(notification)?,
            ChannelKind::WebPush => hub.push_payload(row, notification).await?,
        },
    };
    let sent = carrier.send(&message).await;
    line.attempts = line.attempts.saturating_add(1);
    line.last_attempt_at = Some(now);
    let (outcome, _, error) = sent.outcome();
    line.last_error = error;
    Ok(outcome)
}

/// What is sent: the same however often, since it is made of what never changes.
fn body(one: &Notification) -> Result<String> {
    let payload = NotificationPayload {
        r#type: "notification".to_owned(),
        timestamp: one.created_at,
        data: NotificationData {
            id: one.id.clone(),
            kind: one.kind,
            title: one.title.clone(),
            line: one.line.clone(),
            actions: one.actions.clone(),
            item: one.item.clone(),
            repo: one.repo.clone(),
            run: one.run.clone(),
            thread: one.thread.clone(),
        },
    };
    serde_json::to_string(&payload).map_err(Error::internal)
}

fn after(wait: Duration) -> Timestamp {
    clock::now().plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}
