//! Webhooks: what their owner does with them. What is sent when is `webhooks/worker.rs`.

pub(crate) mod retry;
mod worker;

use std::{collections::HashMap, sync::Arc};

use car_api::{
    Code, DeliveryId, EventKind, Page, PageQuery, WebhookId,
    webhook::{
        DeliveryStatus, Webhook, WebhookCreate, WebhookDelivery, WebhookFilter, WebhookPayload,
        WebhookSecret, WebhookUpdate,
    },
};
use car_store::{DeliveryQuery, DeliveryRow, Secrets, WebhookRow, Write};
use futures_util::future::join_all;
use tokio::sync::Mutex;

use crate::{Channel, Error, Hub, Result, channel::Outcome, clock, cursor, hub::Inner, index};
use worker::Worker;

/// How long the secret before the present one stays valid, in milliseconds.
const ROTATION_MS: i64 = 24 * 3_600_000;

/// Webhooks a hub has at most: each event is looked at once for every one of them.
const MOST: usize = 100;

/// The workers of enabled webhooks. Whoever changes a webhook holds the lock, with its worker
/// stopped, so that nothing it notes is overwritten.
#[derive(Default)]
pub(crate) struct Webhooks {
    workers: Mutex<HashMap<WebhookId, Worker>>,
}

/// Takes the sending up after a start.
pub(crate) async fn recover(hub: &Arc<Inner>) -> Result<()> {
    let mut workers = hub.webhooks.workers.lock().await;
    for row in hub.store.webhooks().await? {
        start(hub, &mut workers, row);
    }
    Ok(())
}

/// Ends the sending. What does not end soon is sent again after the next start.
pub(crate) async fn stop(hub: &Inner) {
    let mut workers = hub.webhooks.workers.lock().await;
    join_all(workers.drain().map(|(_, worker)| worker.stop())).await;
}

fn start(hub: &Arc<Inner>, workers: &mut HashMap<WebhookId, Worker>, row: WebhookRow) {
    let Some(channel) = hub.config.webhook_channel.0.clone() else { return };
    if row.webhook.enabled {
        workers.insert(row.webhook.id.clone(), Worker::start(hub, channel, row));
    }
}

impl Hub {
    /// The webhooks of this hub, oldest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_list(&self, page: PageQuery) -> Result<Page<Webhook>> {
        let rows = self.inner.store.webhooks().await?.into_iter().map(|row| row.webhook);
        index::page_of(rows, &page, |webhook| webhook.id.clone())
    }

    /// One webhook.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_get(&self, webhook: &WebhookId) -> Result<Webhook> {
        Ok(self.webhook_row(webhook).await?.webhook)
    }

    /// A new webhook, which is sent what happens from now on.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_create(&self, body: WebhookCreate) -> Result<WebhookSecret> {
        let url = self.address(&body.url)?;
        check_description(&body.description)?;
        check_filter(&body.filter)?;
        let mut workers = self.inner.webhooks.workers.lock().await;
        if self.inner.store.webhooks().await?.len() >= MOST {
            let detail = format!("A hub has {MOST} webhooks at most.");
            return Err(Error::new(Code::Unprocessable, detail));
        }
        let webhook = Webhook {
            id: WebhookId::generate(),
            url,
            description: body.description,
            filter: body.filter,
            enabled: true,
            disabled_reason: None,
            failing_since: None,
            cursor: *self.inner.store.bell().borrow(),
            pending: 0,
            old_secret_until: None,
            created_at: clock::now(),
        };
        let secret = secret()?;
        let row = WebhookRow {
            webhook: webhook.clone(),
            secrets: Secrets { present: secret.clone(), old: None },
        };
        self.inner.config.redactor.learn([secret.as_str()]);
        let act = self.act("webhook_create", &webhook.id).detail(webhook.description.clone());
        self.inner.store.commit(vec![Write::Webhook(Box::new(row.clone())), act.done()]).await?;
        start(&self.inner, &mut workers, row);
        Ok(WebhookSecret { webhook, secret })
    }

    /// Changes a webhook. Turned on again it goes on where it was, as far as events are kept.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_update(&self, id: &WebhookId, body: WebhookUpdate) -> Result<Webhook> {
        let url = body.url.as_deref().map(|url| self.address(url)).transpose()?;
        if let Some(description) = &body.description {
            check_description(description)?;
        }
        if let Some(filter) = &body.filter {
            check_filter(filter)?;
        }
        self.webhook_change("webhook_update", id, async |row, writes| {
            let webhook = &mut row.webhook;
            webhook.url = url.unwrap_or_else(|| webhook.url.clone());
            webhook.description = body.description.unwrap_or_else(|| webhook.description.clone());
            webhook.filter = body.filter.unwrap_or_else(|| webhook.filter.clone());
            let enabled = body.enabled.unwrap_or(webhook.enabled);
            if enabled && !webhook.enabled {
                webhook.disabled_reason = None;
                webhook.failing_since = None;
                let gone = self.inner.store.gone();
                if webhook.cursor < gone {
                    webhook.cursor = gone;
                    writes.push(Write::WebhookCursor { webhook: id.clone(), cursor: gone });
                }
                // Nobody waits for a delay that belongs to the time before.
                for mut row in self.inner.store.next_deliveries(id, worker::MOST_PENDING).await? {
                    row.delivery.next_attempt_at = Some(clock::now());
                    writes.push(Write::Delivery(Box::new(row)));
                }
            }
            webhook.enabled = enabled;
            Ok(())
        })
        .await
    }

    /// A new secret. The present one stays valid for a day beside it.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_rotate(&self, id: &WebhookId) -> Result<WebhookSecret> {
        let secret = secret()?;
        let present = secret.clone();
        let webhook = self
            .webhook_change("webhook_rotate", id, async |row, _| {
                row.secrets.old = Some(std::mem::replace(&mut row.secrets.present, present));
                row.webhook.old_secret_until = Some(clock::now().plus_millis(ROTATION_MS));
                Ok(())
            })
            .await?;
        Ok(WebhookSecret { webhook, secret })
    }

    /// The webhook and its ledger go.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_delete(&self, id: &WebhookId) -> Result<()> {
        let mut workers = self.inner.webhooks.workers.lock().await;
        self.webhook_row(id).await?;
        if let Some(worker) = workers.remove(id) {
            worker.stop().await;
        }
        let act = self.act("webhook_delete", id);
        self.inner.store.commit(vec![Write::WebhookGone(id.clone()), act.done()]).await?;
        Ok(())
    }

    /// Sends a test at once, and says what became of it. It is not tried again.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_test(&self, id: &WebhookId) -> Result<WebhookDelivery> {
        let row = self.webhook_row(id).await?;
        let channel = self.channel()?;
        let now = clock::now();
        let payload = WebhookPayload { r#type: "test".to_owned(), timestamp: now, data: None };
        let mut sent = DeliveryRow {
            delivery: WebhookDelivery {
                id: DeliveryId::generate(),
                webhook: id.clone(),
                seq: None,
                kind: "test".to_owned(),
                // A test is not sent again, also not by a hub that dies now.
                status: DeliveryStatus::Failed,
                attempts: 0,
                created_at: now,
                last_attempt_at: None,
                last_status: None,
                last_error: None,
                next_attempt_at: None,
            },
            body: serde_json::to_string(&payload).map_err(Error::internal)?,
        };
        let outcome = worker::attempt(channel.as_ref(), &row, &mut sent).await;
        if outcome == Outcome::Arrived {
            sent.delivery.status = DeliveryStatus::Delivered;
        }
        let act = self.act("webhook_test", id);
        self.inner.store.commit(vec![Write::Delivery(Box::new(sent.clone())), act.done()]).await?;
        Ok(sent.delivery)
    }

    /// A page of a webhook's ledger, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_deliveries(
        &self,
        id: &WebhookId,
        status: Option<DeliveryStatus>,
        page: PageQuery,
    ) -> Result<Page<WebhookDelivery>> {
        self.webhook_row(id).await?;
        let limit = index::limit(&page)?;
        let query = DeliveryQuery {
            webhook: id.clone(),
            status,
            before: cursor::read(&page)?,
            limit: u32::try_from(limit + 1).unwrap_or(u32::MAX),
        };
        let rows = self.inner.store.deliveries(&query).await?;
        let lines = rows.into_iter().map(|row| row.delivery).collect();
        Ok(index::cut(lines, limit, |delivery: &WebhookDelivery| delivery.id.to_string()))
    }

    /// Sends a delivery again, as it was and with its id, whatever became of it.
    ///
    /// # Errors
    /// See the API.
    pub async fn webhook_redeliver(
        &self,
        id: &WebhookId,
        delivery: &DeliveryId,
    ) -> Result<WebhookDelivery> {
        let workers = self.inner.webhooks.workers.lock().await;
        self.webhook_row(id).await?;
        let found = self.inner.store.delivery(delivery).await?;
        let mut row = found
            .filter(|row| row.delivery.webhook == *id)
            .ok_or_else(|| Error::not_found(format!("delivery `{delivery}` of this webhook")))?;
        let Some(worker) = workers.get(id) else {
            let detail = "The webhook is turned off. Turn it on (`enabled: true`) first.";
            return Err(Error::new(Code::IllegalTransition, detail));
        };
        row.delivery.status = DeliveryStatus::Pending;
        row.delivery.attempts = 0;
        row.delivery.next_attempt_at = Some(clock::now());
        let act = self.act("webhook_redeliver", delivery);
        self.inner.store.commit(vec![Write::Delivery(Box::new(row.clone())), act.done()]).await?;
        worker.wake();
        Ok(row.delivery)
    }

    async fn webhook_row(&self, id: &WebhookId) -> Result<WebhookRow> {
        let rows = self.inner.store.webhooks().await?;
        let row = rows.into_iter().find(|row| row.webhook.id == *id);
        row.ok_or_else(|| Error::not_found(format!("webhook `{id}`")))
    }

    /// Changes a webhook while its worker stands still.
    async fn webhook_change(
        &self,
        verb: &'static str,
        id: &WebhookId,
        change: impl AsyncFnOnce(&mut WebhookRow, &mut Vec<Write>) -> Result<()>,
    ) -> Result<Webhook> {
        let mut workers = self.inner.webhooks.workers.lock().await;
        self.webhook_row(id).await?;
        if let Some(worker) = workers.remove(id) {
            worker.stop().await;
        }
        let mut row = self.webhook_row(id).await?;
        let mut writes = Vec::new();
        let mut changed = row.clone();
        let done = match change(&mut changed, &mut writes).await {
            Ok(()) => {
                writes.insert(0, Write::Webhook(Box::new(changed.clone())));
                writes.push(self.act(verb, id).done());
                self.inner.store.commit(writes).await.map_err(Error::from)
            }
            Err(error) => Err(error),
        };
        if done.is_ok() {
            row = changed;
        }
        let webhook = row.webhook.clone();
        start(&self.inner, &mut workers, row);
        done.map(|_| webhook)
    }

    fn channel(&self) -> Result<Arc<dyn Channel>> {
        let none = || Error::new(Code::Unavailable, "This hub was built without a way out.");
        self.inner.config.webhook_channel.0.clone().ok_or_else(none)
    }

    fn address(&self, url: &str) -> Result<String> {
        let checked = self.channel()?.check(url);
        checked.map_err(|reason| Error::new(Code::Unprocessable, format!("`url`: {reason}")))
    }
}

fn check_description(description: &str) -> Result<()> {
    if description.chars().count() > 200 {
        return Err(Error::bad_request("`description` is 200 characters at most."));
    }
    Ok(())
}

/// A kind that does not exist would never be sent, and nobody would know why.
fn check_filter(filter: &WebhookFilter) -> Result<()> {
    for kind in &filter.kinds {
        if !EventKind::WORDS.contains(&kind.as_str()) {
            let known = EventKind::WORDS.join(", ");
            return Err(Error::new(
                Code::Unprocessable,
                format!("`filter.kinds`: `{kind}` is no kind of event; there are {known}."),
            ));
        }
    }
    Ok(())
}

/// 192 random bits as base64, which needs no padding then.
pub(crate) fn secret() -> Result<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    let random: String =
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect();
    Ok(format!("whsec_{random}"))
}
