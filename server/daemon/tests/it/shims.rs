//! Shims that another version of the hub left behind.

use std::fs;

use crate::{
    harness::wait_until,
    stage::{FINISH, Stage, write_file},
};

/// One whose words the hub does not speak is ended and its journal read: a turn that was finished
/// is not done again, and one that was not goes on in its conversation.
#[tokio::test]
async fn a_shim_of_another_version_is_ended_and_its_journal_read() {
    let mut stage = Stage::start("");
    let finish = format!("{}, {FINISH}", write_file(1, "good"));
    let ended = stage.repo("ended").await;
    let wait = r#"{"sh": "while [ ! -e ../go ]; do sleep 0.02; done"}"#;
    ended.ticket(1, "", &format!("{wait}, {finish}"));
    let cut = stage.repo("cut").await;
    let later = finish.replace('{', r#"{"from": 2, "#);
    cut.ticket(1, "", &format!(r#"{{"on": 1, "hang": true}}, {later}"#));
    let runs = [stage.run(&ended).await, stage.run(&cut).await];
    stage.until_begun(2).await;
    stage.hub.kill();
    fs::write(stage.hub.root().join("go"), "").unwrap();
    wait_until("one turn has ended", || {
        stage.noted().iter().any(|line| line.ended.is_some()).then_some(())
    });
    for (repo, run) in [(&ended, &runs[0]), (&cut, &runs[1])] {
        let sessions = repo.dir.join(format!(".codex-autorunner/runs/{run}/sessions"));
        let session = fs::read_dir(sessions).unwrap().next().unwrap().unwrap().path();
        if repo.dir == ended.dir {
            // The agent notes its end before it tells it.
            wait_until("the end is in the journal", || {
                let journal = fs::read_to_string(session.join("journal.jsonl")).unwrap();
                journal.contains("turn/completed").then_some(())
            });
        }
        let state = fs::read_to_string(session.join("shim.json")).unwrap();
        let other = state.replace(r#""version":1,"#, r#""version":99,"#);
        assert_ne!(state, other);
        fs::write(session.join("shim.json"), other).unwrap();
    }
    stage.hub.serve(&[]);
    for (run, turns) in runs.iter().zip([1, 2]) {
        assert_eq!(stage.until_completed(run).await.finished.tickets, 1);
        assert_eq!(stage.turns(run).await.len(), turns);
    }
    let turns = stage.turns(&runs[1]).await;
    assert_eq!(turns[0].thread, turns[1].thread, "in its conversation");
    stage.until_no_process().await;
}
