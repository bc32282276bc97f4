//! Pieces of turns.

use car_api::{
    TurnId,
    item::{Item, ItemBody},
};
use sqlx::SqliteConnection;

use crate::{
    Clean, Result, Store,
    columns::{from_json, json, row},
};

/// One piece of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemRow {
    /// The turn.
    pub turn: TurnId,
    /// Its place in the turn.
    pub place: u32,
    /// The piece.
    pub item: Item,
    /// Whether it is finished.
    pub completed: bool,
}

row! {
    struct Row {
        item: String,
        body: String,
    }
}

pub(crate) async fn upsert(
    conn: &mut SqliteConnection,
    row: &ItemRow,
    clean: &Clean,
) -> Result<()> {
    sqlx::query(
        "insert into items (turn, place, item, completed, body) values ($1, $2, $3, $4, $5)
         on conflict (turn, item) do update set completed = excluded.completed, body = excluded.body",
    )
    .bind(row.turn.as_str())
    .bind(i64::from(row.place))
    .bind(&row.item.id)
    .bind(row.completed)
    .bind(clean.text(json(&row.item.body)?))
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// The pieces of a turn, in order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn items(&self, turn: &TurnId) -> Result<Vec<Item>> {
        let rows: Vec<Row> =
            sqlx::query_as("select item, body from items where turn = $1 order by place")
                .bind(turn.as_str())
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|row| Ok(Item { id: row.item, body: from_json::<ItemBody>("item", &row.body)? }))
            .collect()
    }

    /// How many pieces a turn has.
    ///
    /// # Errors
    /// What the database says.
    pub async fn item_count(&self, turn: &TurnId) -> Result<u32> {
        let count: i64 = sqlx::query_scalar("select count(*) from items where turn = $1")
            .bind(turn.as_str())
            .fetch_one(&self.readers)
            .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}
