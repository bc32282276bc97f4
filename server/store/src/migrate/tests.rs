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

/// What was used before it was counted is counted, and had no price.
#[tokio::test]
async fn earlier_turns_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hub.sqlite3");
    let mut conn = made_at(&path, 10).await;
    let usage =
        r#"{"input_tokens":50,"cached_input_tokens":20,"output_tokens":7,"reasoning_tokens":2}"#;
    for (turn, ended_at) in [("trn_1", "3000000"), ("trn_2", "null")] {
        let sql = format!(
            "insert into turns (id, run, number, ticket, ticket_file, agent, purpose, status,
                 started_at, ended_at, usage)
             values ('{turn}', 'run_1', 1, 'tkt_1', 'a.md', 'codex', 'work', 'completed',
                 1000000, {ended_at}, '{usage}')"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    }
    for sql in [
        "insert into runs (id, repo, status, flow, created_at, queued_at)
             values ('run_1', 'demo', 'completed', '{}', 1, 1)",
        "insert into threads (id, kind, name, agent, approvals, lane, at_work, messages, usage,
             spent, created_at, updated_at)
             values ('thr_1', 'chat', 'Why?', 'demo', 'never', '{}', false, 1, '{}', '{}', 1, 1)",
    ] {
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    }
    let sql = format!(
        "insert into messages (id, thread, number, conversation, origin, author, body, attachments,
             status, turn, usage, plan, created_at, started_at, ended_at)
         values ('mes_1', 'thr_1', 1, 1, 'person', 'me', 'Why?', '[]', 'completed', 'trn_3',
             '{usage}', '[]', 1, 4000000, 4500000)"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    drop(conn);
    let store = Store::open(&path).await.unwrap();
    let query = crate::UsageQuery {
        by: car_api::usage::UsageBy::Repo,
        since: None,
        until: None,
        repos: None,
        offset_s: 0,
        limit: 10,
    };
    let counted = store.usage(&query).await.unwrap();
    let keys: Vec<_> = counted.rows.iter().map(|row| row.key.as_deref()).collect();
    assert_eq!(keys, [None, Some("demo")]);
    let total = counted.total;
    assert_eq!((counted.all, total.turns, total.runs, total.active_ms), (2, 2, 1, 2500));
    assert_eq!((total.usage.input_tokens, total.usage.reasoning_tokens), (100, 4));
    assert_eq!((total.cost.amount.millionths(), total.cost.unpriced_tokens), (0, 114));
}

/// What messages cost before they said so is what their last turn did; a turn before it had no price.
#[tokio::test]
async fn earlier_messages_cost_what_their_turns_did() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hub.sqlite3");
    let mut conn = made_at(&path, 11).await;
    for (id, number, turn, tokens) in
        [("mes_1", 1, "'trn_1'", 50), ("mes_2", 2, "'trn_2'", 70), ("mes_3", 3, "null", 0)]
    {
        let sql = format!(
            "insert into messages (id, thread, number, conversation, origin, author, body,
                 attachments, status, turn, usage, plan, created_at)
             values ('{id}', 'thr_1', {number}, 1, 'user', 'me', 'Why?', '[]', 'completed', {turn},
                 '{{\"input_tokens\":{tokens},\"cached_input_tokens\":0,\"output_tokens\":7,\
                 \"reasoning_tokens\":0}}', '[]', 1)"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    }
    for (turn, cost) in [("trn_1", "null"), ("trn_2", "9")] {
        let sql = format!(
            "insert into usage (turn, thread, agent, input_tokens, cached_input_tokens,
                 output_tokens, reasoning_tokens, cost, started_at, ended_at)
             values ('{turn}', 'thr_1', 'demo', 50, 0, 7, 0, {cost}, 1, 2)"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    }
    drop(conn);
    let store = Store::open(&path).await.unwrap();
    let mut costs = Vec::new();
    for id in ["mes_1", "mes_2", "mes_3"] {
        let row = store.message(&id.parse().unwrap()).await.unwrap().unwrap();
        let cost = row.message.cost;
        costs.push(cost.map(|cost| (cost.amount.millionths(), cost.unpriced_tokens)));
    }
    assert_eq!(costs, [Some((0, 57)), Some((9, 20)), None]);
}
