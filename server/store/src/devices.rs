//! Browsers that were paired.

use car_api::{DeviceId, RepoId, Scope, Timestamp};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, parse, row},
};

/// A paired browser with the hashes of its secrets, SHA-256 in hex. The secrets are kept nowhere.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceRow {
    /// Its id.
    pub id: DeviceId,
    /// What it calls itself.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The repos it reaches; all when empty.
    pub repos: Vec<RepoId>,
    /// Of the secret in its cookie.
    pub secret_hash: String,
    /// Of the cookie's secret before the last rotation, until the new one was seen.
    pub previous_hash: Option<String>,
    /// Of the proof it keeps beside the cookie.
    pub proof_hash: String,
    /// When the cookie's secret was made.
    pub rotated_at: Timestamp,
    /// When it was paired.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
}

row! {
    struct Row {
        id: String,
        name: String,
        scopes: String,
        repos: String,
        secret_hash: String,
        previous_hash: Option<String>,
        proof_hash: String,
        rotated_at: i64,
        created_at: i64,
        last_used_at: i64,
    }
}

pub(crate) async fn insert(conn: &mut SqliteConnection, row: &DeviceRow) -> Result<()> {
    sqlx::query(
        "insert into devices (id, name, scopes, repos, secret_hash, previous_hash, proof_hash,
                              rotated_at, created_at, last_used_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(row.id.as_str())
    .bind(&row.name)
    .bind(json(&row.scopes)?)
    .bind(json(&row.repos)?)
    .bind(&row.secret_hash)
    .bind(&row.previous_hash)
    .bind(&row.proof_hash)
    .bind(row.rotated_at.micros())
    .bind(row.created_at.micros())
    .bind(row.last_used_at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn update(conn: &mut SqliteConnection, row: &DeviceRow) -> Result<()> {
    sqlx::query(
        "update devices set secret_hash = $2, previous_hash = $3, rotated_at = $4, last_used_at = $5
         where id = $1",
    )
    .bind(row.id.as_str())
    .bind(&row.secret_hash)
    .bind(&row.previous_hash)
    .bind(row.rotated_at.micros())
    .bind(row.last_used_at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn revoke(
    conn: &mut SqliteConnection,
    id: &DeviceId,
    at: Timestamp,
) -> Result<()> {
    sqlx::query("update devices set revoked_at = $2 where id = $1 and revoked_at is null")
        .bind(id.as_str())
        .bind(at.micros())
        .execute(conn)
        .await?;
    Ok(())
}

impl Store {
    /// Browsers that were not revoked, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn devices(&self) -> Result<Vec<DeviceRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select id, name, scopes, repos, secret_hash, previous_hash, proof_hash, rotated_at,
                    created_at, last_used_at
             from devices where revoked_at is null order by id",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(DeviceRow {
                    id: parse("device id", &row.id)?,
                    name: row.name,
                    scopes: from_json("device's scopes", &row.scopes)?,
                    repos: from_json("device's repos", &row.repos)?,
                    secret_hash: row.secret_hash,
                    previous_hash: row.previous_hash,
                    proof_hash: row.proof_hash,
                    rotated_at: Timestamp::from_micros(row.rotated_at),
                    created_at: Timestamp::from_micros(row.created_at),
                    last_used_at: Timestamp::from_micros(row.last_used_at),
                })
            })
            .collect()
    }
}
