//! The corpus of hostile and broken tickets: each is listed, parsed or with an error, none is
//! hidden, none is fatal, and the sound tickets beside them are not affected.

use crate::{Tree, hostile};
use car_engine::ticket::{Code, KnownAgents, set_done};
use car_files::{Reason, tickets};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;

/// What becomes of a file.
enum Outcome {
    /// A sound ticket, perhaps with warnings.
    Valid,
    /// Readable, with at least this issue.
    Issue(Code),
    /// Not readable, for a reason that this accepts.
    Error(fn(&Reason) -> bool),
}
use Outcome::{Error, Issue, Valid};

/// What becomes of a text.
fn of_text(about: &str) -> Outcome {
    match about {
        "empty" => Issue(Code::FileEmpty),
        "no-fence" => Issue(Code::FrontmatterMissing),
        "unclosed" | "half-written" => Issue(Code::FrontmatterUnclosed),
        "bom" => Issue(Code::ByteOrderMark),
        "latin1" => Issue(Code::EncodingInvalid),
        "utf16" => Issue(Code::EncodingUtf16),
        "nul" => Issue(Code::NulByte),
        "esc" => Issue(Code::ControlCharacter),
        "bidi" | "zero-width" => Issue(Code::HiddenCharacter),
        "body-10mb" | "yaml-10mb" => Error(is_too_large),
        "yaml-100kb" => Issue(Code::FrontmatterTooLarge),
        "deep-flow" => Issue(Code::YamlTooDeep),
        "alias-bomb" | "self-alias" => Issue(Code::YamlAlias),
        "merge-key" => Issue(Code::YamlMergeKey),
        "tag-python" | "tag-binary" => Issue(Code::YamlTag),
        "done-twice" => Issue(Code::KeyDuplicate),
        "done-yes" => Issue(Code::DoneOldBoolean),
        "done-quoted" | "done-1" | "done-null" => Issue(Code::DoneNotBoolean),
        "norway" => Issue(Code::AgentMissing),
        "tabs" => Issue(Code::YamlSyntax),
        "list" | "scalar" => Issue(Code::FrontmatterNotMapping),
        "conflict" => Issue(Code::ConflictMarker),
        _ => Valid,
    }
}

fn is_too_large(reason: &Reason) -> bool {
    matches!(reason, Reason::TooLarge { .. })
}

/// What becomes of a sound ticket under an odd name, by the order of these.
fn of_odd_names() -> [Outcome; 10] {
    let misnamed = || Issue(Code::NameInvalid);
    let malformed = Error(|r| matches!(r, Reason::Malformed(_)));
    [
        misnamed(),
        Valid,
        misnamed(),
        Valid,
        Valid,
        malformed,
        misnamed(),
        misnamed(),
        Valid,
        misnamed(),
    ]
}

/// What becomes of a special file.
fn of_special(tree: &Tree, name: &str) -> Outcome {
    match name {
        "TICKET-801.md" | "TICKET-802.md" | "TICKET-803.md" | "TICKET-804.md" => {
            Error(|r| *r == Reason::Symlink)
        }
        "TICKET-805.md" => Error(|r| *r == Reason::Fifo),
        "TICKET-806.md" => Error(|r| *r == Reason::Socket),
        "TICKET-807.md" => Error(|r| *r == Reason::Directory),
        // The superuser may read anything.
        "TICKET-808.md" if fs::read(tree.ticket(name)).is_err() => Error(|r| *r == Reason::Denied),
        "TICKET-809.md" => Error(|r| *r == Reason::Device),
        _ => Valid,
    }
}

#[test]
fn every_file_is_listed_and_none_is_fatal() {
    let tree = Tree::new();
    let written = hostile::write_all(&tree.car("tickets"), &tree.root().join("outside.md"));
    let texts = hostile::texts().into_iter().map(|(about, _)| of_text(about));
    let mut outcomes: Vec<Outcome> = texts.chain(of_odd_names()).collect();
    let special = written[outcomes.len()..].iter();
    outcomes.extend(special.map(|name| of_special(&tree, name.to_str().unwrap())));
    assert_eq!(written.len(), outcomes.len());
    let expected: Vec<(OsString, Outcome)> = written.into_iter().zip(outcomes).collect();
    assert!(expected.len() >= 60, "{}", expected.len());

    let listing = tickets::list(tree.root(), &KnownAgents::new(["codex"])).unwrap();

    let mut listed: Vec<_> = listing.files.iter().map(|file| file.name.clone()).collect();
    let mut names: Vec<_> = expected.iter().map(|(name, _)| name.clone()).collect();
    listed.sort();
    names.sort();
    assert_eq!(listed, names, "nothing is hidden and nothing is invented");
    for (name, outcome) in &expected {
        let file = listing.files.iter().find(|file| file.name == *name).unwrap();
        let about = format!("{name:?}: {:?}", file.issues());
        match (outcome, &file.content) {
            (Valid, Ok(_)) => assert!(file.is_valid(), "{about}"),
            (Issue(code), Ok(_)) => {
                assert!(file.issues().iter().any(|issue| issue.code == *code), "{about}");
            }
            (Error(accepts), Err(error)) => {
                assert!(accepts(&error.reason), "{about}");
                assert_eq!(file.issues().len(), 1, "{about}");
            }
            (Valid | Issue(_), Err(_)) | (Error(_), Ok(_)) => panic!("{about}"),
        }
        assert!(file.issues().iter().all(|issue| !issue.message.is_empty()));
    }
    let clash = listing.clashes.iter().find(|(_, issue)| issue.code == Code::TicketIdDuplicate);
    let message = &clash.unwrap().1.message;
    assert!(message.contains("same-id-a") && message.contains("same-id-b"), "{message}");
    assert_eq!(listing.clashes.len(), 1);
    let meta = tickets::scan_meta(tree.root()).unwrap();
    assert_eq!(meta.len(), expected.len());
}

#[test]
fn setting_done_and_back_gives_the_same_bytes() {
    let mut tried = 0;
    for (about, bytes) in hostile::texts() {
        let Ok(done) = set_done(&bytes, true) else { continue };
        let back = set_done(&done, false).unwrap();
        // Words other than `false` are replaced by it; everything else must be what it was.
        let plain = String::from_utf8(bytes).unwrap();
        let plain = ["done: yes", "done: \"false\"", "done: 1", "done: null"]
            .iter()
            .fold(plain, |text, old| text.replacen(old, "done: false", 1));
        assert_eq!(String::from_utf8(back).unwrap(), plain, "{about}");
        tried += 1;
    }
    assert!(tried >= 15, "{tried}");
}

#[test]
fn ten_thousand_tickets_and_two_with_one_number() {
    let tree = Tree::new();
    for number in 1..=10_000 {
        fs::write(tree.ticket(&format!("TICKET-{number:03}.md")), hostile::sound("")).unwrap();
    }
    fs::write(tree.ticket("TICKET-5000-from-a-branch.md"), hostile::sound("")).unwrap();
    let listing = tickets::list(tree.root(), &KnownAgents::any()).unwrap();
    assert_eq!(listing.files.len(), 10_001);
    let errors: Vec<_> = listing.errors().collect();
    assert_eq!(errors.len(), 2, "each of the two files is told");
    assert!(errors[0].1.message.contains("`TICKET-5000-from-a-branch.md`, `TICKET-5000.md`"));
}

#[test]
fn a_queue_behind_a_symlink_is_refused_with_its_reason() {
    let tree = Tree::new();
    fs::rename(tree.car("tickets"), tree.root().join("elsewhere")).unwrap();
    symlink(tree.root().join("elsewhere"), tree.car("tickets")).unwrap();
    let error = tickets::list(tree.root(), &KnownAgents::any()).unwrap_err();
    assert_eq!(error.reason, Reason::Symlink);
    fs::remove_file(tree.car("tickets")).unwrap();
    let error = tickets::list(tree.root(), &KnownAgents::any()).unwrap_err();
    assert_eq!(error.reason, Reason::NotFound);
}

#[test]
fn a_file_that_vanishes_or_is_replaced_while_others_are_read_harms_nobody() {
    let tree = Tree::new();
    for number in 1..=20 {
        fs::write(tree.ticket(&format!("TICKET-{number:03}.md")), hostile::sound("")).unwrap();
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = fs::remove_file(tree.ticket("TICKET-010.md"));
                fs::write(tree.ticket("TICKET-010.md.tmp"), hostile::sound("title: new\n"))
                    .unwrap();
                fs::rename(tree.ticket("TICKET-010.md.tmp"), tree.ticket("TICKET-010.md")).unwrap();
            }
        });
        for _ in 0..200 {
            let listing = tickets::list(tree.root(), &KnownAgents::any()).unwrap();
            assert!((19..=20).contains(&listing.files.len()));
            assert_eq!(listing.errors().count(), 0);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
