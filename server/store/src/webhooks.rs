//! Webhooks.

use car_api::{
    Timestamp, WebhookId,
    webhook::{Webhook, WebhookFilter},
};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, micros, parse, row, time},
};

/// A webhook and what signs for it.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookRow {
    /// The webhook. Reading gives how many deliveries are pending; writing ignores it.
    pub webhook: Webhook,
    /// Its secrets.
    pub secrets: Secrets,
}

/// The keys that sign for a webhook, as their owner was shown them.
#[derive(Clone, PartialEq)]
pub struct Secrets {
    /// The present one.
    pub present: String,
    /// The one before, while it may still be in use.
    pub old: Option<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(***)")
    }
}

row! {
    struct Row {
        id: String,
        url: String,
        description: String,
        filter: String,
        enabled: bool,
        disabled_reason: Option<String>,
        failing_since: Option<i64>,
        secret: String,
        old_secret: Option<String>,
        old_secret_until: Option<i64>,
        cursor: i64,
        created_at: i64,
        pending: i64,
    }
}

impl TryFrom<Row> for WebhookRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        let filter: WebhookFilter = from_json("webhook filter", &row.filter)?;
        Ok(Self {
            webhook: Webhook {
                id: parse("webhook id", &row.id)?,
                url: row.url,
                description: row.description,
                filter,
                enabled: row.enabled,
                disabled_reason: row.disabled_reason,
                failing_since: time(row.failing_since),
                cursor: row.cursor,
                pending: u64::try_from(row.pending).unwrap_or_default(),
                old_secret_until: time(row.old_secret_until),
                created_at: Timestamp::from_micros(row.created_at),
            },
            secrets: Secrets { present: row.secret, old: row.old_secret },
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &WebhookRow) -> Result<()> {
    let webhook = &row.webhook;
    sqlx::query(
        "insert into webhooks (id, url, description, filter, enabled, disabled_reason,
                               failing_since, secret, old_secret, old_secret_until, cursor,
                               created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (id) do update set
             url = excluded.url, description = excluded.description, filter = excluded.filter,
             enabled = excluded.enabled, disabled_reason = excluded.disabled_reason,
             failing_since = excluded.failing_since, secret = excluded.secret,
             old_secret = excluded.old_secret, old_secret_until = excluded.old_secret_until",
    )
    .bind(webhook.id.as_str())
    .bind(&webhook.url)
    .bind(&webhook.description)
    .bind(json(&webhook.filter)?)
    .bind(webhook.enabled)
    .bind(&webhook.disabled_reason)
    .bind(micros(webhook.failing_since))
    .bind(&row.secrets.present)
    .bind(&row.secrets.old)
    .bind(micros(webhook.old_secret_until))
    .bind(webhook.cursor)
    .bind(webhook.created_at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn move_cursor(
    conn: &mut SqliteConnection,
    webhook: &WebhookId,
    cursor: i64,
) -> Result<()> {
    sqlx::query("update webhooks set cursor = $2 where id = $1")
        .bind(webhook.as_str())
        .bind(cursor)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, webhook: &WebhookId) -> Result<()> {
    for sql in ["delete from deliveries where webhook = $1", "delete from webhooks where id = $1"] {
        sqlx::query(sql).bind(webhook.as_str()).execute(&mut *conn).await?;
    }
    Ok(())
}

impl Store {
    /// All webhooks, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn webhooks(&self) -> Result<Vec<WebhookRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select id, url, description, filter, enabled, disabled_reason, failing_since, secret,
                    old_secret, old_secret_until, cursor, created_at,
                    (select count(*) from deliveries
                     where webhook = webhooks.id and status = 'pending') as pending
             from webhooks order by id",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(WebhookRow::try_from).collect()
    }
}
