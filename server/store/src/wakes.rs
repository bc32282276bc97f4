//! What the hub has to tell the project manager, until it was told.

use car_api::{RepoId, RunId, Timestamp};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{parse_opt, row},
};

/// One thing to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct WakeRow {
    /// Number of the event it comes from.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The rule that tells of it.
    pub rule: String,
    /// What happened, in one line.
    pub line: String,
    /// Where.
    pub repo: Option<RepoId>,
    /// In which run.
    pub run: Option<RunId>,
    /// The message it goes in, once that is decided.
    pub message: Option<String>,
}

row! {
    struct Row {
        seq: i64,
        at: i64,
        rule: String,
        line: String,
        repo: Option<String>,
        run: Option<String>,
        message: Option<String>,
    }
}

impl TryFrom<Row> for WakeRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            seq: row.seq,
            at: Timestamp::from_micros(row.at),
            rule: row.rule,
            line: row.line,
            repo: parse_opt("repo id", row.repo.as_deref())?,
            run: parse_opt("run id", row.run.as_deref())?,
            message: row.message,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &WakeRow) -> Result<()> {
    sqlx::query(
        "insert into wakes (seq, at, rule, line, repo, run, message)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (seq) do update set message = excluded.message",
    )
    .bind(row.seq)
    .bind(row.at.micros())
    .bind(&row.rule)
    .bind(&row.line)
    .bind(row.repo.as_ref().map(RepoId::as_str))
    .bind(row.run.as_ref().map(RunId::as_str))
    .bind(&row.message)
    .execute(conn)
    .await?;
    Ok(())
}

/// These were told.
pub(crate) async fn told(conn: &mut SqliteConnection, message: &str) -> Result<()> {
    sqlx::query("delete from wakes where message = $1").bind(message).execute(conn).await?;
    Ok(())
}

impl Store {
    /// What is to be told, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn wakes(&self) -> Result<Vec<WakeRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select seq, at, rule, line, repo, run, message from wakes order by seq",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(WakeRow::try_from).collect()
    }
}
