//! What keeps threads from harm, as the engine remembers it.

use car_api::ThreadId;
use car_engine::pma::safety::Safety;
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, parse, row},
};

row! {
    struct Row {
        thread: String,
        state: String,
    }
}

pub(crate) async fn upsert(
    conn: &mut SqliteConnection,
    thread: &ThreadId,
    state: &Safety,
) -> Result<()> {
    sqlx::query(
        "insert into thread_safety (thread, state) values ($1, $2)
         on conflict (thread) do update set state = excluded.state",
    )
    .bind(thread.as_str())
    .bind(json(state)?)
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// What is remembered of every thread.
    ///
    /// # Errors
    /// What the database says.
    pub async fn thread_safety(&self) -> Result<Vec<(ThreadId, Safety)>> {
        let rows: Vec<Row> = sqlx::query_as("select thread, state from thread_safety")
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok((parse("thread id", &row.thread)?, from_json("thread safety", &row.state)?))
            })
            .collect()
    }
}
