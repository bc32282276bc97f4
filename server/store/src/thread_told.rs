//! What the agents of threads were told in their present conversations.

use car_api::ThreadId;
use car_engine::pma::prompt::Told;
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, row},
};

row! {
    struct Row {
        conversation: i64,
        told: String,
    }
}

/// Notes what the agent will have been told when the turn at work ends well.
pub(crate) async fn pending(
    conn: &mut SqliteConnection,
    thread: &ThreadId,
    conversation: u32,
    pending: &Told,
) -> Result<()> {
    sqlx::query(
        "insert into thread_told (thread, conversation, told, pending) values ($1, $2, '{}', $3)
         on conflict (thread) do update set
             told = case when thread_told.conversation = excluded.conversation
                         then thread_told.told else '{}' end,
             conversation = excluded.conversation, pending = excluded.pending",
    )
    .bind(thread.as_str())
    .bind(i64::from(conversation))
    .bind(json(pending)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// The turn ended well: what was pending is known.
pub(crate) async fn settle(conn: &mut SqliteConnection, thread: &ThreadId) -> Result<()> {
    sqlx::query(
        "update thread_told set told = pending, pending = null
         where thread = $1 and pending is not null",
    )
    .bind(thread.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// The agent knows nothing any more, or less than it did.
pub(crate) async fn forget(conn: &mut SqliteConnection, thread: &ThreadId) -> Result<()> {
    sqlx::query("delete from thread_told where thread = $1")
        .bind(thread.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

impl Store {
    /// What the agent of a thread was told in this conversation of it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn told(&self, thread: &ThreadId, conversation: u32) -> Result<Told> {
        let row: Option<Row> =
            sqlx::query_as("select conversation, told from thread_told where thread = $1")
                .bind(thread.as_str())
                .fetch_optional(&self.readers)
                .await?;
        match row.filter(|row| row.conversation == i64::from(conversation)) {
            Some(row) => from_json("what a thread was told", &row.told),
            None => Ok(Told::default()),
        }
    }
}
