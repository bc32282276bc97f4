//! `car events` and `car webhook` against a hub of canned answers.

use std::fs;

use crate::commands::{World, problem, text};

const HUB: &str = r#"{"version":"0","instance":"i1","root":"/none","epoch":"e1","last_seq":3,
  "oldest_seq":1,"max_parallel_runs":2,"started_at":"2026-01-01T00:00:00Z","url":"http://x"}"#;

fn page(seqs: &[i64]) -> String {
    let event = |seq: &i64| {
        format!(
            r#"{{"seq":{seq},"at":"2026-01-01T00:00:00Z","event":{{"kind":"hub_started","version":"1"}}}}"#
        )
    };
    let items: Vec<String> = seqs.iter().map(event).collect();
    format!(r#"{{"items":[{}]}}"#, items.join(","))
}

#[test]
fn a_cursor_file_says_where_to_go_on() {
    let world = World::new(vec![
        ("GET /api/v1/hub", 200, HUB.to_owned()),
        ("GET /api/v1/events?after=0&limit=500", 200, page(&[1, 2, 3])),
        ("GET /api/v1/events?after=e1-3&limit=500", 200, page(&[4])),
        ("GET /api/v1/events?after=e1-4&limit=500", 200, page(&[])),
    ]);
    let file = world.root().join("cursor");
    let words = ["events", "--json", "--cursor-file", file.to_str().unwrap()];
    for (seqs, cursor) in [(vec![1, 2, 3], "e1-3\n"), (vec![4], "e1-4\n"), (vec![], "e1-4\n")] {
        let output = world.car(&words);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let printed: Vec<i64> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str::<car_api::Event>(line).unwrap().seq)
            .collect();
        assert_eq!(printed, seqs);
        assert_eq!(fs::read_to_string(&file).unwrap(), cursor);
    }
    fs::write(&file, "nonsense\n").unwrap();
    assert_eq!(world.car(&words).status.code(), Some(2));
}

#[test]
fn the_beginning_is_the_last_ones_or_what_is_said() {
    let world = World::new(vec![
        ("GET /api/v1/hub", 200, HUB.to_owned()),
        ("GET /api/v1/events?last=50&limit=500", 200, page(&[2, 3])),
        ("GET /api/v1/events?last=1&limit=500&kind=a%2Cb", 200, page(&[3])),
        ("GET /api/v1/events?after=e0-2&limit=500", 410, problem("cursor_too_old", 410, "Gone.")),
    ]);
    assert_eq!(text(&world.car(&["-q", "events"]).stdout), "2\n3\n");
    let output = world.car(&["-q", "events", "-n", "1", "--kind", "a", "--kind", "b"]);
    assert_eq!(text(&output.stdout), "3\n");
    let output = world.car(&["events", "--after", "e0-2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("Gone."), "{}", text(&output.stderr));
}

const WEBHOOK: &str = r#"{"id":"whk_1","url":"http://x/","description":"","enabled":true,
  "filter":{"kinds":["run_state_changed"]},"cursor":1,"pending":0,
  "created_at":"2026-01-01T00:00:00Z"}"#;

fn delivery(id: &str, status: &str, error: &str) -> String {
    format!(
        r#"{{"id":"{id}","webhook":"whk_1","kind":"test","status":"{status}","attempts":1,
            "created_at":"2026-01-01T00:00:00Z","last_error":"{error}"}}"#
    )
}

#[test]
fn webhooks_are_made_tested_and_sent_again() {
    let made = format!(r#"{{"webhook":{WEBHOOK},"secret":"whsec_abc"}}"#);
    let failed = delivery("msg_2", "failed", "it answered 500");
    let ledger = format!(r#"{{"items":[{failed}]}}"#);
    let world = World::new(vec![
        ("POST /api/v1/webhooks", 201, made),
        ("GET /api/v1/webhooks?limit=500", 200, format!(r#"{{"items":[{WEBHOOK}]}}"#)),
        ("POST /api/v1/webhooks/whk_1/test", 200, delivery("msg_1", "failed", "no route")),
        ("GET /api/v1/webhooks/whk_1/deliveries?status=failed&limit=500", 200, ledger),
        ("POST /api/v1/webhooks/whk_1/deliveries/msg_2/redeliver", 202, failed),
        ("PATCH /api/v1/webhooks/whk_1", 200, WEBHOOK.to_owned()),
    ]);
    // The secret alone on standard output.
    let output = world.car(&["webhook", "create", "http://x/", "--kind", "run_state_changed"]);
    assert_eq!(text(&output.stdout), "whsec_abc\n");
    let sent = world.stub.asked().pop().unwrap().body;
    assert!(sent.contains(r#""kinds":["run_state_changed"]"#), "{sent}");
    let output = world.car(&["webhook", "test", "whk_1"]);
    assert_eq!(output.status.code(), Some(7));
    assert!(text(&output.stdout).contains("failed no route"));
    assert!(world.car(&["webhook", "redeliver", "whk_1"]).status.success());
    assert!(world.car(&["webhook", "update", "whk_1", "--disable"]).status.success());
    assert_eq!(world.stub.asked().pop().unwrap().body, r#"{"enabled":false}"#);
    assert_eq!(world.car(&["webhook", "update", "whk_1"]).status.code(), Some(2));
}
