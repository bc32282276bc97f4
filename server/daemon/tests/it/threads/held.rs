//! What keeps threads from harm, as people meet it: too many turns a minute wait, an agent that fails
//! time after time is left alone, and everybody sees why and until when.

use std::time::{Duration, Instant};

use car_api::{
    Code, PageQuery, Timestamp,
    inbox::{InboxAct, InboxAction, InboxItem, InboxKind, InboxStatus, InboxView},
    thread::{Message, MessageStatus, Thread, ThreadStatus},
};
use car_client::{AuditFilter, Client, InboxFilter};

use super::say;
use crate::{
    harness::{DEADLINE, TestHub},
    stage::Stage,
    talk::Talk,
};

const FAILS: &str = "@@FAKE[{\"fail\": {\"class\": \"other\", \"message\": \"no\"}}]@@";

fn fails(text: &str) -> String {
    format!("{text} {FAILS}")
}

/// A hub on which the limits hold that most tests do without.
fn stage(config: &str) -> Stage {
    let mut stage = Stage { hub: TestHub::unserved() };
    stage.hub.limited = true;
    // Of requests there may be as many as the test likes.
    stage.configure(&format!("server:\n  limits:\n    requests_per_second: 0\n{config}"));
    stage.hub.serve(&[]);
    stage
}

async fn held(client: &Client, status: InboxView) -> Vec<InboxItem> {
    let filter =
        InboxFilter { status, kind: Some(InboxKind::ThreadHeld), ..InboxFilter::default() };
    client.inbox_list(&filter, &PageQuery::default()).await.unwrap().items
}

/// How often this is in the audit chain.
async fn audited(client: &Client, verb: &str) -> usize {
    let filter = AuditFilter { verb: Some(verb.to_owned()), ..AuditFilter::default() };
    client.audit_list(&filter, &PageQuery::default()).await.unwrap().items.len()
}

async fn until_held(talk: &Talk) -> Thread {
    talk.until_thread(|thread| thread.status == ThreadStatus::Held).await
}

fn began(message: &Message) -> Timestamp {
    message.started_at.unwrap()
}

/// The most turns a minute there may be: the next one waits, is not lost, and goes by itself.
#[tokio::test]
async fn too_many_turns_a_minute_wait_and_go_on_by_themselves() {
    let mut stage = stage("pma:\n  turns_per_minute: 2\n");
    let mut talk = Talk::new(&stage.client()).await;
    let mut sent = Vec::new();
    for n in 0..2 {
        let message = talk.post(&say(&format!("answer {n}"))).await;
        sent.push(talk.until(&message.id, MessageStatus::Completed).await);
    }
    for n in 2..4 {
        sent.push(talk.post(&say(&format!("answer {n}"))).await);
    }
    let waits = until_held(&talk).await;
    assert_eq!((waits.queued, waits.current), (2, None));
    for words in ["2 turns began within a minute", "goes on by itself at", "2 messages wait"] {
        assert!(waits.explain.contains(words), "{}", waits.explain);
    }
    // A hub that begins again, and a person who is in a hurry, change nothing about it.
    stage.kill_and_serve();
    talk.client = stage.client();
    talk.client.thread_resume(&talk.key).await.unwrap();
    let still = until_held(&talk).await;
    assert_eq!((still.queued, &still.explain), (2, &waits.explain));
    assert_eq!(audited(&talk.client, "message_stopped").await, 1, "stopped once");
    // It is no limit of anybody else.
    let other = Talk::new(&talk.client).await;
    let elsewhere = other.post(&say("elsewhere")).await;
    other.until(&elsewhere.id, MessageStatus::Completed).await;
    // Nobody is asked to do anything about what passes by itself.
    assert_eq!(held(&talk.client, InboxView::All).await, []);
    let begun = Instant::now();
    while talk.thread().await.status == ThreadStatus::Held {
        assert!(begun.elapsed() < 2 * DEADLINE, "it does not go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (n, message) in sent.iter_mut().enumerate() {
        *message = talk.until(&message.id, MessageStatus::Completed).await;
        assert_eq!(message.answer, Some(format!("answer {n}")));
    }
    assert!(began(&sent[2]).millis_since(began(&sent[0])) >= 59_000, "{sent:#?}");
    assert_eq!(talk.until_idle().await.queued, 0);
}

/// The breaker opens, everybody sees it once, and one act of a person closes it.
#[tokio::test]
async fn an_agent_that_fails_is_left_alone_until_a_person_says_so() {
    let mut stage = stage("pma:\n  breaker_failures: 3\n");
    let mut talk = Talk::new(&stage.client()).await;
    // What went well in between is forgiven.
    for text in [fails("1"), fails("2"), say("well"), fails("3"), fails("4")] {
        let message = talk.post(&text).await;
        talk.until_message(&message.id, |message| message.ended_at.is_some()).await;
    }
    assert_eq!(audited(&talk.client, "pma_breaker_open").await, 0);
    let last = talk.post(&fails("5")).await;
    talk.until(&last.id, MessageStatus::Failed).await;
    assert_eq!(audited(&talk.client, "pma_breaker_open").await, 1);
    let waits = talk.post(&say("after all")).await;
    let thread = until_held(&talk).await;
    for words in ["3 turns in a row failed", "circuit breaker", "goes on by itself at"] {
        assert!(thread.explain.contains(words), "{}", thread.explain);
    }
    assert_eq!(talk.message(&waits.id).await.status, MessageStatus::Queued, "it is not lost");

    // One item says so, before and after a start, and one word leaves.
    let [item] = held(&talk.client, InboxView::Open).await.try_into().unwrap();
    assert_eq!(item.thread, Some(thread.id.clone()));
    assert!(item.line.contains("circuit breaker"), "{}", item.line);
    assert_eq!(item.actions, [InboxAction::Resume, InboxAction::Stop, InboxAction::Dismiss]);
    stage.kill_and_serve();
    talk.client = stage.client();
    assert_eq!(until_held(&talk).await.explain, thread.explain);
    assert_eq!(held(&talk.client, InboxView::All).await, std::slice::from_ref(&item));
    let told = talk.client.notification_list(None, &PageQuery::default()).await.unwrap().items;
    assert_eq!(told.iter().filter(|one| one.item.as_ref() == Some(&item.id)).count(), 1);

    // From where it is seen it is let go on, once.
    let resume = InboxAct { action: InboxAction::Resume, body: None };
    for _ in 0..2 {
        let ended = talk.client.inbox_act(&item.id, &resume).await.unwrap();
        let expected = (InboxStatus::Resolved, Some(InboxAction::Resume));
        assert_eq!((ended.status, ended.acted), expected);
    }
    let answered = talk.until(&waits.id, MessageStatus::Completed).await;
    assert_eq!(answered.answer.as_deref(), Some("after all"));
    assert_eq!(held(&talk.client, InboxView::Open).await, []);
    assert_eq!(audited(&talk.client, "thread_resume").await, 1);
    let stop = InboxAct { action: InboxAction::Stop, body: None };
    let late = talk.client.inbox_act(&item.id, &stop).await.unwrap_err();
    assert_eq!(late.code(), Some(Code::IllegalTransition));
    // The failures are forgotten: one more is one, not the fourth.
    for text in [fails("6"), fails("7"), say("and well")] {
        let message = talk.post(&text).await;
        talk.until_message(&message.id, |message| message.ended_at.is_some()).await;
    }
    assert_eq!(audited(&talk.client, "pma_breaker_open").await, 1);
    assert_eq!(talk.until_idle().await.queued, 0);
}

/// After its time the breaker lets one turn through: it opens again when that fails, and closes when
/// it goes well.
#[tokio::test]
async fn the_breaker_tries_one_turn_after_its_time() {
    let stage = stage("pma:\n  breaker_failures: 2\n  breaker_cooldown_seconds: 5\n");
    let talk = Talk::new(&stage.client()).await;
    let mut sent = Vec::new();
    // All at once: what becomes of them is up to the breaker alone.
    for text in [fails("1"), fails("2"), fails("probe"), say("probe"), fails("3"), say("well")] {
        sent.push(talk.post(&text).await);
    }
    for message in &mut sent {
        *message = talk.until_message(&message.id, |message| message.ended_at.is_some()).await;
    }
    let how: Vec<_> = sent.iter().map(|message| message.status).collect();
    use MessageStatus::{Completed, Failed};
    assert_eq!(how, [Failed, Failed, Failed, Completed, Failed, Completed]);
    let waited = |n: usize| began(&sent[n]).millis_since(sent[n - 1].ended_at.unwrap());
    assert!(waited(2) >= 4990 && waited(3) >= 4990, "{sent:#?}");
    assert_eq!(audited(&talk.client, "pma_breaker_open").await, 2);
    // After the turn that went well a failure is the first again: nothing was held for it.
    assert_eq!(audited(&talk.client, "message_stopped").await, 2);
    let items = held(&talk.client, InboxView::All).await;
    let ended = |item: &InboxItem| item.status == InboxStatus::Resolved && item.acted.is_none();
    assert!(items.len() == 2 && items.iter().all(ended), "{items:#?}");
    assert!(items.iter().all(|item| item.resolution.as_deref() == Some("It went on.")));
    assert_eq!(talk.until_idle().await.queued, 0);
}
