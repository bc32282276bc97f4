//! A request with a key acts once, however often it is sent and whatever happens to the hub.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use car_api::{PageQuery, run::RunStatus, thread::ThreadCreate};
use car_client::{MessagePage, ThreadFilter};
use serde_json::{Value, json};

use crate::{
    harness::{DEADLINE, TestHub},
    talk::Talk,
    work::{repo, start, until, wait_for},
};

/// A change that is sent again and again.
#[derive(Clone)]
pub(crate) struct Change {
    key: String,
    target: String,
    body: Value,
}

pub(crate) fn change(key: &str, target: &str, body: Value) -> Change {
    Change { key: key.to_owned(), target: format!("/api/v1/{target}"), body }
}

/// Sends it on a connection of its own; `None` when no whole answer comes back.
pub(crate) fn send(authority: &str, token: &str, change: &Change) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(authority).ok()?;
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    let Change { key, target, body } = change;
    let body = body.to_string();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let text = String::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

/// What identifies the thing an answer is about.
fn thing(answer: &Value) -> String {
    for pointer in ["/ticket/id", "/token/id", "/id", "/seq", "/items/0/title"] {
        if let Some(id) = answer.pointer(pointer) {
            return id.to_string();
        }
    }
    answer["code"].to_string()
}

#[test]
fn a_key_belongs_to_one_request_of_one_credential() {
    let hub = TestHub::start();
    let token = format!("Authorization: Bearer {}", hub.token());
    let kind = "Content-Type: application/json";
    let make = |key: &str, body: &str| {
        let key = format!("Idempotency-Key: {key}");
        hub.send("POST", "/api/v1/repos", &[&token, kind, &key], body)
    };
    let first = make("one", r#"{"id":"a"}"#);
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    // The quotes of a structured field are not part of the key.
    for key in ["one", "\"one\""] {
        let again = make(key, r#"{"id":"a"}"#);
        assert_eq!((again.status, &again.body), (201, &first.body), "{key}");
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.header("content-type"), Some("application/json"));
    }
    assert_eq!(make("one", r#"{"id":"b"}"#).code(), "idempotency_mismatch");
    let key = "Idempotency-Key: one";
    let other = hub.send("POST", "/api/v1/hub/scan", &[&token, kind, key], "");
    assert_eq!(other.code(), "idempotency_mismatch");
    // A refusal is an answer too, under the id of the request that is answered.
    let refused = make("two", r#"{"id":"a"}"#);
    assert_eq!(refused.code(), "already_exists");
    let again = make("two", r#"{"id":"a"}"#);
    assert_eq!(again.code(), "already_exists");
    assert_ne!(again.header("x-request-id"), refused.header("x-request-id"));
    for bad in ["", "a b", &"x".repeat(256)] {
        assert_eq!(make(bad, r#"{"id":"c"}"#).code(), "bad_request", "{bad}");
    }
    // Without effect on what only reads, and on what does not exist.
    assert_eq!(hub.send("GET", "/api/v1/repos", &[&token, key], "").status, 200);
    assert_eq!(hub.send("POST", "/api/v1/nothing", &[&token, kind, key], "{}").status, 404);
    // The secret of a token is answered again as long as the hub lives, and is not in its database.
    let body = r#"{"name":"x"}"#;
    let key = "Idempotency-Key: three";
    let made = hub.send("POST", "/api/v1/tokens", &[&token, kind, key], body);
    assert_eq!(hub.send("POST", "/api/v1/tokens", &[&token, kind, key], body).body, made.body);
    let made: Value = serde_json::from_str(&made.body).unwrap();
    let secret = made["secret"].as_str().unwrap();
    let files = std::fs::read_dir(hub.root().join(".codex-autorunner")).unwrap();
    for file in files.flatten().filter(|f| f.file_name().to_string_lossy().contains("sqlite3")) {
        let bytes = std::fs::read(file.path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{:?}", file.path());
    }
    // Another credential has keys of its own.
    let other = format!("Authorization: Bearer {secret}");
    let own =
        hub.send("POST", "/api/v1/repos", &[&other, kind, "Idempotency-Key: one"], r#"{"id":"a"}"#);
    assert_eq!(own.code(), "already_exists");
}

/// Two thousand requests under forty keys at once: forty tickets.
#[tokio::test(flavor = "multi_thread")]
async fn replays_at_once_act_once() {
    let hub = TestHub::start();
    let client = hub.client();
    let (base, _) = repo(&hub, &client, "base").await;
    let changes: Vec<Change> = (0..40)
        .map(|n| change(&format!("k{n}"), "repos/base/tickets", json!({"title": format!("T{n}")})))
        .collect();
    let (authority, token) = (hub.authority().to_owned(), hub.token());
    let made = Mutex::new(BTreeMap::<String, BTreeSet<String>>::new());
    let (answers, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..10 {
            let (changes, made) = (&changes, &made);
            let (authority, token, answers, busy) = (&authority, &token, &answers, &busy);
            scope.spawn(move || {
                for round in 0..5 {
                    for place in 0..changes.len() {
                        let change = &changes[(place * 7 + thread * 3 + round) % changes.len()];
                        let (status, answer) = send(authority, token, change).unwrap();
                        answers.fetch_add(1, Ordering::Relaxed);
                        if status == 409 {
                            assert_eq!(answer["code"], "idempotency_in_flight");
                            busy.fetch_add(1, Ordering::Relaxed);
                            continue;
                        }
                        assert_eq!(status, 201, "{answer}");
                        let mut made = made.lock().unwrap();
                        made.entry(change.key.clone()).or_default().insert(thing(&answer));
                    }
                }
            });
        }
    });
    assert_eq!(answers.into_inner(), 2000);
    let made = made.into_inner().unwrap();
    assert!(made.len() == 40 && made.values().all(|things| things.len() == 1), "{made:?}");
    let page = PageQuery { limit: Some(500), ..PageQuery::default() };
    let tickets = client.ticket_list(&base, None, &page).await.unwrap().items;
    assert_eq!(tickets.len(), 40);
}

/// The hub is killed again and again while everything is sent at once: each thing is there once.
#[tokio::test(flavor = "multi_thread")]
async fn kills_leave_one_effect_of_each() {
    let mut hub = TestHub::start();
    let client = hub.client();
    let (base, _) = repo(&hub, &client, "base").await;
    let (asks, _) = repo(&hub, &client, "asks").await;
    let (idle, _) = repo(&hub, &client, "idle").await;
    // One run that waits for a reply, and a queue whose run will wait for a person.
    for (repo, agent, body) in [
        (
            &asks,
            "demo",
            r#"@@FAKE[{"dispatch": {"mode": "pause", "body": "?"}, "on": 1}, {"from": 2, "hang": true}]@@"#,
        ),
        (&idle, "user", "Yours."),
    ] {
        let body = car_api::ticket::TicketCreate {
            title: "One".to_owned(),
            agent: Some(agent.to_owned()),
            goal: None,
            body: Some(body.to_owned()),
            verify: Vec::new(),
            at: None,
        };
        client.ticket_create(repo, &body).await.unwrap();
    }
    // A queue with three tickets; the third is to be the first, once.
    let (order, _) = repo(&hub, &client, "order").await;
    for title in ["A", "B", "C"] {
        let body = json!({ "title": title });
        let (status, _) =
            send(hub.authority(), &hub.token(), &change(title, "repos/order/tickets", body))
                .unwrap();
        assert_eq!(status, 201);
    }
    let talk = ThreadCreate { agent: Some("demo".parse().unwrap()), ..ThreadCreate::default() };
    let talk = client.thread_create(&talk).await.unwrap();
    let asking = start(&client, &asks).await;
    until(&client, &asking.id, RunStatus::Paused).await;

    let mut changes = vec![
        change("run", "repos/idle/runs", json!({})),
        change("move", "repos/order/tickets/3/move", json!({"to": 1})),
        change("reply", &format!("runs/{}/reply", asking.id), json!({"body": "Yes."})),
    ];
    for n in 0..8 {
        let body = json!({"title": format!("T{n}")});
        changes.push(change(&format!("ticket{n}"), "repos/base/tickets", body));
    }
    for n in 0..3 {
        changes.push(change(&format!("repo{n}"), "repos", json!({"id": format!("new{n}")})));
        changes.push(change(&format!("token{n}"), "tokens", json!({"name": format!("new{n}")})));
    }
    for n in 0..2 {
        let body = json!({"name": format!("new{n}"), "agent": "demo"});
        changes.push(change(&format!("thread{n}"), "threads", body));
        let body = json!({"body": format!("Message {n}")});
        changes.push(change(
            &format!("message{n}"),
            &format!("threads/{}/messages", talk.id),
            body,
        ));
        let body = json!({"base": "base", "branch": format!("b{n}"), "start_point": "HEAD"});
        changes.push(change(&format!("tree{n}"), "worktrees", body));
    }

    let token = hub.token();
    let made = Mutex::new(BTreeMap::<String, BTreeSet<String>>::new());
    // After how many answers the hub is killed; the last round is let be.
    for (round, end) in [1, 4, 9, 15, 22, 30, usize::MAX].into_iter().enumerate() {
        let authority = hub.authority().to_owned();
        let answered = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (changes, made, answered) = (&changes, &made, &answered);
                let (authority, token) = (&authority, &token);
                scope.spawn(move || {
                    for place in 0..changes.len() {
                        let step = place * 5 + thread * 4 + round * 3;
                        let change = &changes[step % changes.len()];
                        let Some((status, answer)) = send(authority, token, change) else {
                            return;
                        };
                        answered.fetch_add(1, Ordering::Relaxed);
                        let code = answer["code"].as_str().unwrap_or_default();
                        match (status, code) {
                            (200..300, _) => {
                                let mut made = made.lock().unwrap();
                                let things = made.entry(change.key.clone()).or_default();
                                things.insert(thing(&answer));
                            }
                            // Under way on another connection; or the secret went with a hub.
                            (409, "idempotency_in_flight") | (503, _) => {}
                            (409, "already_exists") if change.key.starts_with("token") => {}
                            _ => panic!("{}: {status} {answer}", change.key),
                        }
                    }
                });
            }
            if end != usize::MAX {
                while answered.load(Ordering::Relaxed) < end {
                    std::thread::yield_now();
                }
                hub.kill();
            }
        });
        if end != usize::MAX {
            hub.serve(&[]);
        }
    }
    // What was under way in the last round has its answer now.
    let authority = hub.authority().to_owned();
    for change in &changes {
        let (status, answer) = send(&authority, &token, change).unwrap();
        let secret = change.key.starts_with("token") && answer["code"] == "already_exists";
        assert!((200..300).contains(&status) || secret, "{}: {status} {answer}", change.key);
    }
    for (key, things) in made.into_inner().unwrap() {
        assert_eq!(things.len(), 1, "{key}: {things:?}");
    }

    let client = hub.client();
    let page = PageQuery { limit: Some(500), ..PageQuery::default() };
    let tickets = client.ticket_list(&base, None, &page).await.unwrap().items;
    let mut titles: Vec<_> = tickets.into_iter().map(|ticket| ticket.title).collect();
    titles.sort();
    assert_eq!(titles, (0..8).map(|n| format!("T{n}")).collect::<Vec<_>>());
    let threads = client.thread_list(&ThreadFilter::default(), &page).await.unwrap().items;
    let mut names: Vec<_> = threads.iter().map(|thread| thread.name.as_str()).collect();
    names.retain(|name| name.starts_with("new"));
    names.sort_unstable();
    assert_eq!(names, ["new0", "new1"]);
    let said = client
        .message_list(&talk.id.as_str().parse().unwrap(), MessagePage::default())
        .await
        .unwrap()
        .items;
    let mut said: Vec<_> = said.into_iter().map(|message| message.body).collect();
    said.sort();
    assert_eq!(said, ["Message 0", "Message 1"]);
    let queue = client.ticket_list(&order, None, &page).await.unwrap().items;
    let titles: Vec<_> = queue.iter().map(|ticket| ticket.title.as_str()).collect();
    assert_eq!(titles, ["C", "A", "B"]);
    let tokens = client.token_list().await.unwrap().items;
    let mut names: Vec<_> =
        tokens.into_iter().map(|t| t.name).filter(|name| name.starts_with("new")).collect();
    names.sort();
    assert_eq!(names, ["new0", "new1", "new2"]);
    for n in 0..3 {
        client.repo_get(&format!("new{n}").parse().unwrap()).await.unwrap();
    }
    let runs = client.run_list(Some(&idle), None, &page).await.unwrap().items;
    assert_eq!(runs.len(), 1);
    assert_eq!(client.run_replies(&asking.id).await.unwrap().items.len(), 1);
    let jobs = client.job_list(&page).await.unwrap().items;
    let trees = jobs.iter().filter(|job| job.kind.as_str() == "worktree_create").count();
    assert_eq!(trees, 2, "{jobs:?}");
    for run in [&asking.id, &runs[0].id] {
        // A run that ended in the meantime is as good.
        let _ = client.run_stop(run).await;
        wait_for(&client, run, |run| run.state.status().is_end()).await;
    }
    // An agent in the middle of an answer would outlive the hub.
    Talk { client, key: talk.id.as_str().parse().unwrap() }.until_idle().await;
}
