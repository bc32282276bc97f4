//! What committed transitions oblige the hub to do.

use car_api::RunId;
use car_engine::flow::Effect;
use sqlx::SqliteConnection;

use crate::{
    Result, Store,
    columns::{from_json, json, row},
};

/// One effect that waits to be carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectRow {
    /// The run.
    pub run: RunId,
    /// The transition it belongs to.
    pub step: u64,
    /// Its place within the transition.
    pub place: u32,
    /// What is to be done.
    pub effect: Effect,
}

row! {
    struct Row {
        step: i64,
        place: i64,
        effect: String,
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) async fn insert(conn: &mut SqliteConnection, row: &EffectRow) -> Result<()> {
    sqlx::query("insert into effects (run, step, place, effect) values ($1, $2, $3, $4)")
        .bind(row.run.as_str())
        .bind(number(row.step))
        .bind(i64::from(row.place))
        .bind(json(&row.effect)?)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn done_up_to(conn: &mut SqliteConnection, run: &RunId, step: u64) -> Result<()> {
    sqlx::query("delete from effects where run = $1 and step <= $2")
        .bind(run.as_str())
        .bind(number(step))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn done(
    conn: &mut SqliteConnection,
    run: &RunId,
    step: u64,
    place: u32,
) -> Result<()> {
    sqlx::query("delete from effects where run = $1 and step = $2 and place = $3")
        .bind(run.as_str())
        .bind(number(step))
        .bind(i64::from(place))
        .execute(conn)
        .await?;
    Ok(())
}

impl Store {
    /// Effects of a run that wait to be carried out, in order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn effects(&self, run: &RunId) -> Result<Vec<EffectRow>> {
        let rows: Vec<Row> = sqlx::query_as(
            "select step, place, effect from effects where run = $1 order by step, place",
        )
        .bind(run.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(EffectRow {
                    run: run.clone(),
                    step: u64::try_from(row.step).unwrap_or_default(),
                    place: u32::try_from(row.place).unwrap_or_default(),
                    effect: from_json("effect", &row.effect)?,
                })
            })
            .collect()
    }

    /// Runs that have effects waiting, ended ones included.
    ///
    /// # Errors
    /// What the database says.
    pub async fn runs_with_effects(&self) -> Result<Vec<RunId>> {
        let ids: Vec<String> =
            sqlx::query_scalar("select distinct run from effects").fetch_all(&self.readers).await?;
        ids.iter().map(|id| crate::columns::parse("run id", id)).collect()
    }
}
