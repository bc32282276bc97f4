//! Terminals through the real server: what is typed, seen and resized, taken up again byte by byte,
//! ended with everything that was started, and refused to whoever may not have one.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use car_api::{
    Code, PageQuery, Scope, TerminalId,
    terminal::{Terminal, TerminalCreate, TerminalEnd, TerminalMessage, TerminalStatus},
    token::{TokenCreate, TokenCreated},
};
use car_client::{Client, ClientError, TerminalSaid, TerminalSocket};
use tokio::time::timeout;

use crate::{
    credentials::{
        keep::{self, Keep, UPGRADE},
        pairing::paired,
    },
    harness::{DEADLINE, TestHub, wait_until},
    work::{self, car_command},
};

impl TestHub {
    /// A hub whose owner has turned terminals on.
    pub(crate) fn with_terminals() -> Self {
        let mut hub = Self::unserved();
        hub.turn_terminals_on();
        hub.serve(&[]);
        hub
    }

    pub(crate) fn turn_terminals_on(&self) {
        let root = self.root();
        for (key, value) in [("terminal.enabled", "true"), ("terminal.shell", "/bin/sh")] {
            let set = self.run(&["config", "--root", root.to_str().unwrap(), "set", key, value]);
            assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
        }
    }
}

const SIZE: TerminalCreate = TerminalCreate { repo: None, cols: 80, rows: 24 };

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> Code {
    result.unwrap_err().code().unwrap()
}

async fn token(client: &Client, scopes: &[Scope]) -> TokenCreated {
    let scopes = Some(scopes.to_vec());
    let body = TokenCreate { name: "test".to_owned(), scopes, ..TokenCreate::default() };
    client.token_create(&body).await.unwrap()
}

/// One who looks, and everything seen.
struct Look {
    socket: TerminalSocket,
    seen: Vec<u8>,
    /// Where `seen` begins.
    from: u64,
    size: Option<(u16, u16)>,
}

impl Look {
    async fn at(client: &Client, id: &TerminalId, from: Option<u64>) -> Self {
        let mut socket = client.terminal_attach(id, from).await.unwrap();
        let first = timeout(DEADLINE, socket.next()).await.unwrap().unwrap();
        let TerminalSaid::Message(TerminalMessage::Attached { from, .. }) = first else {
            panic!("{first:?}")
        };
        Self { socket, seen: Vec::new(), from, size: None }
    }

    /// The next thing, noted.
    async fn next(&mut self) -> TerminalSaid {
        let said = timeout(DEADLINE, self.socket.next()).await;
        let said = said.unwrap_or_else(|_| panic!("nothing more after {}", self.text())).unwrap();
        match &said {
            TerminalSaid::Output(bytes) => self.seen.extend_from_slice(bytes),
            TerminalSaid::Message(TerminalMessage::Resized { cols, rows }) => {
                self.size = Some((*cols, *rows));
            }
            TerminalSaid::Message(_) | TerminalSaid::Closed { .. } => {}
        }
        said
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    async fn types(&mut self, line: &str) {
        self.socket.send(line.to_owned()).await.unwrap();
    }

    /// Looks until a text was seen behind a place of `seen`.
    async fn until(&mut self, text: &str) {
        while !self.text().contains(text) {
            let said = self.next().await;
            assert!(!matches!(said, TerminalSaid::Closed { .. }), "{said:?} before {text:?}");
        }
    }

    /// Looks until so much was seen.
    async fn until_at(&mut self, at: u64) {
        while self.socket.at() < at {
            self.next().await;
        }
    }

    /// Looks until the hub says that it has ended; how.
    async fn until_the_end(mut self) -> (Vec<u8>, Terminal) {
        let mut ended = None;
        loop {
            match self.next().await {
                TerminalSaid::Message(TerminalMessage::Ended { terminal }) => {
                    ended = Some(*terminal);
                }
                TerminalSaid::Closed { code, reason } => {
                    assert_eq!(code, 1000, "{reason}");
                    return (self.seen, ended.unwrap());
                }
                TerminalSaid::Message(_) | TerminalSaid::Output(_) => {}
            }
        }
    }
}

/// Processes that were started in a terminal.
fn processes_of(id: &TerminalId) -> Vec<i32> {
    let marker = format!("CAR_SHIM_ID={id}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|entry| entry == marker.as_bytes()) {
            found.push(pid);
        }
    }
    found
}

fn record_of(hub: &TestHub, id: &TerminalId) -> PathBuf {
    hub.root().join(".codex-autorunner/terminals").join(id.as_str())
}

#[tokio::test]
async fn what_is_typed_is_done_in_the_tree_and_the_size_is_seen() {
    let hub = TestHub::with_terminals();
    let client = hub.client();
    let (repo, dir) = work::repo(&hub, &client, "demo").await;
    let body = TerminalCreate { repo: Some(repo.clone()), ..SIZE };
    let made = client.terminal_create(&body).await.unwrap();
    assert_eq!((made.status, made.repo.as_ref()), (TerminalStatus::Running, Some(&repo)));
    assert_eq!((made.dir.as_str(), made.command.as_str()), (dir.to_str().unwrap(), "/bin/sh"));
    let mut look = Look::at(&client, &made.id, Some(0)).await;
    assert_eq!(look.from, 0);
    look.types("stty size; pwd -P; echo [$TERM$CAR_CONFIG_DIR$RUST_LOG] $((40+2))\n").await;
    look.until("24 80").await;
    look.until(dir.canonicalize().unwrap().to_str().unwrap()).await;
    // The hub's own environment does not reach it.
    look.until("[xterm-256color] 42").await;
    let mut other = Look::at(&client, &made.id, Some(0)).await;
    other.socket.resize(132, 50).await.unwrap();
    while look.size != Some((132, 50)) {
        look.next().await;
    }
    look.types("stty size\n").await;
    look.until("50 132").await;
    other.until("50 132").await;
    let now = client.terminal_get(&made.id).await.unwrap();
    assert_eq!((now.cols, now.rows, now.viewers), (132, 50, 2));
    look.types("exit 7\n").await;
    let (_, ended) = look.until_the_end().await;
    assert_eq!((ended.end, ended.exit_code), (Some(TerminalEnd::Exited), Some(7)));
    other.until_the_end().await;
    let listed = client.terminal_list(&PageQuery::default()).await.unwrap().items;
    assert_eq!(listed, std::slice::from_ref(&ended));
    assert_eq!(code(client.terminal_end(&made.id).await), Code::IllegalTransition);
    // No size a terminal cannot have, no repo there is not.
    for (cols, rows) in [(0, 24), (1, 24), (80, 0), (1001, 24), (80, 1001)] {
        let refused = client.terminal_create(&TerminalCreate { repo: None, cols, rows }).await;
        assert_eq!(code(refused), Code::BadRequest, "{cols}×{rows}");
    }
    let nowhere = TerminalCreate { repo: Some("nothing".parse().unwrap()), ..SIZE };
    assert_eq!(code(client.terminal_create(&nowhere).await), Code::NotFound);
}

#[tokio::test]
async fn whoever_comes_back_misses_no_byte_and_who_reads_nothing_holds_up_nobody() {
    let hub = TestHub::with_terminals();
    let client = hub.client();
    let made = client.terminal_create(&SIZE).await.unwrap();
    let mut all = Look::at(&client, &made.id, Some(0)).await;
    // One that never reads.
    let header = format!("Authorization: Bearer {}\r\n", hub.token());
    let target = format!("/api/v1/terminals/{}/attach?from=0", made.id);
    let (said, stuck) = keep::stream(hub.authority(), &target, &format!("{header}{UPGRADE}"));
    assert_eq!(said.status, 101);
    // More than is in memory, so that the record is read too.
    all.types("stty -echo; seq 1 500000; echo th''e end\n").await;
    let mut parts = Vec::new();
    let mut from = 0;
    while !String::from_utf8_lossy(&parts).contains("the end") {
        let mut look = Look::at(&client, &made.id, Some(from)).await;
        assert_eq!(look.from, from, "nothing is left out");
        while look.seen.len() < 300_000 && !look.text().contains("the end") {
            look.next().await;
        }
        from = look.socket.at();
        parts.extend(look.seen);
        // Or it would be one that does not read.
        all.until_at(from).await;
    }
    all.until_at(from).await;
    assert!(from > 3_000_000, "only {from} bytes");
    assert!(all.seen == parts, "the pieces are not the whole");
    // From the beginning once more, and from somewhat before the end when nothing is said.
    let mut again = Look::at(&client, &made.id, Some(0)).await;
    again.until_at(from).await;
    assert!(again.seen == parts);
    let late = Look::at(&client, &made.id, None).await;
    assert!(late.from > 0 && late.from < from, "{}", late.from);
    drop((stuck, late));
    client.terminal_end(&made.id).await.unwrap();
    let (seen, ended) = all.until_the_end().await;
    assert_eq!(ended.end, Some(TerminalEnd::Killed));
    // What was seen is what was recorded, for the owner's eyes only, and is shown after the end.
    let mut files: Vec<_> =
        fs::read_dir(record_of(&hub, &made.id)).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut recorded = Vec::new();
    for file in files {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        recorded.extend(fs::read(file).unwrap());
    }
    assert!(recorded == seen, "{} recorded, {} seen", recorded.len(), seen.len());
    let mode = fs::metadata(record_of(&hub, &made.id)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let (after, _) = Look::at(&client, &made.id, Some(0)).await.until_the_end().await;
    assert!(after == recorded);
}

#[tokio::test]
async fn an_end_ends_everything_that_was_started() {
    let mut hub = TestHub::with_terminals();
    let stubborn = "trap '' HUP TERM; sleep 1000 & setsid sleep 1000 & nohup sleep 1000 >/dev/null 2>&1 & \
                    (trap '' HUP TERM; sleep 1000) & echo rea''dy\n";
    let open = async |client: &Client| {
        let made = client.terminal_create(&SIZE).await.unwrap();
        let mut look = Look::at(client, &made.id, Some(0)).await;
        look.types(stubborn).await;
        look.until("ready").await;
        wait_until("all run", || (processes_of(&made.id).len() >= 5).then_some(()));
        (made.id, look)
    };
    let client = hub.client();
    let (killed, look) = open(&client).await;
    let ended = client.terminal_end(&killed).await.unwrap();
    assert_eq!((ended.status, ended.end), (TerminalStatus::Ended, Some(TerminalEnd::Killed)));
    assert_eq!(processes_of(&killed), [] as [i32; 0]);
    look.until_the_end().await;
    // A terminal keeps no hub from stopping, and does not outlive it.
    let (stopped, look) = open(&client).await;
    assert!(hub.stop().success());
    assert_eq!(processes_of(&stopped), [] as [i32; 0]);
    drop(look);
    hub.serve(&[]);
    let client = hub.client();
    let ended = client.terminal_get(&stopped).await.unwrap();
    assert_eq!(ended.end, Some(TerminalEnd::HubStopped));
    // A hub that was killed ends at its next start what hanging up did not.
    let (left, mut look) = open(&client).await;
    look.types("echo be''fore\n").await;
    look.until("before").await;
    let written = look.socket.at();
    hub.kill();
    drop(look);
    hub.serve(&[]);
    assert_eq!(processes_of(&left), [] as [i32; 0]);
    let client = hub.client();
    let ended = client.terminal_get(&left).await.unwrap();
    assert_eq!(ended.end, Some(TerminalEnd::HubStopped));
    assert!(ended.written >= written, "{ended:?}");
    let (seen, _) = Look::at(&client, &left, Some(0)).await.until_the_end().await;
    assert!(String::from_utf8_lossy(&seen).contains("before"));
}

#[tokio::test]
async fn time_is_up_and_places_are_taken() {
    let mut hub = TestHub::unserved();
    hub.turn_terminals_on();
    let root = hub.root();
    let set = |hub: &TestHub, key: &str, value: &str| {
        hub.run(&["config", "--root", root.to_str().unwrap(), "set", key, value])
    };
    assert!(set(&hub, "terminal.life_s", "1").status.success());
    hub.serve(&[]);
    let client = hub.client();
    let made = client.terminal_create(&SIZE).await.unwrap();
    assert_eq!(made.expires_at.millis_since(made.created_at), 1000);
    let (_, ended) = Look::at(&client, &made.id, Some(0)).await.until_the_end().await;
    assert_eq!(ended.end, Some(TerminalEnd::Expired));
    assert_eq!(processes_of(&made.id), [] as [i32; 0]);
    assert!(hub.stop().success());
    assert!(set(&hub, "terminal.life_s", "28800").status.success());
    assert!(set(&hub, "terminal.max_open", "2").status.success());
    hub.limited = true;
    hub.serve(&[]);
    let client = hub.client();
    let first = client.terminal_create(&SIZE).await.unwrap();
    client.terminal_create(&SIZE).await.unwrap();
    assert_eq!(code(client.terminal_create(&SIZE).await), Code::Busy);
    client.terminal_end(&first.id).await.unwrap();
    client.terminal_create(&SIZE).await.unwrap();
    // Six in a minute, also those that were refused; more of them where each takes its time.
    let mut refused = Vec::new();
    while refused.last() != Some(&Code::RateLimited) {
        refused.push(code(client.terminal_create(&SIZE).await));
        assert!(refused.len() < 30, "{refused:?}");
    }
    assert!(refused.len() >= 3 && refused[..refused.len() - 1].iter().all(|c| *c == Code::Busy));
    let shell = set(&hub, "terminal.shell", "/nowhere/sh");
    assert!(shell.status.success());
    assert!(hub.stop().success());
    hub.serve(&[]);
    let client = hub.client();
    assert_eq!(code(client.terminal_create(&SIZE).await), Code::Unprocessable);
}

#[tokio::test]
async fn a_terminal_is_off_until_it_is_turned_on_and_given_at_the_machine_only() {
    let mut hub = TestHub::start();
    let client = hub.client();
    let refused = client.terminal_create(&SIZE).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::TurnedOff));
    assert!(refused.to_string().contains("car-hub config set terminal.enabled true"), "{refused}");
    let nothing: TerminalId = "term_1".parse().unwrap();
    assert_eq!(code(client.terminal_list(&PageQuery::default()).await), Code::TurnedOff);
    assert_eq!(code(client.terminal_get(&nothing).await), Code::TurnedOff);
    assert_eq!(code(client.terminal_end(&nothing).await), Code::TurnedOff);
    assert_eq!(
        client.terminal_attach(&nothing, None).await.err().unwrap().code(),
        Some(Code::TurnedOff)
    );
    assert!(hub.stop().success());
    hub.turn_terminals_on();
    hub.serve(&[]);
    let client = hub.client();
    let made = client.terminal_create(&SIZE).await.unwrap();
    let by = |secret: &str| Client::new(hub.url(), Some(secret)).unwrap();
    // Whoever may everything else may no terminal.
    let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|s| *s != Scope::Terminal).collect();
    let without = by(&token(&client, &others).await.secret);
    for refused in [
        without.terminal_create(&SIZE).await.map(drop),
        without.terminal_list(&PageQuery::default()).await.map(drop),
        without.terminal_get(&made.id).await.map(drop),
        without.terminal_end(&made.id).await.map(drop),
        without.terminal_attach(&made.id, None).await.map(drop),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Some(Code::Forbidden));
        assert!(refused.to_string().contains("`terminal`"), "{refused}");
    }
    // Whoever has it cannot give it on, not even with `admin`; the owner's own token can, and not
    // for some repos only.
    let all = by(&token(&client, Scope::ALL).await.secret);
    all.terminal_get(&made.id).await.unwrap();
    let body = TokenCreate {
        name: "on".to_owned(),
        scopes: Some(vec![Scope::Terminal]),
        ..TokenCreate::default()
    };
    assert_eq!(code(all.token_create(&body).await), Code::Forbidden);
    let (repo, _) = work::repo(&hub, &client, "demo").await;
    let some = TokenCreate { repos: vec![repo], ..body.clone() };
    assert_eq!(code(client.token_create(&some).await), Code::BadRequest);
    // Nor through a proxy, with the owner's own token.
    let header =
        format!("Authorization: Bearer {}\r\nX-Forwarded-For: 100.64.0.7\r\n", hub.token());
    let text = serde_json::to_string(&body).unwrap();
    let said = Keep::new(hub.authority()).ask("POST", "/api/v1/tokens", &header, &text);
    assert_eq!(said.status, 403, "{said:?}");
    // Every door that opened has its line, with the command.
    let lines = client.audit_list(&Default::default(), &PageQuery::default()).await.unwrap().items;
    let line = lines.iter().find(|line| line.verb == "terminal_create").unwrap();
    assert_eq!(line.object, made.id.as_str());
    assert_eq!(line.detail.as_deref(), Some(format!("/bin/sh in {}", made.dir).as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_opens_one_terminal_by_its_ticket_and_whoever_is_shut_out_sees_no_more() {
    let hub = TestHub::with_terminals();
    let client = hub.client();
    let made = client.terminal_create(&SIZE).await.unwrap();
    let other = client.terminal_create(&SIZE).await.unwrap();
    let browser = paired(&hub, Some(vec![Scope::Read, Scope::Terminal])).await;
    let own = hub.url().to_owned();
    let ticket = |body: String| {
        let headers = format!("{}Origin: {own}\r\n", browser.headers());
        let said = Keep::new(hub.authority()).ask("POST", "/api/v1/ws-tickets", &headers, &body);
        said.json()["protocol"].as_str().unwrap().to_owned()
    };
    let open = |target: &str, ticket: &str, origin: &str| {
        let headers =
            format!("{UPGRADE}Sec-WebSocket-Protocol: car.v1, {ticket}\r\nOrigin: {origin}\r\n");
        keep::stream(hub.authority(), target, &headers)
    };
    let attach = |id: &TerminalId| format!("/api/v1/terminals/{id}/attach");
    let of = |id: &TerminalId| format!("{{\"terminal\":\"{id}\"}}");
    for (what, target, ticket, origin) in [
        ("another terminal's", attach(&made.id), ticket(of(&other.id)), own.as_str()),
        ("the log's", attach(&made.id), ticket("{}".to_owned()), own.as_str()),
        ("a terminal's for the log", "/api/v1/events".to_owned(), ticket(of(&made.id)), &own),
        ("another page's", attach(&made.id), ticket(of(&made.id)), "http://evil.test"),
    ] {
        let (said, _) = open(&target, &ticket, origin);
        assert!([401, 403].contains(&said.status), "{what}: {said:?}");
    }
    let (said, _) = keep::stream(
        hub.authority(),
        &attach(&made.id),
        &format!("{UPGRADE}{}Origin: {own}\r\n", browser.headers()),
    );
    assert_eq!(said.status, 401, "a cookie opens no socket");
    let (said, mut socket) = open(&attach(&made.id), &ticket(of(&made.id)), &own);
    assert_eq!((said.status, said.header("sec-websocket-protocol")), (101, Some("car.v1")));
    client.device_delete(&browser.id.parse().unwrap()).await.unwrap();
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut socket, &mut rest);
    assert!(rest.windows(2).any(|pair| pair == 4401_u16.to_be_bytes()), "it was said why");
    // The same by a token; the terminal itself goes on.
    let given = token(&client, &[Scope::Terminal]).await;
    let by = Client::new(hub.url(), Some(&given.secret)).unwrap();
    let mut look = Look::at(&by, &made.id, None).await;
    client.token_delete(&given.token.id).await.unwrap();
    let end = loop {
        match timeout(DEADLINE, look.socket.next()).await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(end.code(), Some(Code::Unauthenticated));
    assert_eq!(client.terminal_get(&made.id).await.unwrap().status, TerminalStatus::Running);
}

/// A program that looks when the hub is gone for good leaves with the terminal it runs in.
#[tokio::test]
async fn car_leaves_when_nobody_looks_at_it() {
    let mut hub = TestHub::with_terminals();
    let client = hub.client();
    let made = client.terminal_create(&SIZE).await.unwrap();
    let mut car = car_command(&hub, &["terminal", "attach", made.id.as_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("it looks", || {
        let seen = fs::read_dir(record_of(&hub, &made.id)).is_ok_and(|all| all.count() > 0);
        seen.then_some(())
    });
    // What the shell says comes through it.
    let mut shown = car.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        std::io::Read::read_exact(&mut shown, &mut [0]).unwrap();
        shown
    });
    wait_until("it shows something", || reading.is_finished().then_some(()));
    let _open = reading.join().unwrap();
    hub.kill();
    let pid = rustix::process::Pid::from_child(&car);
    // Whether it has heard that the hub is gone or not.
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    let status = wait_until("it leaves", || car.try_wait().unwrap());
    assert!(status.success(), "{status}");
    hub.serve(&[]);
}

/// `car` in a terminal of the hub looks at another one: raw while it looks, as before when it left.
#[tokio::test]
async fn car_looks_from_one_terminal_at_another() {
    let hub = TestHub::with_terminals();
    let client = hub.client();
    let inner = client.terminal_create(&SIZE).await.unwrap();
    let outer =
        client.terminal_create(&TerminalCreate { cols: 90, rows: 33, ..SIZE }).await.unwrap();
    let car = car_command(&hub, &[]);
    let program = car.get_program().to_str().unwrap().to_owned();
    let mut look = Look::at(&client, &outer.id, Some(0)).await;
    let line = format!(
        "export CAR_TOKEN={} CAR_HUB_URL={}; {program} terminal attach {}; stty -a | grep -c ' icanon'; echo le''ft\n",
        hub.token(),
        hub.url(),
        inner.id
    );
    look.types(&line).await;
    look.until("Ctrl-] leaves").await;
    look.types("stty size; echo i''nner\n").await;
    look.until("33 90").await;
    look.until("inner").await;
    look.socket.resize(100, 40).await.unwrap();
    let mut direct = Look::at(&client, &inner.id, Some(0)).await;
    let begun = Instant::now();
    while client.terminal_get(&inner.id).await.unwrap().cols != 100 {
        assert!(begun.elapsed() < DEADLINE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    direct.until("inner").await;
    look.types("\u{1d}").await;
    look.until("left").await;
    assert!(look.text().contains("\n1\r\n"), "as it was before: {}", look.text());
    // What comes through a pipe is typed as well.
    let mut piped = car_command(&hub, &["terminal", "attach", inner.id.as_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut piped.stdin.take().unwrap(), b"echo pi''ped; exit\n").unwrap();
    let output = tokio::task::spawn_blocking(|| piped.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("piped"));
    let listed = car_command(&hub, &["terminal", "list"]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("running") && listed.contains("exited"), "{listed}");
}
