//! The log by its three doors.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use car_api::{
    EventKind, PageQuery,
    event::{EventCursor, StreamMessage},
    repo::RepoCreate,
    token::TokenCreate,
};
use car_client::{Client, EventFilter, watch::Update};

use crate::harness::{DEADLINE, TestHub};

async fn add_repo(client: &Client, id: &str) {
    let body = RepoCreate { id: id.to_owned(), path: None, force: false };
    client.repo_create(&body).await.unwrap();
}

/// The kinds of a page of everything, and the cursor behind it.
async fn all(client: &Client, filter: &EventFilter) -> (Vec<&'static str>, i64) {
    let page = client.event_list(0, Some(500), filter).await.unwrap();
    assert!(page.next.is_none(), "the test expects one page");
    let last = page.items.last().map_or(0, |event| event.seq);
    (page.items.iter().map(|event| event.event.word()).collect(), last)
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let hub = TestHub::start();
    let client = hub.client();
    add_repo(&client, "one").await;
    add_repo(&client, "two").await;
    let (whole, _) = all(&client, &EventFilter::default()).await;
    assert!(whole.contains(&"hub_started") && whole.contains(&"repo_added"), "{whole:?}");
    let (mut read, mut after) = (Vec::new(), 0);
    loop {
        let page = client.event_list(after, Some(1), &EventFilter::default()).await.unwrap();
        for event in &page.items {
            assert_eq!(event.seq, after + 1, "the log has a gap");
            after = event.seq;
            read.push(event.event.word());
        }
        match page.next {
            Some(next) => assert_eq!(next, after.to_string()),
            None => break,
        }
    }
    assert_eq!(read, whole);
    let filter = EventFilter { kinds: vec!["repo_added".to_owned()], ..EventFilter::default() };
    let (added, _) = all(&client, &filter).await;
    assert_eq!(added, ["repo_added", "repo_added"]);
}

#[tokio::test]
async fn a_watch_sees_the_past_then_what_comes_and_survives_a_restart() {
    let mut hub = TestHub::start();
    let client = hub.client();
    add_repo(&client, "past").await;
    let filter = EventFilter { kinds: vec!["repo_added".to_owned()], ..EventFilter::default() };
    let mut watch = client.watch(0, filter);
    let next = async |watch: &mut car_client::watch::Watch| {
        tokio::time::timeout(DEADLINE, watch.next()).await.expect("nothing came").unwrap()
    };
    let Update::Event(event) = next(&mut watch).await else { panic!("an event comes first") };
    assert!(matches!(&event.event, EventKind::RepoAdded { path } if path == "past"));
    assert!(matches!(next(&mut watch).await, Update::CaughtUp { .. }));
    add_repo(&client, "present").await;
    let Update::Event(event) = next(&mut watch).await else { panic!("an event comes") };
    assert!(matches!(&event.event, EventKind::RepoAdded { path } if path == "present"));

    // The same port again, so that the watch finds the hub where it was.
    let port = hub.authority().rsplit_once(':').unwrap().1.to_owned();
    hub.stop();
    hub.serve(&["--port", &port]);
    add_repo(&hub.client(), "future").await;
    loop {
        match next(&mut watch).await {
            Update::Event(event) => {
                assert!(matches!(&event.event, EventKind::RepoAdded { path } if path == "future"));
                break;
            }
            Update::Lost { .. } | Update::Back | Update::CaughtUp { .. } => {}
            Update::Live(frame) => panic!("nobody writes: {frame:?}"),
        }
    }
}

/// Reads server-sent events until one has all that is waited for.
pub(crate) struct Sse(BufReader<TcpStream>);

impl Sse {
    pub(crate) fn open(hub: &TestHub, token: &str, target: &str, more: &str) -> Self {
        let mut stream = TcpStream::connect(hub.authority()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let host = hub.authority();
        write!(
            stream,
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\
             Connection: close\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
        )
        .unwrap();
        Self(BufReader::new(stream))
    }

    /// The next message and its id; none at the end.
    pub(crate) fn next(&mut self) -> Option<(Option<i64>, StreamMessage)> {
        let mut id = None;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(text) = line.strip_prefix("id: ") {
                let cursor: EventCursor = text.trim().parse().unwrap();
                assert!(cursor.epoch.is_some(), "an id names its log");
                id = Some(cursor.seq);
            }
            if let Some(text) = line.strip_prefix("data: ") {
                return Some((id, serde_json::from_str(text).unwrap()));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn scripts_follow_with_server_sent_events() {
    let hub = TestHub::start();
    let client = hub.client();
    add_repo(&client, "past").await;
    let (whole, last) = all(&client, &EventFilter::default()).await;
    let mut sse = Sse::open(&hub, &hub.token(), "/api/v1/events", "");
    for kind in whole {
        let Some((id, StreamMessage::Event { event })) = sse.next() else {
            panic!("{kind} is missing")
        };
        assert_eq!((id, event.event.word()), (Some(event.seq), kind));
    }
    let epoch = client.hub_get().await.unwrap().epoch;
    let caught_up = StreamMessage::CaughtUp { seq: last, epoch: epoch.clone() };
    assert_eq!(sse.next(), Some((Some(last), caught_up)));
    add_repo(&client, "present").await;
    let Some((Some(id), StreamMessage::Event { .. })) = sse.next() else { panic!("nothing came") };
    assert_eq!(id, last + 1);

    let more = format!("Last-Event-ID: {epoch}-{last}\r\n");
    let mut resumed = Sse::open(&hub, &hub.token(), "/api/v1/events", &more);
    assert_eq!(resumed.next().unwrap().0, Some(last + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_token_ends_its_streams_and_so_does_stopping() {
    let mut hub = TestHub::start();
    let client = hub.client();
    let body = TokenCreate { name: "short".to_owned(), ..TokenCreate::default() };
    let made = client.token_create(&body).await.unwrap();
    let (_, last) = all(&client, &EventFilter::default()).await;
    let target = format!("/api/v1/events?after={last}");
    let mut short = Sse::open(&hub, &made.secret, &target, "");
    let mut long = Sse::open(&hub, &hub.token(), &target, "");
    assert!(matches!(short.next(), Some((_, StreamMessage::CaughtUp { .. }))));
    assert!(matches!(long.next(), Some((_, StreamMessage::CaughtUp { .. }))));
    client.token_delete(&made.token.id).await.unwrap();
    assert_eq!(short.next(), None);
    let page = PageQuery { after: None, limit: Some(1) };
    client.repo_list(None, &page).await.unwrap();
    assert!(hub.stop().success());
    assert_eq!(long.next(), None);
}
