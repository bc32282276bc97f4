//! Browsers that are sent pushes, and the tokens of pushed actions that were used.

use car_api::{ChannelId, DeviceId, Timestamp};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{parse, row},
};

/// A browser that is sent pushes.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSubscriptionRow {
    /// The browser.
    pub device: DeviceId,
    /// The way out it is.
    pub channel: ChannelId,
    /// Address and keys, as JSON.
    pub address: String,
    /// Since when.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for PushSubscriptionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushSubscriptionRow")
            .field("device", &self.device)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

row! {
    struct Row {
        device: String,
        channel: String,
        address: String,
        created_at: i64,
    }
}

impl TryFrom<Row> for PushSubscriptionRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            device: parse("device id", &row.device)?,
            channel: parse("channel id", &row.channel)?,
            address: row.address,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &PushSubscriptionRow) -> Result<()> {
    sqlx::query(
        "insert into push_subscriptions (device, channel, address, created_at)
         values ($1, $2, $3, $4)
         on conflict (device) do update set channel = excluded.channel, address = excluded.address",
    )
    .bind(row.device.as_str())
    .bind(row.channel.as_str())
    .bind(&row.address)
    .bind(row.created_at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, channel: &ChannelId) -> Result<()> {
    sqlx::query("delete from push_subscriptions where channel = $1")
        .bind(channel.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Fails with `Conflict` when the token was used before. Those that ran out are forgotten with it.
pub(crate) async fn used(
    conn: &mut SqliteConnection,
    token: &str,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    sqlx::query("delete from push_actions where expires_at < $1")
        .bind(at.micros())
        .execute(&mut *conn)
        .await?;
    sqlx::query("insert into push_actions (token, used_at, expires_at) values ($1, $2, $3)")
        .bind(token)
        .bind(at.micros())
        .bind(expires_at.micros())
        .execute(conn)
        .await?;
    Ok(())
}

impl Store {
    /// Every browser that is sent pushes.
    ///
    /// # Errors
    /// What the database says.
    pub async fn push_subscriptions(&self) -> Result<Vec<PushSubscriptionRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select device, channel, address, created_at from push_subscriptions order by created_at",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(PushSubscriptionRow::try_from).collect()
    }
}
