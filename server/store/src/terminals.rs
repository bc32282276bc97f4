//! Shells on the hub's machine.

use car_api::{TerminalId, Timestamp, terminal::Terminal};
use sqlx::SqliteConnection;

use crate::{
    Clean, Result, Store,
    columns::{from_json, from_json_opt, json, micros},
};

pub(crate) async fn upsert(
    conn: &mut SqliteConnection,
    terminal: &Terminal,
    clean: &Clean,
) -> Result<()> {
    sqlx::query(
        "insert into terminals (id, status, created_at, ended_at, body) values ($1, $2, $3, $4, $5)
         on conflict (id) do update
         set status = excluded.status, ended_at = excluded.ended_at, body = excluded.body",
    )
    .bind(terminal.id.as_str())
    .bind(terminal.status.as_str())
    .bind(terminal.created_at.micros())
    .bind(micros(terminal.ended_at))
    .bind(clean.text(json(terminal)?))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, id: &TerminalId) -> Result<()> {
    sqlx::query("delete from terminals where id = $1").bind(id.as_str()).execute(conn).await?;
    Ok(())
}

impl Store {
    /// One terminal.
    ///
    /// # Errors
    /// What the database says.
    pub async fn terminal(&self, id: &TerminalId) -> Result<Option<Terminal>> {
        let body: Option<String> = sqlx::query_scalar("select body from terminals where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        from_json_opt("terminal", body.as_deref())
    }

    /// Terminals, newest first: those before one of them, at most so many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn terminals(
        &self,
        before: Option<&TerminalId>,
        limit: u32,
    ) -> Result<Vec<Terminal>> {
        let bodies: Vec<String> = sqlx::query_scalar(
            "select body from terminals where ($1 is null or id < $1) order by id desc limit $2",
        )
        .bind(before.map(TerminalId::as_str))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        bodies.iter().map(|body| from_json("terminal", body)).collect()
    }

    /// Terminals that say they run; after a start none does.
    ///
    /// # Errors
    /// What the database says.
    pub async fn running_terminals(&self) -> Result<Vec<Terminal>> {
        let bodies: Vec<String> =
            sqlx::query_scalar("select body from terminals where status = 'running'")
                .fetch_all(&self.readers)
                .await?;
        bodies.iter().map(|body| from_json("terminal", body)).collect()
    }

    /// Terminals that ended before a time.
    ///
    /// # Errors
    /// What the database says.
    pub async fn terminals_ended_before(&self, at: Timestamp) -> Result<Vec<TerminalId>> {
        let ids: Vec<String> = sqlx::query_scalar("select id from terminals where ended_at < $1")
            .bind(at.micros())
            .fetch_all(&self.readers)
            .await?;
        ids.iter().map(|id| crate::columns::parse("terminal id", id)).collect()
    }
}
