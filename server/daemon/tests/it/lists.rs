//! Pages, cursors and filters, over every list the document has; and what goes with an answer:
//! versions, compression, methods, numbers.

use std::collections::BTreeMap;

use car_api::{
    inbox::{InboxAction, InboxKind},
    job::JobStatus,
    repo::RepoClone,
};
use serde_json::Value;

use crate::{
    contract::operations,
    harness::TestHub,
    work::{Scripted, car, ended, repo, start, ticket, until},
};

/// Lists that are short by what they list: they are given whole.
const SHORT: [&str; 4] = ["backup_list", "device_list", "key_list", "pairing_list"];

/// A hub with something in its lists, and what stands for the parameters of paths.
async fn filled(hub: &TestHub) -> BTreeMap<&'static str, String> {
    let client = hub.client();
    let (base, dir) = repo(hub, &client, "base").await;
    for n in 0..3 {
        let script = r#"{"say": "Well.", "dispatch": {"mode": "notify", "body": "Note"}},
            {"done": true}, {"commit": "Done"}"#;
        let title = format!("Title {n}");
        let one = Scripted { agent: "demo", title: &title, script, verify: "true" };
        ticket(&client, &base, one).await;
    }
    let run = start(&client, &base).await;
    until(&client, &run.id, car_api::run::RunStatus::Completed).await;
    let mut job = None;
    for n in 0..2 {
        let url = dir.to_str().unwrap().to_owned();
        let body = RepoClone { url, id: Some(format!("copy{n}")) };
        job = Some(ended(&client, client.repo_clone(&body).await.unwrap()).await);
    }
    let job = job.unwrap();
    assert_eq!(job.status, JobStatus::Completed, "{job:?}");
    assert!(job.result.is_some());
    BTreeMap::from([
        ("repo", base.to_string()),
        ("run", run.id.to_string()),
        ("job", job.id.to_string()),
        ("agent", "demo".to_owned()),
    ])
}

/// Every list, one entry a page, gives what it gives at once, in the same order; and no cursor that
/// was made up is taken for one.
#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_a_cursor_page() {
    let hub = TestHub::with_terminals();
    let names = filled(&hub).await;
    let token = format!("Authorization: Bearer {}", hub.token());
    let get = |target: &str| hub.send("GET", target, &[&token], "");
    let mut lists = Vec::new();
    for (path, method, operation) in operations() {
        let schema = operation
            .pointer("/responses/200/content/application~1json/schema/$ref")
            .and_then(Value::as_str);
        // The log's cursor is an event's number, on purpose.
        let list = method == "get"
            && schema.is_some_and(|name| name.contains("/Page_") && !name.ends_with("_Event"));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let has = |name: &str| parameters.clone().any(|p| p["name"] == name && p["in"] == "query");
        if !list {
            continue;
        }
        let id = operation["operationId"].as_str().unwrap().to_owned();
        if SHORT.contains(&id.as_str()) {
            continue;
        }
        assert!(has("after") && has("limit"), "{id} is a list without pages");
        let target = path.split('/').map(|part| match part.strip_prefix('{') {
            Some(name) => names.get(name.trim_end_matches('}')).cloned(),
            None => Some(part.to_owned()),
        });
        // Lists below things this test does not make are left to the tests of those.
        if let Some(target) = target.collect::<Option<Vec<_>>>() {
            lists.push((id, target.join("/")));
        }
    }
    assert!(lists.len() >= 15, "{lists:?}");
    let mut several = 0;
    for (id, target) in lists {
        let read = |query: &str| -> Value {
            let answer = get(&format!("{target}?{query}"));
            assert_eq!(answer.status, 200, "{id} {query}: {}", answer.body);
            serde_json::from_str(&answer.body).unwrap()
        };
        let all = read("limit=500")["items"].as_array().unwrap().clone();
        let (mut one_by_one, mut after) = (Vec::new(), String::new());
        loop {
            let page = read(&format!("limit=1{after}"));
            one_by_one.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
            assert!(one_by_one.len() < 1000, "{id} does not end");
        }
        // What is asked about agents may be found anew in between.
        assert_eq!(one_by_one.len(), all.len(), "{id}");
        several += usize::from(all.len() > 1);
        for bad in ["nonsense", "c1zz", "-1", "%F0%9F%A6%80"] {
            let answer = get(&format!("{target}?after={bad}"));
            assert_eq!(answer.code(), "bad_request", "{id} after={bad}: {}", answer.body);
        }
        assert_eq!(get(&format!("{target}?after=")).status, 200, "{id}");
        assert_eq!(get(&format!("{target}?limit=0")).code(), "bad_request", "{id}");
        assert_eq!(get(&format!("{target}?limit=501")).code(), "bad_request", "{id}");
    }
    assert!(several >= 8, "only {several} lists had more than one entry");

    // Filters.
    let count = |target: &str| {
        let page: Value = serde_json::from_str(&get(target).body).unwrap();
        page["items"].as_array().unwrap_or_else(|| panic!("{target}: {page}")).len()
    };
    for (target, expected) in [
        ("/api/v1/tickets?state=done", 3),
        ("/api/v1/tickets?state=open", 0),
        ("/api/v1/tickets?agent=demo&title=TITLE%201", 1),
        ("/api/v1/repos/base/tickets?agent=user", 0),
        ("/api/v1/runs?status=completed", 1),
        ("/api/v1/runs?since=2020-01-01T00:00:00Z", 1),
        ("/api/v1/runs?until=2020-01-01T00:00:00Z", 0),
        ("/api/v1/jobs?kind=clone&status=completed", 2),
        ("/api/v1/jobs?repo=copy1", 1),
        ("/api/v1/jobs?status=failed", 0),
        ("/api/v1/repos?kind=worktree", 0),
        ("/api/v1/repos?run=completed", 1),
        ("/api/v1/salvages?repo=base", 0),
    ] {
        assert_eq!(count(target), expected, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_not_sent_again() {
    let hub = TestHub::start();
    let client = hub.client();
    let (base, _) = repo(&hub, &client, "base").await;
    ticket(&client, &base, Scripted { agent: "demo", title: "T", script: "", verify: "true" })
        .await;
    let token = format!("Authorization: Bearer {}", hub.token());
    let get = |target: &str, more: &str| hub.send("GET", target, &[&token, more], "");
    for (target, strong) in [
        ("/api/v1/openapi.json", false),
        ("/api/v1/repos", false),
        ("/api/v1/runs", false),
        ("/api/v1/tickets", false),
        ("/api/v1/repos/base/tickets/1", true),
        ("/api/v1/repos/base/contextspace/spec", true),
        ("/api/v1/repos/base/setup", true),
    ] {
        let first = get(target, "X-A: b");
        let tag = first.header("etag").unwrap_or_else(|| panic!("{target}: {first:?}")).to_owned();
        assert_eq!(!tag.starts_with("W/"), strong, "{target}: {tag}");
        let same = get(target, &format!("If-None-Match: \"x\", {tag}"));
        assert_eq!((same.status, same.body.as_str()), (304, ""), "{target}");
        assert_eq!(same.header("etag"), Some(tag.as_str()));
        assert_eq!(get(target, "If-None-Match: \"x\"").body, first.body, "{target}");
    }
    // Another ticket is another list.
    let tag = get("/api/v1/repos", "X-A: b").header("etag").unwrap().to_owned();
    ticket(&client, &base, Scripted { agent: "demo", title: "U", script: "", verify: "true" })
        .await;
    assert_eq!(get("/api/v1/repos", &format!("If-None-Match: {tag}")).status, 200);

    // In fewer bytes for whoever asks, but never what a strong tag names.
    let document = get("/api/v1/openapi.json", "Accept-Encoding: br, gzip");
    assert_eq!(document.header("content-encoding"), Some("gzip"));
    let length = |answer: &crate::harness::Answer| {
        answer.header("content-length").unwrap().parse::<usize>().unwrap()
    };
    assert!(length(&document) * 5 < length(&get("/api/v1/openapi.json", "X-A: b")));
    assert_eq!(document.header("vary"), Some("accept-encoding"));
    let text = get("/api/v1/repos/base/tickets/1", "Accept-Encoding: gzip");
    assert_eq!(text.header("content-encoding"), None);
    assert_eq!(get("/health/live", "Accept-Encoding: gzip").header("content-encoding"), None);
}

#[test]
fn methods_are_answered_as_they_should() {
    let hub = TestHub::start();
    let token = format!("Authorization: Bearer {}", hub.token());
    let head = hub.send("HEAD", "/api/v1/hub/snapshot", &[&token], "");
    let get = hub.send("GET", "/api/v1/hub", &[&token], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(get.status, 200);
    for (target, allowed) in
        [("/api/v1/repos", ["GET", "POST"]), ("/api/v1/hub/scan", ["POST", ""])]
    {
        let options = hub.send("OPTIONS", target, &[&token], "");
        assert_eq!((options.status, options.body.as_str()), (204, ""), "{target}");
        let refused = hub.send("DELETE", target, &[&token], "");
        assert_eq!(refused.code(), "method_not_allowed");
        for answer in [options, refused] {
            let allow = answer.header("allow").unwrap_or_default().to_owned();
            assert!(allowed.iter().all(|method| allow.contains(method)), "{target}: {allow}");
            assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")));
        }
    }
    let page = hub.send("GET", "/api/v1/docs", &[&token], "");
    assert!(page.body.starts_with("<!doctype html>"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'; style-src 'self'") && !policy.contains("unsafe"));
    assert_eq!(hub.send("GET", "/api/v1/docs", &[], "").status, 401);
}

/// One sample a line, each family under its header once, histograms whole.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_as_prometheus_reads_them() {
    let hub = TestHub::start();
    let names = filled(&hub).await;
    let client = hub.client();
    let _ = client.run_get(&names["run"].parse().unwrap()).await.unwrap();
    let text = client.metrics_get().await.unwrap();
    let mut kinds = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(kinds.insert(name, kind).is_none(), "{name} is there twice");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let family = name.split('{').next().unwrap();
            let known = |suffix: &str| {
                family.strip_suffix(suffix).is_some_and(|name| kinds.contains_key(name))
            };
            assert!(
                ["", "_bucket", "_sum", "_count"].iter().any(|suffix| known(suffix)),
                "{line} is of no family"
            );
            assert!(samples.insert(name, value.parse::<f64>().unwrap()).is_none(), "{line} twice");
        }
    }
    for (name, least) in [
        ("car_runs{status=\"completed\"}", 1.0),
        ("car_turns_total{status=\"completed\"}", 3.0),
        ("car_verdicts_total{verdict=\"passed\"}", 3.0),
        ("car_tokens_total{kind=\"output\"}", 1.0),
        ("car_tickets{state=\"done\"}", 3.0),
        ("car_events_total{kind=\"turn_ended\"}", 3.0),
        ("car_http_requests_total{operation=\"run_start\",status=\"201\"}", 1.0),
        ("car_http_request_seconds_count{operation=\"run_get\"}", 1.0),
        ("car_store_transaction_seconds_count", 10.0),
        ("car_store_commits_total", 10.0),
        ("process_resident_memory_bytes", 1_000_000.0),
        ("process_open_fds", 5.0),
    ] {
        let found = samples.get(name).unwrap_or_else(|| panic!("no {name} in\n{text}"));
        assert!(*found >= least, "{name} is {found}");
    }
    assert_eq!(samples.get("car_http_streams"), Some(&0.0));
}

/// What waits for a person comes first, with what to do; and it stays small.
#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_says_what_to_do() {
    let hub = TestHub::start();
    let client = hub.client();
    let (base, _) = repo(&hub, &client, "base").await;
    let script = r#"{"dispatch": {"mode": "pause", "title": "Which?", "body": "This?"}, "on": 1}"#;
    ticket(&client, &base, Scripted { agent: "demo", title: "Ask", script, verify: "true" }).await;
    let run = start(&client, &base).await;
    until(&client, &run.id, car_api::run::RunStatus::Paused).await;
    let token = format!("Authorization: Bearer {}", hub.token());
    let answer = hub.send("GET", "/api/v1/hub/snapshot", &[&token], "");
    assert!(answer.body.len() < 2048, "{} bytes", answer.body.len());
    let snapshot = client.hub_snapshot().await.unwrap();
    let first = &snapshot.attention[0];
    assert_eq!(first.kind, InboxKind::Question);
    assert_eq!((first.run.as_ref(), first.actions[0]), (Some(&run.id), InboxAction::Reply));
    assert_eq!((snapshot.counts.paused, snapshot.attention_total), (1, 1));
    assert_eq!(snapshot.runs[0].id, run.id);
    assert!(snapshot.as_of > 0);
    let text = car(&hub, &["hub", "snapshot"]);
    assert!(text.contains("car inbox act") && text.contains("1 repo"), "{text}");
    client.run_stop(&run.id).await.unwrap();
    until(&client, &run.id, car_api::run::RunStatus::Stopped).await;
    assert!(client.hub_snapshot().await.unwrap().attention.is_empty());
}
