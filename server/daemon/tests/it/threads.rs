//! Threads: what becomes of a message, whatever happens to the hub and to the agent.

mod duplicates;
mod held;
mod kill;
mod reindex;

use car_api::{
    Code, EventKind, PageQuery,
    thread::{BusyPolicy, MessagePost, MessageStatus, ThreadKind, ThreadStatus, ThreadUpdate},
};
use car_client::{EventFilter, MessagePage, ThreadFilter};

use crate::{
    stage::{Stage, all_events},
    talk::Talk,
};

const HANG: &str = "@@FAKE[{\"say\": \"I begin.\"}, {\"hang\": true}]@@";

fn say(text: &str) -> String {
    format!("Please. @@FAKE[{{\"say\": \"{text}\"}}]@@")
}

fn with_policy(text: &str, busy: BusyPolicy) -> MessagePost {
    MessagePost { body: text.to_owned(), busy, ..MessagePost::default() }
}

/// A message is a turn: it is posted, answered, told of and found again.
#[tokio::test]
async fn a_message_is_answered_and_found_again() {
    let stage = Stage::start("");
    let client = stage.client();
    let talk = Talk::new(&client).await;
    let first = talk.post(&say("Grüße aus dem Gespräch")).await;
    assert_eq!((first.number, first.author.as_str()), (1, "this machine"));
    let first = talk.until(&first.id, MessageStatus::Completed).await;
    assert_eq!(first.answer.as_deref(), Some("Grüße aus dem Gespräch"));
    let thread = talk.until_idle().await;
    assert_eq!((thread.messages, thread.queued), (1, 0));
    assert!(thread.name.starts_with("Please."), "the first message names it: {}", thread.name);
    assert!(thread.usage.total() > 0);

    // The second goes on in the same conversation, by the same process.
    let second = talk.post(&say("And again.")).await;
    let second = talk.until(&second.id, MessageStatus::Completed).await;
    assert_eq!(second.conversation, 1);
    let filter = EventFilter { thread: Some(talk.thread().await.id), ..EventFilter::default() };
    let events = all_events(&client, 0, &filter).await;
    assert!(events.iter().all(|event| event.thread == filter.thread && event.run.is_none()));
    let count = |wanted: &str| events.iter().filter(|event| event.event.word() == wanted).count();
    assert_eq!(count("session_started"), 1);
    assert_eq!(count("message_updated"), 6, "posted, begun and answered, twice");
    let said: Vec<_> = events
        .iter()
        .filter_map(|event| {
            let EventKind::MessageUpdated { message } = &event.event else { return None };
            Some((message.number, message.status))
        })
        .collect();
    let steps = [MessageStatus::Queued, MessageStatus::Working, MessageStatus::Completed];
    let expected: Vec<_> = [1, 2].into_iter().flat_map(|n| steps.map(|step| (n, step))).collect();
    assert_eq!(said, expected);

    // What was said is found by a word, by a beginning, without the accent, and in one thread only.
    let other = Talk::new(&client).await;
    let elsewhere = other.post(&say("Grüße von anderswo")).await;
    other.until(&elsewhere.id, MessageStatus::Completed).await;
    let search = async |words: &str, thread| {
        let hits = client.message_search(words, thread, &PageQuery::default()).await.unwrap();
        hits.items.into_iter().map(|hit| (hit.message, hit.in_answer)).collect::<Vec<_>>()
    };
    assert_eq!(
        search("gesprach", None).await,
        [(first.id.clone(), true), (first.id.clone(), false)]
    );
    assert_eq!(search("Grüße anders", None).await.len(), 2);
    assert_eq!(search("gruße", Some(&talk.key)).await.len(), 2);
    assert_eq!(search("\"aus dem\"", None).await.len(), 2);
    assert_eq!(search("dem aus OR nichts", None).await, []);

    // There is one thread of the project manager, which `pma` names.
    let pma = client.thread_get(&"pma".parse().unwrap()).await.unwrap();
    assert_eq!(pma.kind, ThreadKind::Pma);
    let filter = ThreadFilter { kind: Some(ThreadKind::Pma), ..ThreadFilter::default() };
    let all = client.thread_list(&filter, &PageQuery::default()).await.unwrap().items;
    assert_eq!(all, [pma]);
}

/// While the agent is busy, what comes waits, comes next, or is refused, as its sender wants.
#[tokio::test]
async fn a_busy_agent_has_a_queue() {
    let stage = Stage::start("threads:\n  queue_max: 3\n");
    let client = stage.client();
    let talk = Talk::new(&client).await;
    let hangs = talk.post(HANG).await;
    talk.until_said(&hangs.id).await;
    let one = talk.post(&say("one")).await;
    let two = talk.post(&say("two")).await;
    assert_eq!(two.status, MessageStatus::Queued);
    let reject = with_policy("now", BusyPolicy::Reject);
    let refused = client.message_post(&talk.key, &reject).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Busy));
    // Put away it cannot be now.
    let away = ThreadUpdate { archived: Some(true), ..ThreadUpdate::default() };
    let refused = client.thread_update(&talk.key, &away).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::IllegalTransition));
    client.message_cancel(&talk.key, &one.id).await.unwrap();
    let first = with_policy(&say("first"), BusyPolicy::Interrupt);
    let first = client.message_post(&talk.key, &first).await.unwrap();
    let cut = talk.until(&hangs.id, MessageStatus::Interrupted).await;
    assert_eq!(cut.answer.as_deref(), Some("I begin."), "what was said stays");
    let first = talk.until(&first.id, MessageStatus::Completed).await;
    let two = talk.until(&two.id, MessageStatus::Completed).await;
    assert!(first.started_at < two.started_at && first.ended_at <= two.started_at);
    assert_eq!(talk.message(&one.id).await.status, MessageStatus::Cancelled);

    // The queue has an end, and all of it can be taken back.
    let hangs = talk.post(HANG).await;
    talk.until(&hangs.id, MessageStatus::Working).await;
    for _ in 0..3 {
        talk.post("later").await;
    }
    let full = client.message_post(&talk.key, &with_policy("more", BusyPolicy::Queue)).await;
    assert_eq!(full.unwrap_err().code(), Some(Code::Busy));
    client.thread_stop(&talk.key).await.unwrap();
    let thread = talk.until_idle().await;
    assert_eq!(thread.queued, 0);
    let last: Vec<_> = talk.messages().await.iter().rev().take(4).map(|m| m.status).collect();
    let cancelled = MessageStatus::Cancelled;
    assert_eq!(last, [cancelled, cancelled, cancelled, MessageStatus::Interrupted]);
    client.thread_update(&talk.key, &away).await.unwrap();
    let refused = client.message_post(&talk.key, &with_policy("more", BusyPolicy::Queue)).await;
    assert_eq!(refused.unwrap_err().code(), Some(Code::IllegalTransition));
}

/// The last page comes first, and each page says where the one before ends.
#[tokio::test]
async fn pages_go_back_from_the_end() {
    let stage = Stage::start("");
    let client = stage.client();
    let talk = Talk::new(&client).await;
    for n in 1..=7 {
        let message = talk.post(&say(&format!("answer {n}"))).await;
        talk.until(&message.id, MessageStatus::Completed).await;
    }
    let page = async |page| {
        let page = client.message_list(&talk.key, page).await.unwrap();
        (page.items.iter().map(|m| m.number).collect::<Vec<_>>(), page.next)
    };
    let three = MessagePage { limit: Some(3), ..MessagePage::default() };
    assert_eq!(page(three).await, (vec![5, 6, 7], Some("5".to_owned())));
    let before = |n| MessagePage { before: Some(n), ..three };
    assert_eq!(page(before(5)).await, (vec![2, 3, 4], Some("2".to_owned())));
    assert_eq!(page(before(2)).await, (vec![1], None));
    let after = |n| MessagePage { after: Some(n), ..three };
    assert_eq!(page(after(0)).await, (vec![1, 2, 3], Some("3".to_owned())));
    assert_eq!(page(after(5)).await, (vec![6, 7], None));
    assert_eq!(talk.thread().await.status, ThreadStatus::Idle);
}

/// A used-up quota holds the thread until it resets; then it goes on by itself, with the same
/// message and in the same conversation.
#[tokio::test]
async fn a_quota_is_waited_out() {
    let mut stage = Stage::start("");
    let mut talk = Talk::new(&stage.client()).await;
    let limited = "Work. @@FAKE[{\"on\": 1, \"fail\": {\"class\": \"quota\", \"resets_in\": 10}}, \
                   {\"from\": 2, \"say\": \"after the reset\"}]@@";
    let message = talk.post(limited).await;
    let behind = talk.post(&say("behind")).await;
    let held = talk.until_thread(|thread| thread.status == ThreadStatus::Held).await;
    assert!(held.explain.contains("goes on by itself at"), "{}", held.explain);
    assert_eq!((held.queued, held.current), (2, None));
    let waits = talk.message(&message.id).await;
    assert_eq!(waits.status, MessageStatus::Queued);
    assert!(waits.detail.unwrap().contains("usage limit"));
    // A hub that begins again meanwhile waits as long.
    stage.kill_and_serve();
    talk.client = stage.client();
    assert_eq!(talk.thread().await.status, ThreadStatus::Held);
    let message = talk.until(&message.id, MessageStatus::Completed).await;
    assert_eq!(message.answer.as_deref(), Some("after the reset"));
    assert_eq!((message.conversation, message.detail), (1, None));
    talk.until(&behind.id, MessageStatus::Completed).await;
}

/// An agent that has nothing to do ends, and is taken up again where it was.
#[tokio::test]
async fn an_idle_agent_ends_and_is_taken_up_again() {
    let stage = Stage::start("threads:\n  idle_s: 0\n");
    let talk = Talk::new(&stage.client()).await;
    for n in 1..=2 {
        let message = talk.post(&say(&format!("answer {n}"))).await;
        talk.until(&message.id, MessageStatus::Completed).await;
        stage.until_no_process().await;
    }
    let pids: Vec<_> = stage.noted().iter().filter(|l| l.ended.is_none()).map(|l| l.pid).collect();
    assert!(pids.len() == 2 && pids[0] != pids[1], "{pids:?}");
    let usage = talk.messages().await.iter().map(|m| m.usage.total()).collect::<Vec<_>>();
    let total = talk.thread().await.usage.total();
    assert_eq!(
        total,
        usage.iter().sum::<i64>(),
        "what the conversation used before is not counted"
    );
    assert_eq!(talk.thread().await.conversation, 1);
}
