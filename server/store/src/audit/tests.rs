use std::path::Path;

use car_api::audit::{ActorKind, AuditReport};
use sqlx::{Connection, sqlite::SqliteConnectOptions};

use super::*;
use crate::Write;

/// How many lines the chain has that is tampered with.
const LINES: i64 = 120;

async fn chain(path: &Path) -> AuditHead {
    let store = Store::open(path).await.unwrap();
    for n in 0..LINES {
        let entry = AuditEntry {
            at: Timestamp::from_secs(1_000 + n),
            actor: Actor {
                kind: ActorKind::Token,
                id: format!("tok_{n}"),
                name: "Zoë \"x\"".into(),
            },
            ip_claimed: (n % 3 == 0).then(|| "100.64.0.1".to_owned()),
            verb: "run_start".to_owned(),
            object: format!("run_{n}"),
            outcome: Outcome::ALL[usize::try_from(n).unwrap() % Outcome::ALL.len()],
            detail: (n % 2 == 0).then(|| "a\tline\n\u{1f}€\u{2028}".to_owned()),
        };
        store.commit(vec![Write::Audit(Box::new(entry))]).await.unwrap();
    }
    let head = store.audit_head().await.unwrap();
    store.close().await;
    head
}

/// What a walk finds after `sql`, which is taken back then.
async fn tampered(path: &Path, sql: &str, kept: Option<&AuditHead>) -> AuditReport {
    let options = SqliteConnectOptions::new().filename(path);
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("begin").execute(&mut conn).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
    let report = verify::walk(&mut conn, kept).await.unwrap();
    sqlx::query("rollback").execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    report
}

/// Whatever is done to any line is found, and at that line.
#[tokio::test]
async fn a_chain_that_was_tampered_with_shows_where() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hub.sqlite3");
    let head = chain(&path).await;
    let whole = verify_audit_file(&path, Some(&head)).await.unwrap();
    assert_eq!(whole, AuditReport { ok: true, lines: LINES, head: head.clone(), broken: None });

    let mut tried = 0;
    for n in (1..=LINES).step_by(7).chain([LINES]) {
        let mut acts = vec![
            format!("update audit set at = at + 1 where seq = {n}"),
            format!("update audit set actor_kind = 'device' where seq = {n}"),
            format!("update audit set actor_kind = 'nobody' where seq = {n}"),
            format!("update audit set actor_id = 'tok_x' where seq = {n}"),
            format!("update audit set actor_name = 'Zoe' where seq = {n}"),
            format!(
                "update audit set ip_claimed = coalesce(ip_claimed, '') || '1' where seq = {n}"
            ),
            format!("update audit set verb = 'run_stop' where seq = {n}"),
            format!("update audit set object = 'run_x' where seq = {n}"),
            format!(
                "update audit set outcome = case outcome when 'done' then 'failed' else 'done' end \
                 where seq = {n}"
            ),
            format!("update audit set detail = coalesce(detail, '') || ' ' where seq = {n}"),
            format!("update audit set prev = hash where seq = {n}"),
            format!("update audit set hash = prev where seq = {n}"),
        ];
        if n < LINES {
            acts.push(format!("delete from audit where seq = {n}"));
            acts.push(format!(
                "update audit set seq = -1 where seq = {n}; \
                 update audit set seq = {n} where seq = {n} + 1; \
                 update audit set seq = {n} + 1 where seq = -1"
            ));
        }
        for sql in acts {
            let report = tampered(&path, &sql, None).await;
            let at = report.broken.as_ref().map(|broken| broken.seq);
            assert!(!report.ok && at == Some(n), "{sql}: {report:?}");
            tried += 1;
        }
    }
    println!("{tried} tamperings of {LINES} lines, all found at their line");
}

/// What a chain cannot show by itself is shown by a head that was kept.
#[tokio::test]
async fn a_kept_head_shows_a_chain_cut_off_or_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hub.sqlite3");
    let head = chain(&path).await;
    for cut in [1, 17, LINES - 1, LINES] {
        let sql = format!("delete from audit where seq > {LINES} - {cut}");
        let report = tampered(&path, &sql, None).await;
        assert!(report.ok, "a shorter chain is whole by itself");
        let report = tampered(&path, &sql, Some(&head)).await;
        assert_eq!(report.broken.unwrap().seq, LINES - cut + 1);
    }
    let other = AuditHead { seq: 17, hash: head.hash.clone() };
    let report = verify_audit_file(&path, Some(&other)).await.unwrap();
    assert_eq!(report.broken.unwrap().seq, 17);
    let report = verify_audit_file(&path, Some(&AuditHead::none())).await.unwrap();
    assert!(report.ok, "every chain continues the empty one");
}
