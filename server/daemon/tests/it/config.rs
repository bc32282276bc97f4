//! The configuration as the program reads it.

use std::fs;

use crate::harness::TestHub;

#[test]
fn the_effective_configuration_can_be_seen() {
    let hub = TestHub::unserved();
    fs::write(
        hub.root().join("codex-autorunner.yml"),
        "server:\n  port: 4999\npma:\n  max_repos: 25\n",
    )
    .unwrap();
    let output = hub
        .command(&["config", "--port", "5000"])
        .env("CAR_HUB_MAX_PARALLEL_RUNS", "3")
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    for line in [
        "server.port: 5000  # command line",
        "hub.max_parallel_runs: 3  # $CAR_HUB_MAX_PARALLEL_RUNS",
        "# warning: codex-autorunner.yml: `pma.max_repos` has no effect in this hub",
    ] {
        assert!(shown.lines().any(|known| known == line), "{line:?} in\n{shown}");
    }
}

#[test]
fn a_mistake_keeps_the_hub_from_starting() {
    let hub = TestHub::unserved();
    fs::write(hub.root().join("codex-autorunner.yml"), "hub:\n  worktree_root: x\n").unwrap();
    let output = hub.run(&["serve", "--port", "0"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("codex-autorunner.yml") && said.contains("hub.worktrees_root"), "{said}");
}

#[test]
fn the_doctor_looks_around() {
    let hub = TestHub::unserved();
    // Whoever runs the tests may have a hub of their own at the port that is meant by default.
    fs::write(hub.root().join("codex-autorunner.yml"), "server:\n  port: 0\n").unwrap();
    let output = hub.run(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("git version") && said.contains("demo: codex-cli"), "{said}");
}
