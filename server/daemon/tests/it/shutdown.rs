//! Ending in order: what was acknowledged is on disk, streams know where they were, clients wait
//! for the next hub, and a service manager is told.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    process::Command,
    time::{Duration, Instant},
};

use car_api::{repo::RepoCreate, token::TokenCreate};
use car_client::EventFilter;

use crate::harness::{DEADLINE, TestHub};

/// Streams of both kinds, writers that never stop, and SIGTERM in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_and_streams_know_where_they_were() {
    let mut hub = TestHub::start();
    let client = hub.client();
    let body = RepoCreate { id: "one".to_owned(), path: None, force: false };
    client.repo_create(&body).await.unwrap();
    let mut socket = websocket(&hub);
    let mut sse = sse(&hub);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let client = hub.client();
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            for n in 0.. {
                let body = TokenCreate { name: format!("{writer}-{n}"), ..TokenCreate::default() };
                match client.token_create(&body).await {
                    Ok(made) => acknowledged.push(made.token.id),
                    Err(_) => break,
                }
            }
            acknowledged
        });
    }
    while client.token_list().await.unwrap().items.len() < 20 {}
    let begun = Instant::now();
    let status = tokio::task::block_in_place(|| hub.stop());
    let took = begun.elapsed();
    assert!(status.success());
    let acknowledged: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    let (code, reason) = close_frame(&mut socket);
    let cursor: i64 = reason.rsplit(['=', '-']).next().unwrap().parse().unwrap();
    assert_eq!(code, 1012, "{reason}");
    let mut rest = String::new();
    sse.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("id: ") && rest.contains("the hub is closing"), "{rest}");

    // One file holds everything: nothing waits in a journal of the database. A disk on which that
    // takes too long is not waited for.
    let wal = hub.root().join(".codex-autorunner/hub.sqlite3-wal");
    let left = std::fs::metadata(&wal).map_or(0, |meta| meta.len());
    assert!(left == 0 || took > Duration::from_secs(4), "{left} bytes after {took:?}");
    hub.serve(&[]);
    let client = hub.client();
    let there: Vec<_> =
        client.token_list().await.unwrap().items.into_iter().map(|t| t.id).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !there.contains(id)).collect();
    assert!(acknowledged.len() >= 20 && lost.is_empty(), "{lost:?} of {}", acknowledged.len());
    let next = client.event_list(cursor, None, &EventFilter::default()).await.unwrap();
    assert_eq!(next.items[0].seq, cursor + 1);
    assert_eq!(next.items[0].event.word(), "hub_started");
}

fn websocket(hub: &TestHub) -> TcpStream {
    let mut stream = open(
        hub,
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    );
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

fn sse(hub: &TestHub) -> TcpStream {
    open(hub, "Accept: text/event-stream\r\n")
}

fn open(hub: &TestHub, lines: &str) -> TcpStream {
    let mut stream = TcpStream::connect(hub.authority()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let (host, token) = (hub.authority(), hub.token());
    let head = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{lines}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Reads frames of a server (RFC 6455, 5.2) until it closes; its code and reason.
fn close_frame(stream: &mut TcpStream) -> (u16, String) {
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).unwrap();
        let length = match head[1] & 0x7f {
            126 => {
                let mut long = [0; 2];
                stream.read_exact(&mut long).unwrap();
                u64::from(u16::from_be_bytes(long))
            }
            127 => {
                let mut long = [0; 8];
                stream.read_exact(&mut long).unwrap();
                u64::from_be_bytes(long)
            }
            short => u64::from(short),
        };
        let mut body = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut body).unwrap();
        if head[0] & 0x0f == 8 {
            let reason = String::from_utf8(body.split_off(2)).unwrap();
            return (u16::from_be_bytes([body[0], body[1]]), reason);
        }
    }
}

/// What systemd hears of a hub: ready, alive, stopping.
#[test]
fn a_service_manager_is_told() {
    let mut hub = TestHub::unserved();
    let path = hub.root().join("notify.sock");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let hear = |wanted: &str| {
        let mut said = String::new();
        while !said.contains(wanted) {
            let mut buffer = [0; 512];
            let length = manager.recv(&mut buffer).unwrap();
            said = String::from_utf8_lossy(&buffer[..length]).into_owned();
        }
    };
    let mut command = hub.command(&["serve", "--port", "0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    hub.serve_by(command);
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    assert!(hub.stop().success());
    hear("STOPPING=1");
}

/// With a socket that the service manager holds, a client that comes while no hub is there is
/// answered by the next one.
#[test]
fn clients_wait_for_the_next_hub_in_the_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut hub = TestHub::unserved();
    let serve = |hub: &TestHub| {
        let program = hub.command(&[]);
        let mut command = Command::new("sh");
        // What systemd does: the socket is descriptor 3, and the program is told so by its own id.
        let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
        command
            .args(["-c", script, "sh"])
            .arg(program.get_program())
            .args(["serve", "--port", "1"]);
        command.current_dir(hub.root()).stdin(OwnedFd::from(listener.try_clone().unwrap()));
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    };
    hub.serve_by(serve(&hub));
    let at = listener.local_addr().unwrap();
    assert_eq!(hub.authority(), at.to_string());
    assert!(hub.stop().success());
    let mut early = TcpStream::connect(at).unwrap();
    let host = at.to_string();
    let request = format!("GET /health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    early.write_all(request.as_bytes()).unwrap();
    hub.serve_by(serve(&hub));
    let mut answer = String::new();
    early.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
