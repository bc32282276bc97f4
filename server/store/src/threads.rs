//! Threads.

use car_api::{
    AgentId, RepoId, ThreadId, Timestamp, agent::ApprovalPolicy, item::Usage, thread::ThreadKind,
};
use car_engine::lane::Lane;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Clean, Result, Store,
    columns::{from_json, json, micros, parse, parse_opt, row, time},
};

/// One thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadRow {
    /// Its id.
    pub id: ThreadId,
    /// What it is for.
    pub kind: ThreadKind,
    /// Its name; empty until its first message gives it one.
    pub name: String,
    /// The repo or worktree it is about.
    pub repo: Option<RepoId>,
    /// The agent.
    pub agent: AgentId,
    /// Model.
    pub model: Option<String>,
    /// Reasoning effort.
    pub effort: Option<String>,
    /// How much the agent may do without asking.
    pub approvals: ApprovalPolicy,
    /// What the engine remembers of it.
    pub lane: Lane,
    /// Number of its last message.
    pub messages: u32,
    /// The beginning of the newest message or answer.
    pub preview: Option<String>,
    /// Tokens used in it.
    pub usage: Usage,
    /// Tokens used so far in the agent's present conversation, as the agent counts them.
    pub spent: Usage,
    /// The thread it was forked from.
    pub forked_from: Option<ThreadId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something last happened in it.
    pub updated_at: Timestamp,
    /// When it was put away.
    pub archived_at: Option<Timestamp>,
}

/// Which threads are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThreadQuery {
    /// Only of this kind.
    pub kind: Option<ThreadKind>,
    /// Only about this repo.
    pub repo: Option<RepoId>,
    /// Only those that are, or are not, put away.
    pub archived: Option<bool>,
    /// Only those last active before this one, which was the last of the page before.
    pub before: Option<(Timestamp, ThreadId)>,
    /// At most so many.
    pub limit: u32,
}

row! {
    struct Row {
        id: String,
        kind: String,
        name: String,
        repo: Option<String>,
        agent: String,
        model: Option<String>,
        effort: Option<String>,
        approvals: String,
        lane: String,
        messages: i64,
        preview: Option<String>,
        usage: String,
        spent: String,
        forked_from: Option<String>,
        created_at: i64,
        updated_at: i64,
        archived_at: Option<i64>,
    }
}

const COLUMNS: &str = "id, kind, name, repo, agent, model, effort, approvals, lane, messages, \
    preview, usage, spent, forked_from, created_at, updated_at, archived_at";

impl TryFrom<Row> for ThreadRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("thread id", &row.id)?,
            kind: parse("thread kind", &row.kind)?,
            name: row.name,
            repo: parse_opt("repo id", row.repo.as_deref())?,
            agent: parse("agent id", &row.agent)?,
            model: row.model,
            effort: row.effort,
            approvals: parse("approval policy", &row.approvals)?,
            lane: from_json("lane", &row.lane)?,
            messages: u32::try_from(row.messages).unwrap_or(u32::MAX),
            preview: row.preview,
            usage: from_json("usage", &row.usage)?,
            spent: from_json("usage", &row.spent)?,
            forked_from: parse_opt("thread id", row.forked_from.as_deref())?,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
            archived_at: time(row.archived_at),
        })
    }
}

pub(crate) async fn upsert(
    conn: &mut SqliteConnection,
    row: &ThreadRow,
    clean: &Clean,
) -> Result<()> {
    sqlx::query(
        "insert into threads (id, kind, name, repo, agent, model, effort, approvals, lane, messages,
             preview, usage, spent, forked_from, created_at, updated_at, archived_at, at_work)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict (id) do update set name = excluded.name, agent = excluded.agent,
             model = excluded.model, effort = excluded.effort, approvals = excluded.approvals,
             lane = excluded.lane, messages = excluded.messages, preview = excluded.preview,
             usage = excluded.usage, spent = excluded.spent, updated_at = excluded.updated_at,
             archived_at = excluded.archived_at, at_work = excluded.at_work",
    )
    .bind(row.id.as_str())
    .bind(row.kind.as_str())
    .bind(clean.text(row.name.clone()))
    .bind(row.repo.as_ref().map(RepoId::as_str))
    .bind(row.agent.as_str())
    .bind(&row.model)
    .bind(&row.effort)
    .bind(row.approvals.as_str())
    .bind(clean.text(json(&row.lane)?))
    .bind(i64::from(row.messages))
    .bind(row.preview.clone().map(|text| clean.text(text)))
    .bind(json(&row.usage)?)
    .bind(json(&row.spent)?)
    .bind(row.forked_from.as_ref().map(ThreadId::as_str))
    .bind(row.created_at.micros())
    .bind(row.updated_at.micros())
    .bind(micros(row.archived_at))
    .bind(!row.lane.is_at_rest())
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// One thread.
    ///
    /// # Errors
    /// What the database says.
    pub async fn thread(&self, id: &ThreadId) -> Result<Option<ThreadRow>> {
        let sql = format!("select {COLUMNS} from threads where id = $1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(ThreadRow::try_from).transpose()
    }

    /// The thread of the project manager.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pma_thread(&self) -> Result<Option<ThreadRow>> {
        let sql = format!("select {COLUMNS} from threads where kind = 'pma'");
        let row: Option<Row> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_optional(&self.readers).await?;
        row.map(ThreadRow::try_from).transpose()
    }

    /// Threads, the one that was active last first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn threads(&self, query: &ThreadQuery) -> Result<Vec<ThreadRow>> {
        let sql = format!(
            "select {COLUMNS} from threads
             where ($1 is null or kind = $1) and ($2 is null or repo = $2)
               and ($3 is null or (archived_at is not null) = $3)
               and ($4 is null or updated_at < $4 or (updated_at = $4 and id < $5))
             order by updated_at desc, id desc limit $6"
        );
        let (before, id) = query.before.clone().unzip();
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(query.kind.map(ThreadKind::as_str))
            .bind(query.repo.as_ref().map(RepoId::as_str))
            .bind(query.archived)
            .bind(micros(before))
            .bind(id.as_ref().map(ThreadId::as_str))
            .bind(i64::from(query.limit))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(ThreadRow::try_from).collect()
    }

    /// Threads that have something to do, or whose agent's process was not found to have ended.
    ///
    /// # Errors
    /// What the database says.
    pub async fn busy_threads(&self) -> Result<Vec<ThreadRow>> {
        let sql = format!(
            "select {COLUMNS} from threads where at_work or id in
                 (select thread from sessions where ended_at is null and thread is not null)"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.readers).await?;
        rows.into_iter().map(ThreadRow::try_from).collect()
    }
}
