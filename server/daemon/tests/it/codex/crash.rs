//! The hub, the shim and Codex itself killed in the middle of a turn.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use car_api::{
    EventKind, RunId,
    item::{Item, ItemBody},
    run::{PauseReason, RunState, RunStatus},
    turn::{TurnPurpose, TurnStatus},
};
use car_client::{Client, EventFilter};
use car_shim::{Entry, EntryKind, Found, Status};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{World, patient, ticket};
use crate::{
    harness::{DEADLINE, wait_until},
    work::{git, repo, start, ticket as ticket_in, turns, until},
};

/// Lines the command of the long turn prints on each side of the gate.
const LINES: usize = 300;

/// A run whose Codex is in the middle of a command, with the gate that lets it go on.
struct Midway {
    run: RunId,
    dir: PathBuf,
    gate: PathBuf,
}

impl Midway {
    async fn reach(world: &World, client: &Client) -> Self {
        let (repo, dir) = repo(&world.hub, client, "base").await;
        let gate = world.hub.root().join("gate");
        let command = format!(
            "seq 1 {LINES}; echo x >> count.txt; touch begun; \
             while [ ! -e {} ]; do sleep 0.02; done; seq {} {}",
            gate.display(),
            LINES + 1,
            2 * LINES
        );
        let script = format!(
            r#"{{"say": "before"}}, {}, {{"say": "after", "sh": "rm begun"}},
               {{"commit": "Counted"}}, {{"done": true}}, {{"say": "the end"}}"#,
            patient(&command)
        );
        ticket_in(client, &repo, ticket("Count", &script, "test $(wc -l < count.txt) = 1")).await;
        let run = start(client, &repo).await.id;
        wait_until("the command runs", || fs::exists(dir.join("begun")).unwrap().then_some(()));
        Self { run, dir, gate }
    }

    fn open(&self) {
        fs::write(&self.gate, "").unwrap();
    }

    /// The directories of the run's agent processes, oldest first.
    fn sessions(&self) -> Vec<PathBuf> {
        let runs = self.dir.join(".codex-autorunner/runs");
        let sessions = fs::read_dir(runs.join(self.run.as_str()).join("sessions")).unwrap();
        let mut sessions: Vec<_> = sessions.map(|entry| entry.unwrap().path()).collect();
        sessions.sort();
        sessions
    }

    /// The one turn is whole: everything Codex wrote is in the record, and nothing was done twice.
    async fn is_whole(&self, world: &World, client: &Client) {
        let run = until(client, &self.run, RunStatus::Completed).await;
        assert_eq!((run.finished.verified, run.turns), (1, 1));
        assert_eq!(git(&self.dir, &["log", "--format=%s"]), "Counted\nfirst\n");
        let turns = turns(client, &self.run).await;
        assert_eq!(turns.len(), 1);
        assert_eq!(turns[0].status, TurnStatus::Completed);
        assert_eq!(turns[0].message.as_deref(), Some("the end"));

        let [session] = &self.sessions()[..] else { panic!("{:?}", self.sessions()) };
        let entries = journal(session);
        for method in ["initialize", "thread/start", "turn/start"] {
            assert_eq!(count(&entries, method), 1, "{method} was sent more than once");
        }
        let detail = client.turn_get(&turns[0].id).await.unwrap();
        assert_eq!(recorded(&detail.items), written(&entries), "a piece was lost or doubled");
        let output = detail.items.iter().find_map(|item| match &item.body {
            ItemBody::Command { output, .. } if output.starts_with("1\n") => Some(output),
            ItemBody::Command { .. }
            | ItemBody::Message { .. }
            | ItemBody::Reasoning { .. }
            | ItemBody::FileChange { .. }
            | ItemBody::Tool { .. } => None,
        });
        let expected: String = (1..=2 * LINES).map(|line| format!("{line}\n")).collect();
        assert_eq!(*output.unwrap(), expected);

        // The model was asked once for each step.
        let log = world.log();
        let said = |text: &str| log.iter().filter(|e| e["move"]["say"][0] == text).count();
        assert_eq!((said("before"), said("after"), said("the end")), (1, 1, 1), "{log:#?}");
        assert_eq!(log.len(), 5, "{log:#?}");
        events_are_whole(client, &self.run).await;
    }
}

#[tokio::test]
async fn a_turn_outlives_the_hub_and_ends_under_the_next() {
    let Some(mut world) = World::new() else { return };
    let midway = Midway::reach(&world, &world.client()).await;
    world.hub.kill();
    world.hub.serve(&[]);
    midway.open();
    midway.is_whole(&world, &world.client()).await;
}

#[tokio::test]
async fn a_turn_that_ends_while_there_is_no_hub_is_not_repeated() {
    let Some(mut world) = World::new() else { return };
    let midway = Midway::reach(&world, &world.client()).await;
    world.hub.kill();
    midway.open();
    let [session] = &midway.sessions()[..] else { panic!("{:?}", midway.sessions()) };
    wait_until("Codex ends its turn", || {
        (count(&journal(session), "turn/completed") == 1).then_some(())
    });
    world.hub.serve(&[]);
    midway.is_whole(&world, &world.client()).await;
}

#[tokio::test]
async fn a_hub_killed_again_and_again_loses_nothing() {
    let Some(mut world) = World::new() else { return };
    let midway = Midway::reach(&world, &world.client()).await;
    for round in 0..5 {
        world.hub.kill();
        world.hub.serve(&[]);
        if round == 2 {
            midway.open();
        }
    }
    midway.is_whole(&world, &world.client()).await;
}

#[tokio::test]
async fn a_lost_codex_is_taken_up_again_in_the_same_conversation() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (repo, dir) = repo(&world.hub, &client, "base").await;
    let gate = world.hub.root().join("never");
    let waiting = super::gate("echo x >> count.txt; echo $$ > pid; touch begun", &gate);
    let script = format!(
        r#"{{"on": 1, "tool": {}}}, {{"from": 2, "sh": "rm begun pid"}},
           {{"from": 2, "commit": "Went on"}}, {{"from": 2, "done": true}}"#,
        serde_json::from_str::<Value>(&waiting).unwrap()["tool"]
    );
    ticket_in(&client, &repo, ticket("Go on", &script, "test $(wc -l < count.txt) = 1")).await;
    let run = start(&client, &repo).await.id;
    wait_until("the command runs", || fs::exists(dir.join("begun")).unwrap().then_some(()));
    let pid = fs::read_to_string(dir.join("pid")).unwrap();
    wait_for_thread(&client, &run).await;
    let first = turns(&client, &run).await.remove(0);
    let midway = Midway { run: run.clone(), dir: dir.clone(), gate };
    kill_shim_and_agent(&midway.sessions()[0]);

    let done = until(&client, &run, RunStatus::Completed).await;
    assert_eq!(done.finished.verified, 1);
    assert!(!fs::exists(format!("/proc/{}", pid.trim())).unwrap(), "its command was left behind");
    let turns = turns(&client, &run).await;
    assert_eq!(turns.len(), 2, "{turns:#?}");
    assert_eq!(turns[0].status, TurnStatus::Failed);
    assert_eq!(turns[1].purpose, TurnPurpose::Continue);
    assert!(first.thread.is_some());
    assert_eq!(turns[1].thread, first.thread, "the conversation goes on");
    assert_ne!(turns[1].session, first.session);
    let [_, second] = &midway.sessions()[..] else { panic!("{:?}", midway.sessions()) };
    let entries = journal(second);
    assert_eq!((count(&entries, "thread/resume"), count(&entries, "thread/start")), (1, 0));
    let prompt = client.turn_get(&turns[1].id).await.unwrap().prompt.unwrap();
    assert!(prompt.contains("<CAR_INTERRUPTED>"), "{prompt}");
}

#[tokio::test]
async fn a_lost_conversation_with_changes_is_for_a_person() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let midway = Midway::reach(&world, &client).await;
    let thread = wait_for_thread(&client, &midway.run).await;
    // Neither process nor memory is left of it.
    let rollouts = world.rollouts(&thread);
    assert!(!rollouts.is_empty(), "Codex keeps its conversation elsewhere");
    for rollout in rollouts {
        fs::remove_file(rollout).unwrap();
    }
    kill_shim_and_agent(&midway.sessions()[0]);
    let paused = until(&client, &midway.run, RunStatus::Paused).await;
    let RunState::Paused { reason, details, .. } = &paused.state else { panic!("{paused:#?}") };
    assert_eq!(*reason, PauseReason::Interrupted);
    assert!(details.contains("conversation is lost"), "{details}");
    assert!(details.contains("the tree has changed"), "{details}");
}

impl World {
    /// The files in which Codex keeps a thread.
    fn rollouts(&self, thread: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut left = vec![self.home.path().to_owned()];
        while let Some(dir) = left.pop() {
            for entry in fs::read_dir(dir).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    left.push(entry.path());
                } else if entry.file_name().to_string_lossy().contains(thread) {
                    found.push(entry.path());
                }
            }
        }
        found
    }
}

/// The conversation of a run's first turn. Its command may be at work before that is noted.
async fn wait_for_thread(client: &Client, run: &RunId) -> String {
    let begun = Instant::now();
    loop {
        if let Some(thread) = turns(client, run).await.remove(0).thread {
            return thread;
        }
        assert!(begun.elapsed() < DEADLINE, "the conversation is not noted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(super) fn kill_shim_and_agent(session: &Path) {
    let Status::Alive(state) = car_shim::status(session).unwrap() else {
        panic!("the shim of {} does not live", session.display())
    };
    kill_process(Pid::from_raw(state.shim_pid).unwrap(), Signal::KILL).unwrap();
    // It may have gone with its shim.
    let _ = kill_process(Pid::from_raw(state.pid).unwrap(), Signal::KILL);
}

fn journal(session: &Path) -> Vec<Entry> {
    car_shim::read_journal(session, 1)
        .unwrap()
        .filter_map(|found| match found.unwrap() {
            Found::Entry(entry) => Some(entry),
            Found::Missing { .. } => panic!("the journal was cut; the test needs all of it"),
            // It is being written.
            Found::Torn { .. } => None,
        })
        .collect()
}

/// How often a session's journal holds a message of a method, in either direction.
pub(super) fn times(session: &Path, method: &str) -> usize {
    count(&journal(session), method)
}

/// Messages of a method, in either direction.
fn count(entries: &[Entry], method: &str) -> usize {
    messages(entries).filter(|message| message["method"] == method).count()
}

fn messages(entries: &[Entry]) -> impl Iterator<Item = Value> {
    entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::In(line) => serde_json::from_str(line).ok(),
        EntryKind::Out(line) => serde_json::from_str(&line.line).ok(),
        EntryKind::Start { .. } | EntryKind::Err(_) | EntryKind::Exit(_) => None,
    })
}

/// The pieces Codex finished, by id, with what was said in them.
fn written(entries: &[Entry]) -> BTreeMap<String, String> {
    messages(entries)
        .filter(|message| message["method"] == "item/completed")
        .filter(|message| message["params"]["item"]["type"] != "userMessage")
        .map(|message| {
            let item = &message["params"]["item"];
            let text = item["text"].as_str().or_else(|| item["aggregatedOutput"].as_str());
            (item["id"].as_str().unwrap().to_owned(), text.unwrap_or_default().to_owned())
        })
        .collect()
}

/// The same of the hub's record.
fn recorded(items: &[Item]) -> BTreeMap<String, String> {
    let all: BTreeMap<_, _> = items
        .iter()
        .map(|item| {
            let text = match &item.body {
                ItemBody::Message { text } | ItemBody::Reasoning { text } => text.clone(),
                ItemBody::Command { output, .. } => output.clone(),
                ItemBody::FileChange { .. } | ItemBody::Tool { .. } => String::new(),
            };
            (item.id.clone(), text)
        })
        .collect();
    assert_eq!(all.len(), items.len(), "a piece is there twice");
    all
}

/// In the log every piece is finished once, and turn and ticket end once.
async fn events_are_whole(client: &Client, run: &RunId) {
    let filter = EventFilter { run: Some(run.clone()), ..EventFilter::default() };
    let page = client.event_list(0, Some(500), &filter).await.unwrap();
    assert!(page.next.is_none(), "the test expects one page");
    let mut finished = BTreeMap::<String, usize>::new();
    let mut words = BTreeMap::<&str, usize>::new();
    for event in &page.items {
        *words.entry(event.event.word()).or_default() += 1;
        if let EventKind::ItemUpdated { item, completed: true, .. } = &event.event {
            *finished.entry(item.id.clone()).or_default() += 1;
        }
    }
    assert!(finished.values().all(|times| *times == 1), "{finished:?}");
    for word in ["run_created", "session_started", "turn_started", "turn_ended", "ticket_finished"]
    {
        assert_eq!(words.get(word), Some(&1), "{word}: {words:?}");
    }
}
