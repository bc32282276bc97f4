//! The doctor finds what is wrong, says what mends it, and mends what is safe to mend.

use std::{fs, os::unix::fs::PermissionsExt};

use car_api::doctor::{DoctorReport, Level};

use crate::{harness::TestHub, stage::Stage};

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
