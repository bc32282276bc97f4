//! The hub, the shim and the agent killed at any moment of an answer: it is completed, or it is
//! interrupted and gone on with; nothing is done twice, and nothing is left behind.

use std::{collections::BTreeMap, path::PathBuf};

use car_api::thread::{Message, MessageStatus};
use car_shim::Status;
use rustix::process::{Pid, Signal, kill_process};

use crate::{harness::Random, stage::Stage, talk::Talk};

/// How many kills there are; more are for a machine with nothing else to do.
fn rounds() -> u64 {
    std::env::var("CAR_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// Three things are said, and each step leaves a line behind.
fn script(n: u64, file: &std::path::Path) -> String {
    let file = file.display();
    format!(
        "Work. @@FAKE[{{\"say\": \"one {n}\"}}, {{\"sh\": \"echo {n} >> {file}; sleep 0.05\"}}, \
         {{\"say\": \"two {n}\"}}, {{\"sh\": \"sleep 0.05\"}}, {{\"say\": \"three {n}\"}}]@@"
    )
}

#[tokio::test]
async fn an_answer_ends_once_whatever_is_killed() {
    let mut stage = Stage::start("");
    let mut random = Random(11);
    let mut talk = Talk::new(&stage.client()).await;
    let lines = stage.hub.root().join("lines.txt");
    let (mut completed, mut continued) = (0, 0);
    for n in 0..rounds() {
        let message = talk.post(&script(n, &lines)).await;
        // Some moment of the answer: the agent has written so many lines.
        let lines_written = 4 + random.below(20);
        until_journal(&stage, &talk, lines_written, &message).await;
        match random.below(3) {
            0 => stage.kill_and_serve(),
            1 => kill(&stage, &talk, Victim::Shim),
            _ => kill(&stage, &talk, Victim::Agent),
        }
        talk.client = stage.client();
        let ended = talk.until_message(&message.id, |message| message.ended_at.is_some()).await;
        if ended.status == MessageStatus::Completed {
            completed += 1;
            continue;
        }
        assert_eq!(ended.status, MessageStatus::Interrupted, "{ended:#?}");
        let next = talk.client.message_continue(&talk.key, &message.id).await.unwrap();
        talk.until(&next.id, MessageStatus::Completed).await;
        continued += 1;
    }
    eprintln!("{completed} completed, {continued} interrupted and gone on with");
    talk.until_idle().await;
    // No prompt was sent twice: every turn began once.
    let mut begun = BTreeMap::<String, usize>::new();
    for line in stage.noted().into_iter().filter(|line| line.ended.is_none()) {
        *begun.entry(line.turn).or_default() += 1;
    }
    assert!(begun.values().all(|times| *times == 1), "{begun:#?}");
    // What one prompt asked for was done at most once.
    let text = std::fs::read_to_string(&lines).unwrap_or_default();
    for n in 0..rounds() {
        let times = text.lines().filter(|line| *line == n.to_string()).count();
        assert!(times <= 1, "{n} was done {times} times");
    }
    talk.client.thread_reset(&talk.key).await.unwrap();
    stage.until_no_process().await;
    // Every shim that saw its agent's end was let go; none had to give up waiting for that.
    for session in sessions(&stage, &talk) {
        let said = std::fs::read_to_string(session.join("shim.log")).unwrap_or_default();
        assert_eq!(said, "", "{}", session.display());
    }
}

enum Victim {
    Shim,
    Agent,
}

fn sessions(stage: &Stage, talk: &Talk) -> Vec<PathBuf> {
    let dir = stage.hub.root().join(".codex-autorunner/threads").join(talk.key.as_str());
    let entries = std::fs::read_dir(dir.join("sessions")).into_iter().flatten().flatten();
    let mut sessions: Vec<_> = entries.map(|entry| entry.path()).collect();
    sessions.sort();
    sessions
}

fn kill(stage: &Stage, talk: &Talk, victim: Victim) {
    let Some(session) = sessions(stage, talk).pop() else { return };
    let Ok(Status::Alive(state)) = car_shim::status(&session) else { return };
    let pid = match victim {
        Victim::Shim => state.shim_pid,
        Victim::Agent => state.pid,
    };
    let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
}

/// Waits until the journal of the last session has so many lines about this answer, or it is over.
async fn until_journal(stage: &Stage, talk: &Talk, lines: u64, message: &Message) {
    talk.until_message(&message.id, |now| {
        let turn = now.turn.as_ref().map_or("-", |turn| turn.as_str());
        let journal = sessions(stage, talk).pop().map(|dir| dir.join("journal.jsonl"));
        let text = journal.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let after = text.split(turn).last().unwrap_or_default();
        now.ended_at.is_some() || after.lines().count() as u64 >= lines
    })
    .await;
}
