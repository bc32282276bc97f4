//! Pieces of turns.

use car_api::{
    ThreadId, TurnId,
    item::{Item, ItemBody},
};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::{
    Clean, Result, Store,
    columns::{from_json, json, parse, row},
};

/// One piece of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

row! {
    struct Whole {
        turn: String,
        place: i64,
        item: String,
        completed: bool,
        body: String,
    }
}

impl TryFrom<Whole> for ItemRow {
    type Error = crate::Error;

    fn try_from(row: Whole) -> Result<Self> {
        Ok(Self {
            turn: parse("turn id", &row.turn)?,
            place: u32::try_from(row.place).unwrap_or(u32::MAX),
            item: Item { id: row.item, body: from_json::<ItemBody>("item", &row.body)? },
            completed: row.completed,
        })
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

    /// The pieces of the answers to the messages of a thread between two numbers, both included,
    /// in order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn items_of_messages(
        &self,
        thread: &ThreadId,
        first: u32,
        last: u32,
    ) -> Result<Vec<ItemRow>> {
        let rows: Vec<Whole> = sqlx::query_as(
            "select i.turn, i.place, i.item, i.completed, i.body
             from messages m join items i on i.turn = m.turn
             where m.thread = $1 and m.number >= $2 and m.number <= $3
             order by m.number, i.place",
        )
        .bind(thread.as_str())
        .bind(i64::from(first))
        .bind(i64::from(last))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(ItemRow::try_from).collect()
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
