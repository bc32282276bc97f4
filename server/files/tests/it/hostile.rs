//! Tickets nobody should have written: broken, hostile, or merely odd. Only what lies on the disk;
//! what becomes of it is for those to say who read it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode};

/// A sound ticket with further lines of frontmatter.
pub(crate) fn sound(fields: &str) -> Vec<u8> {
    format!("---\nagent: codex\ndone: false\n{fields}---\n\nbody\n").into_bytes()
}

/// Texts by what they are about. Each becomes a file of its own, see [`name_of`].
pub(crate) fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let done = |value: &str| text(&format!("---\nagent: codex\ndone: {value}\n---\n"));
    let utf16: Vec<u8> = "\u{feff}---\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n";
    let big = |bytes: usize| "x".repeat(bytes);
    vec![
        ("empty", text("")),
        ("no-fence", text("agent: codex\ndone: false\n")),
        ("unclosed", text("---\nagent: codex\ndone: false\n")),
        ("dots", text("---\nagent: codex\ndone: false\n...\nbody")),
        ("bom", [b"\xef\xbb\xbf".to_vec(), sound("")].concat()),
        ("crlf", text("---\r\nagent: codex\r\ndone: false\r\n---\r\n")),
        ("lone-cr", text("---\ragent: codex\rdone: false\r---\r")),
        ("latin1", [sound(""), b"caf\xe9".to_vec()].concat()),
        ("utf16", utf16),
        ("nul", sound("a: \0\n")),
        ("esc", sound("a: \x1b[2J\n")),
        ("bidi", sound("a: \u{202e}x\n")),
        ("zero-width", sound("a: \u{200b}x\n")),
        ("body-10mb", [sound(""), big(10 << 20).into_bytes()].concat()),
        ("yaml-10mb", sound(&format!("a: {}\n", big(10 << 20)))),
        ("yaml-100kb", sound(&format!("a: {}\n", big(100 << 10)))),
        ("deep-flow", sound(&format!("a: {}\n", "[".repeat(20_000)))),
        ("alias-bomb", sound(bomb)),
        ("self-alias", sound("a: &a [*a]\n")),
        ("merge-key", sound("<<: {b: 1}\n")),
        ("tag-python", sound("a: !!python/object/apply:os.system [x]\n")),
        ("tag-binary", sound("a: !!binary aGk=\n")),
        ("done-twice", sound("done: true\n")),
        ("same-id-a", sound("ticket_id: tkt_same\n")),
        ("same-id-b", sound("ticket_id: tkt_same\n")),
        ("done-yes", done("yes")),
        ("done-quoted", done("\"false\"")),
        ("done-1", done("1")),
        ("done-null", done("null")),
        ("norway", text("---\nagent: no\ndone: false\n---\n")),
        ("tabs", sound("a:\n\tb: 1\n")),
        ("list", text("---\n- agent: codex\n---\n")),
        ("scalar", text("---\ncodex\n---\n")),
        ("int-5000", sound(&format!("a: {}\n", "9".repeat(5000)))),
        ("nan", sound("a: .nan\nb: -.inf\n")),
        ("dates", sound("a: 2024-02-30\nb: 2001-12-14t21:59:43.10-05:00\n")),
        ("unknown-keys", sound("depends_on: [TICKET-001]\nzz: {y: 1}\n")),
        ("comments", sound("# why\ntitle: x # what\n")),
        ("key-order", text("---\nz: 1\ndone: false\na: 2\nagent: codex\n---\n")),
        ("trailing-blanks", text("---   \nagent: codex  \ndone: false \t\n---\t\n")),
        ("no-final-newline", text("---\nagent: codex\ndone: false\n---\nend")),
        ("half-written", text("---\nagent: codex\ndo")),
        ("conflict", sound("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n")),
    ]
}

/// The file of a text, by its place among them.
pub(crate) fn name_of(place: usize, about: &str) -> String {
    format!("TICKET-{:03}-{about}.md", place + 1)
}

/// Names that are what a file is about; each holds a sound ticket.
pub(crate) fn odd_names() -> Vec<OsString> {
    let long = format!("TICKET-900{}.md", "x".repeat(255 - 13));
    assert_eq!(long.len(), 255);
    vec![
        "TICKET-1.md".into(),
        "TICKET-0901.md".into(),
        format!("TICKET-{}.md", "9".repeat(20)).into(),
        "TICKET-902 ünï-suffix (copy).md".into(),
        "ticket-903-CASE.MD".into(),
        OsString::from_vec(b"TICKET-904-\xff.md".to_vec()),
        "TICKET-905\nx.md".into(),
        "-TICKET-906.md".into(),
        long.into(),
        "TICKET-907.txt".into(),
    ]
}

/// Names that editors and tools leave behind; they are not part of the queue.
pub(crate) const SCRATCH: [&str; 8] = [
    ".TICKET-001.md.swp",
    "TICKET-001.md~",
    "#TICKET-001.md#",
    "TICKET-001.md.tmp",
    ".#TICKET-001.md",
    "AGENTS.md",
    "ingest_state.json",
    ".car-1-2.tmp",
];

/// Makes everything that is not a regular file, and one nobody may read; gives their names.
pub(crate) fn special_files(tickets: &Path, outside: &Path) -> Vec<String> {
    let ticket = |number: u32| tickets.join(format!("TICKET-{number}.md"));
    fs::write(outside, sound("")).unwrap();
    fs::write(ticket(800), sound("")).unwrap();
    symlink("TICKET-800.md", ticket(801)).unwrap();
    symlink(outside, ticket(802)).unwrap();
    symlink("nowhere", ticket(803)).unwrap();
    symlink("TICKET-804.md", ticket(804)).unwrap();
    rustix::fs::mkfifoat(CWD, ticket(805), Mode::RUSR | Mode::WUSR).unwrap();
    drop(UnixListener::bind(ticket(806)).unwrap());
    fs::create_dir(ticket(807)).unwrap();
    fs::write(ticket(808), sound("")).unwrap();
    fs::set_permissions(ticket(808), fs::Permissions::from_mode(0o000)).unwrap();
    let mut last = 808;
    // A device needs privileges to make; the null device is harmless if it is opened after all.
    let null = rustix::fs::makedev(1, 3);
    if rustix::fs::mknodat(CWD, ticket(809), FileType::CharacterDevice, Mode::RUSR, null).is_ok() {
        last = 809;
    }
    (800..=last).map(|number| format!("TICKET-{number}.md")).collect()
}

/// Writes all of it into a queue; gives the names of the files that belong to it.
pub(crate) fn write_all(tickets: &Path, outside: &Path) -> Vec<OsString> {
    let mut written = Vec::new();
    for (place, (about, bytes)) in texts().into_iter().enumerate() {
        let name = name_of(place, about);
        fs::write(tickets.join(&name), bytes).unwrap();
        written.push(name.into());
    }
    for name in odd_names() {
        fs::write(tickets.join(&name), sound("")).unwrap();
        written.push(name);
    }
    written.extend(special_files(tickets, outside).into_iter().map(Into::into));
    for name in SCRATCH {
        fs::write(tickets.join(name), "scratch").unwrap();
    }
    fs::create_dir(tickets.join("subdirectory")).unwrap();
    written
}
