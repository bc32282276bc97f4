//! Shims that were started by another version of the program.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use car_shim::{ConnError, Entry, EntryKind, Exit, Found, Line, Status};

use crate::harness::{exit, next, script, soon, until};

/// What a shim of version 1 said and heard (`>` is the controller), its journal and its state, as
/// they were recorded. They stay as they are for as long as that version is spoken.
fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/version-1")
}

/// A peer that says its part when it was told exactly what the recorded one was.
fn replay(dir: &Path) -> JoinHandle<()> {
    fs::copy(recorded().join("shim.json"), dir.join("shim.json")).unwrap();
    let listener = UnixListener::bind(dir.join("shim.sock")).unwrap();
    let conversation = fs::read_to_string(recorded().join("conversation.txt")).unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let (mut heard, mut said) = (BufReader::new(&stream), &stream);
        for line in conversation.lines() {
            match line.split_at(2) {
                ("> ", words) => {
                    let mut line = String::new();
                    heard.read_line(&mut line).unwrap();
                    assert_eq!(line.trim_end(), words);
                }
                (_, words) => writeln!(said, "{words}").unwrap(),
            }
        }
    })
}

#[tokio::test]
async fn a_shim_of_version_1_is_understood() {
    let dir = tempfile::tempdir().unwrap();
    let peer = replay(dir.path());
    let mut conn = soon(car_shim::attach(dir.path(), 1)).await.unwrap();
    assert_eq!((conn.hello.id.as_str(), conn.hello.version), ("recorded", 1));
    assert!(conn.hello.alive && (conn.hello.first, conn.hello.last) == (1, 1));
    let mut seen = vec![next(&mut conn).await];
    conn.control.send(r#"{"a":1}"#).await.unwrap();
    for _ in 2..=6 {
        seen.push(next(&mut conn).await);
    }
    conn.control.leave().await.unwrap();
    assert!(matches!(soon(conn.next()).await, Err(ConnError::Refused(_))));
    conn.control.ack(3).await.unwrap();
    conn.control.stop(Some(Duration::from_millis(200))).await.unwrap();
    seen.push(next(&mut conn).await);
    conn.control.ack(7).await.unwrap();
    conn.control.leave().await.unwrap();
    peer.join().unwrap();

    let line = |text: &str, lossy| Line { line: text.to_owned(), cut: None, lossy };
    let kinds: Vec<_> = seen.iter().map(|entry| entry.kind.clone()).collect();
    assert_eq!(kinds[1], EntryKind::In(r#"{"a":1}"#.to_owned()));
    assert_eq!(kinds[2], EntryKind::Out(line(r#"got {"a":1}"#, false)));
    assert_eq!(kinds[3], EntryKind::Out(line("odd \u{fffd}", true)));
    assert_eq!(kinds[5], EntryKind::Err(line("oops", false)));
    let ended = Exit { code: None, signal: Some(15), killed: 0, left: 0 };
    assert_eq!(kinds[6], EntryKind::Exit(ended));

    // And from its files, when it is gone.
    let found: Vec<Entry> = car_shim::read_journal(&recorded(), 1)
        .unwrap()
        .map(|found| match found.unwrap() {
            Found::Entry(entry) => entry,
            broken @ (Found::Missing { .. } | Found::Torn { .. }) => panic!("{broken:?}"),
        })
        .collect();
    assert_eq!(found, seen);
    let Status::Dead(Some(state)) = car_shim::status(&recorded()).unwrap() else { panic!() };
    assert!(state.is_spoken());
}

#[tokio::test]
async fn one_of_an_unknown_version_is_not_attached_to_and_can_be_stopped() {
    let run = script("read x").with(|options| options.grace = Duration::from_secs(60)).start();
    // From the first line on, so that the run's end is seen.
    let mut conn = run.attach(1).await;
    let file = run.dir().join("shim.json");
    let state = fs::read_to_string(&file).unwrap();
    for version in ["0", "2"] {
        let other = state.replace(r#""version":1"#, &format!(r#""version":{version}"#));
        assert_ne!(other, state);
        fs::write(&file, other).unwrap();
        let Status::Alive(seen) = car_shim::status(run.dir()).unwrap() else { panic!() };
        assert!(!seen.is_spoken());
        let refused = soon(car_shim::attach(run.dir(), 1)).await.unwrap_err();
        assert!(matches!(refused, ConnError::Version(_)), "{refused}");
    }
    car_shim::stop(run.dir(), None).await.unwrap();
    assert_eq!(exit(&mut conn).await.signal, Some(15));
    conn.control.ack(2).await.unwrap();
    conn.control.leave().await.unwrap();
    until("the shim leaves", || !run.is_alive()).await;
}
