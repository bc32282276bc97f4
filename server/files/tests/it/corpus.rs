//! The corpus of hostile and broken tickets: each is listed, parsed or with an error, none is
//! hidden, none is fatal, and the sound tickets beside them are not affected.

use crate::Tree;
use car_engine::ticket::{Code, KnownAgents, set_done};
use car_files::{Reason, tickets};
use rustix::fs::{CWD, FileType, Mode};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

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

fn sound(fields: &str) -> Vec<u8> {
    format!("---\nagent: codex\ndone: false\n{fields}---\n\nbody\n").into_bytes()
}

/// Texts by what they are about. Each becomes a file of its own.
fn texts() -> Vec<(&'static str, Vec<u8>, Outcome)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let done = |value: &str| text(&format!("---\nagent: codex\ndone: {value}\n---\n"));
    let utf16: Vec<u8> = "\u{feff}---\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n";
    let big = |bytes: usize| "x".repeat(bytes);
    vec![
        ("empty", text(""), Issue(Code::FileEmpty)),
        ("no-fence", text("agent: codex\ndone: false\n"), Issue(Code::FrontmatterMissing)),
        ("unclosed", text("---\nagent: codex\ndone: false\n"), Issue(Code::FrontmatterUnclosed)),
        ("dots", text("---\nagent: codex\ndone: false\n...\nbody"), Valid),
        ("bom", [b"\xef\xbb\xbf".to_vec(), sound("")].concat(), Issue(Code::ByteOrderMark)),
        ("crlf", text("---\r\nagent: codex\r\ndone: false\r\n---\r\n"), Valid),
        ("lone-cr", text("---\ragent: codex\rdone: false\r---\r"), Valid),
        ("latin1", [sound(""), b"caf\xe9".to_vec()].concat(), Issue(Code::EncodingInvalid)),
        ("utf16", utf16, Issue(Code::EncodingUtf16)),
        ("nul", sound("a: \0\n"), Issue(Code::NulByte)),
        ("esc", sound("a: \x1b[2J\n"), Issue(Code::ControlCharacter)),
        ("bidi", sound("a: \u{202e}x\n"), Issue(Code::HiddenCharacter)),
        ("zero-width", sound("a: \u{200b}x\n"), Issue(Code::HiddenCharacter)),
        ("body-10mb", [sound(""), big(10 << 20).into_bytes()].concat(), Error(is_too_large)),
        ("yaml-10mb", sound(&format!("a: {}\n", big(10 << 20))), Error(is_too_large)),
        (
            "yaml-100kb",
            sound(&format!("a: {}\n", big(100 << 10))),
            Issue(Code::FrontmatterTooLarge),
        ),
        ("deep-flow", sound(&format!("a: {}\n", "[".repeat(20_000))), Issue(Code::YamlTooDeep)),
        ("alias-bomb", sound(bomb), Issue(Code::YamlAlias)),
        ("self-alias", sound("a: &a [*a]\n"), Issue(Code::YamlAlias)),
        ("merge-key", sound("<<: {b: 1}\n"), Issue(Code::YamlMergeKey)),
        ("tag-python", sound("a: !!python/object/apply:os.system [x]\n"), Issue(Code::YamlTag)),
        ("tag-binary", sound("a: !!binary aGk=\n"), Issue(Code::YamlTag)),
        ("done-twice", sound("done: true\n"), Issue(Code::KeyDuplicate)),
        ("same-id-a", sound("ticket_id: tkt_same\n"), Valid),
        ("same-id-b", sound("ticket_id: tkt_same\n"), Valid),
        ("done-yes", done("yes"), Issue(Code::DoneOldBoolean)),
        ("done-quoted", done("\"false\""), Issue(Code::DoneNotBoolean)),
        ("done-1", done("1"), Issue(Code::DoneNotBoolean)),
        ("done-null", done("null"), Issue(Code::DoneNotBoolean)),
        ("norway", text("---\nagent: no\ndone: false\n---\n"), Issue(Code::AgentMissing)),
        ("tabs", sound("a:\n\tb: 1\n"), Issue(Code::YamlSyntax)),
        ("list", text("---\n- agent: codex\n---\n"), Issue(Code::FrontmatterNotMapping)),
        ("scalar", text("---\ncodex\n---\n"), Issue(Code::FrontmatterNotMapping)),
        ("int-5000", sound(&format!("a: {}\n", "9".repeat(5000))), Valid),
        ("nan", sound("a: .nan\nb: -.inf\n"), Valid),
        ("dates", sound("a: 2024-02-30\nb: 2001-12-14t21:59:43.10-05:00\n"), Valid),
        ("unknown-keys", sound("depends_on: [TICKET-001]\nzz: {y: 1}\n"), Valid),
        ("comments", sound("# why\ntitle: x # what\n"), Valid),
        ("key-order", text("---\nz: 1\ndone: false\na: 2\nagent: codex\n---\n"), Valid),
        ("trailing-blanks", text("---   \nagent: codex  \ndone: false \t\n---\t\n"), Valid),
        ("no-final-newline", text("---\nagent: codex\ndone: false\n---\nend"), Valid),
        ("half-written", text("---\nagent: codex\ndo"), Issue(Code::FrontmatterUnclosed)),
        (
            "conflict",
            sound("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n"),
            Issue(Code::ConflictMarker),
        ),
    ]
}

fn is_too_large(reason: &Reason) -> bool {
    matches!(reason, Reason::TooLarge { .. })
}

/// Files whose name is what they are about.
fn odd_names() -> Vec<(OsString, Outcome)> {
    let long = format!("TICKET-900{}.md", "x".repeat(255 - 13));
    assert_eq!(long.len(), 255);
    let misnamed = || Issue(Code::NameInvalid);
    vec![
        ("TICKET-1.md".into(), misnamed()),
        ("TICKET-0901.md".into(), Valid),
        (format!("TICKET-{}.md", "9".repeat(20)).into(), misnamed()),
        ("TICKET-902 ünï-suffix (copy).md".into(), Valid),
        ("ticket-903-CASE.MD".into(), Valid),
        (
            OsString::from_vec(b"TICKET-904-\xff.md".to_vec()),
            Error(|r| matches!(r, Reason::Malformed(_))),
        ),
        ("TICKET-905\nx.md".into(), misnamed()),
        ("-TICKET-906.md".into(), misnamed()),
        (long.into(), Valid),
        ("TICKET-907.txt".into(), misnamed()),
    ]
}

/// Names that editors and tools leave behind; they are not part of the queue.
const SCRATCH: [&str; 8] = [
    ".TICKET-001.md.swp",
    "TICKET-001.md~",
    "#TICKET-001.md#",
    "TICKET-001.md.tmp",
    ".#TICKET-001.md",
    "AGENTS.md",
    "ingest_state.json",
    ".car-1-2.tmp",
];

/// Makes everything that is not a regular file, and returns what becomes of each.
fn special_files(tree: &Tree) -> Vec<(String, Outcome)> {
    let outside = tree.root().join("outside.md");
    fs::write(&outside, sound("")).unwrap();
    fs::write(tree.ticket("TICKET-800.md"), sound("")).unwrap();
    symlink("TICKET-800.md", tree.ticket("TICKET-801.md")).unwrap();
    symlink(&outside, tree.ticket("TICKET-802.md")).unwrap();
    symlink("nowhere", tree.ticket("TICKET-803.md")).unwrap();
    symlink("TICKET-804.md", tree.ticket("TICKET-804.md")).unwrap();
    rustix::fs::mkfifoat(CWD, tree.ticket("TICKET-805.md"), Mode::RUSR | Mode::WUSR).unwrap();
    drop(UnixListener::bind(tree.ticket("TICKET-806.md")).unwrap());
    fs::create_dir(tree.ticket("TICKET-807.md")).unwrap();
    fs::write(tree.ticket("TICKET-808.md"), sound("")).unwrap();
    fs::set_permissions(tree.ticket("TICKET-808.md"), fs::Permissions::from_mode(0o000)).unwrap();
    let mut made = vec![("TICKET-800.md".to_owned(), Valid)];
    for number in 801..=804 {
        made.push((format!("TICKET-{number}.md"), Error(|r| *r == Reason::Symlink)));
    }
    made.push(("TICKET-805.md".to_owned(), Error(|r| *r == Reason::Fifo)));
    made.push(("TICKET-806.md".to_owned(), Error(|r| *r == Reason::Socket)));
    made.push(("TICKET-807.md".to_owned(), Error(|r| *r == Reason::Directory)));
    // The superuser may read anything.
    let unreadable = fs::read(tree.ticket("TICKET-808.md")).is_err();
    made.push((
        "TICKET-808.md".to_owned(),
        if unreadable { Error(|r| *r == Reason::Denied) } else { Valid },
    ));
    // A device needs privileges to make; the null device is harmless if it is opened after all.
    let null = rustix::fs::makedev(1, 3);
    let path = tree.ticket("TICKET-809.md");
    if rustix::fs::mknodat(CWD, &path, FileType::CharacterDevice, Mode::RUSR, null).is_ok() {
        made.push(("TICKET-809.md".to_owned(), Error(|r| *r == Reason::Device)));
    }
    made
}

#[test]
fn every_file_is_listed_and_none_is_fatal() {
    let tree = Tree::new();
    let mut expected: Vec<(OsString, Outcome)> = Vec::new();
    for (index, (about, bytes, outcome)) in texts().into_iter().enumerate() {
        let name = format!("TICKET-{:03}-{about}.md", index + 1);
        fs::write(tree.ticket(&name), bytes).unwrap();
        expected.push((name.into(), outcome));
    }
    for (name, outcome) in odd_names() {
        fs::write(tree.car("tickets").join(&name), sound("")).unwrap();
        expected.push((name, outcome));
    }
    let special = special_files(&tree).into_iter();
    expected.extend(special.map(|(name, outcome)| (name.into(), outcome)));
    for name in SCRATCH {
        fs::write(tree.ticket(name), "scratch").unwrap();
    }
    fs::create_dir(tree.ticket("subdirectory")).unwrap();
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
    for (about, bytes, _) in texts() {
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
        fs::write(tree.ticket(&format!("TICKET-{number:03}.md")), sound("")).unwrap();
    }
    fs::write(tree.ticket("TICKET-5000-from-a-branch.md"), sound("")).unwrap();
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
        fs::write(tree.ticket(&format!("TICKET-{number:03}.md")), sound("")).unwrap();
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = fs::remove_file(tree.ticket("TICKET-010.md"));
                fs::write(tree.ticket("TICKET-010.md.tmp"), sound("title: new\n")).unwrap();
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
