//! Writes happen under their condition or not at all, and only to regular files.

use crate::{Tree, names};
use car_api::context::ContextName;
use car_engine::ticket::VerificationNote;
use car_files::atomic::{WriteError, WriteIf};
use car_files::beneath::{Dir, read_file};
use car_files::{ContentHash, Reason, atomic, contextspace, tickets};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

#[test]
fn a_conflict_carries_the_present_version() {
    let tree = Tree::new();
    let dir = Dir::open(tree.root()).unwrap();
    let write = |bytes: &[u8], when| atomic::write(&dir, OsStr::new("f"), bytes, when);
    let first = write(b"1", WriteIf::Absent).unwrap();
    let conflict = |result| match result {
        Err(WriteError::Conflict { current }) => current.map(|content: Box<_>| content.bytes),
        other => panic!("{other:?}"),
    };
    assert_eq!(conflict(write(b"2", WriteIf::Absent)), Some(b"1".to_vec()));
    let second = write(b"2", WriteIf::Hash(first)).unwrap();
    assert_eq!(conflict(write(b"3", WriteIf::Hash(first))), Some(b"2".to_vec()));
    assert_eq!(second, ContentHash::of(b"2"));
    write(b"4", WriteIf::Any).unwrap();
    assert!(atomic::remove(&dir, OsStr::new("f"), second).is_err());
    atomic::remove(&dir, OsStr::new("f"), ContentHash::of(b"4")).unwrap();
    assert_eq!(conflict(write(b"5", WriteIf::Hash(second))), None);
    assert_eq!(names(tree.root()), [".codex-autorunner"]);
}

#[test]
fn a_file_keeps_its_mode_and_a_symlink_is_never_written_through() {
    let tree = Tree::new();
    let dir = Dir::open(tree.root()).unwrap();
    fs::write(tree.root().join("f"), "1").unwrap();
    fs::set_permissions(tree.root().join("f"), fs::Permissions::from_mode(0o751)).unwrap();
    atomic::write(&dir, OsStr::new("f"), b"2", WriteIf::Hash(ContentHash::of(b"1"))).unwrap();
    assert_eq!(fs::metadata(tree.root().join("f")).unwrap().mode() & 0o7777, 0o751);
    symlink("f", tree.root().join("link")).unwrap();
    for when in [WriteIf::Any, WriteIf::Absent, WriteIf::Hash(ContentHash::of(b"2"))] {
        let error = atomic::write(&dir, OsStr::new("link"), b"3", when).unwrap_err();
        assert!(matches!(error, WriteError::File(error) if error.reason == Reason::Symlink));
    }
    assert_eq!(fs::read_to_string(tree.root().join("f")).unwrap(), "2");
    for name in ["..", ".", "a/b", ""] {
        let error = atomic::write(&dir, OsStr::new(name), b"3", WriteIf::Any).unwrap_err();
        assert!(matches!(error, WriteError::File(error) if error.reason == Reason::Outside));
    }
}

#[test]
fn nothing_is_read_outside_or_through_symlinks() {
    let tree = Tree::new();
    fs::create_dir_all(tree.root().join("a/b")).unwrap();
    fs::write(tree.root().join("a/b/f"), "12345").unwrap();
    symlink("a", tree.root().join("link")).unwrap();
    let read = |path: &str, cap| {
        let content = read_file(tree.root(), Path::new(path), cap);
        content.map(|content| content.bytes).map_err(|error| error.reason)
    };
    assert_eq!(read("a/b/f", 5), Ok(b"12345".to_vec()));
    assert_eq!(read("./a/./b/f", 5), Ok(b"12345".to_vec()));
    assert_eq!(read("a/b/f", 4), Err(Reason::TooLarge { size: 5, cap: 4 }));
    assert_eq!(read("link/b/f", 5), Err(Reason::Symlink));
    assert_eq!(read("a/../a/b/f", 5), Err(Reason::Outside));
    assert_eq!(read("../x", 5), Err(Reason::Outside));
    assert_eq!(read("/etc/passwd", 5), Err(Reason::Outside));
    assert_eq!(read("", 5), Err(Reason::Outside));
    assert_eq!(read("a/b", 5), Err(Reason::Directory));
    assert_eq!(read("a/b/f/g", 5), Err(Reason::NotDirectory));
    assert_eq!(read("a/x", 5), Err(Reason::NotFound));
}

#[test]
fn a_ticket_is_reopened_with_its_note_in_one_write() {
    let tree = Tree::new();
    let before = "---\nagent: codex\ndone: true # claimed\n---\nbody";
    tree.put("tickets/TICKET-001.md", before);
    let name = OsStr::new("TICKET-001.md");
    let note = VerificationNote {
        command: "make test".to_owned(),
        outcome: "exit code 2".to_owned(),
        tail: "boom".to_owned(),
    };
    let hash = tickets::set_note(tree.root(), name, false, Some(&note), None).unwrap();
    let text = tree.text("tickets/TICKET-001.md");
    assert!(text.contains("done: false # claimed") && text.contains("## Verification"));
    tickets::set_note(tree.root(), name, true, None, Some(hash)).unwrap();
    assert_eq!(tree.text("tickets/TICKET-001.md"), before);
    assert!(tickets::set_done(tree.root(), name, false, Some(hash)).is_err());
    assert!(tickets::write(tree.root(), OsStr::new("notes.md"), b"", WriteIf::Any).is_err());
}

#[test]
fn repairs_are_written_and_told() {
    let tree = Tree::new();
    tree.put("tickets/TICKET-001.md", "\u{feff}---\nagent: codex\ndone: no\n---\n");
    let (_, repaired) = tickets::fix(tree.root(), OsStr::new("TICKET-001.md"), None).unwrap();
    assert_eq!(repaired.len(), 2);
    assert_eq!(tree.text("tickets/TICKET-001.md"), "---\nagent: codex\ndone: false\n---\n");
}

#[test]
fn context_documents_are_read_and_written_under_condition() {
    let tree = Tree::new();
    let doc = ContextName::Spec;
    assert_eq!(contextspace::read(tree.root(), doc).unwrap(), None);
    let hash = contextspace::write(tree.root(), doc, b"spec", WriteIf::Absent).unwrap();
    assert!(contextspace::write(tree.root(), doc, b"other", WriteIf::Absent).is_err());
    contextspace::write(tree.root(), doc, b"spec 2", WriteIf::Hash(hash)).unwrap();
    assert_eq!(contextspace::read(tree.root(), doc).unwrap().unwrap().bytes, b"spec 2");
}

#[test]
fn the_documents_of_car_1_move_once_and_stay_in_reach_of_it() {
    let tree = Tree::new();
    tree.put("workspace/active_context.md", "now");
    tree.put("workspace/spec.md", "");
    tree.put("workspace/notes.md", "mine");
    tree.put("contextspace/active_context.md", "");
    let moved = contextspace::migrate(tree.root()).unwrap();
    assert_eq!(moved, ["active_context.md", "notes.md", "spec.md"]);
    assert_eq!(tree.text("contextspace/active_context.md"), "now");
    assert_eq!(tree.text("workspace/notes.md"), "mine", "read through the symlink");
    assert!(tree.text("CONTEXTSPACE_MOVED.md").contains("- notes.md"));
    assert!(contextspace::migrate(tree.root()).unwrap().is_empty());
}

#[test]
fn documents_with_text_in_both_places_stay_in_both() {
    let tree = Tree::new();
    tree.put("workspace/spec.md", "old");
    tree.put("workspace/decisions.md", "same");
    tree.put("contextspace/spec.md", "new");
    tree.put("contextspace/decisions.md", "same");
    contextspace::migrate(tree.root()).unwrap();
    assert_eq!(tree.text("contextspace/spec.md"), "new");
    assert_eq!(tree.text("workspace/spec.md"), "old");
    assert_eq!(names(&tree.car("workspace")), ["spec.md"]);
    assert!(tree.text("CONTEXTSPACE_MOVED.md").contains("Left in"));
}

#[test]
fn documents_of_car_1_are_read_where_they_lie_and_moved_by_the_first_write() {
    let tree = Tree::new();
    tree.put("workspace/spec.md", "old");
    tree.put("contextspace/spec.md", "");
    let read = || contextspace::read(tree.root(), ContextName::Spec).unwrap().unwrap();
    assert_eq!(read().bytes, b"old");
    assert_eq!(tree.text("workspace/spec.md"), "old", "reading moves nothing");
    let when = WriteIf::Hash(read().hash);
    contextspace::write(tree.root(), ContextName::Spec, b"new", when).unwrap();
    assert_eq!(read().bytes, b"new");
    assert_eq!(tree.text("workspace/spec.md"), "new", "CAR 1 sees the same text");
}
