//! Requests that may be sent again, and what came of them.

use car_api::Timestamp;
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, row},
};

/// Whose key it is, and what the request asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The credential that sent it.
    pub owner: String,
    /// The client's key.
    pub key: String,
    /// Digest of the operation and its body.
    pub request: String,
    /// When it came first.
    pub at: Timestamp,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers that belong to the answer's meaning.
    pub headers: Vec<(String, String)>,
    /// Body; absent when it held a secret.
    pub body: Option<String>,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    /// The request.
    pub key: RequestKey,
    /// What it made, or is about to make, as the hub noted it.
    pub made: Option<String>,
    /// Its answer, once there is one.
    pub answer: Option<KeptAnswer>,
}

row! {
    struct Row {
        owner: String,
        key: String,
        request: String,
        created_at: i64,
        made: Option<String>,
        status: Option<i64>,
        headers: Option<String>,
        body: Option<String>,
    }
}

impl TryFrom<Row> for RequestRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        let answer = match row.status {
            Some(status) => Some(KeptAnswer {
                status: u16::try_from(status).unwrap_or(500),
                headers: from_json("headers", row.headers.as_deref().unwrap_or("[]"))?,
                body: row.body,
            }),
            None => None,
        };
        let at = Timestamp::from_micros(row.created_at);
        let key = RequestKey { owner: row.owner, key: row.key, request: row.request, at };
        Ok(Self { key, made: row.made, answer })
    }
}

pub(crate) async fn made(conn: &mut SqliteConnection, key: &RequestKey, made: &str) -> Result<()> {
    sqlx::query(
        "insert into idempotency (owner, key, request, created_at, made)
         values ($1, $2, $3, $4, $5)
         on conflict (owner, key) do update set request = excluded.request,
             created_at = excluded.created_at, made = excluded.made,
             status = null, headers = null, body = null",
    )
    .bind(&key.owner)
    .bind(&key.key)
    .bind(&key.request)
    .bind(key.at.micros())
    .bind(made)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn answered(
    conn: &mut SqliteConnection,
    key: &RequestKey,
    answer: &KeptAnswer,
) -> Result<()> {
    sqlx::query(
        "insert into idempotency (owner, key, request, created_at, status, headers, body)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (owner, key) do update set request = excluded.request,
             created_at = excluded.created_at, status = excluded.status,
             headers = excluded.headers, body = excluded.body",
    )
    .bind(&key.owner)
    .bind(&key.key)
    .bind(&key.request)
    .bind(key.at.micros())
    .bind(i64::from(answer.status))
    .bind(json(&answer.headers)?)
    .bind(&answer.body)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn forget(conn: &mut SqliteConnection, before: Timestamp) -> Result<()> {
    sqlx::query("delete from idempotency where created_at < $1")
        .bind(before.micros())
        .execute(conn)
        .await?;
    Ok(())
}

impl Store {
    /// What is known of a request.
    ///
    /// # Errors
    /// What the database says.
    pub async fn request(&self, owner: &str, key: &str) -> Result<Option<RequestRow>> {
        let row: Option<Row> = sqlx::query_as(
            "select owner, key, request, created_at, made, status, headers, body
             from idempotency where owner = $1 and key = $2",
        )
        .bind(owner)
        .bind(key)
        .fetch_optional(&self.readers)
        .await?;
        row.map(RequestRow::try_from).transpose()
    }
}
