//! Accounts of agents and their quota.

use car_api::{Timestamp, item::RateLimit};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, micros, row, time},
};

/// What is known of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRow {
    /// The account, as the agent names it.
    pub account: String,
    /// No turn begins before this time.
    pub held_until: Option<Timestamp>,
    /// Its quota windows as last reported.
    pub limits: Vec<RateLimit>,
}

row! {
    struct Row {
        account: String,
        held_until: Option<i64>,
        limits: String,
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &AccountRow) -> Result<()> {
    sqlx::query(
        "insert into accounts (account, held_until, limits) values ($1, $2, $3)
         on conflict (account) do update set held_until = excluded.held_until,
             limits = excluded.limits",
    )
    .bind(&row.account)
    .bind(micros(row.held_until))
    .bind(json(&row.limits)?)
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// All accounts.
    ///
    /// # Errors
    /// What the database says.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>> {
        let rows: Vec<Row> =
            sqlx::query_as("select account, held_until, limits from accounts order by account")
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|row| {
                Ok(AccountRow {
                    account: row.account,
                    held_until: time(row.held_until),
                    limits: from_json("limits", &row.limits)?,
                })
            })
            .collect()
    }
}
