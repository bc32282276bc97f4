//! Many writers at once: no number twice, no change lost.

use crate::{Tree, names};
use car_engine::ticket::{KnownAgents, TicketDraft, new_ticket};
use car_files::atomic::{WriteError, WriteIf};
use car_files::tickets::{self, ChangeError, Place};
use car_files::{CAR_DIR, Reason, beneath};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn draft(number: u64) -> Vec<u8> {
    let ticket_id = format!("tkt_{number:032x}");
    new_ticket(&TicketDraft { agent: "codex".to_owned(), ticket_id, ..TicketDraft::default() })
}

/// On a slow disk others may hold the directory for as long as a change waits; then it is made again.
fn patiently<T>(mut change: impl FnMut() -> Result<T, ChangeError>) -> T {
    loop {
        match change() {
            Err(ChangeError::Write(WriteError::File(error))) if error.reason == Reason::Busy => {}
            made => return made.unwrap(),
        }
    }
}

#[test]
fn fifty_creates_at_once_get_fifty_numbers() {
    let tree = Tree::new();
    let numbers: BTreeSet<u64> = std::thread::scope(|scope| {
        let creating: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(|| patiently(|| tickets::create(tree.root(), Place::LowestFree, draft)))
            })
            .collect();
        creating.into_iter().map(|thread| thread.join().unwrap().number).collect()
    });
    assert_eq!(numbers, (1..=50).collect());
    let listing = tickets::list(tree.root(), &KnownAgents::any()).unwrap();
    assert_eq!((listing.files.len(), listing.errors().count()), (50, 0));
    assert_eq!(names(&tree.car("tickets")).len(), 50, "nothing is left behind");
}

#[test]
fn readers_never_see_a_queue_with_a_ticket_missing_while_it_is_reordered() {
    let tree = Tree::new();
    for _ in 0..10 {
        tickets::create(tree.root(), Place::Last, draft).unwrap();
    }
    let listed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let moving = scope.spawn(|| {
            for round in 0..20 {
                tickets::move_block(tree.root(), 1, 3, 5).unwrap();
                // Whoever waits has its turn, or would read without the lock in the end.
                let deadline = Instant::now() + Duration::from_secs(240);
                while listed.load(Ordering::Relaxed) < round {
                    assert!(Instant::now() < deadline, "nobody reads any more");
                    std::thread::yield_now();
                }
            }
        });
        while !moving.is_finished() {
            let listing = tickets::list(tree.root(), &KnownAgents::any()).unwrap();
            assert_eq!((listing.files.len(), listing.errors().count()), (10, 0));
            listed.fetch_add(1, Ordering::Relaxed);
        }
    });
}

#[test]
fn an_edit_of_an_editor_that_knows_no_lock_is_never_undone() {
    let tree = Tree::new();
    let name = OsStr::new("TICKET-001.md");
    let revision = |number: u64| {
        let text = String::from_utf8(draft(1)).unwrap();
        fs::write(tree.root().join("edited"), format!("{text}revision {number}\n")).unwrap();
        fs::rename(tree.root().join("edited"), tree.ticket("TICKET-001.md")).unwrap();
    };
    revision(0);
    let last = 2_000;
    std::thread::scope(|scope| {
        let editor = scope.spawn(|| {
            for number in 1..=last {
                revision(number);
                let deadline = Instant::now() + Duration::from_secs(60);
                // A write of the hub may be seen for a moment; it must give way by itself.
                let expected = format!("revision {number}\n");
                let current = || fs::read_to_string(tree.ticket("TICKET-001.md")).unwrap();
                while !current().ends_with(&expected) {
                    assert!(Instant::now() < deadline, "{expected} was undone");
                }
            }
        });
        let mut done = true;
        while !editor.is_finished() {
            // Losing against the editor every time is allowed; overwriting it is not.
            let _ = tickets::set_done(tree.root(), name, done, None);
            done = !done;
        }
        editor.join().unwrap();
    });
    let text = fs::read_to_string(tree.ticket("TICKET-001.md")).unwrap();
    assert!(text.ends_with(&format!("revision {last}\n")), "{text}");
}

#[test]
fn a_conditional_write_is_never_overwritten_by_another() {
    let tree = Tree::new();
    let name = OsStr::new("TICKET-001.md");
    fs::write(tree.ticket("TICKET-001.md"), draft(1)).unwrap();
    // Each editor appends its own line to what it read; the hub flips `done` meanwhile.
    let rounds = 100;
    std::thread::scope(|scope| {
        let hub = scope.spawn(|| {
            for round in 0..rounds {
                patiently(|| tickets::set_done(tree.root(), name, round % 2 == 0, None));
            }
        });
        let people = ["anna", "ben"].map(|person| {
            let tree = &tree;
            scope.spawn(move || {
                for round in 0..rounds {
                    loop {
                        let read = tickets::read_bytes(tree.root(), name).unwrap();
                        let line = format!("{person} {round}\n").into_bytes();
                        let text = [read.bytes, line].concat();
                        match tickets::write(tree.root(), name, &text, WriteIf::Hash(read.hash)) {
                            Ok(_) => break,
                            Err(ChangeError::Write(WriteError::Conflict { current })) => {
                                assert!(current.is_some());
                            }
                            Err(ChangeError::Write(WriteError::File(error)))
                                if error.reason == Reason::Busy => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            })
        });
        hub.join().unwrap();
        for person in people {
            person.join().unwrap();
        }
    });
    let text = fs::read_to_string(tree.ticket("TICKET-001.md")).unwrap();
    for person in ["anna", "ben"] {
        for round in 0..rounds {
            assert!(text.contains(&format!("{person} {round}\n")), "{person} {round}");
        }
    }
    assert!(text.contains("done: false"), "the last value set");
    assert_eq!(names(&tree.car("tickets")), ["TICKET-001.md"]);
}

#[test]
fn an_agent_that_locks_the_queue_for_ever_cannot_hide_it() {
    let tree = Tree::new();
    fs::write(tree.ticket("TICKET-001.md"), draft(1)).unwrap();
    let dir = fs::File::open(tree.car("tickets")).unwrap();
    rustix::fs::flock(&dir, rustix::fs::FlockOperation::LockExclusive).unwrap();
    assert_eq!(tickets::list(tree.root(), &KnownAgents::any()).unwrap().files.len(), 1);
}

#[test]
fn places_are_kept_and_room_is_made() {
    let tree = Tree::new();
    let create = |place| tickets::create(tree.root(), place, draft).map(|placed| placed.number);
    assert_eq!(create(Place::At(5)).unwrap(), 5);
    assert_eq!(create(Place::LowestFree).unwrap(), 1);
    assert_eq!(create(Place::Last).unwrap(), 6);
    assert!(create(Place::At(5)).unwrap_err().to_string().contains("005 is in use"));
    assert_eq!(create(Place::Before(5)).unwrap(), 5);
    let all = ["TICKET-001.md", "TICKET-005.md", "TICKET-006.md", "TICKET-007.md"];
    assert_eq!(names(&tree.car("tickets")), all);
    let renames = tickets::renumber(tree.root()).unwrap();
    assert_eq!(renames.len(), 3);
    tickets::insert_gap(tree.root(), 2, 1).unwrap();
    tickets::move_to(tree.root(), 1, 2).unwrap();
    assert_eq!(names(&tree.car("tickets"))[0], "TICKET-002.md");
}

#[test]
fn leftovers_of_a_dead_writer_are_swept() {
    let tree = Tree::new();
    // No process has this id: the system's limit is 2^22.
    tree.put("tickets/.car-4194305-0.tmp", "half");
    tree.put(&format!("tickets/.car-{}-999999.tmp", std::process::id()), "being written");
    let dir = beneath::Dir::open(tree.root()).unwrap();
    let dir = dir.open_beneath(&Path::new(CAR_DIR).join("tickets")).unwrap();
    car_files::atomic::sweep(&dir).unwrap();
    assert_eq!(names(&tree.car("tickets")), [format!(".car-{}-999999.tmp", std::process::id())]);
}
