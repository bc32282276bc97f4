//! Nobody's edit is lost: people over the API, an agent that flips `done`, and an editor that
//! renames a new file over the old one, all at once on one ticket.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use car_api::ticket::{TicketDone, TicketPatch, TicketUpdate};
use car_client::{Client, ClientError};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{
    harness::{TestHub, wait_until},
    work::{Scripted, repo, ticket},
};

/// Edits each of the people makes; a longer run takes more.
fn edits() -> usize {
    std::env::var("CAR_EDITS").ok().and_then(|n| n.parse().ok()).unwrap_or(40)
}

fn stale(error: &ClientError, sent: &str) -> bool {
    let ClientError::Problem(problem) = error else { panic!("{error}") };
    assert_eq!(problem.code.as_str(), "stale", "{problem:?}");
    // Both versions, each with its tag.
    let (current, yours) = (problem.current.as_ref().unwrap(), problem.yours.as_ref().unwrap());
    assert!(yours.content == sent && !yours.etag.is_empty());
    assert!(current.content != sent && current.etag != yours.etag);
    true
}

/// Adds a line at the end, on the version that was read, as often as it takes.
async fn add(client: &Client, repo: &car_api::RepoId, line: &str, refused: &AtomicUsize) {
    loop {
        let read = client.ticket_get(repo, "1").await.unwrap();
        let content = format!("{}{line}\n", read.content);
        let body = TicketUpdate { content: content.clone(), allow_invalid: false };
        match client.ticket_update(repo, "1", &body, Some(&read.ticket.etag)).await {
            Ok(_) => return,
            Err(error) => {
                refused.fetch_add(usize::from(stale(&error, &content)), Ordering::Relaxed)
            }
        };
    }
}

/// As an editor that looks what it replaces: it exchanges the files and takes up what came between.
fn edit(file: &Path, line: &str) {
    let new = file.with_file_name(".editor.tmp");
    let mut base = fs::read_to_string(file).unwrap();
    let mut text = format!("{base}{line}\n");
    let mut seen: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    loop {
        fs::write(&new, &text).unwrap();
        renameat_with(CWD, &new, CWD, file, RenameFlags::EXCHANGE).unwrap();
        let replaced = fs::read_to_string(&new).unwrap();
        fs::remove_file(&new).unwrap();
        if replaced == base {
            return;
        }
        // Every line it has seen and that is not there now. While the hub puts a file back that came
        // between, an older one is seen for a moment: what was seen before must not be forgotten.
        base = fs::read_to_string(file).unwrap();
        seen.extend(replaced.lines().chain(base.lines()).map(str::to_owned));
        let missing = seen.iter().filter(|line| !base.lines().any(|known| known == **line));
        let missing: String = missing.map(|line| format!("{line}\n")).collect();
        if missing.is_empty() {
            return;
        }
        text = format!("{base}{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_edit_is_lost() {
    let hub = TestHub::start();
    let client = hub.client();
    let (base, dir) = repo(&hub, &client, "base").await;
    let made = Scripted { agent: "demo", title: "T", script: "", verify: "true" };
    ticket(&client, &base, made).await;
    let file = dir.join(".codex-autorunner/tickets/TICKET-001.md");
    let (count, refused) = (edits(), AtomicUsize::new(0));
    let writer = |name: &'static str| {
        let (client, base, refused) = (&client, &base, &refused);
        async move {
            for n in 0..count {
                add(client, base, &format!("{name} {n}"), refused).await;
            }
        }
    };
    let agent = async {
        for n in 0..count {
            let body = TicketDone { done: n % 2 == 0 };
            let text = client.ticket_done(&base, "1", &body, None).await.unwrap();
            assert!(text.content.contains("done: "));
        }
        client.ticket_done(&base, "1", &TicketDone { done: true }, None).await.unwrap();
    };
    let patcher = async {
        for n in 0..count {
            let title = Some(Some(format!("Title {n}")));
            let patch = TicketPatch { title, ..TicketPatch::default() };
            client.ticket_patch(&base, "1", &patch, None).await.unwrap();
        }
    };
    let editor = {
        let file = file.clone();
        tokio::task::spawn_blocking(move || {
            for n in 0..count {
                edit(&file, &format!("editor {n}"));
                // A write of the hub may be seen for a moment; it gives way by itself.
                let own = || {
                    let text = fs::read_to_string(&file).unwrap();
                    text.lines().any(|line| line == format!("editor {n}")).then_some(())
                };
                wait_until("the edit is there", own);
            }
        })
    };
    let (.., edited) = tokio::join!(writer("ann"), writer("ben"), agent, patcher, editor);
    edited.unwrap();
    let text = fs::read_to_string(&file).unwrap();
    for name in ["ann", "ben", "editor"] {
        for n in 0..count {
            let line = format!("{name} {n}");
            let many = text.lines().filter(|found| *found == line).count();
            assert_eq!(many, 1, "{line} is there {many} times:\n{text}");
        }
    }
    let end = client.ticket_get(&base, "1").await.unwrap();
    assert_eq!(end.content, text);
    println!("{} edits, {} refused as stale", count * 5, refused.into_inner());
}

#[tokio::test]
async fn fields_change_alone() {
    let hub = TestHub::start();
    let client = hub.client();
    let (base, dir) = repo(&hub, &client, "base").await;
    let file = dir.join(".codex-autorunner/tickets/TICKET-001.md");
    let text = "---\n# why\nagent: demo   # who\ndone: false\ntitle: Old\nmodel: big\n\
                ticket_id: tkt_0123456789abcdef0123456789abcdef\nextra: [1, 2]\n---\n\nBody\n";
    fs::write(&file, text).unwrap();
    client.ticket_lint(&base, &car_api::ticket::TicketLint::default()).await.unwrap();
    let patch = TicketPatch {
        title: Some(Some("New: one".to_owned())),
        done: Some(true),
        model: Some(None),
        ..TicketPatch::default()
    };
    let now = client.ticket_patch(&base, "1", &patch, None).await.unwrap();
    let expected = "---\n# why\nagent: demo   # who\ndone: true\ntitle: \"New: one\"\n\
                    ticket_id: tkt_0123456789abcdef0123456789abcdef\nextra: [1, 2]\n---\n\nBody\n";
    assert_eq!(now.content.replace("'New: one'", "\"New: one\""), expected);
    let stale = client.ticket_patch(&base, "1", &patch, Some("\"0000\"")).await.unwrap_err();
    assert_eq!(stale.code(), Some(car_api::Code::Stale));
    for (bad, code) in [
        (r#"{"title": ""}"#, "bad_request"),
        (r#"{"title": "a\nb"}"#, "bad_request"),
        (r#"{"agent": "nobody-known"}"#, "agent_unavailable"),
        (r#"{"other": 1}"#, "bad_request"),
        ("[]", "bad_request"),
    ] {
        let token = format!("Authorization: Bearer {}", hub.token());
        let kind = "Content-Type: application/merge-patch+json";
        let target = "/api/v1/repos/base/tickets/1";
        let answer = hub.send("PATCH", target, &[&token, kind], bad);
        assert_eq!(answer.code(), code, "{bad}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), now.content);
}
