//! P15: a long thread opens at its last page, and all messages are searched.
//!
//! `CAR_BENCH_P15=300,2` has it with 300 messages in each of two threads, to see that it works.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use car_api::{
    MessageId, ThreadId, Timestamp,
    thread::{Message, MessageOrigin, MessageStatus, ThreadKind},
};
use car_store::{MessageRow, Store, ThreadRow, Write};

use crate::{Bench, Outcome, report::Row};

/// Messages of one thread, and threads: a hundred thousand messages, each with an answer.
const SIZE: (u32, u32) = (5_000, 20);

/// How long the hub may take to write the records of threads it did not make.
const RECORDS: Duration = Duration::from_secs(300);

/// Messages written in one commit.
const AT_ONCE: u32 = 500;

const TIME: Duration = Duration::from_secs(2);

/// Milliseconds the last page and a search may take.
const PAGE_BAR: f64 = 50.0;
const SEARCH_BAR: f64 = 100.0;

/// Words of no language; the first ones are in many messages.
const SYLLABLES: [&str; 16] = [
    "ka", "lo", "mi", "ru", "se", "ti", "vo", "na", "pe", "du", "go", "fi", "ba", "zu", "ra", "he",
];

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    let subject = bench.hub();
    let root = bench.root(&subject, "threads", (1, 1))?;
    // Serving it once makes the thread that the others are copies of.
    drop(subject.serve(&root)?);
    let (messages, threads) = size()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let thread =
        runtime.block_on(fill(&root.join(".codex-autorunner/hub.sqlite3"), messages, threads))?;

    let served = subject.serve(&root)?;
    let begun = Instant::now();
    while records(&root)? < threads as usize {
        if begun.elapsed() > RECORDS {
            return Err("the hub writes no records of its threads".into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let total = messages * threads;
    let page = format!("/api/v1/threads/{thread}/messages");
    let search = |words: &str| format!("/api/v1/messages?q={words}");
    let requests = [
        (format!("last page of a thread of {messages} turns"), page, PAGE_BAR),
        (format!("search of {total} messages, a word in all"), search("kalo"), SEARCH_BAR),
        (format!("search of {total} messages, a rare word"), search("zuhefi7"), SEARCH_BAR),
        (format!("search of {total} messages, two words"), search("kalo%20ruse"), SEARCH_BAR),
        (format!("search of {total} messages, a beginning"), search("ka"), SEARCH_BAR),
        (
            format!("search of {total} messages, in one thread"),
            format!("{}&thread={thread}", search("kalo%20miru")),
            SEARCH_BAR,
        ),
    ];
    for (what, path, bar) in requests {
        let load = served.target.load(&path, 1, TIME)?;
        if load.failures > 0 {
            return Err(format!("{path}: {} answers were not 200", load.failures).into());
        }
        bench.report.push(Row::new("P15", format!("{what}: p50"), "ms").with("CAR Hub", load.p50));
        let p99 = Row::new("P15", format!("{what}: p99"), "ms").with("CAR Hub", load.p99);
        bench.report.push(p99.bar(bar));
    }
    Ok(())
}

fn size() -> Outcome<(u32, u32)> {
    let Ok(text) = std::env::var("CAR_BENCH_P15") else { return Ok(SIZE) };
    let (messages, threads) = text.split_once(',').ok_or("CAR_BENCH_P15 is messages,threads")?;
    Ok((messages.trim().parse()?, threads.trim().parse()?))
}

/// Threads that have a record: those with messages, and the project manager's.
fn records(root: &Path) -> Outcome<usize> {
    let mut found = 0;
    for thread in std::fs::read_dir(root.join(".codex-autorunner/threads"))? {
        found += usize::from(thread?.path().join("record.jsonl").exists());
    }
    Ok(found.saturating_sub(1))
}

/// Writes all messages; gives the first thread.
async fn fill(database: &Path, most: u32, threads: u32) -> Outcome<ThreadId> {
    let store = Store::open(database).await?;
    let like = store.pma_thread().await?.ok_or("the hub made no thread of the project manager")?;
    let mut words = Words(1);
    let mut first = None;
    for _ in 0..threads {
        let row = ThreadRow {
            id: ThreadId::generate(),
            kind: ThreadKind::Chat,
            messages: most,
            ..like.clone()
        };
        store.commit(vec![Write::Thread(Box::new(row.clone()))]).await?;
        for from in (1..=most).step_by(AT_ONCE as usize) {
            let to = most.min(from + AT_ONCE - 1);
            let messages = (from..=to).map(|number| message(&row.id, number, &mut words));
            store.commit(messages.collect()).await?;
        }
        first.get_or_insert(row.id);
    }
    store.close().await;
    first.ok_or_else(|| "no thread was made".into())
}

fn message(thread: &ThreadId, number: u32, words: &mut Words) -> Write {
    let at = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
    let message = Message {
        id: MessageId::generate(),
        thread: thread.clone(),
        number,
        conversation: 1,
        origin: MessageOrigin::User,
        author: "bench".to_owned(),
        client_turn_id: Some(format!("turn-{number}")),
        body: format!("kalo {}", words.text(30)),
        attachments: Vec::new(),
        status: MessageStatus::Completed,
        detail: None,
        continues: None,
        turn: None,
        answer: Some(words.text(60)),
        error: None,
        usage: car_api::item::Usage::default(),
        created_at: at,
        started_at: Some(at),
        ended_at: Some(at),
        cost: None,
    };
    Write::Message(Box::new(MessageRow { message, session: None, plan: Vec::new() }))
}

/// Words that look random, the same ones every time.
struct Words(u64);

impl Words {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap_or(0) % bound
    }

    fn text(&mut self, count: usize) -> String {
        let word = |words: &mut Self| {
            let (a, b) = (words.below(16), words.below(16));
            match words.below(4) {
                // One in four is one of many thousands.
                0 => format!(
                    "{}{}{}{}",
                    SYLLABLES[a],
                    SYLLABLES[b],
                    SYLLABLES[words.below(16)],
                    words.below(9)
                ),
                _ => format!("{}{}", SYLLABLES[a], SYLLABLES[b]),
            }
        };
        (0..count).map(|_| word(self)).collect::<Vec<_>>().join(" ")
    }
}
