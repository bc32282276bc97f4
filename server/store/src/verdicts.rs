//! The latest verdict on each ticket.

use car_api::{RepoId, RunId, TicketId, Timestamp, verify::Verdict};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{parse, row},
};

/// The latest verdict on a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictRow {
    /// The repo or worktree.
    pub repo: RepoId,
    /// The ticket.
    pub ticket: TicketId,
    /// The verdict.
    pub verdict: Verdict,
    /// The run that had it made.
    pub run: RunId,
    /// Hash of the tree it holds for.
    pub tree: Option<String>,
    /// When.
    pub at: Timestamp,
}

row! {
    struct Row {
        ticket: String,
        verdict: String,
        run: String,
        tree: Option<String>,
        at: i64,
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &VerdictRow) -> Result<()> {
    sqlx::query(
        "insert into verdicts (repo, ticket, verdict, run, tree, at) values ($1, $2, $3, $4, $5, $6)
         on conflict (repo, ticket) do update set verdict = excluded.verdict, run = excluded.run,
             tree = excluded.tree, at = excluded.at",
    )
    .bind(row.repo.as_str())
    .bind(row.ticket.as_str())
    .bind(row.verdict.as_str())
    .bind(row.run.as_str())
    .bind(&row.tree)
    .bind(row.at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// The latest verdict on each ticket of a repo.
    ///
    /// # Errors
    /// What the database says.
    pub async fn verdicts(&self, repo: &RepoId) -> Result<Vec<VerdictRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select ticket, verdict, run, tree, at from verdicts where repo = $1 order by ticket",
        )
        .bind(repo.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(VerdictRow {
                    repo: repo.clone(),
                    ticket: parse("ticket id", &row.ticket)?,
                    verdict: parse("verdict", &row.verdict)?,
                    run: parse("run id", &row.run)?,
                    tree: row.tree,
                    at: Timestamp::from_micros(row.at),
                })
            })
            .collect()
    }
}
