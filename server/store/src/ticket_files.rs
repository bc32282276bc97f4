//! The ticket index: what was read of each file.

use car_api::{RepoId, ticket::Ticket};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, parse, row},
};

/// What was read of one ticket file.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketFileRow {
    /// Its repo or worktree.
    pub repo: RepoId,
    /// Its name.
    pub file: String,
    /// Its size in bytes when it was read.
    pub size: u64,
    /// Its modification time when it was read, in nanoseconds since 1970.
    pub mtime: i64,
    /// SHA-256 of its bytes.
    pub hash: String,
    /// What was read.
    pub ticket: Ticket,
}

row! {
    struct Row {
        repo: String,
        file: String,
        size: i64,
        mtime: i64,
        hash: String,
        entry: String,
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &TicketFileRow) -> Result<()> {
    sqlx::query(
        "insert into ticket_files (repo, file, size, mtime, hash, entry)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (repo, file) do update set size = excluded.size, mtime = excluded.mtime,
             hash = excluded.hash, entry = excluded.entry",
    )
    .bind(row.repo.as_str())
    .bind(&row.file)
    .bind(i64::try_from(row.size).unwrap_or(i64::MAX))
    .bind(row.mtime)
    .bind(&row.hash)
    .bind(json(&row.ticket)?)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, repo: &RepoId, file: &str) -> Result<()> {
    sqlx::query("delete from ticket_files where repo = $1 and file = $2")
        .bind(repo.as_str())
        .bind(file)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete_repo(conn: &mut SqliteConnection, repo: &RepoId) -> Result<()> {
    for sql in ["delete from ticket_files where repo = $1", "delete from verdicts where repo = $1"]
    {
        sqlx::query(sql).bind(repo.as_str()).execute(&mut *conn).await?;
    }
    Ok(())
}

impl Store {
    /// The whole index. Rows that cannot be read are left out: the files are read again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ticket_files(&self) -> Result<Vec<TicketFileRow>> {
        let rows: Vec<Row> =
            sqlx::query_as("select repo, file, size, mtime, hash, entry from ticket_files")
                .fetch_all(&self.readers)
                .await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                Some(TicketFileRow {
                    repo: parse("repo id", &row.repo).ok()?,
                    file: row.file,
                    size: u64::try_from(row.size).ok()?,
                    mtime: row.mtime,
                    hash: row.hash,
                    ticket: from_json("ticket", &row.entry).ok()?,
                })
            })
            .collect())
    }
}
