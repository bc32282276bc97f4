//! Copies of the database: made while it is in use, checked, and settled after a restore.

use std::{path::Path, time::Duration};

use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{Error, Result};

/// Tables whose rows let somebody in or speak in the hub's name. They are not copied unless asked
/// for; a test looks that no other table has a column named like a secret.
pub const SECRET_TABLES: &[&str] = &["tokens"];

/// What a database file is, as far as it can be told without changing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Number of its newest migration.
    pub schema: i64,
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
    let instance = sqlx::query_scalar("select value from facts where name = 'instance'")
        .fetch_optional(&mut conn)
        .await?;
    conn.close().await?;
    let damage = damage.into_iter().filter(|line| line != "ok").collect();
    Ok(Look { schema, last_seq, instance, damage })
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

pub(crate) async fn open(database: &Path, read_only: bool) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(false)
        .read_only(read_only)
        .busy_timeout(Duration::from_secs(30));
    SqliteConnection::connect_with(&options).await.map_err(Error::from)
}
