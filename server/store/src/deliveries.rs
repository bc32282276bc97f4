//! The ledger of webhooks' deliveries.

use car_api::{
    DeliveryId, Timestamp, WebhookId,
    webhook::{DeliveryStatus, WebhookDelivery},
};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{micros, parse, row, time},
};

/// A line of the ledger and what is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRow {
    /// The line.
    pub delivery: WebhookDelivery,
    /// The bytes that are signed and sent.
    pub body: String,
}

/// Which lines of a webhook's ledger are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryQuery {
    /// The webhook.
    pub webhook: WebhookId,
    /// Only those that stand so.
    pub status: Option<DeliveryStatus>,
    /// Only those older than this one.
    pub before: Option<DeliveryId>,
    /// At most so many.
    pub limit: u32,
}

row! {
    struct Row {
        id: String,
        webhook: String,
        seq: Option<i64>,
        kind: String,
        body: String,
        status: String,
        attempts: i64,
        created_at: i64,
        last_attempt_at: Option<i64>,
        last_status: Option<i64>,
        last_error: Option<String>,
        next_attempt_at: Option<i64>,
    }
}

impl TryFrom<Row> for DeliveryRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            delivery: WebhookDelivery {
                id: parse("delivery id", &row.id)?,
                webhook: parse("webhook id", &row.webhook)?,
                seq: row.seq,
                kind: row.kind,
                status: parse("delivery status", &row.status)?,
                attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
                created_at: Timestamp::from_micros(row.created_at),
                last_attempt_at: time(row.last_attempt_at),
                last_status: row.last_status.and_then(|status| u16::try_from(status).ok()),
                last_error: row.last_error,
                next_attempt_at: time(row.next_attempt_at),
            },
            body: row.body,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &DeliveryRow) -> Result<()> {
    let delivery = &row.delivery;
    // A webhook that was deleted meanwhile takes its deliveries with it.
    sqlx::query(
        "insert into deliveries (id, webhook, seq, kind, body, status, attempts, created_at,
                                 last_attempt_at, last_status, last_error, next_attempt_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
         where exists (select 1 from webhooks where id = $2)
         on conflict (id) do update set
             status = excluded.status, attempts = excluded.attempts,
             last_attempt_at = excluded.last_attempt_at, last_status = excluded.last_status,
             last_error = excluded.last_error, next_attempt_at = excluded.next_attempt_at",
    )
    .bind(delivery.id.as_str())
    .bind(delivery.webhook.as_str())
    .bind(delivery.seq)
    .bind(&delivery.kind)
    .bind(&row.body)
    .bind(delivery.status.as_str())
    .bind(i64::from(delivery.attempts))
    .bind(delivery.created_at.micros())
    .bind(micros(delivery.last_attempt_at))
    .bind(delivery.last_status.map(i64::from))
    .bind(&delivery.last_error)
    .bind(micros(delivery.next_attempt_at))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete_ended(conn: &mut SqliteConnection, before: Timestamp) -> Result<()> {
    sqlx::query("delete from deliveries where status <> 'pending' and created_at < $1")
        .bind(before.micros())
        .execute(conn)
        .await?;
    Ok(())
}

impl Store {
    /// Lines of a webhook's ledger, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select id, webhook, seq, kind, body, status, attempts, created_at, last_attempt_at,
                    last_status, last_error, next_attempt_at
             from deliveries
             where webhook = $1 and ($2 is null or status = $2) and ($3 is null or id < $3)
             order by id desc limit $4",
        )
        .bind(query.webhook.as_str())
        .bind(query.status.map(DeliveryStatus::as_str))
        .bind(query.before.as_ref().map(DeliveryId::as_str))
        .bind(i64::from(query.limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(DeliveryRow::try_from).collect()
    }

    /// One line.
    ///
    /// # Errors
    /// What the database says.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<DeliveryRow>> {
        let row: Option<Row> = sqlx::query_as(
            "select id, webhook, seq, kind, body, status, attempts, created_at, last_attempt_at,
                    last_status, last_error, next_attempt_at
             from deliveries where id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.map(DeliveryRow::try_from).transpose()
    }

    /// What a webhook is to be sent next, due or not, in the order in which it falls due.
    ///
    /// # Errors
    /// What the database says.
    pub async fn next_deliveries(
        &self,
        webhook: &WebhookId,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select id, webhook, seq, kind, body, status, attempts, created_at, last_attempt_at,
                    last_status, last_error, next_attempt_at
             from deliveries where webhook = $1 and status = 'pending'
             order by next_attempt_at, id limit $2",
        )
        .bind(webhook.as_str())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(DeliveryRow::try_from).collect()
    }
}
