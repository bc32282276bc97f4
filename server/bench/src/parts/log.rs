//! P8: how many events a second are on disk and acknowledged, and how fast the log is replayed.
//!
//! The first is measured at the log's own door (`Store::commit`), where everything that writes
//! events meets: agents and the API that fast would measure themselves.

use std::time::{Duration, Instant};

use car_api::{EventKind, RepoId, Timestamp};
use car_store::{Store, Write};
use tokio::task::JoinSet;

use crate::{Bench, Outcome, report::Row, socket::Socket};

/// Writers at once, each of which waits for its commit before it writes the next event.
const WRITERS: usize = 256;
/// How long they write.
const TIME: Duration = Duration::from_secs(5);

/// Events that are replayed, and how many of them are written in one commit.
const REPLAYED: i64 = 900_000;
const AT_ONCE: i64 = 5_000;

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(all(bench))
}

fn event() -> Outcome<Write> {
    let now = jiff::Timestamp::now().as_microsecond();
    let repo: RepoId = "measured".parse()?;
    let kind =
        EventKind::TicketChanged { file: "TICKET-001.md".to_owned(), ticket: None, done: false };
    let at = Timestamp::from_micros(now);
    Ok(Write::Event { at, repo: Some(repo), run: None, thread: None, kind: Box::new(kind) })
}

async fn all(bench: &mut Bench) -> Outcome<()> {
    let subject = bench.hub();
    let root = bench.root(&subject, "log", (1, 1))?;
    let store = Store::open(&root.join(".codex-autorunner/hub.sqlite3")).await?;
    for writers in [1, WRITERS] {
        let written = written(&store, writers).await?;
        let what = format!("events on disk and acknowledged, {writers} writers");
        bench.report.push(Row::new("P8", what, "1/s").with("CAR Hub", written));
    }
    while *store.bell().borrow() < REPLAYED {
        let mut writes = Vec::new();
        for _ in 0..AT_ONCE {
            writes.push(event()?);
        }
        store.commit(writes).await?;
    }
    let last = *store.bell().borrow();
    store.close().await;

    let served = subject.serve(&root)?;
    let mut socket = Socket::open(&served.target, "after=0").await?;
    let begun = Instant::now();
    let mut count = 0;
    while count < last {
        if socket.next().await?.starts_with(r#"{"type":"event""#) {
            count += 1;
        }
    }
    let a_second = count as f64 / begun.elapsed().as_secs_f64();
    let what = format!("replay of {count} events to one client");
    bench.report.push(Row::new("P8", what, "1/s").with("CAR Hub", a_second));
    bench.report.note("P8 is to be at least 10,000/s and 100,000/s: more is better here.");
    Ok(())
}

/// Events a second that so many writers get acknowledged one by one.
async fn written(store: &Store, writers: usize) -> Outcome<f64> {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        let store = store.clone();
        tasks.spawn(async move {
            let mut count = 0_u32;
            while begun.elapsed() < TIME {
                store.commit(vec![event()?]).await?;
                count += 1;
            }
            Outcome::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(one) = tasks.join_next().await {
        count += one??;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}
