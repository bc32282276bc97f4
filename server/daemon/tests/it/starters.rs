//! Many who start a run on one tree at once: one of them does.

use std::{collections::BTreeMap, env, fs, sync::Arc};

use car_api::{
    Code,
    run::{PauseReason, RunStart, RunState, RunStatus},
};
use tokio::task::JoinSet;

use crate::stage::{Repo, Stage, write_file};

/// How many start at once, and how often.
const STARTERS: usize = 32;
const ROUNDS: u32 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_starters_one_wins_and_agents_never_overlap() {
    let rounds = env::var("CAR_TEST_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let client = Arc::new(stage.client());
    let go = repo.dir.join(".codex-autorunner/go");
    for round in 1..=rounds {
        // Every other run pauses, so that it can be superseded by the next round's winner.
        let pauses = round % 2 == 0;
        let dispatch = r#"{"dispatch": {"mode": "pause", "title": "Which?", "body": "Say."}}"#;
        let last = if pauses { dispatch } else { r#"{"done": true}, {"commit": "Finish"}"# };
        // The winner works until everybody has been answered.
        let wait = r#"{"sh": "until [ -e .codex-autorunner/go ]; do sleep 0.02; done"}"#;
        let write = write_file(1, &format!("round {round}"));
        repo.ticket(1, "", &format!("{wait}, {write}, {last}"));
        let supersedes = |place: usize| round % 2 == 1 && round > 1 && place.is_multiple_of(2);
        let mut starters = JoinSet::new();
        for place in 0..STARTERS {
            let (client, repo) = (Arc::clone(&client), repo.id.clone());
            let body = RunStart { supersede: supersedes(place), ..RunStart::default() };
            starters.spawn(async move { client.run_start(&repo, &body).await });
        }
        let mut winners = Vec::new();
        while let Some(result) = starters.join_next().await {
            match result.unwrap() {
                Ok(run) => winners.push(run.id),
                Err(error) => assert_eq!(error.code(), Some(Code::RunActive), "{round}: {error}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        fs::write(&go, "").unwrap();
        if pauses {
            stage.until_paused(&winners[0], PauseReason::UserPause).await;
        } else {
            stage.until_completed(&winners[0]).await;
        }
        fs::remove_file(&go).unwrap();
    }
    no_overlap(&stage, &repo);
}

/// In one tree a turn begins only after the one before has ended.
fn no_overlap(stage: &Stage, repo: &Repo) {
    let mut at_work: BTreeMap<String, i32> = BTreeMap::new();
    for line in stage.noted() {
        assert!(line.ticket.starts_with(&repo.dir), "{line:?}");
        if line.ended.is_none() {
            at_work.insert(line.turn.clone(), line.pid);
            assert_eq!(at_work.len(), 1, "two turns at once: {at_work:?}");
        } else {
            assert!(at_work.remove(&line.turn).is_some(), "{line:?}");
        }
    }
    assert!(at_work.is_empty(), "{at_work:?}");
}

#[tokio::test]
async fn a_run_that_works_is_not_superseded() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    repo.ticket(1, "", r#"{"hang": true}"#);
    let run = stage.run(&repo).await;
    stage.until_begun(1).await;
    let body = RunStart { supersede: true, ..RunStart::default() };
    let error = stage.client().run_start(&repo.id, &body).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::RunActive));
    assert!(error.to_string().contains(run.as_str()), "{error}");
    stage.client().run_stop(&run).await.unwrap();
    stage.until(&run, "is stopped", |run| run.state == RunState::Stopped).await;
    let again = stage.run(&repo).await;
    let seen = stage.client().run_get(&again).await.unwrap();
    assert!(!seen.state.status().is_end() && seen.state.status() != RunStatus::Paused);
    stage.client().run_stop(&again).await.unwrap();
    stage.until(&again, "is stopped", |run| run.state == RunState::Stopped).await;
    stage.until_no_process().await;
}
