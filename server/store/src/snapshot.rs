//! Copies of the database: made while it is in use, checked, and settled after a restore.

use std::{path::Path, time::Duration};

use car_api::Timestamp;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{Error, Result};

/// Tables whose rows let somebody in or speak in the hub's name. They are not copied unless asked
/// for; a test looks that no other table has a column named like a secret.
pub const SECRET_TABLES: &[&str] = &[
    "tokens",
    "devices",
    "run_grants",
    "thread_grants",
    "webhooks",
    "deliveries",
    "channels",
    "push_actions",
];

/// What a database file is, as far as it can be told without changing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Number of its newest migration.
    pub schema: i64,
    /// The lowest number of a newest migration with which a program can still read it.
    pub min_reader: i64,
    /// Number of its newest event.
    pub last_seq: i64,
    /// The hub's id.
    pub instance: Option<String>,
    /// What `pragma integrity_check` found; empty when all is well.
    pub damage: Vec<String>,
}

/// Copies a database as it is at one moment into a new file, whoever else uses it meanwhile.
///
/// # Errors
/// The database cannot be read, the new file exists or cannot be written.
pub async fn snapshot(database: &Path, into: &Path, with_secrets: bool) -> Result<()> {
    let mut conn = open(database, true).await?;
    sqlx::query("vacuum into $1")
        .bind(into.to_string_lossy().into_owned())
        .execute(&mut conn)
        .await?;
    conn.close().await?;
    if with_secrets {
        return Ok(());
    }
    let mut copy = open(into, false).await?;
    secrets_gone(&mut copy).await?;
    // What was deleted is still in free pages until they are given back.
    sqlx::query("vacuum").execute(&mut copy).await?;
    copy.close().await?;
    Ok(())
}

/// Looks at a database file without changing it.
///
/// # Errors
/// It cannot be read or is no database of a hub.
pub async fn look(database: &Path) -> Result<Look> {
    let mut conn = open(database, true).await?;
    let damage: Vec<String> =
        sqlx::query_scalar("pragma integrity_check(20)").fetch_all(&mut conn).await?;
    let schema = sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
        .fetch_one(&mut conn)
        .await?;
    let last_seq = sqlx::query_scalar("select value from counters where name = 'events'")
        .fetch_one(&mut conn)
        .await?;
    let instance = sqlx::query_scalar(FACT).bind("instance").fetch_optional(&mut conn).await?;
    let min_reader: Option<String> =
        sqlx::query_scalar(FACT).bind("min_reader").fetch_optional(&mut conn).await?;
    let min_reader = min_reader.and_then(|text| text.parse().ok()).unwrap_or(0);
    conn.close().await?;
    let damage = damage.into_iter().filter(|line| line != "ok").collect();
    Ok(Look { schema, min_reader, last_seq, instance, damage })
}

pub(crate) const FACT: &str = "select value from facts where name = $1";

/// One fact of a database that is not open.
///
/// # Errors
/// It cannot be read.
pub async fn fact_of(database: &Path, name: &str) -> Result<Option<String>> {
    let mut conn = open(database, true).await?;
    let fact = sqlx::query_scalar(FACT).bind(name).fetch_optional(&mut conn).await?;
    conn.close().await?;
    Ok(fact)
}

/// When its newest event was written.
///
/// # Errors
/// It cannot be read.
pub async fn last_event_at(database: &Path) -> Result<Option<Timestamp>> {
    let mut conn = open(database, true).await?;
    let at: Option<i64> = sqlx::query_scalar("select at from events order by seq desc limit 1")
        .fetch_optional(&mut conn)
        .await?;
    conn.close().await?;
    Ok(at.map(Timestamp::from_micros))
}

/// Directories of the shims whose sessions have not ended.
///
/// # Errors
/// It cannot be read.
pub async fn open_session_dirs(database: &Path) -> Result<Vec<String>> {
    let mut conn = open(database, true).await?;
    let dirs = sqlx::query_scalar("select dir from sessions where ended_at is null")
        .fetch_all(&mut conn)
        .await?;
    conn.close().await?;
    Ok(dirs)
}

/// Empties the tables that let somebody in.
pub(crate) async fn secrets_gone(conn: &mut SqliteConnection) -> Result<()> {
    for table in tables(conn).await? {
        if SECRET_TABLES.contains(&table.as_str()) {
            let sql = format!("delete from {table}");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await?;
        }
    }
    Ok(())
}

/// The tables of a database.
pub(crate) async fn tables(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    let sql = "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'";
    Ok(sqlx::query_scalar(sql).fetch_all(conn).await?)
}

/// Opens a database beside whoever else uses it. One that a crash left in the middle of something is
/// brought to rest first, which needs writing.
pub(crate) async fn open(database: &Path, read_only: bool) -> Result<SqliteConnection> {
    let opened = connect(database, read_only).await;
    match opened {
        Err(Error::Database(error)) if read_only && wants_rollback(&error) => {
            connect(database, false).await
        }
        other => other,
    }
}

/// SQLITE_READONLY in all its forms.
fn wants_rollback(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 8)
}

async fn connect(database: &Path, read_only: bool) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(false)
        .read_only(read_only)
        .busy_timeout(Duration::from_secs(30));
    let mut conn = SqliteConnection::connect_with(&options).await?;
    // Only the first look at the file tells.
    sqlx::query("select count(*) from sqlite_master").execute(&mut conn).await?;
    Ok(conn)
}
