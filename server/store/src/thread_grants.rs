//! The tokens of threads' agents, as far as they are good. The tokens themselves are in files.

use car_api::{RepoId, ThreadId, Timestamp};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{parse, parse_opt, row},
};

/// Which tokens of a thread's agent are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadGrantRow {
    /// The thread.
    pub thread: ThreadId,
    /// Its repo or worktree; the hub's root when absent.
    pub repo: Option<RepoId>,
    /// Whether it is the project manager's.
    pub pma: bool,
    /// Id of the present token (its `jti`).
    pub token: String,
    /// Id of the one before, which may still be in use.
    pub previous: Option<String>,
    /// When the present one was made.
    pub issued_at: Timestamp,
}

row! {
    struct Row {
        thread: String,
        repo: Option<String>,
        pma: bool,
        token: String,
        previous: Option<String>,
        issued_at: i64,
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &ThreadGrantRow) -> Result<()> {
    sqlx::query(
        "insert into thread_grants (thread, repo, pma, token, previous, issued_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (thread) do update set repo = excluded.repo, pma = excluded.pma,
             token = excluded.token, previous = excluded.previous,
             issued_at = excluded.issued_at",
    )
    .bind(row.thread.as_str())
    .bind(row.repo.as_ref().map(RepoId::as_str))
    .bind(row.pma)
    .bind(&row.token)
    .bind(&row.previous)
    .bind(row.issued_at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// The grants of all threads that have one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn thread_grants(&self) -> Result<Vec<ThreadGrantRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select thread, repo, pma, token, previous, issued_at from thread_grants",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ThreadGrantRow {
                    thread: parse("thread id", &row.thread)?,
                    repo: parse_opt("repo id", row.repo.as_deref())?,
                    pma: row.pma,
                    token: row.token,
                    previous: row.previous,
                    issued_at: Timestamp::from_micros(row.issued_at),
                })
            })
            .collect()
    }
}
