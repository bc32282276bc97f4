//! Questions of agents.

use car_api::{
    ApprovalId, RunId, SessionId, ThreadId, Timestamp, TurnId,
    item::{Approval, ApprovalRequest, Decision},
};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Errand, Result, Store,
    columns::{from_json, json, micros, parse, parse_opt, row, time},
};

/// One question of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalRow {
    /// Its id.
    pub id: ApprovalId,
    /// What the agent is at work for.
    pub errand: Errand,
    /// The turn.
    pub turn: TurnId,
    /// The session it was asked in.
    pub session: SessionId,
    /// The driver's key of it.
    pub key: String,
    /// What is asked for.
    pub request: ApprovalRequest,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The answer.
    pub decision: Option<Decision>,
    /// When the agent had the answer, or the question became void.
    pub resolved_at: Option<Timestamp>,
}

impl ApprovalRow {
    /// The question as the contract words it.
    #[must_use]
    pub fn approval(&self) -> Approval {
        Approval {
            id: self.id.clone(),
            request: self.request.clone(),
            asked_at: self.asked_at,
            decision: self.decision,
        }
    }
}

row! {
    struct Row {
        id: String,
        run: Option<String>,
        thread: Option<String>,
        turn: String,
        session: String,
        key: String,
        request: String,
        asked_at: i64,
        decision: Option<String>,
        resolved_at: Option<i64>,
    }
}

const COLUMNS: &str = "id, run, thread, turn, session, key, request, asked_at, decision, \
    resolved_at";

impl TryFrom<Row> for ApprovalRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("approval id", &row.id)?,
            errand: Errand::read(row.run.as_deref(), row.thread.as_deref())?,
            turn: parse("turn id", &row.turn)?,
            session: parse("session id", &row.session)?,
            key: row.key,
            request: from_json("request", &row.request)?,
            asked_at: Timestamp::from_micros(row.asked_at),
            decision: parse_opt("decision", row.decision.as_deref())?,
            resolved_at: time(row.resolved_at),
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, row: &ApprovalRow) -> Result<()> {
    sqlx::query(
        "insert into approvals
             (id, run, thread, turn, session, key, request, asked_at, decision, resolved_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (id) do update set decision = excluded.decision,
             resolved_at = excluded.resolved_at",
    )
    .bind(row.id.as_str())
    .bind(row.errand.run().map(RunId::as_str))
    .bind(row.errand.thread().map(ThreadId::as_str))
    .bind(row.turn.as_str())
    .bind(row.session.as_str())
    .bind(&row.key)
    .bind(json(&row.request)?)
    .bind(row.asked_at.micros())
    .bind(row.decision.map(Decision::as_str))
    .bind(micros(row.resolved_at))
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// Questions of an errand that are not resolved, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_approvals(&self, errand: &Errand) -> Result<Vec<ApprovalRow>> {
        let sql = format!(
            "select {COLUMNS} from approvals where resolved_at is null
               and (run = $1 or thread = $2) order by asked_at"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(errand.run().map(RunId::as_str))
            .bind(errand.thread().map(ThreadId::as_str))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(ApprovalRow::try_from).collect()
    }

    /// Questions of threads that are not resolved, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_thread_approvals(&self) -> Result<Vec<ApprovalRow>> {
        let sql = format!(
            "select {COLUMNS} from approvals where resolved_at is null and thread is not null
             order by asked_at"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.readers).await?;
        rows.into_iter().map(ApprovalRow::try_from).collect()
    }

    /// One question.
    ///
    /// # Errors
    /// What the database says.
    pub async fn approval(&self, id: &ApprovalId) -> Result<Option<ApprovalRow>> {
        let sql = format!("select {COLUMNS} from approvals where id = $1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(ApprovalRow::try_from).transpose()
    }
}
