//! A message that is sent again and again is one message.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use car_api::thread::{Message, MessageStatus};
use car_client::MessagePage;
use serde_json::json;

use crate::{
    harness::Random,
    idempotency::{Change, change, send},
    stage::Stage,
    talk::Talk,
};

/// How many posts there are; the whole number is for a machine with nothing else to do.
fn posts() -> usize {
    std::env::var("CAR_DUPLICATES").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Posts of each message.
const EACH: usize = 50;

const WRITERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_at_once_are_one_message() {
    let mut stage = stage();
    check(&mut stage, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_one_message_whatever_kills_the_hub() {
    let mut stage = stage();
    check(&mut stage, 3.max(posts() / 1000)).await;
}

fn stage() -> Stage {
    Stage::start("threads:\n  queue_max: 100000\n")
}

/// Posts all of it, killing the hub so often meanwhile, and looks at what there is then.
async fn check(stage: &mut Stage, kills: usize) {
    let talk = Talk::new(&stage.client()).await;
    let messages = (posts() / EACH).max(3);
    let target = format!("threads/{}/messages", talk.key);
    let mut random = Random(7);
    let mut work: Vec<Change> = (0..messages * EACH)
        .map(|n| {
            let id = n % messages;
            let body = json!({
                "body": format!("Number {id}. @@FAKE[{{\"say\": \"answer {id}\"}}]@@"),
                "client_turn_id": format!("turn {id}"),
            });
            // Only the caller's id of the message says that they are the same.
            change(&format!("key-{n}"), &target, body)
        })
        .collect();
    for n in (1..work.len()).rev() {
        let other = random.below(u64::try_from(n + 1).unwrap());
        work.swap(n, usize::try_from(other).unwrap());
    }
    let seen = Mutex::new(BTreeMap::<String, BTreeSet<String>>::new());
    for kill in 0..=kills {
        // The last round goes through undisturbed.
        let until = (kill < kills).then(|| {
            let share = work.len() / (kills + 1);
            share / 2 + usize::try_from(random.below(share.max(1) as u64)).unwrap()
        });
        let left = round(stage, &work, until, &seen);
        if until.is_some() {
            stage.kill_and_serve();
        }
        work = left;
    }
    assert_eq!(work.len(), 0, "not everything was sent");
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), messages);
    assert!(seen.values().all(|ids| ids.len() == 1), "{seen:#?}");
    is_whole(stage, &talk, messages).await;
}

/// Sends from all writers at once, until so many were answered; what was not answered.
fn round(
    stage: &mut Stage,
    work: &[Change],
    until: Option<usize>,
    seen: &Mutex<BTreeMap<String, BTreeSet<String>>>,
) -> Vec<Change> {
    let (authority, token) = (stage.hub.authority().to_owned(), stage.hub.token());
    let (next, answered, killed) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let left = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                while let Some(change) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let answer = match killed.load(Ordering::Acquire) {
                        true => None,
                        false => send(&authority, &token, change),
                    };
                    let Some((status, answer)) = answer else {
                        left.lock().unwrap().push(change.clone());
                        continue;
                    };
                    if status == 503 {
                        left.lock().unwrap().push(change.clone());
                        continue;
                    }
                    assert!([200, 202].contains(&status), "{status} {answer}");
                    let id = answer["id"].as_str().unwrap().to_owned();
                    let turn = answer["client_turn_id"].as_str().unwrap().to_owned();
                    seen.lock().unwrap().entry(turn).or_default().insert(id);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        if let Some(until) = until {
            while answered.load(Ordering::Relaxed) < until
                && next.load(Ordering::Relaxed) < work.len()
            {
                std::thread::yield_now();
            }
            let pid = rustix::process::Pid::from_raw(stage.hub.pid().try_into().unwrap()).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            killed.store(true, Ordering::Release);
        }
    });
    left.into_inner().unwrap()
}

/// Each message is there once, was answered once, and its prompt was sent once.
async fn is_whole(stage: &Stage, talk: &Talk, messages: usize) {
    let talk = Talk { client: stage.client(), key: talk.key.clone() };
    talk.until_idle().await;
    let mut all: Vec<Message> = Vec::new();
    let mut after = Some(0);
    while after.is_some() {
        let page = MessagePage { after, limit: Some(500), before: None };
        let page = talk.client.message_list(&talk.key, page).await.unwrap();
        all.extend(page.items);
        after = page.next.map(|next| next.parse().unwrap());
    }
    assert_eq!(all.len(), messages);
    let ids: BTreeSet<_> = all.iter().map(|m| m.client_turn_id.clone().unwrap()).collect();
    assert_eq!(ids.len(), messages);
    for message in &all {
        assert_eq!(message.status, MessageStatus::Completed, "{message:#?}");
        let id = message.client_turn_id.as_deref().unwrap().replace("turn", "answer");
        assert_eq!(message.answer.as_deref(), Some(id.as_str()));
    }
    let noted = stage.noted();
    let begun: Vec<_> = noted.iter().filter(|line| line.ended.is_none()).collect();
    let turns: BTreeSet<_> = begun.iter().map(|line| line.turn.clone()).collect();
    assert_eq!((begun.len(), turns.len()), (messages, messages), "a prompt was sent twice");
}
