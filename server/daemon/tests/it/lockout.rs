//! Who is refused, and that the owner never is: wrong credentials, too many requests, slow and
//! huge ones.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::harness::{DEADLINE, TestHub, wait_until};

fn limited() -> TestHub {
    let mut hub = TestHub::unserved();
    hub.limited = true;
    hub.serve(&[]);
    hub
}

fn get(hub: &TestHub, path: &str, token: &str) -> String {
    let authority = hub.authority();
    format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// Thousands of wrong tokens beside the owner at work: the owner is never refused, the others are
/// told to wait, and what is noted of them does not grow with their number.
#[test]
fn wrong_tokens_never_lock_the_owner_out() {
    const WRONG: usize = 6000;
    let mut hub = limited();
    let owner = hub.token();
    let (done, waiting) = (AtomicBool::new(false), AtomicUsize::new(0));
    let served = thread::scope(|scope| {
        let owners = scope.spawn(|| {
            let mut connection = hub.connect();
            let mut served = 0_u32;
            // As fast as a credential may go on for ever.
            while !done.load(Ordering::Relaxed) {
                let answer = connection.send(&get(&hub, "/api/v1/hub", &owner));
                assert_eq!(answer.status, 200, "{answer:?}");
                served += 1;
                thread::sleep(Duration::from_millis(25));
            }
            served
        });
        let attackers: Vec<_> = (0..4)
            .map(|who| {
                let (hub, waiting) = (&hub, &waiting);
                scope.spawn(move || {
                    let mut connection = hub.connect();
                    for n in 0..WRONG / 4 {
                        // Some guess the same token again and again, some another one each time.
                        let guess = if who % 2 == 0 { 0 } else { n };
                        let token = format!("car_pat_{guess:04}{}", "A".repeat(45));
                        let answer = connection.send(&get(hub, "/api/v1/hub", &token));
                        match answer.status {
                            401 => {}
                            429 => {
                                assert!(answer.header("retry-after").is_some());
                                assert_eq!(answer.code(), "rate_limited");
                                waiting.fetch_add(1, Ordering::Relaxed);
                            }
                            _ => panic!("{answer:?}"),
                        }
                    }
                })
            })
            .collect();
        for attacker in attackers {
            attacker.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        owners.join().unwrap()
    });
    let waiting = waiting.load(Ordering::Relaxed);
    println!("{WRONG} wrong tokens: {waiting} told to wait; the owner was served {served} times");
    assert!(waiting > WRONG / 2 && served > 0);
    // The owner's own way in is the same for who comes from elsewhere with a new connection.
    assert_eq!(hub.connect().send(&get(&hub, "/api/v1/hub", &owner)).status, 200);
    hub.stop();
    hub.serve(&[]);
    let noted = hub.connect().send(&get(&hub, "/api/v1/audit?verb=authenticate", &owner)).body;
    let page: car_api::Page<car_api::audit::AuditLine> = serde_json::from_str(&noted).unwrap();
    let counted: usize = page
        .items
        .iter()
        .map(|line| {
            line.detail.as_ref().unwrap().split(' ').next().unwrap().parse::<usize>().unwrap()
        })
        .sum();
    assert_eq!(counted, WRONG, "every failure is counted");
    assert!(page.items.len() <= 6, "{} lines", page.items.len());
}

#[test]
fn a_credential_has_its_measure() {
    let mut hub = TestHub::unserved();
    hub.limited = true;
    let text = "server:\n  limits:\n    requests_per_second: 1\n    request_burst: 5\n    sockets_per_minute: 1\n";
    std::fs::write(hub.root().join("codex-autorunner.override.yml"), text).unwrap();
    hub.serve(&[]);
    let mut connection = hub.connect();
    let answers: Vec<_> =
        (0..12).map(|_| connection.send(&get(&hub, "/api/v1/hub", &hub.token()))).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(answers[..5].iter().all(|answer| answer.status == 200));
    assert!(!refused.is_empty());
    assert!(refused[0].header("retry-after").unwrap().parse::<u64>().unwrap() <= 2);
    // It fills again.
    wait_until("the credential may ask again", || {
        thread::sleep(Duration::from_millis(200));
        (connection.send(&get(&hub, "/api/v1/hub", &hub.token())).status == 200).then_some(())
    });
}

/// Many connections that never finish their head, and many that never finish their body: all are
/// closed by the hub, and a normal client is served all the while.
#[test]
fn slow_clients_are_closed() {
    const HEADS: usize = 2000;
    const BODIES: usize = 500;
    let hub = TestHub::start();
    let token = hub.token();
    let authority = hub.authority();
    let done = AtomicBool::new(false);
    let mut times = thread::scope(|scope| {
        let normal = scope.spawn(|| {
            let mut connection = hub.connect();
            let mut times = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let begun = Instant::now();
                // In a flood a connection that said nothing in time makes room; a client comes again.
                let ask = get(&hub, "/api/v1/hub", &token);
                let answer = wait_until("an answer", || connection.try_send(&ask));
                assert_eq!(answer.status, 200);
                times.push(begun.elapsed());
                thread::sleep(Duration::from_millis(5));
            }
            times
        });
        let mut slow = Vec::new();
        for n in 0..HEADS {
            let mut stream = TcpStream::connect(authority).unwrap();
            let sent = stream.write_all(b"GET / HTTP/1.1\r\nHost:");
            assert!(sent.is_ok() || n > 0);
            slow.push(stream);
        }
        for _ in 0..BODIES {
            let mut stream = TcpStream::connect(authority).unwrap();
            let head = format!(
                "POST /api/v1/repos HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
            );
            stream.write_all(head.as_bytes()).unwrap();
            slow.push(stream);
        }
        let mut timed_out = 0;
        for mut stream in slow {
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            let mut said = Vec::new();
            if let Err(error) = stream.read_to_end(&mut said) {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
            }
            timed_out += usize::from(said.starts_with(b"HTTP/1.1 408"));
        }
        assert_eq!(timed_out, BODIES, "a body that stands still is answered");
        done.store(true, Ordering::Relaxed);
        normal.join().unwrap()
    });
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    println!(
        "{HEADS} slow heads, {BODIES} slow bodies: a normal client's p99 {p99:?} of {}",
        times.len()
    );
    assert!(times.len() > 100);
}

/// Whatever is sent, it is refused at its limit, and the hub's memory does not follow it.
#[test]
fn huge_requests_are_refused_in_flat_memory() {
    let hub = TestHub::start();
    let token = hub.token();
    let authority = hub.authority();
    let head = format!(
        "POST /api/v1/repos HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\n"
    );
    let before = peak(hub.pid());
    // As much as the hub takes of ten gigabytes.
    let ten_gb = 10_u64 << 30;
    let piece = vec![b' '; 1 << 20];
    let chunk: Vec<u8> = [b"100000\r\n", &piece[..], b"\r\n"].concat();
    for (framing, piece) in [
        (format!("Content-Length: {ten_gb}"), &piece),
        ("Transfer-Encoding: chunked".to_owned(), &chunk),
    ] {
        let mut stream = TcpStream::connect(authority).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "{head}{framing}\r\n\r\n").unwrap();
        let mut sent = 0;
        while sent < ten_gb && stream.write_all(piece).is_ok() {
            sent += piece.len() as u64;
        }
        assert!(sent < 256 << 20, "the hub took {sent} bytes");
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        // The refusal may be lost with the connection.
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 413"), "{said}");
    }
    let refused = |rest: &str| {
        let answer = hub.raw(&format!("{head}Connection: close\r\n{rest}"));
        assert!(answer.status == 0 || (400..500).contains(&answer.status), "{answer:?}");
        answer.status
    };
    // Chunks that lie about their size.
    for lie in
        ["ffffffffffffffff\r\nx", "FFFFFFFFFFFFFFFFF\r\nx", "-1\r\nx", "5;\0\r\nhello", "zz\r\n"]
    {
        refused(&format!("Transfer-Encoding: chunked\r\n\r\n{lie}\r\n0\r\n\r\n"));
    }
    let deep = format!("{{\"id\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refused(&format!("Content-Length: {}\r\n\r\n{deep}", deep.len())), 400);
    assert_eq!(refused("Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x08\0\0"), 400);
    let huge = "x".repeat(1 << 20);
    assert_eq!(hub.send("GET", "/health/live", &[&format!("X: {huge}")], "").status, 431);
    let many: Vec<String> = (0..1000).map(|n| format!("X-{n}: y")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(hub.send("GET", "/health/live", &many, "").status, 431);
    let grown = peak(hub.pid()).saturating_sub(before);
    println!("the hub's peak memory grew by {} KiB", grown / 1024);
    assert!(grown < 48 << 20, "the hub grew by {grown} bytes");
}

/// The most memory a process had so far, in bytes.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
