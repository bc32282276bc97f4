//! The tokens of runs' agents, as far as they are good. The tokens themselves are in files.

use car_api::{RepoId, RunId, Timestamp};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{parse, row},
};

/// Which tokens of a run's agent are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunGrantRow {
    /// The run.
    pub run: RunId,
    /// Its repo or worktree.
    pub repo: RepoId,
    /// Id of the present token (its `jti`).
    pub token: String,
    /// Id of the one before, which may still be in use.
    pub previous: Option<String>,
    /// When the present one was made.
    pub issued_at: Timestamp,
}

row! {
    struct Row {
        run: String,
        repo: String,
        token: String,
        previous: Option<String>,
        issued_at: i64,
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &RunGrantRow) -> Result<()> {
    sqlx::query(
        "insert into run_grants (run, repo, token, previous, issued_at)
         values ($1, $2, $3, $4, $5)
         on conflict (run) do update set repo = excluded.repo, token = excluded.token,
             previous = excluded.previous, issued_at = excluded.issued_at",
    )
    .bind(row.run.as_str())
    .bind(row.repo.as_str())
    .bind(&row.token)
    .bind(&row.previous)
    .bind(row.issued_at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, run: &RunId) -> Result<()> {
    sqlx::query("delete from run_grants where run = $1").bind(run.as_str()).execute(conn).await?;
    Ok(())
}

impl Store {
    /// The grants of all runs that have one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run_grants(&self) -> Result<Vec<RunGrantRow>> {
        let rows: Vec<Row> =
            sqlx::query_as("select run, repo, token, previous, issued_at from run_grants")
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|row| {
                Ok(RunGrantRow {
                    run: parse("run id", &row.run)?,
                    repo: parse("repo id", &row.repo)?,
                    token: row.token,
                    previous: row.previous,
                    issued_at: Timestamp::from_micros(row.issued_at),
                })
            })
            .collect()
    }
}
