//! Personal access tokens.

use car_api::{RunId, Timestamp, TokenId, token::Token};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, micros, parse, parse_opt, row, time},
};

/// A token and the hash of its secret. The secret itself is kept nowhere.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRow {
    /// The token.
    pub token: Token,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
}

row! {
    struct Row {
        id: String,
        name: String,
        scopes: String,
        repos: String,
        run: Option<String>,
        secret_hash: String,
        created_at: i64,
        expires_at: Option<i64>,
        last_used_at: Option<i64>,
    }
}

pub(crate) async fn insert(conn: &mut SqliteConnection, row: &TokenRow) -> Result<()> {
    sqlx::query(
        "insert into tokens (id, name, secret_hash, created_at, expires_at, scopes, repos, run)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.token.id.as_str())
    .bind(&row.token.name)
    .bind(&row.secret_hash)
    .bind(row.token.created_at.micros())
    .bind(micros(row.token.expires_at))
    .bind(json(&row.token.scopes)?)
    .bind(json(&row.token.repos)?)
    .bind(row.token.run.as_ref().map(RunId::as_str))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn used(conn: &mut SqliteConnection, id: &TokenId, at: Timestamp) -> Result<()> {
    sqlx::query("update tokens set last_used_at = $2 where id = $1")
        .bind(id.as_str())
        .bind(at.micros())
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn revoke(conn: &mut SqliteConnection, id: &TokenId, at: Timestamp) -> Result<()> {
    sqlx::query("update tokens set revoked_at = $2 where id = $1 and revoked_at is null")
        .bind(id.as_str())
        .bind(at.micros())
        .execute(conn)
        .await?;
    Ok(())
}

impl Store {
    /// Tokens that were not revoked, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select id, name, scopes, repos, run, secret_hash, created_at, expires_at, last_used_at
             from tokens where revoked_at is null order by id",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(TokenRow {
                    token: Token {
                        id: parse("token id", &row.id)?,
                        name: row.name,
                        scopes: from_json("token's scopes", &row.scopes)?,
                        repos: from_json("token's repos", &row.repos)?,
                        run: parse_opt("run id", row.run.as_deref())?,
                        created_at: Timestamp::from_micros(row.created_at),
                        expires_at: time(row.expires_at),
                        last_used_at: time(row.last_used_at),
                    },
                    secret_hash: row.secret_hash,
                })
            })
            .collect()
    }
}
