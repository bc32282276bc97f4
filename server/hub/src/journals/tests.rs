use std::{fs::File, path::Path};

use car_api::{RunId, SessionId, ThreadId, run::RunOptions};
use car_engine::flow::Flow;
use car_files::CAR_DIR;
use car_store::{Errand, RunRow, SessionRow};

use super::*;

fn day(n: i64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + n * 86_400)
}

/// A session with its directory.
fn session(root: &Path, errand: &Errand, name: &str, ended_at: Option<Timestamp>) -> SessionRow {
    let kind = if errand.run().is_some() { "runs" } else { "threads" };
    let dir = root.join(CAR_DIR).join(kind).join(errand.to_string()).join("sessions").join(name);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("journal.jsonl"), "a line\n").unwrap();
    SessionRow {
        id: SessionId::generate(),
        errand: errand.clone(),
        agent: "demo".parse().unwrap(),
        dir: dir.to_string_lossy().into_owned(),
        line: 1,
        driver: None,
        started_at: day(0),
        ended_at,
    }
}

fn run(ended_at: Option<Timestamp>) -> RunRow {
    let id = RunId::generate();
    RunRow {
        repo: format!("repo-{}", id.as_str().rsplit('-').next().unwrap()).parse().unwrap(),
        id,
        flow: Flow::new(RunOptions::default(), Vec::new()),
        base_commit: None,
        created_at: day(0),
        queued_at: day(0),
        started_at: None,
        ended_at,
    }
}

#[tokio::test]
async fn what_is_old_goes_and_what_is_open_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("hub.sqlite3")).await.unwrap();
    let thread = Errand::Thread(ThreadId::generate());
    let (over, at_work) = (run(Some(day(2))), run(None));
    let of = |errand: &Errand, name: &str, ended| session(dir.path(), errand, name, ended);
    let old = of(&thread, "1", Some(day(1)));
    let younger = of(&thread, "2", Some(day(9)));
    let open = of(&thread, "3", None);
    let alive = of(&thread, "4", Some(day(1)));
    let of_over = of(&Errand::Run(over.id.clone()), "1", Some(day(2)));
    let of_run = of(&Errand::Run(at_work.id.clone()), "1", Some(day(2)));
    // Many more than are looked at in one go.
    let many: Vec<_> = (10..130).map(|n| of(&thread, &n.to_string(), Some(day(1)))).collect();
    let mut writes = vec![Write::RunCreate(Box::new(over)), Write::RunCreate(Box::new(at_work))];
    let all = [&old, &younger, &open, &alive, &of_over, &of_run].into_iter().chain(&many);
    writes.extend(all.map(|row| Write::Session(row.clone())));
    store.commit(writes).await.unwrap();
    // Its shim lives whatever the database says.
    let lock = File::create(Path::new(&alive.dir).join("lock")).unwrap();
    lock.lock().unwrap();
    let state = r#"{"id": "x", "version": 1, "boot_id": "b", "shim_pid": 1, "shim_starttime": 1,
        "pid": 2, "starttime": 1}"#;
    std::fs::write(Path::new(&alive.dir).join("shim.json"), state).unwrap();
    let status = car_shim::status(Path::new(&alive.dir));
    assert!(matches!(status, Ok(car_shim::Status::Alive(_))), "{status:?}");

    let config = JournalsConfig { keep_days: 7 };
    assert_eq!(forget(&store, before(config, day(7))).await.unwrap(), 0, "nothing is old enough");
    assert_eq!(forget(&store, before(config, day(10))).await.unwrap(), 2 + 120);
    let there = |row: &SessionRow| Path::new(&row.dir).join("journal.jsonl").exists();
    assert!(!there(&old) && !there(&of_over) && !many.iter().any(there));
    assert!(there(&younger) && there(&open) && there(&alive) && there(&of_run));
    drop(lock);
    assert_eq!(forget(&store, before(config, day(10))).await.unwrap(), 1);
    assert!(!there(&alive));
    assert_eq!(forget(&store, before(config, day(17))).await.unwrap(), 1, "its time has come");
    assert!(!there(&younger) && there(&open) && there(&of_run));
    store.close().await;
}
