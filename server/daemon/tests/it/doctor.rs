//! The doctor finds what is wrong, says what mends it, and mends what is safe to mend.

use std::{fs, os::unix::fs::PermissionsExt};

use car_api::doctor::{DoctorReport, Level};

use crate::{harness::TestHub, stage::Stage, talk::Talk};

fn report(hub: &TestHub, args: &[&str]) -> (DoctorReport, bool) {
    let output = hub.run(&[&["doctor", "--json", "--port", "0"], args].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    (
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{said}")),
        output.status.success(),
    )
}

fn level(report: &DoctorReport, check: &str) -> Level {
    let found = report.findings.iter().filter(|found| found.check == check);
    found.map(|found| found.level).max().unwrap_or_else(|| panic!("no `{check}` in {report:#?}"))
}

/// After a database from before they began was put in its place, nobody knows of the agents at work:
/// they are named, whether a run or a thread had them, and ended when that is asked for.
#[tokio::test]
async fn agents_nobody_owns_are_found_and_ended() {
    let mut stage = Stage::start("");
    let repo = stage.repo("one").await;
    let mut talk = Talk::new(&stage.client()).await;
    stage.hub.stop();
    let database = stage.hub.root().join(".codex-autorunner/hub.sqlite3");
    let before = fs::read(&database).unwrap();
    stage.hub.serve(&[]);
    talk.client = stage.client();
    repo.ticket(1, "", r#"{"hang": true}"#);
    stage.run(&repo).await;
    talk.post(r#"@@FAKE[{"hang": true}]@@"#).await;
    stage.until_begun(2).await;
    stage.hub.kill();
    let orphans = |report: &DoctorReport| -> Vec<String> {
        let found = report.findings.iter().filter(|found| found.check == "orphans");
        found.map(|found| found.detail.clone()).collect()
    };
    let known = report(&stage.hub, &[]).0;
    assert_eq!((orphans(&known), level(&known, "agents at work")), (vec![], Level::Warning));

    for beside in ["-wal", "-shm"] {
        let file = database.with_file_name(format!("hub.sqlite3{beside}"));
        fs::remove_file(file).unwrap();
    }
    fs::write(&database, before).unwrap();
    let lost = orphans(&report(&stage.hub, &[]).0);
    for place in ["/.codex-autorunner/runs/", "/.codex-autorunner/threads/"] {
        assert!(lost.iter().any(|detail| detail.contains(place)), "{place} in {lost:?}");
    }
    assert_eq!(lost.len(), 2);
    assert_eq!(orphans(&report(&stage.hub, &["--fix"]).0), Vec::<String>::new());
    stage.until_no_process().await;
}

#[tokio::test]
async fn findings_have_what_mends_them() {
    let mut stage = Stage::start("");
    let repo = stage.repo("one").await;
    stage.hub.stop();
    let hub = &stage.hub;
    let (well, ok) = report(hub, &[]);
    assert!(ok && well.ok, "{well:#?}");
    for check in ["root", "database", "git", "disk", "clock", "address", "trees", "agent demo"] {
        assert_eq!(level(&well, check), Level::Ok, "{check}");
    }
    assert_eq!(level(&well, "backups"), Level::Warning);

    let car = hub.root().join(".codex-autorunner");
    fs::set_permissions(car.join("hub.sqlite3"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(repo.ticket_file(1), "---\nagent: nobody\ndone: maybe\n---\n").unwrap();
    fs::write(car.join("hub_endpoint.json"), r#"{"url":"http://127.0.0.1:1","instance":"x","pid":4194999,"started_at":"2026-01-01T00:00:00Z","version":"0.0.1"}"#).unwrap();
    fs::rename(&repo.dir, repo.dir.with_file_name("elsewhere")).unwrap();
    let (ill, ok) = report(hub, &[]);
    assert!(ok, "warnings keep nobody from working: {ill:#?}");
    for check in ["permissions", "served", "trees"] {
        assert_eq!(level(&ill, check), Level::Warning, "{check}");
    }
    let without = ill
        .findings
        .iter()
        .find(|found| found.level != Level::Ok && (found.fix.is_none() || found.why.is_none()));
    assert!(without.is_none(), "{without:#?}");
    fs::rename(repo.dir.with_file_name("elsewhere"), &repo.dir).unwrap();
    assert_eq!(level(&report(hub, &[]).0, "tickets"), Level::Warning);

    assert!(hub.run(&["backup"]).status.success());
    let (mended, _) = report(hub, &["--fix"]);
    assert_eq!(level(&mended, "served"), Level::Ok);
    assert_eq!(level(&mended, "backups"), Level::Ok);
    assert!(!mended.findings.iter().any(|found| found.check == "permissions"), "{mended:#?}");
    let mode = fs::metadata(car.join("hub.sqlite3")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // Damage is an error, and nothing is served from it.
    let mut bytes = fs::read(car.join("hub.sqlite3")).unwrap();
    for byte in bytes.iter_mut().skip(4096).step_by(3) {
        *byte ^= 0x55;
    }
    fs::write(car.join("hub.sqlite3"), bytes).unwrap();
    let (damaged, ok) = report(hub, &[]);
    assert!(!ok && level(&damaged, "database") == Level::Error, "{damaged:#?}");
    assert!(!hub.run(&["backup"]).status.success(), "damage is not carried into a backup");
}
