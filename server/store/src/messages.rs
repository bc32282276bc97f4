//! Messages of threads.

use car_api::{
    MessageId, SessionId, ThreadId, Timestamp, TurnId,
    item::PlanStep,
    money::{Amount, Cost},
    thread::Message,
};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Clean, Result, Store,
    columns::{from_json, from_json_opt, json, micros, parse, parse_opt, row, time},
    message_search,
};

/// One message, and what is known of its turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageRow {
    /// The message as everybody sees it.
    pub message: Message,
    /// The agent's process its turn is in.
    pub session: Option<SessionId>,
    /// The agent's plan as it last stood.
    pub plan: Vec<PlanStep>,
}

/// Which messages of a thread are wanted; the last ones when neither side is named.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MessageQuery {
    /// Only those with a lower number, the last of them.
    pub before: Option<u32>,
    /// Only those with a higher number, the first of them.
    pub after: Option<u32>,
    /// At most so many.
    pub limit: u32,
}

row! {
    struct Row {
        id: String,
        thread: String,
        number: i64,
        conversation: i64,
        origin: String,
        author: String,
        client_turn_id: Option<String>,
        body: String,
        attachments: String,
        status: String,
        detail: Option<String>,
        continues: Option<String>,
        turn: Option<String>,
        session: Option<String>,
        answer: Option<String>,
        error: Option<String>,
        usage: String,
        cost: Option<i64>,
        unpriced_tokens: Option<i64>,
        plan: String,
        created_at: i64,
        started_at: Option<i64>,
        ended_at: Option<i64>,
    }
}

const COLUMNS: &str = "id, thread, number, conversation, origin, author, client_turn_id, body, \
    attachments, status, detail, continues, turn, session, answer, error, usage, cost, \
    unpriced_tokens, plan, created_at, started_at, ended_at";

fn number(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl TryFrom<Row> for MessageRow {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            message: Message {
                id: parse("message id", &row.id)?,
                thread: parse("thread id", &row.thread)?,
                number: number(row.number),
                conversation: number(row.conversation),
                origin: parse("origin", &row.origin)?,
                author: row.author,
                client_turn_id: row.client_turn_id,
                body: row.body,
                attachments: from_json("attachments", &row.attachments)?,
                status: parse("message status", &row.status)?,
                detail: row.detail,
                continues: parse_opt("message id", row.continues.as_deref())?,
                turn: parse_opt("turn id", row.turn.as_deref())?,
                answer: row.answer,
                error: from_json_opt("error", row.error.as_deref())?,
                usage: from_json("usage", &row.usage)?,
                cost: row.cost.zip(row.unpriced_tokens).map(|(cost, unpriced_tokens)| Cost {
                    amount: Amount::from_millionths(cost),
                    unpriced_tokens,
                }),
                created_at: Timestamp::from_micros(row.created_at),
                started_at: time(row.started_at),
                ended_at: time(row.ended_at),
            },
            session: parse_opt("session id", row.session.as_deref())?,
            plan: from_json("plan", &row.plan)?,
        })
    }
}

pub(crate) async fn upsert(
    conn: &mut SqliteConnection,
    row: &MessageRow,
    clean: &Clean,
) -> Result<()> {
    let message = &row.message;
    let body = clean.text(message.body.clone());
    let answer = message.answer.clone().map(|answer| clean.text(answer));
    sqlx::query(
        "insert into messages (id, thread, number, conversation, origin, author, client_turn_id,
             body, attachments, status, detail, continues, turn, session, answer, error, usage,
             cost, unpriced_tokens, plan, created_at, started_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19, $20, $21, $22, $23)
         on conflict (id) do update set conversation = excluded.conversation,
             status = excluded.status, detail = excluded.detail, turn = excluded.turn,
             session = excluded.session, answer = excluded.answer, error = excluded.error,
             usage = excluded.usage, cost = excluded.cost,
             unpriced_tokens = excluded.unpriced_tokens, plan = excluded.plan, started_at = excluded.started_at,
             ended_at = excluded.ended_at",
    )
    .bind(message.id.as_str())
    .bind(message.thread.as_str())
    .bind(i64::from(message.number))
    .bind(i64::from(message.conversation))
    .bind(message.origin.as_str())
    .bind(&message.author)
    .bind(&message.client_turn_id)
    .bind(&body)
    .bind(json(&message.attachments)?)
    .bind(message.status.as_str())
    .bind(message.detail.clone().map(|detail| clean.text(detail)))
    .bind(message.continues.as_ref().map(MessageId::as_str))
    .bind(message.turn.as_ref().map(TurnId::as_str))
    .bind(row.session.as_ref().map(SessionId::as_str))
    .bind(&answer)
    .bind(message.error.as_ref().map(json).transpose()?.map(|error| clean.text(error)))
    .bind(json(&message.usage)?)
    .bind(message.cost.map(|cost| cost.amount.millionths()))
    .bind(message.cost.map(|cost| cost.unpriced_tokens))
    .bind(clean.text(json(&row.plan)?))
    .bind(message.created_at.micros())
    .bind(micros(message.started_at))
    .bind(micros(message.ended_at))
    .execute(&mut *conn)
    .await?;
    message_search::add(conn, message, false, &body).await?;
    // What is not final yet would have to be taken out again.
    if let (Some(answer), Some(_)) = (&answer, message.ended_at) {
        message_search::add(conn, message, true, answer).await?;
    }
    Ok(())
}

impl Store {
    /// One message.
    ///
    /// # Errors
    /// What the database says.
    pub async fn message(&self, id: &MessageId) -> Result<Option<MessageRow>> {
        let sql = format!("select {COLUMNS} from messages where id = $1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(MessageRow::try_from).transpose()
    }

    /// The message of a thread that came under this id of its caller.
    ///
    /// # Errors
    /// What the database says.
    pub async fn message_of(
        &self,
        thread: &ThreadId,
        client_turn_id: &str,
    ) -> Result<Option<MessageRow>> {
        let sql =
            format!("select {COLUMNS} from messages where thread = $1 and client_turn_id = $2");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(thread.as_str())
            .bind(client_turn_id)
            .fetch_optional(&self.readers)
            .await?;
        row.map(MessageRow::try_from).transpose()
    }

    /// Messages of a thread, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn messages(
        &self,
        thread: &ThreadId,
        query: MessageQuery,
    ) -> Result<Vec<MessageRow>> {
        let forward = query.before.is_none() && query.after.is_some();
        let order = if forward { "asc" } else { "desc" };
        let sql = format!(
            "select {COLUMNS} from messages where thread = $1 and number > $2 and number < $3
             order by number {order} limit $4"
        );
        // Only words of ours are in the text.
        let mut rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(thread.as_str())
            .bind(query.after.map_or(-1, i64::from))
            .bind(query.before.map_or(i64::MAX, i64::from))
            .bind(i64::from(query.limit))
            .fetch_all(&self.readers)
            .await?;
        if !forward {
            rows.reverse();
        }
        rows.into_iter().map(MessageRow::try_from).collect()
    }
}
