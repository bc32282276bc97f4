//! A renaming that is killed at any step is finished by the next look at the queue.

use super::rename::testing::carry_out_until;
use super::{list, move_block, scan_meta};
use car_engine::ticket::KnownAgents;
use car_engine::ticket::queue;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn queue_of(count: usize) -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    let dir = tree.path().join(".codex-autorunner/tickets");
    fs::create_dir_all(&dir).unwrap();
    for n in 1..=count {
        fs::write(dir.join(format!("TICKET-{n:03}.md")), format!("content {n}")).unwrap();
    }
    tree
}

/// File names and contents, hidden files included.
fn contents(tree: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(tree.join(".codex-autorunner/tickets")).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn a_crash_at_any_step_changes_nothing_about_the_outcome() {
    let expected = queue_of(5);
    move_block(expected.path(), 4, 5, 1).unwrap();
    let expected = contents(expected.path());
    assert_eq!(expected["TICKET-001.md"], "content 4");
    for stop in 0.. {
        let tree = queue_of(5);
        let names: Vec<String> = contents(tree.path()).into_keys().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let plan = queue::move_block(&names, 4, 5, 1).unwrap();
        let stopped = carry_out_until(tree.path(), &plan, stop);
        // The next reader finishes; nobody ever sees a queue with a ticket missing.
        assert_eq!(list(tree.path(), &KnownAgents::any()).unwrap().files.len(), 5);
        assert_eq!(contents(tree.path()), expected, "stopped before step {stop}");
        assert!(!tree.path().join(".codex-autorunner/tickets.rename.json").exists());
        if !stopped {
            assert!(stop > 10, "every step was tried");
            break;
        }
    }
}

#[test]
fn a_file_that_took_the_new_name_meanwhile_is_not_lost() {
    let tree = queue_of(2);
    let dir = tree.path().join(".codex-autorunner/tickets");
    let plan = queue::insert_gap(&["TICKET-001.md", "TICKET-002.md"], 2, 1).unwrap();
    // Stopped when the ticket is aside; then somebody creates the target.
    assert!(carry_out_until(tree.path(), &plan, 2));
    fs::write(dir.join("TICKET-003.md"), "theirs").unwrap();
    assert_eq!(scan_meta(tree.path()).unwrap().len(), 3);
    let found = contents(tree.path());
    assert_eq!(found["TICKET-003.md"], "theirs");
    assert_eq!(found["TICKET-003-moved-1.md"], "content 2");
}

#[test]
fn a_plan_that_reaches_outside_is_put_aside() {
    let tree = queue_of(1);
    let plan = tree.path().join(".codex-autorunner/tickets.rename.json");
    fs::write(&plan, r#"{"phase":"aside","renames":[["TICKET-001.md","../../x"]]}"#).unwrap();
    assert_eq!(list(tree.path(), &KnownAgents::any()).unwrap().files.len(), 1);
    assert!(!plan.exists());
    assert_eq!(contents(tree.path())["TICKET-001.md"], "content 1");
}
