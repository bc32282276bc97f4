//! Opening a WebSocket from a page: by a ticket, once, and by nothing else.

use serde_json::json;

use super::{
    keep::{self, Keep, Said, UPGRADE},
    pairing::{Browser, paired},
};
use crate::harness::TestHub;

fn ticket(hub: &TestHub, browser: &Browser, origin: &str, body: &str) -> String {
    let headers = format!("{}Origin: {origin}\r\n", browser.headers());
    let said = Keep::new(hub.authority()).ask("POST", "/api/v1/ws-tickets", &headers, body);
    assert_eq!(said.status, 201, "{said:?}");
    said.json()["protocol"].as_str().unwrap().to_owned()
}

fn socket(hub: &TestHub, target: &str, headers: &str) -> Said {
    keep::stream(hub.authority(), target, &format!("{UPGRADE}{headers}")).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_socket_is_opened_by_its_ticket_and_hijacked_by_nothing() {
    let hub = TestHub::start();
    let (browser, other) = (paired(&hub, None).await, paired(&hub, None).await);
    let own = hub.url().to_owned();
    let offer = |ticket: &str| format!("Sec-WebSocket-Protocol: car.v1, {ticket}\r\n");
    let from = |origin: &str| format!("Origin: {origin}\r\n");
    let good = ticket(&hub, &browser, &own, "{}");
    let said = socket(&hub, "/api/v1/events", &format!("{}{}", offer(&good), from(&own)));
    assert_eq!(said.status, 101);
    assert_eq!(said.header("sec-websocket-protocol"), Some("car.v1"));
    assert!(!format!("{said:?}").contains("car.ticket"), "the ticket came back: {said:?}");

    let cookie = browser.headers();
    let new = |body: &str| ticket(&hub, &browser, &own, body);
    let hub_headers = format!("{cookie}{}", from(&own));
    let filtered = r#"{"kind": "run_started"}"#;
    let events = "/api/v1/events";
    let mut variants = vec![
        ("used already", events.to_owned(), format!("{}{}", offer(&good), from(&own))),
        ("no origin", events.to_owned(), offer(&new("{}"))),
        (
            "another origin",
            events.to_owned(),
            format!("{}{}", offer(&new("{}")), from("http://evil.test")),
        ),
        (
            "another port",
            events.to_owned(),
            format!("{}{}", offer(&new("{}")), from("http://localhost:5173")),
        ),
        ("null origin", events.to_owned(), format!("{}{}", offer(&new("{}")), from("null"))),
        (
            "another own name",
            events.to_owned(),
            format!("{}{}", offer(&new("{}")), from(&own.replace("127.0.0.1", "localhost"))),
        ),
        ("another filter", events.to_owned(), format!("{}{}", offer(&new(filtered)), from(&own))),
        (
            "a wider filter",
            format!("{events}?kind=run_started,repo_added"),
            format!("{}{}", offer(&new(filtered)), from(&own)),
        ),
        ("cookie only", events.to_owned(), hub_headers.clone()),
        ("cookie without origin", events.to_owned(), cookie.clone()),
        (
            "cookie from another page",
            events.to_owned(),
            format!("{cookie}{}", from("http://evil.test")),
        ),
        (
            "cookie from another port",
            events.to_owned(),
            format!("{cookie}{}", from("http://localhost:5173")),
        ),
        (
            "cookie and a made-up ticket",
            events.to_owned(),
            format!("{hub_headers}{}", offer(&format!("car.ticket.{}", "a".repeat(64)))),
        ),
        ("an empty ticket", events.to_owned(), format!("{}{}", offer("car.ticket."), from(&own))),
        ("a cut ticket", events.to_owned(), format!("{}{}", offer(&new("{}")[..40]), from(&own))),
        (
            "two tickets",
            events.to_owned(),
            format!("{}{}", offer(&format!("{}, {}", new("{}"), new("{}"))), from(&own)),
        ),
        (
            "the cookie as a ticket",
            events.to_owned(),
            format!("{}{}", offer(&format!("car.ticket.{}", browser.cookie)), from(&own)),
        ),
        (
            "the proof as a ticket",
            events.to_owned(),
            format!("{}{}", offer(&format!("car.ticket.{}", browser.proof)), from(&own)),
        ),
        ("a ticket in the query", format!("{events}?ticket={}", &new("{}")[11..]), from(&own)),
        ("a token in the query", format!("{events}?token={}", hub.token()), from(&own)),
        (
            "a token as a protocol",
            events.to_owned(),
            format!("{}{}", offer(&hub.token()), from(&own)),
        ),
        (
            "a ticket as a bearer",
            events.to_owned(),
            format!("Authorization: Bearer {}\r\n{}", new("{}"), from(&own)),
        ),
        (
            "cross-site",
            events.to_owned(),
            format!("{}{}Sec-Fetch-Site: cross-site\r\n", offer(&new("{}")), from(&own)),
        ),
    ];
    // A ticket of somebody who was shut out meanwhile.
    let dead = ticket(&hub, &other, &own, "{}");
    hub.client().device_delete(&other.id.parse().unwrap()).await.unwrap();
    variants.push(("shut out", events.to_owned(), format!("{}{}", offer(&dead), from(&own))));
    let opened: Vec<_> = variants
        .iter()
        .map(|(name, target, headers)| (name, socket(&hub, target, headers).status))
        .filter(|(_, status)| ![400, 401, 403].contains(status))
        .collect();
    println!("{} ways to hijack a socket", variants.len());
    assert!(opened.is_empty() && variants.len() >= 20, "{opened:?}");

    // A ticket is for a socket; and for one that asks what it was made for.
    let plain = format!("{}{}", offer(&new("{}")), from(&own));
    assert_eq!(Keep::new(hub.authority()).ask("GET", events, &plain, "").status, 401);
    let fits = format!("{}{}", offer(&new(filtered)), from(&own));
    assert_eq!(socket(&hub, &format!("{events}?kind=run_started&after=0"), &fits).status, 101);
    let body = json!({"run": "run_1"}).to_string();
    let fits = format!("{}{}", offer(&new(&body)), from(&own));
    assert_eq!(socket(&hub, &format!("{events}?run=run_1"), &fits).status, 101);
    // Nothing of it is in the log.
    let log = hub.client().event_list(0, Some(500), &Default::default()).await.unwrap();
    assert!(!serde_json::to_string(&log).unwrap().contains("car.ticket"));
}
