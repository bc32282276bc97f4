//! What was revoked is worth nothing at once, on open streams too, while the hub has much to do.

use std::{
    io::Read,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use car_api::Scope;

use super::{
    keep::{self, Keep, UPGRADE},
    token,
};
use crate::harness::TestHub;

/// How many credentials are revoked; `CAR_TEST_REVOCATIONS` names another number.
fn rounds() -> usize {
    std::env::var("CAR_TEST_REVOCATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// When a stream ended, and the last it said.
fn end_of(mut stream: std::io::BufReader<TcpStream>) -> thread::JoinHandle<(Instant, Vec<u8>)> {
    thread::spawn(move || {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return (Instant::now(), all),
                Ok(read) => all.extend_from_slice(&buffer[..read]),
            }
            // The close frame of a WebSocket with 4401, or the last chunk of a stream: connections
            // may live on.
            let closed = all.windows(2).any(|pair| pair == 4401_u16.to_be_bytes());
            if closed || all.ends_with(b"\r\n0\r\n\r\n") {
                return (Instant::now(), all);
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_credential_is_shut_out_everywhere_at_once() {
    let hub = TestHub::start();
    let client = hub.client();
    let (authority, owner) = (hub.authority().to_owned(), hub.token());
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicU64::new(0));
    let load: Vec<_> = (0..3)
        .map(|_| {
            let (stop, asked) = (stop.clone(), asked.clone());
            let (authority, header) =
                (authority.clone(), format!("Authorization: Bearer {owner}\r\n"));
            thread::spawn(move || {
                let mut keep = Keep::new(&authority);
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(keep.ask("GET", "/api/v1/repos", &header, "").status, 200);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut longest = [Duration::ZERO; 2];
    for round in 0..rounds() {
        let made = token(&client, &[Scope::Read]).await;
        let header = format!("Authorization: Bearer {}\r\n", made.secret);
        let (said, events) = keep::stream(
            &authority,
            "/api/v1/events",
            &format!("{header}Accept: text/event-stream\r\n"),
        );
        assert_eq!(said.status, 200);
        let (said, socket) =
            keep::stream(&authority, "/api/v1/events", &format!("{header}{UPGRADE}"));
        assert_eq!(said.status, 101);
        let ends = [end_of(events), end_of(socket)];
        let mut keep = Keep::new(&authority);
        assert_eq!(keep.ask("GET", "/api/v1/hub", &header, "").status, 200);
        client.token_delete(&made.token.id).await.unwrap();
        let began = Instant::now();
        assert_eq!(keep.ask("GET", "/api/v1/hub", &header, "").status, 401, "round {round}");
        for (end, longest) in ends.into_iter().zip(&mut longest) {
            let (at, said) = end.join().unwrap();
            *longest = (*longest).max(at.saturating_duration_since(began));
            let text = String::from_utf8_lossy(&said);
            assert!(text.contains("deleted"), "it was said why: {text}");
        }
    }
    stop.store(true, Ordering::Relaxed);
    for thread in load {
        thread.join().unwrap();
    }
    let [events, sockets] = longest;
    // Within a second on a machine that has nothing else to do; a heartbeat would be later than this.
    assert!(events.max(sockets) < Duration::from_secs(10), "{longest:?}");
    println!(
        "{} revocations among {} requests: a stream ended after at most {events:?}, a socket {sockets:?}",
        rounds(),
        asked.load(Ordering::Relaxed)
    );
}
