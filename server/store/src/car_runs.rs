//! The runs the Python CAR noted of a repo in a database of its own, `flows.db`. That file is only
//! read.

use std::path::Path;

use car_api::Timestamp;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{Result, columns::row};

/// The most runs that are read of one repo.
const MANY: i64 = 10_000;

/// A run of CAR's that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CarRun {
    /// CAR's id of it, which is its directory's name too.
    pub id: String,
    /// `completed`, `failed`, `stopped` or `superseded`.
    pub status: String,
    /// How many turns it took, where that was noted.
    pub turns: Option<u32>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
}

row! {
    struct Row {
        id: String,
        status: String,
        turns: Option<i64>,
        created_at: String,
        started_at: Option<String>,
        finished_at: Option<String>,
        error_message: Option<String>,
    }
}

/// The ended runs of the ticket flow in a `flows.db`, the oldest first; those whose time cannot be
/// read are left out. Beside a file that is `whole`, with nothing of it in a write-ahead log,
/// nothing is made; any other has to be a copy.
///
/// # Errors
/// The file is no such database.
pub async fn car_runs(path: &Path, whole: bool) -> Result<Vec<CarRun>> {
    let options = SqliteConnectOptions::new().filename(path).read_only(whole).immutable(whole);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    // A repo may bring such a file along: nothing in it is computed, as a view would be.
    let kind: Option<String> =
        sqlx::query_scalar("select type from sqlite_schema where name = 'flow_runs'")
            .fetch_optional(&mut conn)
            .await?;
    if kind.as_deref() != Some("table") {
        return Ok(Vec::new());
    }
    sqlx::query("pragma trusted_schema = off").execute(&mut conn).await?;
    let rows: Vec<Row> = sqlx::query_as(
        "select id, status,
                case when json_valid(state) then cast(
                    coalesce(json_extract(state, '$.ticket_engine.total_turns'),
                             json_extract(state, '$.total_turns')) as integer) end as turns,
                created_at, started_at, finished_at, substr(error_message, 1, 4000) as error_message
         from flow_runs
         where flow_type = 'ticket_flow'
           and status in ('completed', 'failed', 'stopped', 'superseded')
         order by created_at limit $1",
    )
    .bind(MANY)
    .fetch_all(&mut conn)
    .await?;
    let _ = conn.close().await;
    let time = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let runs = rows.into_iter().filter_map(|row| {
        Some(CarRun {
            id: row.id,
            status: row.status,
            turns: row.turns.and_then(|turns| u32::try_from(turns).ok()),
            created_at: row.created_at.parse().ok()?,
            started_at: time(row.started_at),
            ended_at: time(row.finished_at),
            error: row.error_message,
        })
    });
    Ok(runs.collect())
}
