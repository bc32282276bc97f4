//! Runs.

use car_api::{RepoId, RunId, Timestamp, run::RunStatus};
use car_engine::flow::Flow;
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Result, Store,
    columns::{from_json, json, micros, parse, row, time},
};

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// The repo or worktree whose queue it works.
    pub repo: RepoId,
    /// Its state and memory.
    pub flow: Flow,
    /// The commit the tree was at when it began.
    pub base_commit: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Since when it waits for a slot; its place in the queue.
    pub queued_at: Timestamp,
    /// When it first had a slot.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Which runs are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunQuery {
    /// Only of this repo.
    pub repo: Option<RepoId>,
    /// Only in this status.
    pub status: Option<RunStatus>,
    /// Only those asked for at or after this time.
    pub since: Option<Timestamp>,
    /// Only those asked for before this time.
    pub until: Option<Timestamp>,
    /// Only older than this run, which was the last of the page before.
    pub before: Option<RunId>,
    /// At most so many.
    pub limit: u32,
}

row! {
    struct Row {
        id: String,
        repo: String,
        flow: String,
        base_commit: Option<String>,
        created_at: i64,
        queued_at: i64,
        started_at: Option<i64>,
        ended_at: Option<i64>,
    }
}

row! {
    struct Count {
        status: String,
        many: i64,
    }
}

const COLUMNS: &str = "id, repo, flow, base_commit, created_at, queued_at, started_at, ended_at";

impl TryFrom<Row> for RunRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("run id", &row.id)?,
            repo: parse("repo id", &row.repo)?,
            flow: from_json("flow", &row.flow)?,
            base_commit: row.base_commit,
            created_at: Timestamp::from_micros(row.created_at),
            queued_at: Timestamp::from_micros(row.queued_at),
            started_at: time(row.started_at),
            ended_at: time(row.ended_at),
        })
    }
}

pub(crate) async fn insert(conn: &mut SqliteConnection, row: &RunRow) -> Result<()> {
    sqlx::query(
        "insert into runs (id, repo, status, flow, base_commit, created_at, queued_at, started_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(row.id.as_str())
    .bind(row.repo.as_str())
    .bind(row.flow.state.status().as_str())
    .bind(json(&row.flow)?)
    .bind(&row.base_commit)
    .bind(row.created_at.micros())
    .bind(row.queued_at.micros())
    .bind(micros(row.started_at))
    .bind(micros(row.ended_at))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn update(conn: &mut SqliteConnection, row: &RunRow) -> Result<()> {
    sqlx::query(
        "update runs set status = $2, flow = $3, base_commit = $4, queued_at = $5, started_at = $6,
         ended_at = $7 where id = $1",
    )
    .bind(row.id.as_str())
    .bind(row.flow.state.status().as_str())
    .bind(json(&row.flow)?)
    .bind(&row.base_commit)
    .bind(row.queued_at.micros())
    .bind(micros(row.started_at))
    .bind(micros(row.ended_at))
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// One run.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run(&self, id: &RunId) -> Result<Option<RunRow>> {
        let sql = format!("select {COLUMNS} from runs where id = $1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(RunRow::try_from).transpose()
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn runs(&self, query: &RunQuery) -> Result<Vec<RunRow>> {
        // Ids are time-ordered, so they are the cursor as well.
        let sql = format!(
            "select {COLUMNS} from runs
             where ($1 is null or repo = $1) and ($2 is null or status = $2)
               and ($3 is null or id < $3)
               and ($4 is null or created_at >= $4) and ($5 is null or created_at < $5)
             order by id desc limit $6"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(query.repo.as_ref().map(RepoId::as_str))
            .bind(query.status.map(RunStatus::as_str))
            .bind(query.before.as_ref().map(RunId::as_str))
            .bind(micros(query.since))
            .bind(micros(query.until))
            .bind(i64::from(query.limit))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(RunRow::try_from).collect()
    }

    /// The run of the same repo that came next.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run_after(&self, run: &RunRow) -> Result<Option<RunRow>> {
        let sql =
            format!("select {COLUMNS} from runs where repo = $1 and id > $2 order by id limit 1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(run.repo.as_str())
            .bind(run.id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(RunRow::try_from).transpose()
    }

    /// How many runs stand how.
    ///
    /// # Errors
    /// What the database says.
    pub async fn runs_by_status(&self) -> Result<Vec<(RunStatus, u64)>> {
        let rows: Vec<Count> =
            sqlx::query_as("select status, count(*) as many from runs group by status")
                .fetch_all(&self.readers)
                .await?;
        let count = |row: Count| {
            Ok((parse("status", &row.status)?, u64::try_from(row.many).unwrap_or_default()))
        };
        rows.into_iter().map(count).collect()
    }

    /// Every run that has not ended, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn active_runs(&self) -> Result<Vec<RunRow>> {
        let sql = format!(
            "select {COLUMNS} from runs
             where status in ('pending', 'running', 'paused', 'parked', 'stopping') order by queued_at"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.readers).await?;
        rows.into_iter().map(RunRow::try_from).collect()
    }

    /// The latest run of each repo.
    ///
    /// # Errors
    /// What the database says.
    pub async fn latest_runs(&self) -> Result<Vec<RunRow>> {
        let sql = format!(
            "select {COLUMNS} from runs where id in (select max(id) from runs group by repo)"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.readers).await?;
        rows.into_iter().map(RunRow::try_from).collect()
    }
}
