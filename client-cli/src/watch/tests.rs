use car_api::{EventKind, RunId, Timestamp, TurnId, event::LiveStream};
use futures_util::SinkExt;
use tokio::net::TcpListener;
use tokio_tungstenite::{accept_async, tungstenite::protocol::frame::coding::CloseCode};

use super::*;

fn event(seq: i64) -> StreamMessage {
    let event = Event {
        seq,
        at: Timestamp::from_secs(0),
        repo: None,
        run: None,
        thread: None,
        event: EventKind::RunCreated,
    };
    StreamMessage::Event { event: Box::new(event) }
}

fn live() -> StreamMessage {
    StreamMessage::Live {
        frame: LiveFrame {
            run: Some(RunId::generate()),
            thread: None,
            turn: TurnId::generate(),
            item: "i".to_owned(),
            stream: LiveStream::Message,
            offset: 0,
            text: "x".to_owned(),
        },
    }
}

fn caught_up(seq: i64) -> StreamMessage {
    StreamMessage::CaughtUp { seq, epoch: "e1".to_owned() }
}

#[test]
fn a_cursor_lets_each_event_through_once_and_sees_holes() {
    use Verdict::{Deliver, Hole, Repeat};
    type Steps = [(StreamMessage, Verdict, i64)];
    let table: &[(bool, &Steps)] = &[
        (false, &[(event(6), Deliver, 6), (event(7), Deliver, 7), (caught_up(7), Deliver, 7)]),
        (false, &[(event(5), Repeat, 5), (event(4), Repeat, 5), (event(6), Deliver, 6)]),
        (false, &[(event(7), Hole, 5), (event(6), Deliver, 6)]),
        (false, &[(caught_up(6), Hole, 5), (caught_up(5), Deliver, 5), (live(), Deliver, 5)]),
        (true, &[(event(9), Deliver, 9), (event(9), Repeat, 9), (caught_up(20), Deliver, 20)]),
        (true, &[(caught_up(20), Deliver, 20), (event(20), Repeat, 20), (event(22), Deliver, 22)]),
    ];
    for (filtered, steps) in table {
        let mut cursor = Cursor::new(5.into(), *filtered);
        for (message, verdict, after) in *steps {
            assert_eq!(cursor.accept(message), *verdict, "{message:?}");
            assert_eq!(cursor.at().seq, *after, "{message:?}");
        }
    }
}

#[test]
fn delays_double_up_to_a_limit() {
    let mut backoff = Backoff::default();
    let delays: Vec<u128> = (0..9).map(|_| backoff.next_delay().as_millis()).collect();
    assert_eq!(delays, [200, 400, 800, 1600, 3200, 6400, 12800, 15000, 15000]);
    for _ in 0..100 {
        assert_eq!(backoff.next_delay().as_millis(), 15000);
    }
}

/// What the stub does with one connection: what it sends, and how it ends.
struct Visit {
    send: Vec<StreamMessage>,
    close: Option<u16>,
}

/// A hub that serves the visits in order; answers with the request lines it saw.
async fn stub(visits: Vec<Visit>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut seen = Vec::new();
        for visit in visits {
            let (stream, _) = listener.accept().await.unwrap();
            let mut head = [0_u8; 256];
            let n = stream.peek(&mut head).await.unwrap();
            let line = String::from_utf8_lossy(&head[..n]);
            seen.push(line.lines().next().unwrap_or_default().to_owned());
            let mut socket = accept_async(stream).await.unwrap();
            for message in visit.send {
                let text = serde_json::to_string(&message).unwrap();
                socket.send(Message::text(text)).await.unwrap();
            }
            if let Some(code) = visit.close {
                let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
                socket.close(Some(frame)).await.unwrap();
                while let Some(Ok(_)) = socket.next().await {}
            }
        }
        seen
    });
    (url, served)
}

fn seqs(updates: &[Update]) -> Vec<i64> {
    updates
        .iter()
        .filter_map(|update| match update {
            Update::Event(event) => Some(event.seq),
            Update::Live(_) | Update::CaughtUp { .. } | Update::Lost { .. } | Update::Back => None,
        })
        .collect()
}

#[tokio::test]
async fn a_cut_connection_goes_on_where_it_was() {
    let visits = vec![
        Visit { send: vec![event(1), event(2)], close: None },
        Visit { send: vec![event(2), event(3)], close: Some(4408) },
        Visit { send: vec![event(5)], close: None },
        Visit { send: vec![event(4), event(5)], close: Some(4410) },
    ];
    let (url, served) = stub(visits).await;
    let mut watch = Client::new(&url, Some("secret")).unwrap().watch(0, EventFilter::default());
    let mut updates = Vec::new();
    let end = loop {
        match watch.next().await {
            Ok(update) => updates.push(update),
            Err(error) => break error,
        }
    };
    assert_eq!(seqs(&updates), [1, 2, 3, 4, 5]);
    assert_eq!(end.code(), Some(Code::CursorTooOld));
    let asked = served.await.unwrap();
    let expected: Vec<String> =
        [0, 2, 3, 3].iter().map(|n| format!("GET /api/v1/events?after={n} HTTP/1.1")).collect();
    assert_eq!(asked, expected);
    let back = updates.iter().filter(|u| matches!(u, Update::Back)).count();
    assert_eq!(back, 3);
}

#[tokio::test]
async fn a_log_with_a_hole_is_said_and_not_asked_for_ever() {
    let visit = || Visit { send: vec![event(3)], close: None };
    let (url, _served) = stub(vec![visit(), visit()]).await;
    let mut watch = Client::new(&url, None).unwrap().watch(1, EventFilter::default());
    let error = loop {
        match watch.next().await {
            Ok(update) => assert!(!matches!(update, Update::Event(_)), "{update:?}"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("no entry 2"), "{error}");
}

#[tokio::test]
async fn a_hub_that_was_never_there_is_an_error_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut watch = Client::new(&url, None).unwrap().watch(0, EventFilter::default());
    assert!(matches!(watch.next().await, Err(ClientError::Unreachable { .. })));
}

#[tokio::test]
async fn a_reader_names_the_log_it_knows_and_is_told_when_it_is_another() {
    let gone = Gone {
        reason: car_api::event::GoneReason::OtherEpoch,
        epoch: "e2".to_owned(),
        oldest: 1,
        newest: 1,
        snapshot: "/api/v1/hub/snapshot".to_owned(),
    };
    let visits = vec![
        // From 0 the log begins with what is kept.
        Visit { send: vec![event(7), caught_up(7)], close: None },
        Visit { send: vec![StreamMessage::Gone { gone: gone.clone() }], close: Some(4410) },
    ];
    let (url, served) = stub(visits).await;
    let mut watch = Client::new(&url, None).unwrap().watch(0, EventFilter::default());
    let error = loop {
        match watch.next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    let ClientError::Problem(problem) = error else { panic!("{error}") };
    assert_eq!((problem.code, problem.gone), (Code::CursorTooOld, Some(Box::new(gone))));
    assert_eq!(watch.cursor().to_string(), "e1-7");
    let asked = served.await.unwrap();
    assert_eq!(asked[1], "GET /api/v1/events?after=e1-7 HTTP/1.1");
}
