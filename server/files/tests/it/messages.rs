//! Dispatches and replies are archived once, whole, and in order.

use crate::{Tree, names};
use car_engine::dispatch::DispatchMode;
use car_files::run_dir::RunDir;
use car_files::{Reason, dispatches, replies};
use std::fs;
use std::os::unix::fs::symlink;

const RUN: &str = "run_1";

fn run() -> (Tree, RunDir) {
    let tree = Tree::new();
    let run = RunDir::create(tree.root(), RUN).unwrap();
    (tree, run)
}

fn at(path: &str) -> String {
    format!("runs/{RUN}/{path}")
}

#[test]
fn a_dispatch_moves_with_its_attachments() {
    let (tree, run) = run();
    assert_eq!(dispatches::archive(&run, 1).unwrap(), None);
    tree.put(&at("dispatch/a.txt"), "A");
    tree.put(&at("dispatch/.hidden"), "H");
    tree.put(&at("DISPATCH.md"), "---\nmode: pause\ntitle: T\n---\nquestion");
    let entry = dispatches::archive(&run, 1).unwrap().unwrap();
    let dispatch = entry.dispatch.clone().unwrap();
    assert_eq!((dispatch.mode, dispatch.title.as_deref()), (DispatchMode::Pause, Some("T")));
    assert_eq!(entry.attachments.len(), 1);
    assert_eq!(names(&tree.car(&at("dispatch_history"))), ["0001"]);
    assert_eq!(names(&tree.car(&at("dispatch_history/0001"))), ["DISPATCH.md", "a.txt"]);
    assert_eq!(names(&tree.car(&at("dispatch"))), [".hidden"]);
    // Again with the same number, as after a crash: the same entry, nothing moved twice.
    assert_eq!(dispatches::archive(&run, 1).unwrap(), Some(entry));
    assert_eq!(dispatches::next_seq(&run).unwrap(), 2);
    dispatches::put_turn_summary(&run, 2, " did it \n").unwrap();
    dispatches::put_turn_summary(&run, 2, "other").unwrap();
    assert_eq!(
        tree.text(&at("dispatch_history/0002/DISPATCH.md")),
        "---\nmode: turn_summary\n---\n\ndid it\n"
    );
    let modes: Vec<_> =
        dispatches::list(&run).unwrap().into_iter().map(|e| e.dispatch.unwrap().mode).collect();
    assert_eq!(modes, [DispatchMode::Pause, DispatchMode::TurnSummary]);
    assert_eq!(dispatches::read_attachment(&run, 1, "a.txt", 10).unwrap().bytes, b"A");
    assert!(dispatches::read_attachment(&run, 1, "../0002/DISPATCH.md", 10).is_err());
}

#[test]
fn a_broken_dispatch_stays_for_correction() {
    let (tree, run) = run();
    for text in ["---\nmode: bad\n---\n".as_bytes(), b"---\nmode: pause\nno end", b"caf\xe9"] {
        tree.put(&at("DISPATCH.md"), text);
        tree.put(&at("dispatch/a"), "A");
        assert!(dispatches::archive(&run, 1).is_err());
        assert_eq!(fs::read(tree.car(&at("DISPATCH.md"))).unwrap(), text);
        assert_eq!(names(&tree.car(&at("dispatch"))), ["a"]);
        assert!(names(&tree.car(&at("dispatch_history"))).is_empty());
    }
    fs::remove_file(tree.car(&at("DISPATCH.md"))).unwrap();
    symlink("/etc/passwd", tree.car(&at("DISPATCH.md"))).unwrap();
    let error = dispatches::archive(&run, 1).unwrap_err();
    assert!(matches!(error, dispatches::MessageFailure::File(e) if e.reason == Reason::Symlink));
}

#[test]
fn an_archiving_that_was_killed_is_finished() {
    // After the message was taken, and after some of the attachments were.
    for taken in [&["DISPATCH.md"][..], &["DISPATCH.md", "a"]] {
        let (tree, run) = run();
        for name in ["DISPATCH.md", "a", "b"] {
            let place =
                if taken.contains(&name) { "dispatch_history/.staging" } else { "dispatch" };
            tree.put(&at(&format!("{place}/{name}")), name);
        }
        let entry = dispatches::archive(&run, 1).unwrap().unwrap();
        assert_eq!(entry.attachments.len(), 2);
        assert_eq!(names(&tree.car(&at("dispatch_history"))), ["0001"]);
    }
    // Before the message was taken.
    let (tree, run) = run();
    fs::create_dir_all(tree.car(&at("dispatch_history/.staging"))).unwrap();
    assert_eq!(dispatches::archive(&run, 1).unwrap(), None);
    tree.put(&at("DISPATCH.md"), "x");
    assert!(dispatches::archive(&run, 1).unwrap().is_some());
}

#[test]
fn hostile_attachments_are_kept_but_not_served() {
    let (tree, run) = run();
    tree.put(&at("DISPATCH.md"), "x");
    tree.put(&at("dispatch/DISPATCH.md"), "fake");
    tree.put(&at("dispatch/sub/deep"), "y");
    symlink("/etc/passwd", tree.car(&at("dispatch/link"))).unwrap();
    let entry = dispatches::archive(&run, 1).unwrap().unwrap();
    assert_eq!(entry.dispatch.unwrap().body, "x");
    let names: Vec<_> = entry.attachments.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["attachment-DISPATCH.md"]);
    let error = dispatches::read_attachment(&run, 1, "link", 10).unwrap_err();
    assert_eq!(error.reason, Reason::Symlink);
}

#[test]
fn replies_come_by_file_and_through_the_hub_in_one_numbering() {
    let (tree, run) = run();
    // Left by a process that was killed; no process has this id, the system's limit is 2^22.
    tree.put(&at("reply_history/.new-4194305-0/half"), "h");
    assert!(!replies::is_waiting(&run).unwrap());
    let files = [("log.txt".to_owned(), b"L".to_vec())];
    assert_eq!(replies::add(&run, Some("T"), "from the phone", &files).unwrap(), 1);
    tree.put(&at("USER_REPLY.md"), "by hand");
    tree.put(&at("reply/x.png"), "P");
    assert!(replies::is_waiting(&run).unwrap());
    let entry = replies::archive(&run, replies::next_seq(&run).unwrap()).unwrap().unwrap();
    assert_eq!((entry.seq, entry.reply.unwrap().body.as_str()), (2, "by hand"));
    assert!(!replies::is_waiting(&run).unwrap());
    assert_eq!(replies::add(&run, None, "", &[]).unwrap(), 3, "an empty reply is a reply");
    let after: Vec<_> = replies::list_after(&run, 1).unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(after, [2, 3]);
    assert_eq!(names(&tree.car(&at("reply_history"))), ["0001", "0002", "0003"]);
    let first = replies::read(&run, 1).unwrap();
    assert_eq!(first.reply.unwrap().title.as_deref(), Some("T"));
    assert_eq!(replies::read_attachment(&run, 1, "log.txt", 10).unwrap().bytes, b"L");
    for name in ["user_reply.md", "../x", "a b"] {
        assert!(replies::add(&run, None, "x", &[(name.to_owned(), vec![])]).is_err(), "{name}");
    }
}

#[test]
fn replies_at_once_get_numbers_of_their_own() {
    let (_tree, run) = run();
    let mut seqs: Vec<u32> = std::thread::scope(|scope| {
        let adding: Vec<_> =
            (0..20).map(|_| scope.spawn(|| replies::add(&run, None, "x", &[]).unwrap())).collect();
        adding.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=20).collect::<Vec<u32>>());
}

#[test]
fn a_run_directory_holds_evidence_and_cannot_be_elsewhere() {
    let (tree, run) = run();
    run.write_evidence(3, &["ok"]).unwrap();
    run.write_evidence(3, &["again"]).unwrap();
    run.keep_prompt("0001.md", "do it").unwrap();
    run.write_run(&"r").unwrap();
    assert_eq!(tree.text(&at("evidence/0003.json")), "[\n  \"again\"\n]\n");
    assert_eq!(tree.text(&at("prompts/0001.md")), "do it");
    assert_eq!(tree.text(&at("run.json")), "\"r\"\n");
    for id in ["", "..", ".x", "a/b", "../run_1"] {
        assert_eq!(RunDir::create(tree.root(), id).unwrap_err().reason, Reason::Outside, "{id}");
    }
    assert!(RunDir::open(tree.root(), "run_2").unwrap_err().is_not_found());
}
