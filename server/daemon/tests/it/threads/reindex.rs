//! A thread is listed again from what is beside its journals, whatever becomes of the database.

use std::{fs, path::PathBuf};

use car_api::{
    MessageId, PageQuery, ThreadKey,
    inbox::{InboxAct, InboxAction, InboxKind},
    thread::{
        Message, MessageDetail, MessageHit, MessagePost, MessageStatus, Thread, ThreadCreate,
        ThreadStatus, ThreadUpdate,
    },
};
use car_client::{Client, InboxFilter, ThreadFilter};

use super::{HANG, say};
use crate::{stage::Stage, talk::Talk};

/// Everything that is said of threads, as anybody sees it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    threads: Vec<Thread>,
    details: Vec<MessageDetail>,
    found: Vec<(MessageId, bool)>,
}

impl Seen {
    async fn of(client: &Client) -> Self {
        let all = PageQuery { after: None, limit: Some(100) };
        let filter = ThreadFilter::default();
        let threads = client.thread_list(&filter, &all).await.unwrap().items;
        let mut details = Vec::new();
        for thread in &threads {
            let talk = talk(client, thread);
            for message in talk.messages().await {
                details.push(client.message_get(&talk.key, &message.id).await.unwrap());
            }
        }
        let hits = client.message_search("word", None, &all).await.unwrap().items;
        let mut found: Vec<_> = hits
            .into_iter()
            .map(|MessageHit { message, in_answer, .. }| (message, in_answer))
            .collect();
        // Answers are found by the place of what they answer.
        found.sort();
        Self { threads, details, found }
    }

    fn thread(&self, key: &ThreadKey) -> &Thread {
        self.threads.iter().find(|thread| thread.id.as_str() == key.as_str()).unwrap()
    }

    fn message(&self, id: &MessageId) -> &MessageDetail {
        self.details.iter().find(|detail| detail.message.id == *id).unwrap()
    }

    /// Without what the loss of the database is meant to change.
    fn without(mut self, thread: &ThreadKey, message: &MessageId) -> Self {
        self.threads.retain(|one| one.id.as_str() != thread.as_str());
        self.details.retain(|one| one.message.id != *message);
        self
    }
}

fn talk(client: &Client, thread: &Thread) -> Talk {
    Talk { client: client.clone(), key: thread.id.as_str().parse().unwrap() }
}

fn car(stage: &Stage) -> PathBuf {
    stage.hub.root().join(".codex-autorunner")
}

fn record(stage: &Stage, talk: &Talk) -> PathBuf {
    car(stage).join("threads").join(talk.key.as_str()).join("record.jsonl")
}

/// Takes the database away and makes it anew; what was said about that.
fn lose_the_database(stage: &mut Stage) -> String {
    stage.hub.kill();
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(car(stage).join(format!("hub.sqlite3{end}")));
    }
    let output = stage.hub.run(&["reindex"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    stage.hub.serve(&[]);
    said
}

fn posted(text: &str, id: &str) -> MessagePost {
    let client_turn_id = Some(id.to_owned());
    MessagePost { body: text.to_owned(), client_turn_id, ..MessagePost::default() }
}

async fn answered(talk: &Talk, text: &str) -> Message {
    let message = talk.post(text).await;
    talk.until(&message.id, MessageStatus::Completed).await
}

#[tokio::test]
async fn threads_are_listed_again_without_the_database() {
    let mut stage = Stage::start("");
    let client = stage.client();
    // One about a repo, with a command among its answers and a second conversation.
    let repo = stage.repo("one").await;
    let body = ThreadCreate {
        repo: Some(repo.id.clone()),
        name: Some("About one".to_owned()),
        agent: "demo".parse().ok(),
        model: Some("small".to_owned()),
        ..ThreadCreate::default()
    };
    let made = client.thread_create(&body).await.unwrap();
    let first = talk(&client, &made);
    answered(&first, "Go. @@FAKE[{\"sh\": \"echo a word\"}, {\"say\": \"The word is out.\"}]@@")
        .await;
    client.thread_reset(&first.key).await.unwrap();
    answered(&first, &say("another word")).await;
    let failing = "@@FAKE[{\"fail\": {\"class\": \"other\", \"message\": \"no word\"}}]@@";
    let failed = first.post(failing).await;
    first.until(&failed.id, MessageStatus::Failed).await;
    // One that was put away.
    let away = Talk::new(&client).await;
    answered(&away, &say("a word that is over")).await;
    let put_away = ThreadUpdate { archived: Some(true), ..ThreadUpdate::default() };
    away.until_idle().await;
    client.thread_update(&away.key, &put_away).await.unwrap();
    // One that was only made.
    let empty = Talk::new(&client).await;
    // One in the middle of an answer, with messages that wait.
    let busy = Talk::new(&client).await;
    answered(&busy, &say("first word")).await;
    let hangs = busy.post(HANG).await;
    busy.until_said(&hangs.id).await;
    let queued = client.message_post(&busy.key, &posted(&say("waited"), "mine")).await.unwrap();
    first.until_idle().await;
    let before = Seen::of(&client).await;
    assert!(before.found.len() >= 6, "{:#?}", before.found);

    let said = lose_the_database(&mut stage);
    assert!(said.contains("5 threads, 7 messages."), "{said}");
    assert!(said.contains("1 answers were under way"), "{said}");
    // Nobody owns the agent that was at work.
    stage.until_no_process().await;
    let client = stage.client();
    let after = Seen::of(&client).await;
    assert_eq!(
        after.clone().without(&busy.key, &hangs.id),
        before.clone().without(&busy.key, &hangs.id)
    );
    assert!(after.thread(&away.key).archived_at.is_some());
    assert_eq!(after.thread(&empty.key).messages, 0);
    let cut = after.message(&hangs.id);
    assert_eq!(cut.message.status, MessageStatus::Interrupted);
    assert_eq!(cut.message.answer.as_deref(), Some("I begin."), "what was said stays");
    assert!(cut.message.detail.as_ref().unwrap().contains("database was lost"));
    let held = after.thread(&busy.key);
    assert_eq!((held.status, held.queued), (ThreadStatus::Held, 1));
    assert!(held.explain.contains("look at what waits"), "{}", held.explain);

    // One act lets go on what waits; what was cut off is gone on with.
    let filter = InboxFilter::default();
    let waiting = client.inbox_list(&filter, &PageQuery::default()).await.unwrap().items;
    let kinds: Vec<_> = waiting.iter().map(|item| (item.kind, item.thread.clone())).collect();
    let of = |talk: &Talk| Some(talk.key.as_str().parse().unwrap());
    let expected = [
        (InboxKind::ThreadHeld, of(&busy)),
        (InboxKind::MessageFailed, of(&first)),
        (InboxKind::MessageFailed, of(&busy)),
    ];
    assert_eq!(kinds, expected);
    let resume = InboxAct { action: InboxAction::Resume, body: None };
    client.inbox_act(&waiting[0].id, &resume).await.unwrap();
    let busy = Talk { client: client.clone(), key: busy.key };
    let answer = busy.until(&queued.id, MessageStatus::Completed).await.answer;
    assert_eq!(answer.as_deref(), Some("waited"));

    // What was sent before is known, and threads go on in the agent's conversations.
    let again = client.message_post(&busy.key, &posted(&say("waited"), "mine")).await.unwrap();
    assert_eq!(again.id, queued.id);
    let first = Talk { client: client.clone(), key: first.key };
    let next = answered(&first, &say("and on")).await;
    assert_eq!((next.number, next.conversation), (4, 2));
    let used: i64 = first.messages().await.iter().map(|m| m.usage.total()).sum();
    assert_eq!(
        first.thread().await.usage.total(),
        used,
        "what was used before is not counted again"
    );

    // It is the same a second time, with what came since.
    first.until_idle().await;
    busy.until_idle().await;
    let before = Seen::of(&client).await;
    lose_the_database(&mut stage);
    assert_eq!(Seen::of(&stage.client()).await, before);
}

/// Threads from before there were records get theirs at the next start; one that was cut short by
/// a crash is read as far as it goes.
#[tokio::test]
async fn a_record_that_is_missing_or_torn_is_mended() {
    let mut stage = Stage::start("threads:\n  idle_s: 0\n");
    let talk = Talk::new(&stage.client()).await;
    for n in 0..3 {
        answered(&talk, &say(&format!("word {n}"))).await;
    }
    stage.until_no_process().await;
    talk.until_idle().await;
    let path = record(&stage, &talk);
    let before = Seen::of(&stage.client()).await;
    stage.hub.kill();
    fs::remove_file(&path).unwrap();
    stage.hub.serve(&[]);
    crate::harness::wait_until("there is a record", || path.exists().then_some(()));
    lose_the_database(&mut stage);
    assert_eq!(Seen::of(&stage.client()).await, before);

    let torn = fs::read_to_string(&path).unwrap() + "{\"message\":{\"mess";
    fs::write(&path, torn).unwrap();
    let talk = Talk { client: stage.client(), key: talk.key };
    let last = answered(&talk, &say("word after")).await;
    assert_eq!(last.number, 4);
    stage.until_no_process().await;
    talk.until_idle().await;
    let before = Seen::of(&stage.client()).await;
    let said = lose_the_database(&mut stage);
    assert!(said.contains("1 lines of its record say nothing"), "{said}");
    assert_eq!(Seen::of(&stage.client()).await, before);
}

/// Journals go when their time is over, and nothing that is shown goes with them.
#[tokio::test]
async fn old_journals_go_and_what_they_said_stays() {
    let mut stage = Stage::start("threads:\n  idle_s: 0\n");
    let client = stage.client();
    let over = Talk::new(&client).await;
    answered(&over, &say("a word")).await;
    stage.until_no_process().await;
    let repo = stage.repo("one").await;
    repo.easy_ticket(1);
    let run = stage.run(&repo).await;
    stage.until_completed(&run).await;
    let at_work = Talk::new(&client).await;
    let hangs = at_work.post(HANG).await;
    at_work.until_said(&hangs.id).await;
    over.until_idle().await;
    let journals = |dir: PathBuf| {
        let sessions = fs::read_dir(dir.join("sessions")).unwrap();
        sessions.filter(|one| one.as_ref().unwrap().path().join("journal.jsonl").exists()).count()
    };
    let of_thread =
        |stage: &Stage, talk: &Talk| journals(car(stage).join("threads").join(talk.key.as_str()));
    let of_run = repo.dir.join(".codex-autorunner/runs").join(run.as_str());
    let before = Seen::of(&client).await;
    let turns = stage.turns(&run).await;
    // A month is not over.
    stage.kill_and_serve();
    assert_eq!((of_thread(&stage, &over), journals(of_run.clone())), (1, 1));
    // No time at all is over at once.
    stage.hub.kill();
    stage.configure("threads:\n  idle_s: 0\njournals:\n  keep_days: 0\n");
    stage.hub.serve(&[]);
    crate::harness::wait_until("old journals are gone", || {
        (of_thread(&stage, &over) == 0 && journals(of_run.clone()) == 0).then_some(())
    });
    assert_eq!(of_thread(&stage, &at_work), 1, "an agent at work is left alone");
    assert_eq!(Seen::of(&stage.client()).await, before);
    assert_eq!(stage.turns(&run).await, turns);
    // What is shown does not need them without the database either.
    let at_work = Talk { client: stage.client(), key: at_work.key };
    stage.client().thread_stop(&at_work.key).await.unwrap();
    at_work.until_idle().await;
    stage.until_no_process().await;
    let before = Seen::of(&stage.client()).await;
    lose_the_database(&mut stage);
    assert_eq!(Seen::of(&stage.client()).await, before);
    assert_eq!(stage.turns(&run).await, turns);
}
