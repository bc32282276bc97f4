//! Schemas: which one a database has, which programs can work with it, and how it gets a newer one.
//!
//! Migrations only add: a program that is one behind goes on working with what a newer one made.
//! Where one cannot, the migration says so here, and the program refuses with the way back.

use std::path::{Path, PathBuf};

use sqlx::{Connection, SqliteConnection};

use crate::{Error, Result, schema, snapshot, store::MIGRATIONS};

/// The lowest newest-migration a program must know to read what this one writes, and to write
/// beside it: since the sixth, agents' processes and questions may belong to a thread, and the log
/// has events of threads. To be raised with a migration that takes away or changes the meaning of
/// something.
const MIN_READER: i64 = 6;
const MIN_WRITER: i64 = 6;

/// Directory, beside the database, of copies made before its schema was changed.
const COPIES: &str = "backups";

/// What a start would do to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Number of its newest migration; 0 for one that is not made yet.
    pub present: i64,
    /// The newest migration this program knows.
    pub known: i64,
    /// Migrations that are to be applied.
    pub pending: Vec<&'static str>,
    /// Where the copy goes that is made before.
    pub copy: PathBuf,
}

/// Looks what a start would do. Changes nothing.
///
/// # Errors
/// `TooNew`, or the database cannot be read.
pub async fn plan(database: &Path) -> Result<Plan> {
    let present = refuse_newer(database).await?;
    let pending = MIGRATIONS.iter().filter(|(version, _, _)| *version > present);
    Ok(Plan {
        present,
        known: schema(),
        pending: pending.map(|(_, name, _)| *name).collect(),
        copy: copy_of(database, present),
    })
}

fn copy_of(database: &Path, schema: i64) -> PathBuf {
    database.with_file_name(COPIES).join(format!("schema-{schema}.sqlite3"))
}

/// Refuses what this program would misread or spoil. Gives the number of the newest migration.
pub(crate) async fn refuse_newer(database: &Path) -> Result<i64> {
    if std::fs::metadata(database).map_or(0, |meta| meta.len()) == 0 {
        return Ok(0);
    }
    let mut conn = snapshot::open(database, true).await?;
    let tables = snapshot::tables(&mut conn).await?;
    if !tables.iter().any(|table| table == "_sqlx_migrations") {
        return Ok(0);
    }
    let present: Option<i64> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
            .fetch_one(&mut conn)
            .await?;
    let present = present.unwrap_or(0);
    let known = schema();
    let mut least = 0;
    if tables.iter().any(|table| table == "facts") {
        for name in ["min_reader", "min_writer"] {
            let fact: Option<String> =
                sqlx::query_scalar(snapshot::FACT).bind(name).fetch_optional(&mut conn).await?;
            least = least.max(fact.and_then(|text| text.parse().ok()).unwrap_or(0));
        }
    }
    conn.close().await?;
    if least <= known {
        return Ok(present);
    }
    let copies = (1..=known).rev().map(|schema| copy_of(database, schema));
    let copy = copies.into_iter().find(|copy| copy.exists());
    let snapshot = copy.map(|copy| copy.display().to_string());
    Err(Error::TooNew { schema: present, known, snapshot })
}

/// Writes which programs can work with the database; never less than what is there.
pub(crate) async fn note(conn: &mut SqliteConnection) -> Result<()> {
    if !snapshot::tables(conn).await?.iter().any(|table| table == "facts") {
        return Ok(());
    }
    for (name, value) in [("min_reader", MIN_READER), ("min_writer", MIN_WRITER)] {
        sqlx::query(
            "insert into facts (name, value) values ($1, $2)
             on conflict (name) do update set value = excluded.value
             where cast(excluded.value as bigint) > cast(facts.value as bigint)",
        )
        .bind(name)
        .bind(value.to_string())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
