//! The stream under load: clients that are cut at random, a hub that is killed again and again,
//! and clients that do not read. No event is lost, repeated, out of order or changed for anybody.
//!
//! The load is real: the scripted agent talks, and every message of it is an item of a turn, which
//! the hub takes from the shim's journal into its log; agents go on while the hub is dead.
//!
//! `CAR_TEST_STREAM=clients,kills,rate` sets the size (the short form runs otherwise),
//! `CAR_TEST_SEED` repeats a sequence (not the machine's timing).

use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use car_api::{
    EventKind, RunId, Timestamp,
    event::{EventCursor, StreamMessage},
    run::{RunState, RunStatus},
};
use car_client::{Client, EventFilter, watch::Update};
use futures_util::StreamExt;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant as Moment, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::header::AUTHORIZATION},
};

use crate::{
    harness::{DEADLINE, Random, wait_until},
    stage::{FINISH, Repo, Stage, all_events},
};

/// Clients, kills of the hub, and events a second when nothing else is said.
const SHORT: (usize, u64, u64) = (40, 6, 200);

/// The longest time until a client is cut, and until the hub is killed, in milliseconds.
const CUT_WITHIN: u64 = 2_000;
const KILL_WITHIN: u64 = 1_500;

/// One client in so many is the real one of `car`.
const REAL_ONE_IN: usize = 10;

/// What all clients have seen together.
struct Seen {
    /// The digest of each event's message, by its number; 0 for those nobody has seen.
    digests: Mutex<Vec<u64>>,
    newest: AtomicI64,
    messages: AtomicU64,
    cuts: AtomicU64,
    lost: AtomicU64,
}

impl Seen {
    /// Holds what a client was told against what others were told.
    fn check(&self, seq: i64, text: &str) {
        let digest = digest(text);
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.newest.fetch_max(seq, Ordering::Relaxed);
        let mut digests = self.digests.lock().unwrap();
        let at = usize::try_from(seq).unwrap();
        if digests.len() <= at {
            digests.resize(at + 1, 0);
        }
        let known = std::mem::replace(&mut digests[at], digest);
        assert!(known == 0 || known == digest, "event {seq} changed: {text}");
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}

/// One client's place, and the rule it holds the stream to.
struct Reader {
    seen: Arc<Seen>,
    at: EventCursor,
}

impl Reader {
    fn event(&mut self, seq: i64, text: &str) {
        assert_eq!(seq, self.at.seq + 1, "an event was lost, repeated or out of order");
        self.seen.check(seq, text);
        self.at.seq = seq;
    }

    /// Reads as little of a message as will do: there are very many.
    fn take(&mut self, text: &str) {
        if text.starts_with(r#"{"type":"event""#) {
            let number = text.split(r#""seq":"#).nth(1).unwrap();
            let digits = number.split(|c: char| !c.is_ascii_digit()).next().unwrap();
            return self.event(digits.parse().unwrap(), text);
        }
        match serde_json::from_str(text).unwrap() {
            StreamMessage::CaughtUp { seq, epoch } => {
                assert_eq!(seq, self.at.seq, "it is said to have everything and has not");
                self.at.epoch = Some(epoch);
            }
            StreamMessage::Live { .. } => {}
            StreamMessage::Gone { gone } => panic!("nothing is gone: {gone:?}"),
            StreamMessage::Event { event } => panic!("an event in other words: {event:?}"),
        }
    }
}

/// Where the clients find the hub, and the last event they are to read once that is known.
#[derive(Clone)]
struct Target {
    authority: String,
    token: String,
    until: watch::Receiver<Option<i64>>,
}

impl Target {
    fn reached(&self, seq: i64) -> bool {
        self.until.borrow().is_some_and(|until| seq >= until)
    }
}

/// Connects, reads, is cut, and comes back with its cursor, until it has everything.
async fn bare_client(mut target: Target, mut reader: Reader, mut random: Random) {
    loop {
        let url = format!("ws://{}/api/v1/events?after={}", target.authority, reader.at);
        let mut request = url.into_client_request().unwrap();
        let value = format!("Bearer {}", target.token).parse().unwrap();
        request.headers_mut().insert(AUTHORIZATION, value);
        let Ok((mut socket, _)) = connect_async(request).await else {
            // The hub is dead; it comes back.
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let cut_at = Moment::now() + Duration::from_millis(random.below(CUT_WITHIN));
        loop {
            if target.reached(reader.at.seq) {
                return;
            }
            tokio::select! {
                next = socket.next() => match next {
                    Some(Ok(Message::Text(text))) => reader.take(&text),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_) | Message::Binary(_) | Message::Frame(_)) | Err(_))
                    | None => {
                        reader.seen.lost.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                },
                () = sleep_until(cut_at) => {
                    reader.seen.cuts.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                _ = target.until.changed() => {}
            }
        }
    }
}

/// The same by the client of `car`, which comes back by itself when the hub is killed.
async fn real_client(mut target: Target, mut reader: Reader, mut random: Random) {
    let url = format!("http://{}", target.authority);
    let client = Client::new(&url, Some(&target.token)).unwrap();
    loop {
        let mut watch = client.watch_from(reader.at.clone(), EventFilter::default());
        let cut_at = Moment::now() + Duration::from_millis(random.below(4 * CUT_WITHIN));
        loop {
            if target.reached(reader.at.seq) {
                return;
            }
            tokio::select! {
                next = watch.next() => match next {
                    Ok(Update::Event(event)) => {
                        let seq = event.seq;
                        let message = StreamMessage::Event { event };
                        reader.event(seq, &serde_json::to_string(&message).unwrap());
                    }
                    Ok(Update::CaughtUp { seq }) => assert_eq!(seq, reader.at.seq),
                    Ok(Update::Live(_) | Update::Back) => {}
                    Ok(Update::Lost { .. }) => {
                        reader.seen.lost.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        assert!(error.may_pass(), "{error}");
                        sleep(Duration::from_millis(20)).await;
                        break;
                    }
                },
                () = sleep_until(cut_at) => {
                    reader.seen.cuts.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                _ = target.until.changed() => {}
            }
            reader.at = watch.cursor().clone();
        }
    }
}

/// A WebSocket whose other end is never read.
fn deaf(authority: &str, token: &str) -> TcpStream {
    let stream = TcpStream::connect(authority).unwrap();
    write!(
        &stream,
        "GET /api/v1/events HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .unwrap();
    stream
}

/// Trees whose agents talk without end, so many messages a second together.
async fn talkers(stage: &Stage, agents: u64, rate: u64) -> Vec<(Repo, RunId)> {
    let mut runs = Vec::new();
    for number in 0..agents {
        let repo = stage.repo(&format!("talk-{number}")).await;
        let latency = agents as f64 / rate as f64;
        let script = format!(
            r#"{{"say": "Grüße, number {number}", "chunks": 1, "latency": {latency}, "times": 10000000}}"#
        );
        repo.ticket(1, "", &script);
        let run = stage.run(&repo).await;
        runs.push((repo, run));
    }
    runs
}

async fn stop(client: &Client, run: &RunId) {
    client.run_stop(run).await.unwrap();
    let begun = Instant::now();
    // What its agent said before is taken in first: on a busy machine that is much.
    while !client.run_get(run).await.unwrap().state.status().is_end() {
        assert!(begun.elapsed() < 10 * DEADLINE, "the run does not stop");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_repeated_or_changed_whoever_is_cut_or_killed() {
    let size = env::var("CAR_TEST_STREAM").ok().map(|text| {
        let mut parts = text.split(',').map(|part| part.trim().parse::<u64>().unwrap());
        let mut next = || parts.next().expect("CAR_TEST_STREAM=clients,kills,rate");
        (usize::try_from(next()).unwrap(), next(), next())
    });
    let (clients, kills, rate) = size.unwrap_or(SHORT);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let seed = env::var("CAR_TEST_SEED").ok().map(|text| text.parse().unwrap());
    let seed = seed.unwrap_or_else(|| u64::try_from(now >> 8).unwrap());
    println!("CAR_TEST_SEED={seed} CAR_TEST_STREAM={clients},{kills},{rate}");
    let mut random = Random(seed);

    let agents = (rate / 125).clamp(2, 16);
    let mut stage = Stage::start(&format!("hub:\n  max_parallel_runs: {agents}\n"));
    let port = stage.hub.authority().rsplit_once(':').unwrap().1.to_owned();
    let (say_until, until) = watch::channel(None);
    let target =
        Target { authority: stage.hub.authority().to_owned(), token: stage.hub.token(), until };
    let seen = Arc::new(Seen {
        digests: Mutex::default(),
        newest: AtomicI64::new(0),
        messages: AtomicU64::new(0),
        cuts: AtomicU64::new(0),
        lost: AtomicU64::new(0),
    });
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let reader = Reader { seen: Arc::clone(&seen), at: EventCursor::default() };
        let (target, random) = (target.clone(), Random(random.below(u64::MAX)));
        if number % REAL_ONE_IN == 0 {
            tasks.spawn(real_client(target, reader, random));
        } else {
            tasks.spawn(bare_client(target, reader, random));
        }
    }
    let never_reads = deaf(&target.authority, &target.token);
    let runs = talkers(&stage, agents, rate).await;

    let (begun, first) = (Instant::now(), seen.newest.load(Ordering::Relaxed));
    for _ in 0..kills {
        sleep(Duration::from_millis(random.below(KILL_WITHIN))).await;
        let before = seen.newest.load(Ordering::Relaxed);
        stage.hub.kill();
        stage.hub.serve(&["--port", &port]);
        // It is killed again only once somebody has heard something new.
        let served = Instant::now();
        while seen.newest.load(Ordering::Relaxed) <= before {
            assert!(served.elapsed() < DEADLINE, "nobody hears anything");
            sleep(Duration::from_millis(5)).await;
        }
    }
    let took = begun.elapsed();
    let client = stage.client();
    for (_, run) in &runs {
        stop(&client, run).await;
    }
    stage.until_no_process().await;
    let written = all_events(&client, 0, &EventFilter::default()).await;
    let last = written.last().unwrap().seq;
    say_until.send(Some(last)).unwrap();
    let all_there = async {
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    };
    timeout(10 * DEADLINE, all_there).await.expect("a client does not come to the end");
    // What was told is what is written.
    assert_eq!(written.len(), usize::try_from(last).unwrap());
    let digests = seen.digests.lock().unwrap();
    for event in written {
        let seq = usize::try_from(event.seq).unwrap();
        let message = StreamMessage::Event { event: Box::new(event) };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(digests[seq], digest(&text), "event {seq} was told otherwise: {text}");
    }
    drop(never_reads);
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let a_second = (last - first) as f64 / took.as_secs_f64();
    println!(
        "{clients} clients, {kills} kills in {:.1} s: {last} events, {a_second:.0} a second; \
         {} deliveries, {} cuts by clients, {} by the hub's end; 0 lost, 0 repeated, 0 changed",
        took.as_secs_f64(),
        of(&seen.messages),
        of(&seen.cuts),
        of(&seen.lost),
    );
}

/// Sockets a process has open.
fn sockets(pid: u32) -> usize {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return 0 };
    let links = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// Resident memory of a process, in MiB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_do_not_read_are_closed_and_delay_nobody() {
    const DEAF: usize = 8;
    /// Enough that no kernel holds it all for a client.
    const MESSAGES: usize = 120;
    const SIZE: usize = 100 * 1024;

    let stage = Stage::start("");
    let (client, pid) = (stage.client(), stage.hub.pid());
    let repo = stage.repo("loud").await;
    let text = "x".repeat(64);
    let repeat = SIZE / text.len();
    let say = format!(
        r#"{{"say": "{text}", "repeat": {repeat}, "chunks": 4, "times": {MESSAGES}}}, {FINISH}"#
    );
    repo.ticket(1, "", &say);
    let mut watch = client.watch(0, EventFilter::default());
    while !matches!(watch.next().await.unwrap(), Update::CaughtUp { .. }) {}
    let before = sockets(pid);
    let (authority, token) = (stage.hub.authority(), stage.hub.token());
    let mut deaf: Vec<_> = (0..DEAF).map(|_| deaf(authority, &token)).collect();
    wait_until("all are connected", || (sockets(pid) >= before + DEAF).then_some(()));
    let memory = resident(pid);

    stage.run(&repo).await;
    let (mut heard, mut worst) = (0, 0);
    loop {
        let next = timeout(DEADLINE, watch.next()).await.expect("one who reads waits");
        let Update::Event(event) = next.unwrap() else { continue };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let now = Timestamp::from_micros(i64::try_from(now).unwrap());
        worst = worst.max(now.millis_since(event.at));
        if matches!(&event.event, EventKind::ItemUpdated { completed: true, .. }) {
            heard += 1;
        }
        if let EventKind::RunStateChanged { state, .. } = &event.event
            && (state.status().is_end() || state.status() == RunStatus::Paused)
        {
            assert_eq!(*state, RunState::Completed);
            break;
        }
    }
    assert!(heard >= MESSAGES, "{heard} messages were heard");
    let grown = resident(pid).saturating_sub(memory);
    println!("the worst delay of one who reads: {worst} ms; memory grew by {grown} MiB");
    assert!(grown < 64, "what is not read is kept in memory: {grown} MiB");

    // They are closed without having said or read anything, and had not been sent everything.
    wait_until("those who do not read are closed", || (sockets(pid) <= before + 1).then_some(()));
    let mut stream = deaf.pop().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.starts_with(b"HTTP/1.1 101"), "it was a WebSocket");
    assert!(bytes.len() < MESSAGES * SIZE, "{} bytes were sent", bytes.len());
}
