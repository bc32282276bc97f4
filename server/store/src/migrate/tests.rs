use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use super::*;
use crate::{Store, look, store::migrator};

/// A database as the program of that schema left it.
async fn made_at(path: &Path, schema: i64) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    migrator(schema).run(&mut conn).await.unwrap();
    conn
}

/// Everything the schema says, by name; an index the store makes by itself is no part of it.
async fn shape(conn: &mut SqliteConnection) -> BTreeMap<String, Option<String>> {
    let sql = "select name, sql from sqlite_master
        where name not like 'message_search%' and name <> 'message_texts_shown' order by name";
    sqlx::query_as::<_, (String, Option<String>)>(sql)
        .fetch_all(conn)
        .await
        .unwrap()
        .into_iter()
        .collect()
}

/// Killed at any moment, a migration has happened or it has not.
#[tokio::test]
async fn a_killed_migration_has_happened_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut shapes = vec![BTreeMap::new()];
    for schema in 1..=schema() {
        let mut conn = made_at(&dir.path().join(format!("{schema}.sqlite3")), schema).await;
        shapes.push(shape(&mut conn).await);
    }
    for round in 0..24_u64 {
        let path = dir.path().join(format!("killed-{round}.sqlite3"));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "migrate::tests::opens", "--nocapture"])
            .env("CAR_STORE_TEST_OPENS", &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = std::time::Instant::now();
        while std::fs::metadata(&path).is_err() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        // From the moment there is a file on, a little later each time.
        while begun.elapsed() < Duration::from_secs(5) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(round * 400));
            child.kill().unwrap();
        }
        child.wait().unwrap();
        if !path.exists() {
            continue;
        }
        let present = refuse_newer(&path).await.unwrap();
        let mut conn = snapshot::open(&path, false).await.unwrap();
        let found: BTreeMap<_, _> = shape(&mut conn).await;
        let wanted = &shapes[usize::try_from(present).unwrap()];
        // The table that counts migrations is made first, and is empty then.
        let only_counter =
            present == 0 && found.keys().all(|name| name.contains("_sqlx_migrations"));
        assert!(only_counter || found == *wanted, "round {round}: schema {present} is half made");
        conn.close().await.unwrap();
        Store::open(&path).await.unwrap().close().await;
        let look = look(&path).await.unwrap();
        assert!(look.schema == schema() && look.damage.is_empty(), "{look:?}");
    }
}

#[tokio::test]
#[ignore = "run by a_killed_migration_has_happened_or_not"]
async fn opens() {
    let Some(path) = std::env::var_os("CAR_STORE_TEST_OPENS") else { return };
    Store::open(Path::new(&path)).await.unwrap().close().await;
}

/// A program goes on with what a newer one added, and refuses, with the way back, what it would spoil.
#[tokio::test]
async fn an_older_program_works_or_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hub.sqlite3");
    Store::open(&path).await.unwrap().close().await;
    let mut conn = snapshot::open(&path, false).await.unwrap();
    sqlx::query("insert into _sqlx_migrations select 99, 'newer', installed_on, true, checksum, 1 from _sqlx_migrations limit 1")
        .execute(&mut conn)
        .await
        .unwrap();
    assert_eq!(plan(&path).await.unwrap().present, 99);
    Store::open(&path).await.unwrap().close().await;
    sqlx::query("update facts set value = '99' where name = 'min_writer'")
        .execute(&mut conn)
        .await
        .unwrap();
    let refused = Store::open(&path).await.unwrap_err().to_string();
    assert!(refused.contains("schema 99") && !refused.contains("backups"), "{refused}");
    let copy = copy_of(&path, schema());
    std::fs::create_dir(copy.parent().unwrap()).unwrap();
    std::fs::write(&copy, "").unwrap();
    let refused = Store::open(&path).await.unwrap_err().to_string();
    assert!(refused.contains(copy.to_str().unwrap()), "{refused}");
}

/// What lets somebody in is not in a copy unless asked for. A column named like a secret belongs to
/// a table that is emptied.
#[tokio::test]
async fn no_secret_is_overlooked() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = made_at(&dir.path().join("hub.sqlite3"), schema()).await;
    for table in snapshot::tables(&mut conn).await.unwrap() {
        let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut conn)
            .await
            .unwrap();
        let secret = columns.iter().find(|column| {
            ["secret", "proof", "cookie", "private"].iter().any(|word| column.contains(word))
        });
        assert!(
            secret.is_none() || crate::SECRET_TABLES.contains(&table.as_str()),
            "`{table}.{secret:?}` would be in every backup: add the table to SECRET_TABLES"
        );
    }
}
