//! Agent processes under their shims.

use car_api::{AgentId, RunId, SessionId, ThreadId, Timestamp};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Errand, Result, Store,
    columns::{micros, parse, row, time},
};

/// One agent process and how far its journal was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Its id, also the marker in the environment of everything it starts.
    pub id: SessionId,
    /// What it works for.
    pub errand: Errand,
    /// The agent.
    pub agent: AgentId,
    /// The shim's directory, absolute.
    pub dir: String,
    /// Number of the last journal line whose meaning is committed.
    pub line: u64,
    /// The driver's state after that line.
    pub driver: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was found to have ended.
    pub ended_at: Option<Timestamp>,
}

row! {
    struct Row {
        id: String,
        run: Option<String>,
        thread: Option<String>,
        agent: String,
        dir: String,
        line: i64,
        driver: Option<String>,
        started_at: i64,
        ended_at: Option<i64>,
    }
}

const COLUMNS: &str = "id, run, thread, agent, dir, line, driver, started_at, ended_at";

impl TryFrom<Row> for SessionRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("session id", &row.id)?,
            errand: Errand::read(row.run.as_deref(), row.thread.as_deref())?,
            agent: parse("agent id", &row.agent)?,
            dir: row.dir,
            line: u64::try_from(row.line).unwrap_or_default(),
            driver: row.driver,
            started_at: Timestamp::from_micros(row.started_at),
            ended_at: time(row.ended_at),
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &SessionRow) -> Result<()> {
    sqlx::query(
        "insert into sessions (id, run, thread, agent, dir, line, driver, started_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (id) do update set line = excluded.line, driver = excluded.driver,
             ended_at = excluded.ended_at",
    )
    .bind(row.id.as_str())
    .bind(row.errand.run().map(RunId::as_str))
    .bind(row.errand.thread().map(ThreadId::as_str))
    .bind(row.agent.as_str())
    .bind(&row.dir)
    .bind(i64::try_from(row.line).unwrap_or(i64::MAX))
    .bind(&row.driver)
    .bind(row.started_at.micros())
    .bind(micros(row.ended_at))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut SqliteConnection, id: &SessionId) -> Result<()> {
    sqlx::query("delete from sessions where id = $1").bind(id.as_str()).execute(conn).await?;
    Ok(())
}

impl Store {
    /// Sessions of threads and of ended runs that ended before a time, the longest ago first, but
    /// for the first `passed`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sessions_ended_before(
        &self,
        before: Timestamp,
        passed: u32,
        limit: u32,
    ) -> Result<Vec<SessionRow>> {
        let sql = format!(
            "select {COLUMNS} from sessions where ended_at < $1 and not exists
                 (select 1 from runs where runs.id = sessions.run and runs.ended_at is null)
             order by ended_at, id limit $2 offset $3"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(before.micros())
            .bind(i64::from(limit))
            .bind(i64::from(passed))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(SessionRow::try_from).collect()
    }

    /// Sessions that were not found to have ended, oldest first; of one errand or of all.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_sessions(&self, errand: Option<&Errand>) -> Result<Vec<SessionRow>> {
        let sql = format!(
            "select {COLUMNS} from sessions where ended_at is null
               and ($1 is null or run = $1) and ($2 is null or thread = $2) order by started_at"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(errand.and_then(Errand::run).map(RunId::as_str))
            .bind(errand.and_then(Errand::thread).map(ThreadId::as_str))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(SessionRow::try_from).collect()
    }
}
