//! The outbox: what leaves the hub to reach a person, and what became of it on each way out.
//!
//! A notification and its lines of the ledger are written with what causes them (`car_store`
//! decides which channels want it); one worker a channel sends what is due. This is what people do
//! with channels and notifications; what is sent when is `worker.rs`.

mod quiet;
mod worker;

use std::{collections::HashMap, sync::Arc};

use car_api::{
    ChannelId, Code, DeviceId, NotificationId, Page, PageQuery, Timestamp,
    notification::{
        ChannelCreate, ChannelKind, ChannelSecret, ChannelUpdate, Notification,
        NotificationChannel, NotificationKind, NotificationStatus, QuietHours,
    },
};
use car_store::{ChannelRow, NotificationDraft, NotificationQuery, Write};
use futures_util::future::join_all;
use tokio::sync::Mutex;

use crate::{
    Channel, Error, EventPlace, Hub, Result,
    channel::Outcome,
    clock, cursor,
    hub::Inner,
    inbox::{derive, plain_notification},
    index,
    text::is_a_line,
    webhooks,
};
use worker::Worker;

/// Channels a hub has at most: each notification is written once for every one of them.
const MOST: usize = 100;

/// How long a trial is left to whoever makes it, in milliseconds, before it is sent as any other.
const TRIAL_MS: i64 = 3_600_000;

/// The workers of enabled channels. Whoever changes a channel holds the lock, with its worker
/// stopped, so that nothing it notes is overwritten.
#[derive(Default)]
pub(crate) struct Outbox {
    workers: Mutex<HashMap<ChannelId, Worker>>,
}

impl Outbox {
    /// A channel that is left alone for a while is tried at once all the same.
    async fn begin_anew(&self, id: &ChannelId) {
        if let Some(worker) = self.workers.lock().await.get(id) {
            worker.begin_anew();
        }
    }
}

/// A way out that is to be added.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// What kind of way.
    pub kind: ChannelKind,
    /// What its owner calls it.
    pub name: String,
    /// Where to, for people: without anything secret.
    pub target: String,
    /// Where to, as whatever carries messages there takes it.
    pub address: String,
    /// Keys that sign or seal for it, the present one first.
    pub secrets: Vec<String>,
    /// The device it reaches; there is one channel a device.
    pub device: Option<DeviceId>,
    /// Which notifications; all when empty.
    pub kinds: Vec<NotificationKind>,
    /// Hours in which nothing is sent.
    pub quiet: Option<QuietHours>,
}

/// Takes the sending up after a start.
pub(crate) async fn recover(hub: &Arc<Inner>) -> Result<()> {
    let mut workers = hub.outbox.workers.lock().await;
    for row in hub.store.channels().await? {
        start(hub, &mut workers, row);
    }
    Ok(())
}

/// Ends the sending. What does not end soon is sent again after the next start.
pub(crate) async fn stop(hub: &Inner) {
    let mut workers = hub.outbox.workers.lock().await;
    join_all(workers.drain().map(|(_, worker)| worker.stop())).await;
}

fn start(hub: &Arc<Inner>, workers: &mut HashMap<ChannelId, Worker>, row: ChannelRow) {
    let Some(carrier) = hub.config.channels.0.get(&row.channel.kind).cloned() else { return };
    if row.channel.enabled {
        workers.insert(row.channel.id.clone(), Worker::start(hub, carrier, row));
    }
}

impl Hub {
    /// The channels of this hub, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn channel_list(&self, page: PageQuery) -> Result<Page<NotificationChannel>> {
        let rows = self.inner.store.channels().await?.into_iter().map(|row| row.channel);
        index::page_of(rows, &page, |channel| channel.id.clone())
    }

    /// One channel.
    ///
    /// # Errors
    /// See the API.
    pub async fn channel_get(&self, channel: &ChannelId) -> Result<NotificationChannel> {
        Ok(self.inner.channel_row(channel).await?.channel)
    }

    /// A new webhook channel, which is sent the notifications from now on.
    ///
    /// # Errors
    /// See the API.
    pub async fn channel_create(&self, body: ChannelCreate) -> Result<ChannelSecret> {
        let url = self.inner.carrier(ChannelKind::Webhook)?.check(&body.url);
        let url = url.map_err(|why| Error::new(Code::Unprocessable, format!("`url`: {why}")))?;
        let secret = webhooks::secret()?;
        let channel = self
            .channel_add(NewChannel {
                kind: ChannelKind::Webhook,
                name: body.name,
                target: shown(&url),
                address: url,
                secrets: vec![secret.clone()],
                device: None,
                kinds: body.kinds,
                quiet: body.quiet,
            })
            .await?;
        Ok(ChannelSecret { channel, secret })
    }

    /// A new channel of any kind. One for a device takes the place of the device's earlier one.
    ///
    /// # Errors
    /// See the API.
    pub async fn channel_add(&self, new: NewChannel) -> Result<NotificationChannel> {
        check_name(&new.name)?;
        check_quiet(new.quiet.as_ref())?;
        let mut workers = self.inner.outbox.workers.lock().await;
        let rows = self.inner.store.channels().await?;
        if rows.len() >= MOST {
            let detail = format!("A hub has {MOST} channels at most.");
            return Err(Error::new(Code::Unprocessable, detail));
        }
        let same = |row: &&ChannelRow| new.device.is_some() && row.channel.device == new.device;
        let mut writes = Vec::new();
        for row in rows.iter().filter(same) {
            if let Some(worker) = workers.remove(&row.channel.id) {
                worker.stop().await;
            }
            writes.extend(gone(&row.channel.id));
        }
        let channel = NotificationChannel {
            id: ChannelId::generate(),
            kind: new.kind,
            name: new.name,
            target: new.target,
            device: new.device,
            kinds: new.kinds,
            enabled: true,
            quiet: new.quiet,
            failing_since: None,
            created_at: clock::now(),
        };
        self.inner.config.redactor.learn(new.secrets.iter().map(String::as_str));
        let row =
            ChannelRow { channel: channel.clone(), address: new.address, secrets: new.secrets };
        writes.push(Write::Channel(Box::new(row.clone())));
        writes.push(self.act("channel_create", &channel.id).detail(channel.name.clone()).done());
        self.inner.store.commit(writes).await?;
        start(&self.inner, &mut workers, row);
        Ok(channel)
    }

    /// Changes a channel. Turned on again it is sent what has waited.
    ///
    /// # Errors
    /// See the API.
    pub async fn channel_update(
        &self,
        id: &ChannelId,
        body: ChannelUpdate,
    ) -> Result<NotificationChannel> {
        if let Some(name) = &body.name {
            check_name(name)?;
        }
        check_quiet(body.quiet.as_ref().and_then(Option::as_ref))?;
        let mut workers = self.inner.outbox.workers.lock().await;
        self.inner.channel_row(id).await?;
        if let Some(worker) = workers.remove(id) {
            worker.stop().await;
        }
        // Read again: the worker may have noted something.
        let before = self.inner.channel_row(id).await?;
        let mut row = before.clone();
        let channel = &mut row.channel;
        channel.name = body.name.unwrap_or_else(|| channel.name.clone());
        channel.kinds = body.kinds.unwrap_or_else(|| channel.kinds.clone());
        channel.quiet = body.quiet.unwrap_or_else(|| channel.quiet.clone());
        channel.enabled = body.enabled.unwrap_or(channel.enabled);
        let act = self.act("channel_update", id).done();
        let written = self.inner.store.commit(vec![Write::Channel(Box::new(row.clone())), act]);
        let written = written.await;
        let now = if written.is_ok() { row } else { before };
        let channel = now.channel.clone();
        start(&self.inner, &mut workers, now);
        written?;
        Ok(channel)
    }

    /// A channel goes. What it was sent stays in the ledger.
    ///
    /// # Errors
    /// See the API.
    pub async fn channel_delete(&self, id: &ChannelId) -> Result<()> {
        self.inner.channel_row(id).await?;
        let act = self.act("channel_delete", id).done();
        self.inner.remove_channel(id, vec![act]).await
    }

    /// Sends a trial at once, and says what became of it. It is not tried again.
    ///
    /// # Errors
    /// See the API.
    pub async fn channel_test(&self, id: &ChannelId) -> Result<Notification> {
        let row = self.inner.channel_row(id).await?;
        let carrier = self.inner.carrier(row.channel.kind)?;
        let now = clock::now();
        let trial = plain_notification(
            format!("test:{}", NotificationId::generate()),
            NotificationKind::Test,
            ("A trial".to_owned(), format!("{} is a way out of this hub.", row.channel.name)),
            (None, None),
            now,
        );
        let made = trial.notification.id.clone();
        let draft = NotificationDraft {
            only: Some(id.clone()),
            not_before: now.plus_millis(TRIAL_MS),
            ..trial
        };
        let act = self.act("channel_test", id).done();
        self.inner.store.commit(vec![Write::Notify(Box::new(draft)), act]).await?;
        let notification = self.notification_get(&made).await?;
        let line = notification.deliveries.first().cloned();
        let mut line = line.ok_or_else(|| Error::not_found(format!("channel `{id}`")))?;
        let outcome =
            worker::attempt(&self.inner, carrier.as_ref(), &row, &notification, &mut line).await?;
        line.next_attempt_at = None;
        line.status = match outcome {
            Outcome::Arrived => NotificationStatus::Delivered,
            Outcome::Missed(_) | Outcome::Unwanted => NotificationStatus::Failed,
        };
        let noted = Write::NotificationAttempt(made.clone(), Box::new(line));
        self.inner.store.commit(vec![noted]).await?;
        self.notification_get(&made).await
    }

    /// A page of the notifications, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn notification_list(
        &self,
        status: Option<NotificationStatus>,
        page: PageQuery,
    ) -> Result<Page<Notification>> {
        let limit = index::limit(&page)?;
        let mut query =
            NotificationQuery { status, before: cursor::read(&page)?, limit: index::more(limit) };
        let mut all = Vec::new();
        // A limited credential is shown what it reaches; the others are passed over.
        loop {
            let found = self.inner.store.notifications(&query).await?;
            let last = found.len() <= limit;
            query.before = found.last().map(|one| one.id.clone());
            all.extend(found.into_iter().filter(|one| self.reaches_notification(one)));
            if last || all.len() > limit {
                break;
            }
        }
        all.truncate(limit + 1);
        Ok(index::cut(all, limit, |one| one.id.to_string()))
    }

    /// One notification.
    ///
    /// # Errors
    /// See the API.
    pub async fn notification_get(&self, id: &NotificationId) -> Result<Notification> {
        let found = self.inner.store.notification(id).await?;
        found
            .filter(|one| self.reaches_notification(one))
            .ok_or_else(|| Error::not_found(format!("notification `{id}`")))
    }

    /// A person has seen a notification, and what it is about.
    ///
    /// # Errors
    /// See the API.
    pub async fn notification_seen(&self, id: &NotificationId) -> Result<Notification> {
        let found = self.notification_get(id).await?;
        let now = clock::now();
        let mut writes = vec![Write::NotificationSeen(id.clone(), now)];
        writes.extend(found.item.map(|item| Write::InboxSeen(vec![item], now)));
        writes.push(self.act("notification_seen", id).done());
        self.inner.store.commit(writes).await?;
        self.notification_get(id).await
    }

    /// Tries a notification again where it was given up.
    ///
    /// # Errors
    /// See the API.
    pub async fn notification_retry(&self, id: &NotificationId) -> Result<Notification> {
        let found = self.notification_get(id).await?;
        if !found.deliveries.iter().any(|way| way.status == NotificationStatus::Failed) {
            let detail = "It was given up nowhere: there is nothing to try again.";
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        let again = Write::NotificationRetry(id.clone(), None, clock::now());
        let act = self.act("notification_retry", id).done();
        self.inner.store.commit(vec![again, act]).await?;
        for way in found.deliveries {
            if way.status == NotificationStatus::Failed {
                self.inner.outbox.begin_anew(&way.channel).await;
            }
        }
        self.notification_get(id).await
    }

    fn reaches_notification(&self, one: &Notification) -> bool {
        self.reaches_event_of(EventPlace {
            repo: one.repo.as_ref(),
            run: one.run.as_ref(),
            thread: one.thread.as_ref(),
        })
    }
}

impl Inner {
    /// Everything a channel was given up on is tried again.
    pub(crate) async fn retry_channel(&self, id: &ChannelId) -> Result<()> {
        let now = clock::now();
        let failed = self.store.failed_notifications(id).await?;
        let again = |one| Write::NotificationRetry(one, Some(id.clone()), now);
        self.store.commit(failed.into_iter().map(again).collect()).await?;
        self.outbox.begin_anew(id).await;
        Ok(())
    }

    /// The channel of a device goes with the device.
    pub(crate) async fn forget_device(&self, device: &DeviceId) -> Result<()> {
        for row in self.store.channels().await? {
            if row.channel.device.as_ref() == Some(device) {
                self.remove_channel(&row.channel.id, Vec::new()).await?;
            }
        }
        Ok(())
    }

    async fn remove_channel(&self, id: &ChannelId, mut writes: Vec<Write>) -> Result<()> {
        let mut workers = self.outbox.workers.lock().await;
        if let Some(worker) = workers.remove(id) {
            worker.stop().await;
        }
        writes.extend(gone(id));
        self.store.commit(writes).await?;
        Ok(())
    }

    async fn channel_row(&self, id: &ChannelId) -> Result<ChannelRow> {
        let rows = self.store.channels().await?;
        let row = rows.into_iter().find(|row| row.channel.id == *id);
        row.ok_or_else(|| Error::not_found(format!("channel `{id}`")))
    }

    pub(crate) fn carrier(&self, kind: ChannelKind) -> Result<Arc<dyn Channel>> {
        let none = || Error::new(Code::Unavailable, format!("This hub has no way out by {kind}."));
        self.config.channels.0.get(&kind).cloned().ok_or_else(none)
    }
}

/// What is written when a channel goes: nobody waits for it any more.
fn gone(id: &ChannelId) -> [Write; 2] {
    let over = derive::nothing(derive::channel(id), clock::now(), Some("The channel is gone."));
    [Write::ChannelGone(id.clone()), over]
}

/// An address for people: without what may be secret in it.
fn shown(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    url.get(..end).unwrap_or(url).to_owned()
}

fn check_name(name: &str) -> Result<()> {
    if is_a_line(name, 200) {
        return Ok(());
    }
    let detail = "`name` is one line of 1 to 200 characters.";
    Err(Error::new(Code::Unprocessable, detail))
}

fn check_quiet(quiet: Option<&QuietHours>) -> Result<()> {
    let Some(QuietHours { from_minute, to_minute, utc_offset_minutes }) = quiet else {
        return Ok(());
    };
    let minutes = [from_minute, to_minute].into_iter().all(|minute| *minute < quiet::DAY);
    if minutes && from_minute != to_minute && (-720..=840).contains(utc_offset_minutes) {
        return Ok(());
    }
    let detail =
        "`quiet`: two different minutes of a day (0 to 1439), and an offset of -720 to 840.";
    Err(Error::new(Code::Unprocessable, detail))
}

/// Until when a channel is left alone, if it is now.
fn quiet_until(channel: &NotificationChannel, now: Timestamp) -> Option<Timestamp> {
    quiet::until(channel.quiet.as_ref()?, now)
}
