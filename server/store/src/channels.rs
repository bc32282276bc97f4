//! Ways out for notifications.

use car_api::{ChannelId, DeviceId, Timestamp, notification::NotificationChannel};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, from_json_opt, json, micros, parse, parse_opt, row, time},
};

/// A channel and what is needed to use it.
#[derive(Clone, PartialEq)]
pub struct ChannelRow {
    /// The channel.
    pub channel: NotificationChannel,
    /// The address, in the words of whatever carries messages there.
    pub address: String,
    /// Keys that sign or seal for it, the present one first.
    pub secrets: Vec<String>,
}

impl std::fmt::Debug for ChannelRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChannelRow").field("channel", &self.channel).finish_non_exhaustive()
    }
}

row! {
    struct Row {
        id: String,
        kind: String,
        name: String,
        target: String,
        address: String,
        secrets: String,
        device: Option<String>,
        kinds: String,
        enabled: bool,
        quiet: Option<String>,
        failing_since: Option<i64>,
        created_at: i64,
    }
}

impl TryFrom<Row> for ChannelRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            channel: NotificationChannel {
                id: parse("channel id", &row.id)?,
                kind: parse("channel kind", &row.kind)?,
                name: row.name,
                target: row.target,
                device: parse_opt("device id", row.device.as_deref())?,
                kinds: from_json("notification kinds", &row.kinds)?,
                enabled: row.enabled,
                quiet: from_json_opt("quiet hours", row.quiet.as_deref())?,
                failing_since: time(row.failing_since),
                created_at: Timestamp::from_micros(row.created_at),
            },
            address: row.address,
            secrets: from_json("secrets", &row.secrets)?,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &ChannelRow) -> Result<()> {
    let channel = &row.channel;
    sqlx::query(
        "insert into channels (id, kind, name, target, address, secrets, device, kinds, enabled,
                               quiet, failing_since, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (id) do update set
             name = excluded.name, target = excluded.target, address = excluded.address,
             secrets = excluded.secrets, kinds = excluded.kinds, enabled = excluded.enabled,
             quiet = excluded.quiet, failing_since = excluded.failing_since",
    )
    .bind(channel.id.as_str())
    .bind(channel.kind.as_str())
    .bind(&channel.name)
    .bind(&channel.target)
    .bind(&row.address)
    .bind(json(&row.secrets)?)
    .bind(channel.device.as_ref().map(DeviceId::as_str))
    .bind(json(&channel.kinds)?)
    .bind(channel.enabled)
    .bind(channel.quiet.as_ref().map(json).transpose()?)
    .bind(micros(channel.failing_since))
    .bind(channel.created_at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when nothing arrives; the rest of the row is its owner's.
pub(crate) async fn failing(
    conn: &mut SqliteConnection,
    channel: &ChannelId,
    since: Option<Timestamp>,
) -> Result<()> {
    sqlx::query("update channels set failing_since = $2 where id = $1")
        .bind(channel.as_str())
        .bind(micros(since))
        .execute(conn)
        .await?;
    Ok(())
}

/// The channel goes; what it was sent stays in the ledger, and what was not is obsolete.
pub(crate) async fn delete(conn: &mut SqliteConnection, channel: &ChannelId) -> Result<()> {
    for sql in [
        "update notification_deliveries set status = 'obsolete', next_attempt_at = null
         where channel = $1 and status = 'pending'",
        "delete from channels where id = $1",
    ] {
        sqlx::query(sql).bind(channel.as_str()).execute(&mut *conn).await?;
    }
    Ok(())
}

pub(crate) async fn all(conn: impl sqlx::SqliteExecutor<'_>) -> Result<Vec<ChannelRow>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select id, kind, name, target, address, secrets, device, kinds, enabled, quiet,
                failing_since, created_at
         from channels order by id",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(ChannelRow::try_from).collect()
}

impl Store {
    /// All channels, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn channels(&self) -> Result<Vec<ChannelRow>> {
        all(&self.readers).await
    }
}
