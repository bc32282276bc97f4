//! A log that is kept for a time, and readers whose place in it is of no use.

use std::time::{Duration, Instant};

use car_api::{
    Code, EventKind, Timestamp,
    event::{EventCursor, GoneReason, StreamMessage},
    repo::RepoCreate,
};
use car_client::{Client, ClientError, EventFilter, EventFrom, watch::Update};
use car_store::{Store, Write};

use crate::{
    events::Sse,
    harness::{DEADLINE, TestHub, wait_until},
};

/// Events of the first month and of the second, both long ago.
const OLD: i64 = 12_000;
const NEWER: i64 = 11_000;

/// A hub that was used long ago: its database as an earlier process left it.
async fn old_hub() -> TestHub {
    let hub = TestHub::unserved();
    let store = Store::open(&hub.root().join(".codex-autorunner/hub.sqlite3")).await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let days = |days: u64| {
        let seconds = now.as_secs() - days * 86_400;
        Timestamp::from_secs(i64::try_from(seconds).unwrap())
    };
    for (count, at) in [(OLD, days(80)), (NEWER, days(20))] {
        let kind = EventKind::RepoRemoved { salvage: None };
        let write = Write::Event { at, repo: None, run: None, thread: None, kind: Box::new(kind) };
        let writes = (0..count).map(|_| write.clone()).collect();
        store.commit(writes).await.unwrap();
    }
    store.close().await;
    hub
}

fn too_old(error: &ClientError) -> GoneReason {
    let ClientError::Problem(problem) = error else { panic!("{error}") };
    assert_eq!((problem.code, problem.status), (Code::CursorTooOld, 410));
    let gone = problem.gone.as_ref().unwrap();
    assert_eq!(gone.snapshot, "/api/v1/hub/snapshot");
    assert!(gone.oldest <= gone.newest && !gone.epoch.is_empty(), "{gone:?}");
    gone.reason
}

/// What a watch from a place ends with, before it gave anything.
async fn watch_end(client: &Client, after: EventCursor) -> ClientError {
    let mut watch = client.watch_from(after, EventFilter::default());
    let next = tokio::time::timeout(DEADLINE, watch.next()).await.unwrap();
    next.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_too_old_goes_and_nobody_reads_over_the_gap() {
    let mut hub = old_hub().await;
    hub.serve(&[]);
    let client = hub.client();
    let all = EventFilter::default();
    // The month that is over goes, the other one stays.
    let oldest = wait_until("old events go", || {
        let target = "/api/v1/hub";
        let token = format!("Authorization: Bearer {}", hub.token());
        let answer = hub.send("GET", target, &[&token], "");
        let info: car_api::hub::HubInfo = serde_json::from_str(&answer.body).unwrap();
        (info.oldest_seq == OLD + 1).then_some(info.oldest_seq)
    });
    // They are refused a moment before they are gone from the disk.
    let begun = Instant::now();
    while client.event_list(0, Some(1), &all).await.unwrap().items[0].seq != oldest {
        assert!(begun.elapsed() < DEADLINE, "they stay");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let error = client.event_list(oldest - 2, None, &all).await.unwrap_err();
    assert_eq!(too_old(&error), GoneReason::TooOld);
    assert_eq!(too_old(&watch_end(&client, (oldest - 2).into()).await), GoneReason::TooOld);
    let token = hub.token();
    let target = format!("/api/v1/events?after={}", oldest - 2);
    let authorization = format!("Authorization: Bearer {token}");
    let answer = hub.send("GET", &target, &[&authorization, "Accept: text/event-stream"], "");
    assert_eq!((answer.status, answer.code().as_str()), (410, "cursor_too_old"));
    // The last one that went is still a place to go on from, and so is the beginning.
    for after in [oldest - 1, 0] {
        let page = client.event_list(after, Some(1), &all).await.unwrap();
        assert_eq!(page.items[0].seq, oldest);
    }
    let mut watch = client.watch(0, all.clone());
    let Update::Event(first) = watch.next().await.unwrap() else { panic!("an event comes first") };
    assert_eq!(first.seq, oldest);

    // The snapshot is where to start from.
    let snapshot = client.hub_snapshot().await.unwrap();
    let from = EventCursor { epoch: Some(snapshot.epoch), seq: snapshot.as_of };
    let mut watch = client.watch_from(from, all);
    assert!(matches!(watch.next().await.unwrap(), Update::CaughtUp { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_place_in_another_log_is_said_to_be_one() {
    let mut hub = TestHub::start();
    let client = hub.client();
    let info = client.hub_get().await.unwrap();
    let at = |epoch: &str, seq| EventCursor { epoch: Some(epoch.to_owned()), seq };
    let all = EventFilter::default();
    for (cursor, reason) in [
        (at(&info.epoch, info.last_seq + 1000), GoneReason::Future),
        (at("0badcafe", 1), GoneReason::OtherEpoch),
    ] {
        assert_eq!(too_old(&watch_end(&client, cursor.clone()).await), reason);
        let from = EventFrom::After(cursor);
        let error = client.event_list_from(&from, None, &all).await.unwrap_err();
        assert_eq!(too_old(&error), reason);
    }

    // A stream that is open when the database is restored learns of it when it comes back.
    let mut watch = client.watch(0, all);
    while !matches!(watch.next().await.unwrap(), Update::CaughtUp { .. }) {}
    let port = hub.authority().rsplit_once(':').unwrap().1.to_owned();
    hub.stop();
    let store = Store::open(&hub.root().join(".codex-autorunner/hub.sqlite3")).await.unwrap();
    let restored = Write::Fact { name: "epoch", value: "5e570fed".to_owned() };
    store.commit(vec![restored]).await.unwrap();
    store.close().await;
    hub.serve(&["--port", &port]);
    let error = loop {
        match tokio::time::timeout(DEADLINE, watch.next()).await.expect("nothing came") {
            Ok(Update::Event(event)) => panic!("an event of another log: {event:?}"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(too_old(&error), GoneReason::OtherEpoch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn scripts_begin_with_the_last_or_with_what_comes() {
    let hub = TestHub::start();
    let client = hub.client();
    for id in ["one", "two", "three"] {
        let body = RepoCreate { id: id.to_owned(), path: None, force: false };
        client.repo_create(&body).await.unwrap();
    }
    let added = EventFilter { kinds: vec!["repo_added".to_owned()], ..EventFilter::default() };
    let last = client.event_list_from(&EventFrom::Last(2), None, &added).await.unwrap();
    let paths: Vec<_> = last
        .items
        .iter()
        .map(|event| {
            let EventKind::RepoAdded { path } = &event.event else { panic!("{event:?}") };
            path.as_str()
        })
        .collect();
    assert_eq!(paths, ["two", "three"]);
    let newest = client.hub_get().await.unwrap().last_seq;
    let mut stream = Sse::open(&hub, &hub.token(), "/api/v1/events?after=newest", "");
    assert!(
        matches!(stream.next(), Some((Some(seq), StreamMessage::CaughtUp { .. })) if seq >= newest)
    );
    let mut stream = Sse::open(&hub, &hub.token(), "/api/v1/events?last=1&kind=repo_added", "");
    let Some((_, StreamMessage::Event { event })) = stream.next() else { panic!("nothing came") };
    assert!(matches!(&event.event, EventKind::RepoAdded { path } if path == "three"));
    let authorization = format!("Authorization: Bearer {}", hub.token());
    for bad in ["after=1&last=1", "after=-1", "after=x", "last=0", "last=10001", "limit=0"] {
        let target = format!("/api/v1/events?{bad}");
        assert_eq!(hub.send("GET", &target, &[&authorization], "").code(), "bad_request", "{bad}");
    }
}
