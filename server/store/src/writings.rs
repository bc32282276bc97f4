//! Pieces of turns that are being written.

use car_api::{TurnId, turn::Writing};
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json_opt, json},
};

pub(crate) async fn set(
    conn: &mut SqliteConnection,
    turn: &TurnId,
    pieces: &[Writing],
) -> Result<()> {
    if pieces.is_empty() {
        sqlx::query("delete from writings where turn = $1")
            .bind(turn.as_str())
            .execute(conn)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "insert into writings (turn, pieces) values ($1, $2)
         on conflict (turn) do update set pieces = excluded.pieces",
    )
    .bind(turn.as_str())
    .bind(json(&pieces)?)
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// What was being written in a turn at the last line that was committed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn writings(&self, turn: &TurnId) -> Result<Vec<Writing>> {
        let pieces: Option<String> =
            sqlx::query_scalar("select pieces from writings where turn = $1")
                .bind(turn.as_str())
                .fetch_optional(&self.readers)
                .await?;
        Ok(from_json_opt("piece that is being written", pieces.as_deref())?.unwrap_or_default())
    }
}
