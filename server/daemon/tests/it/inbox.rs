//! The inbox: everything that waits, each thing once, ended by whatever resolves it.

use std::{collections::BTreeMap, fs};

use car_api::{
    Code, EventKind, PageQuery, RunId, Scope,
    agent::ApprovalPolicy,
    inbox::{InboxAct, InboxAction, InboxItem, InboxKind, InboxStatus, InboxView},
    run::{PauseReason, RunResume, RunStart, RunStatus},
    token::TokenCreate,
};
use car_client::{Client, EventFilter, InboxFilter};
use car_store::{InboxSync, Store, Write};

use crate::{
    harness::DEADLINE,
    stage::{FINISH, Repo, Stage, all_events, write_file},
};

/// A dispatch that waits for an answer, and what is done when it came.
const ASK: &str = r#"{"on": 1, "dispatch": {"mode": "pause", "title": "Which?", "body": "A or B?\nB is faster."}}"#;

/// The steps, each only from the second turn on.
fn later(steps: &str) -> String {
    steps.replace('{', r#"{"from": 2, "#)
}

/// A repo whose one ticket asks first.
async fn asking(stage: &Stage, name: &str) -> (Repo, RunId) {
    let repo = stage.repo(name).await;
    let finish = later(&format!("{}, {FINISH}", write_file(1, "B")));
    repo.ticket(1, "", &format!("{ASK}, {finish}"));
    let run = stage.run(&repo).await;
    stage.until_paused(&run, PauseReason::UserPause).await;
    (repo, run)
}

async fn inbox(client: &Client, status: InboxView) -> Vec<InboxItem> {
    let filter = InboxFilter { status, ..InboxFilter::default() };
    client.inbox_list(&filter, &PageQuery::default()).await.unwrap().items
}

async fn only(client: &Client) -> InboxItem {
    let items = inbox(client, InboxView::Open).await;
    assert_eq!(items.len(), 1, "{items:#?}");
    items.into_iter().next().unwrap()
}

async fn until_open(client: &Client, count: usize) -> Vec<InboxItem> {
    let begun = std::time::Instant::now();
    loop {
        let items = inbox(client, InboxView::Open).await;
        if items.len() == count {
            return items;
        }
        assert!(begun.elapsed() < DEADLINE, "{items:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

fn does(action: InboxAction) -> InboxAct {
    InboxAct { action, body: None }
}

fn says(text: &str) -> InboxAct {
    InboxAct { action: InboxAction::Reply, body: Some(text.to_owned()) }
}

#[tokio::test]
async fn a_question_is_one_item_and_is_answered_from_it_or_from_elsewhere() {
    let stage = Stage::start("");
    let client = stage.client();
    for door in ["inbox", "api", "file", "resume", "stop"] {
        let (repo, run) = asking(&stage, &format!("by-{door}")).await;
        let item = only(&client).await;
        assert_eq!((item.kind, item.run.as_ref()), (InboxKind::Question, Some(&run)));
        assert_eq!((item.title.as_str(), item.dispatch), ("Which?", Some(1)));
        assert_eq!(item.body.as_deref(), Some("A or B?\nB is faster."));
        assert_eq!(item.actions, [InboxAction::Reply, InboxAction::Resume, InboxAction::Stop]);
        match door {
            "inbox" => {
                let acted = client.inbox_act(&item.id, &says("B.")).await.unwrap();
                assert_eq!(acted.status, InboxStatus::Resolved);
                let again = client.inbox_act(&item.id, &says("B.")).await.unwrap();
                assert_eq!(again, acted, "done again it changes nothing");
                let other = client.inbox_act(&item.id, &does(InboxAction::Stop)).await;
                assert_eq!(other.unwrap_err().code(), Some(Code::IllegalTransition));
                assert_eq!(client.run_replies(&run).await.unwrap().items.len(), 1);
            }
            "api" => {
                let body = car_api::dispatch::ReplyCreate { title: None, body: "B.".to_owned() };
                client.run_reply(&run, &body).await.unwrap();
            }
            "file" => {
                let path = format!(".codex-autorunner/runs/{run}/USER_REPLY.md");
                fs::write(repo.dir.join(path), "B.").unwrap();
            }
            "resume" => {
                client.run_resume(&run, &RunResume::default()).await.unwrap();
            }
            _ => {
                client.run_stop(&run).await.unwrap();
            }
        }
        let status = if door == "stop" { RunStatus::Stopped } else { RunStatus::Completed };
        stage.until(&run, door, |run| run.state.status() == status).await;
        until_open(&client, 0).await;
        let ended = client.inbox_get(&item.id).await.unwrap();
        assert_eq!(ended.status, InboxStatus::Resolved);
        let how = ended.resolution.unwrap();
        let told = match door {
            "inbox" => "answered by this machine",
            "api" => "answered by this machine (reply 1)",
            "file" => "answered by a file (reply 1)",
            "resume" => "run_resume by this machine",
            _ => "run_stop by this machine",
        };
        assert_eq!(how, told);
    }
    assert_eq!(inbox(&client, InboxView::Resolved).await.len(), 5);
    // Every change was told, with how many wait then.
    let filter = EventFilter { kinds: vec!["inbox_updated".to_owned()], ..EventFilter::default() };
    let mut waits = BTreeMap::new();
    for event in all_events(&client, 0, &filter).await {
        let EventKind::InboxUpdated { item, counts } = event.event else { panic!() };
        waits.insert(item.id.to_string(), item.status);
        let open = waits.values().filter(|status| **status == InboxStatus::Open).count();
        assert_eq!(counts.open, u64::try_from(open).unwrap());
    }
    assert_eq!(waits.len(), 5);
}

#[tokio::test]
async fn a_permission_waits_until_somebody_decides_and_only_they_may() {
    let stage = Stage::start("");
    let client = stage.client();
    let repo = stage.repo("careful").await;
    let script = format!(r#"{{"escalate": true, "sh": "echo yes > yes.txt"}}, {FINISH}"#);
    repo.ticket(1, "", &script);
    let start = RunStart { approvals: Some(ApprovalPolicy::Untrusted), ..RunStart::default() };
    let run = client.run_start(&repo.id, &start).await.unwrap().id;
    let item = until_open(&client, 1).await.remove(0);
    assert_eq!((item.kind, item.rank), (InboxKind::Approval, 0));
    assert!(item.title.starts_with("May it run"), "{item:#?}");
    // The scope of the action is asked for too.
    let body = TokenCreate {
        name: "reader".to_owned(),
        days: Some(1),
        scopes: Some(vec![Scope::Read, Scope::Run]),
        ..TokenCreate::default()
    };
    let reader = client.token_create(&body).await.unwrap();
    let reader = Client::new(client.url(), Some(&reader.secret)).unwrap();
    let refused = reader.inbox_act(&item.id, &does(InboxAction::Approve)).await;
    assert_eq!(refused.unwrap_err().code(), Some(Code::Forbidden));
    assert_eq!(only(&client).await.id, item.id);
    loop {
        let acted = client.inbox_act(&item.id, &does(InboxAction::Approve)).await.unwrap();
        assert_eq!(acted.resolution.as_deref(), Some("approved by this machine"));
        // The agent may ask once more, for the commit.
        let open = stage
            .until(&run, "goes on", |run| {
                run.state.status() == RunStatus::Completed || !run.approvals.is_empty()
            })
            .await;
        if open.state.status() == RunStatus::Completed {
            break;
        }
        for approval in &open.approvals {
            let body = car_api::run::ApprovalDecide { decision: car_api::item::Decision::Accept };
            let _ = client.approval_decide(&run, &approval.id, &body).await;
        }
    }
    until_open(&client, 0).await;
}

#[tokio::test]
async fn a_newer_run_ends_what_waited_because_of_an_earlier_one() {
    let stage = Stage::start("");
    let client = stage.client();
    let (repo, first) = asking(&stage, "twice").await;
    let question = only(&client).await;
    let body = RunStart { supersede: true, ..RunStart::default() };
    let second = client.run_start(&repo.id, &body).await.unwrap().id;
    assert_ne!(first, second);
    let ended = client.inbox_get(&question.id).await.unwrap();
    assert_eq!(ended.status, InboxStatus::Resolved, "{ended:#?}");
    stage.until_completed(&second).await;
    assert!(inbox(&client, InboxView::Open).await.is_empty());
}

#[tokio::test]
async fn a_repo_that_is_gone_waits_until_it_is_back() {
    let stage = Stage::start("");
    let client = stage.client();
    let repo = stage.repo("lost").await;
    let away = stage.hub.root().with_file_name("away");
    fs::rename(&repo.dir, &away).unwrap();
    client.hub_scan().await.unwrap();
    let item = until_open(&client, 1).await.remove(0);
    assert_eq!((item.kind, item.repo.as_ref()), (InboxKind::Repo, Some(&repo.id)));
    let gone = client.inbox_act(&item.id, &does(InboxAction::Dismiss)).await.unwrap();
    assert_eq!(gone.status, InboxStatus::Dismissed);
    assert_eq!(inbox(&client, InboxView::Dismissed).await, [gone]);
    fs::rename(&away, &repo.dir).unwrap();
    client.hub_scan().await.unwrap();
    assert!(inbox(&client, InboxView::Open).await.is_empty());
}

/// What waits is the same before and after a hub that was killed, and after rows were lost.
#[tokio::test]
async fn a_start_finds_what_waits_and_nothing_twice() {
    let mut stage = Stage::start("");
    let (_, run) = asking(&stage, "kept").await;
    let before = only(&stage.client()).await;
    stage.kill_and_serve();
    assert_eq!(only(&stage.client()).await, before);
    // As a database that does not know of it.
    stage.hub.kill();
    let file = stage.hub.root().join(".codex-autorunner/hub.sqlite3");
    let store = Store::open(&file).await.unwrap();
    let forget = InboxSync {
        subject: "runs:kept".to_owned(),
        at: before.created_at,
        open: Vec::new(),
        keep_others: false,
        resolution: "forgotten".to_owned(),
    };
    store.commit(vec![Write::Inbox(Box::new(forget))]).await.unwrap();
    store.close().await;
    stage.hub.serve(&[]);
    let found = only(&stage.client()).await;
    assert_eq!(
        (found.kind, &found.title, &found.body, found.dispatch, found.created_at),
        (before.kind, &before.title, &before.body, before.dispatch, before.created_at),
    );
    stage.client().inbox_act(&found.id, &says("B.")).await.unwrap();
    stage.until_completed(&run).await;
}
