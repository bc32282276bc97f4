//! A hub comes back from an archive as it was, and does nothing before a person says so.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use car_api::{
    Code,
    backup::BackupCreate,
    job::JobStatus,
    run::{PauseReason, RunResume, RunStart, RunState, RunStatus},
    worktree::{WorktreeCleanup, WorktreeCreate},
};

use crate::{
    harness::{TestHub, wait_until},
    stage::Stage,
    work,
};

const CAR: &str = ".codex-autorunner";

/// A second hub, made from an archive of the first one.
fn restored(archive: &Path, args: &[&str]) -> TestHub {
    let hub = TestHub::unserved();
    fs::remove_dir_all(hub.root()).unwrap();
    fs::create_dir(hub.root()).unwrap();
    restore(&hub, archive, args);
    hub
}

fn restore(hub: &TestHub, archive: &Path, args: &[&str]) -> String {
    let root = hub.root();
    let words = ["restore", archive.to_str().unwrap(), "--root", root.to_str().unwrap()];
    let output = hub.run(&[&words, args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn backup(hub: &TestHub, args: &[&str]) -> PathBuf {
    let output = hub.run(&[&["backup"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// Every file below a directory, with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            if entry.file_type().unwrap().is_dir() {
                dirs.push(entry.path());
            } else if entry.file_type().unwrap().is_file() {
                let name = entry.path().strip_prefix(dir).unwrap().to_owned();
                found.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

/// Under load, with a turn under way: what is restored is what was there, and the run waits.
#[tokio::test]
async fn a_hub_comes_back_as_it_was_and_waits_for_a_word() {
    let stage = Stage::start("");
    let client = stage.client();
    let (one, two) = (stage.repo("one").await, stage.repo("two").await);
    one.ticket(1, "", r#"{"write": ["a.txt", "a\n"]}, {"done": true}, {"commit": "A"}"#);
    let done = stage.run(&one).await;
    stage.until(&done, "has ended", |run| run.state.status() == RunStatus::Completed).await;
    two.ticket(1, "", r#"{"hang": true}"#);
    let hangs = stage.run(&two).await;
    stage.until_begun(2).await;
    // The last that is done for a run that has ended.
    let token = one.dir.join(CAR).join(format!("runs/{done}/token"));
    wait_until("its token goes", || (!token.exists()).then_some(()));

    // Somebody writes all the time.
    let writing = tokio::spawn({
        let client = stage.client();
        async move {
            for n in 0.. {
                if client
                    .token_create(&car_api::token::TokenCreate {
                        name: format!("{n}"),
                        ..car_api::token::TokenCreate::default()
                    })
                    .await
                    .is_err()
                {
                    return n;
                }
                tokio::task::yield_now().await;
            }
            0
        }
    });
    let made = client.backup_create(&BackupCreate { leave_out: Vec::new() }).await.unwrap();
    let job = work::ended(&client, made).await;
    writing.abort();
    assert_eq!(job.status, JobStatus::Completed, "{job:?}");
    let made = client.backup_list().await.unwrap().items.remove(0);
    assert_eq!(client.hub_get().await.unwrap().backup_at, Some(made.created_at));
    let archive = stage.hub.root().join(CAR).join("backups").join(&made.name);
    let seen = client.run_get(&done).await.unwrap();
    let queue = files(&one.dir.join(CAR).join("tickets"));
    let run_dir = format!("{CAR}/runs/{done}");
    let kept = files(&one.dir.join(&run_dir));

    let mut second = restored(&archive, &[]);
    assert_eq!(files(&second.root().join("one").join(CAR).join("tickets")), queue);
    let again = files(&second.root().join("one").join(&run_dir));
    assert_eq!(
        again.keys().collect::<Vec<_>>(),
        kept.keys().filter(|name| !passing(name)).collect::<Vec<_>>()
    );
    assert!(again.iter().all(|(name, bytes)| kept[name] == *bytes));
    // What lets an agent at work in is of no use elsewhere.
    let token = format!("two/{CAR}/runs/{hangs}/token");
    assert!(stage.hub.root().join(&token).exists() && !second.root().join(&token).exists());
    assert!(second.root().join("two").join(CAR).join(format!("runs/{hangs}")).exists());
    // The trees' own history is git's.
    for repo in ["one", "two"] {
        let to = second.root().join(repo).join(".git");
        let from = stage.hub.root().join(repo).join(".git");
        assert!(Command::new("cp").arg("-R").args([from, to]).status().unwrap().success());
    }
    second.serve(&[]);
    let restored = second.client();
    let info = restored.hub_get().await.unwrap();
    let report = info.restore.unwrap();
    assert_eq!((report.runs_paused, report.with_secrets), (1, false));
    assert_ne!(info.instance, client.hub_get().await.unwrap().instance);
    assert_eq!(restored.token_list().await.unwrap().items.len(), 1, "tokens came back");
    let same = restored.run_get(&done).await.unwrap();
    assert_eq!((same.state.clone(), same.created_at), (seen.state.clone(), seen.created_at));
    let RunState::Paused { reason, .. } = restored.run_get(&hangs).await.unwrap().state else {
        panic!("it goes on")
    };
    assert_eq!(reason, PauseReason::Restored);
    let turns = restored.run_turns(&hangs, &car_api::PageQuery::default()).await.unwrap().items;
    assert_eq!(turns[0].status, car_api::turn::TurnStatus::Interrupted);

    // Nothing starts, goes on or goes away.
    let refused = restored.run_resume(&hangs, &RunResume::default()).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::RestoreUnconfirmed));
    let refused = restored.run_start(&one.id, &RunStart::default()).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::RestoreUnconfirmed));
    second.kill();
    second.serve(&[]);
    let restored = second.client();
    restored.restore_confirm().await.unwrap();
    assert_eq!(restored.hub_get().await.unwrap().restore, None);
    restored.run_stop(&hangs).await.unwrap();
    client.run_stop(&hangs).await.unwrap();
    stage.until(&hangs, "is stopped", |run| run.state.status() == RunStatus::Stopped).await;
}

/// What is no use elsewhere.
fn passing(name: &Path) -> bool {
    let name = name.file_name().unwrap().to_str().unwrap();
    name == "lock" || name.ends_with(".sock")
}

/// A worktree on disk that is newer than the backup stays, with everything in it.
#[tokio::test]
async fn what_is_on_disk_wins() {
    let mut stage = Stage::start("");
    let client = stage.client();
    let repo = stage.repo("base").await;
    repo.easy_ticket(1);
    let body = WorktreeCreate {
        base: repo.id.clone(),
        branch: "feature".to_owned(),
        start_point: None,
        skip_setup: true,
    };
    let job = client.worktree_create(&body).await.unwrap();
    work::ended(&client, job).await;
    let tree =
        client.worktree_list(None, &car_api::PageQuery::default()).await.unwrap().items.remove(0);
    let archive = backup(&stage.hub, &[]);
    let outside = stage.hub.root().with_file_name("kept.tar.zst");
    fs::copy(&archive, &outside).unwrap();
    stage.hub.stop();

    let root = stage.hub.root();
    let newer = root.join(&tree.path).join(CAR).join("tickets/TICKET-001.md");
    fs::create_dir_all(newer.parent().unwrap()).unwrap();
    fs::write(&newer, "newer than the backup\n").unwrap();
    fs::write(root.join(&tree.path).join("work.txt"), "not committed\n").unwrap();
    let before = (files(&root.join(&tree.path)), files(&root.join(&repo.dir)));
    // Where a hub is, none is made.
    let words = ["restore", outside.to_str().unwrap(), "--root", root.to_str().unwrap()];
    let refused = stage.hub.run(&[&words[..], &["--keep-trees"]].concat());
    assert!(!refused.status.success());
    fs::rename(root.join(CAR), root.with_file_name("broken")).unwrap();
    assert!(!stage.hub.command(&words).current_dir("/").output().unwrap().status.success());
    let said = restore(&stage.hub, &outside, &["--keep-trees", "--dry-run"]);
    assert!(said.contains("1 tree on disk is newer than this backup"), "{said}");
    assert!(!root.join(CAR).exists());
    restore(&stage.hub, &outside, &["--keep-trees"]);
    assert_eq!((files(&root.join(&tree.path)), files(&root.join(&repo.dir))), before);

    stage.hub.serve(&[]);
    let client = stage.client();
    let cleanup = WorktreeCleanup { delete_branch: false, drop: Vec::new(), dry_run: false };
    let refused = client.worktree_cleanup(&tree.id, &cleanup).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::RestoreUnconfirmed));
    stage.hub.stop();
    let confirmed = stage.hub.run(&["restore", "confirm", "--root", root.to_str().unwrap()]);
    assert!(confirmed.status.success(), "{}", String::from_utf8_lossy(&confirmed.stderr));
    stage.hub.serve(&[]);
    assert_eq!(stage.client().hub_get().await.unwrap().restore, None);
    assert_eq!((files(&root.join(&tree.path)), files(&root.join(&repo.dir))), before);
}

/// Killed at any moment, a backup is whole or not there, and the next one clears up.
#[test]
fn a_killed_backup_leaves_nothing_that_looks_like_one() {
    let hub = TestHub::start();
    let car = hub.root().join(CAR);
    // Something that takes a moment to pack.
    let bytes: Vec<u8> =
        (0..24_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::create_dir_all(car.join("salvage/big")).unwrap();
    fs::write(car.join("salvage/big/bundle"), bytes).unwrap();
    let backups = car.join("backups");
    let names = || {
        let entries = fs::read_dir(&backups).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let mut child = hub.command(&["backup"]).stdout(Stdio::null()).spawn().unwrap();
    wait_until("an archive is begun", || (!names().is_empty()).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(names().iter().all(|name| name.starts_with(".half-")), "{:?}", names());
    let archive = backup(&hub, &[]);
    assert_eq!(names(), [archive.file_name().unwrap().to_str().unwrap()]);
    let checked =
        hub.run(&["restore", archive.to_str().unwrap(), "--root", "/nowhere", "--dry-run"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    // One that was changed is refused, and nothing is made of it.
    let mut changed = fs::read(&archive).unwrap();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&archive, changed).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("new");
    let refused =
        hub.run(&["restore", archive.to_str().unwrap(), "--root", root.to_str().unwrap()]);
    assert!(!refused.status.success() && !root.exists());
}

/// The database is an index: without it the same runs and turns are listed, from the files.
#[tokio::test]
async fn a_lost_database_is_made_again_from_the_files() {
    let mut stage = Stage::start("");
    let (one, two) = (stage.repo("one").await, stage.repo("two").await);
    one.easy_ticket(1);
    one.easy_ticket(2);
    let done = stage.run(&one).await;
    stage.until(&done, "has ended", |run| run.state.status() == RunStatus::Completed).await;
    two.ticket(1, "", r#"{"hang": true}"#);
    let hangs = stage.run(&two).await;
    stage.until_begun(3).await;
    let record = one.dir.join(CAR).join(format!("runs/{done}/run.json"));
    wait_until("the first is sealed", || record.exists().then_some(()));
    let client = stage.client();
    let (before, turns) = (client.run_get(&done).await.unwrap(), stage.turns(&done).await);
    let evidence = client.run_evidence(&done).await.unwrap();
    let hung = stage.turns(&hangs).await;
    let root = stage.hub.root();
    assert!(!stage.hub.run(&["reindex"]).status.success(), "a hub that is served is left alone");
    stage.hub.kill();
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(root.join(CAR).join(format!("hub.sqlite3{end}")));
    }
    let output = stage.hub.run(&["reindex"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("2 runs, 3 turns"), "{said}");
    // The agent nobody owns any more is gone.
    stage.until_no_process().await;
    stage.hub.serve(&[]);
    let client = stage.client();
    let after = client.run_get(&done).await.unwrap();
    assert_eq!(
        (&after.state, after.created_at, &after.base_commit),
        (&before.state, before.created_at, &before.base_commit)
    );
    assert_eq!(stage.turns(&done).await, turns);
    assert_eq!(client.run_evidence(&done).await.unwrap(), evidence);
    assert_eq!(client.run_get(&hangs).await.unwrap().state.status(), RunStatus::Failed);
    let again = stage.turns(&hangs).await;
    assert_eq!(
        (again[0].id.clone(), again[0].ticket.clone()),
        (hung[0].id.clone(), hung[0].ticket.clone())
    );
    // It works on: the queue's files say what is left.
    two.easy_ticket(1);
    let next = stage.run(&two).await;
    stage.until(&next, "has ended", |run| run.state.status() == RunStatus::Completed).await;
}
