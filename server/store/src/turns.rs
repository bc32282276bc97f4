//! Turns.

use car_api::{RunId, SessionId, Timestamp, TurnId, money::Amount, turn::Turn};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Clean, Result, Store,
    columns::{from_json, from_json_opt, json, micros, parse, parse_opt, row, time},
    usage,
};

row! {
    struct Row {
        id: String,
        run: String,
        number: i64,
        ticket: String,
        ticket_file: String,
        agent: String,
        model: Option<String>,
        purpose: String,
        status: String,
        session: Option<String>,
        thread: Option<String>,
        prompt_hash: Option<String>,
        started_at: i64,
        ended_at: Option<i64>,
        usage: String,
        cost: Option<i64>,
        message: Option<String>,
        error: Option<String>,
        diff: Option<String>,
    }
}

const COLUMNS: &str = "id, run, number, ticket, ticket_file, agent, model, purpose, status, \
    session, thread, prompt_hash, started_at, ended_at, usage, message, error, diff, \
    (select cost from usage where usage.turn = turns.id) as cost";

impl TryFrom<Row> for Turn {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("turn id", &row.id)?,
            run: parse("run id", &row.run)?,
            number: u32::try_from(row.number).unwrap_or(u32::MAX),
            ticket: parse("ticket id", &row.ticket)?,
            ticket_file: row.ticket_file,
            agent: parse("agent id", &row.agent)?,
            model: row.model,
            purpose: parse("purpose", &row.purpose)?,
            status: parse("status", &row.status)?,
            session: parse_opt("session id", row.session.as_deref())?,
            thread: row.thread,
            prompt_hash: row.prompt_hash,
            started_at: Timestamp::from_micros(row.started_at),
            ended_at: time(row.ended_at),
            usage: from_json("usage", &row.usage)?,
            cost: row.cost.map(Amount::from_millionths),
            message: row.message,
            error: from_json_opt("error", row.error.as_deref())?,
            diff: from_json_opt("diff", row.diff.as_deref())?,
        })
    }
}

pub(crate) async fn upsert(
    conn: &mut SqliteConnection,
    turn: &Turn,
    fingerprint: Option<&str>,
    clean: &Clean,
) -> Result<()> {
    sqlx::query(
        "insert into turns (id, run, number, ticket, ticket_file, agent, purpose, status, session,
             thread, prompt_hash, started_at, ended_at, usage, message, error, diff, fingerprint,
             model)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19)
         on conflict (id) do update set status = excluded.status, session = excluded.session,
             thread = excluded.thread, prompt_hash = excluded.prompt_hash,
             ended_at = excluded.ended_at, usage = excluded.usage, message = excluded.message,
             error = excluded.error, diff = excluded.diff, model = excluded.model,
             fingerprint = coalesce(excluded.fingerprint, fingerprint)",
    )
    .bind(turn.id.as_str())
    .bind(turn.run.as_str())
    .bind(i64::from(turn.number))
    .bind(turn.ticket.as_str())
    .bind(&turn.ticket_file)
    .bind(turn.agent.as_str())
    .bind(turn.purpose.as_str())
    .bind(turn.status.as_str())
    .bind(turn.session.as_ref().map(SessionId::as_str))
    .bind(&turn.thread)
    .bind(&turn.prompt_hash)
    .bind(turn.started_at.micros())
    .bind(micros(turn.ended_at))
    .bind(json(&turn.usage)?)
    .bind(turn.message.clone().map(|message| clean.text(message)))
    .bind(turn.error.as_ref().map(json).transpose()?.map(|error| clean.text(error)))
    .bind(turn.diff.as_ref().map(json).transpose()?)
    .bind(fingerprint)
    .bind(&turn.model)
    .execute(&mut *conn)
    .await?;
    usage::of_turn(conn, turn).await
}

impl Store {
    /// One turn.
    ///
    /// # Errors
    /// What the database says.
    pub async fn turn(&self, id: &TurnId) -> Result<Option<Turn>> {
        let sql = format!("select {COLUMNS} from turns where id = $1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(Turn::try_from).transpose()
    }

    /// The tree's fingerprint when a turn began.
    ///
    /// # Errors
    /// What the database says.
    pub async fn turn_fingerprint(&self, id: &TurnId) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("select fingerprint from turns where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?
            .flatten())
    }

    /// Turns of a run, oldest first, after a number.
    ///
    /// # Errors
    /// What the database says.
    pub async fn turns(&self, run: &RunId, after: u32, limit: u32) -> Result<Vec<Turn>> {
        let sql = format!(
            "select {COLUMNS} from turns where run = $1 and number > $2 order by number limit $3"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(run.as_str())
            .bind(i64::from(after))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Turn::try_from).collect()
    }

    /// The latest turn of a run.
    ///
    /// # Errors
    /// What the database says.
    pub async fn last_turn(&self, run: &RunId) -> Result<Option<Turn>> {
        let sql =
            format!("select {COLUMNS} from turns where run = $1 order by number desc limit 1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(run.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(Turn::try_from).transpose()
    }
}
