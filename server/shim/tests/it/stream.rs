//! What goes through the socket.

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use rustix::process::Signal;

use car_shim::{ConnError, EntryKind, Exit, Line};

use crate::harness::{Run, exit, next, next_out, script, soon, until};

fn out(line: &str) -> EntryKind {
    EntryKind::Out(Line { line: line.into(), cut: None, lossy: false })
}

#[tokio::test]
async fn a_line_goes_in_and_comes_back() {
    let run = script("while read -r x; do printf '<%s>\\n' \"$x\"; done; echo bye >&2").start();
    let mut conn = run.attach(1).await;
    assert_eq!(conn.hello.id, run.options.id);
    assert!(conn.hello.alive);
    let (_, agent) = run.processes();
    assert_eq!((conn.hello.pid, conn.hello.starttime), (agent.pid, agent.starttime));

    conn.control.send("{\"a\": \"ü\\n\"}").await.unwrap();
    let mut seen = Vec::new();
    for n in 1..=3 {
        let entry = next(&mut conn).await;
        assert_eq!(entry.n, n);
        seen.push(entry);
    }
    let start = EntryKind::Start { pid: agent.pid, starttime: agent.starttime, argv0: "sh".into() };
    assert_eq!(seen[0].kind, start);
    assert_eq!(seen[1].kind, EntryKind::In("{\"a\": \"ü\\n\"}".into()));
    assert_eq!(seen[2].kind, out("<{\"a\": \"ü\\n\"}>"));

    conn.control.eof().await.unwrap();
    let bye = Line { line: "bye".into(), cut: None, lossy: false };
    seen.push(next(&mut conn).await);
    assert_eq!(seen[3].kind, EntryKind::Err(bye));
    seen.push(next(&mut conn).await);
    let clean = Exit { code: Some(0), signal: None, killed: 0, left: 0 };
    assert_eq!(seen[4].kind, EntryKind::Exit(clean));
    assert_eq!(run.entries(), seen, "the disk and the socket say the same");
    assert!(seen.is_sorted_by_key(|entry| entry.at_us));
}

#[tokio::test]
async fn the_shim_leaves_when_the_exit_is_acknowledged_and_not_before() {
    let run = script("read x").start();
    let mut conn = run.attach(1).await;
    next(&mut conn).await;
    conn.control.leave().await.unwrap();
    let refused = soon(conn.next()).await.unwrap_err();
    assert!(matches!(refused, ConnError::Refused(_)), "{refused}");
    conn.control.send("now").await.unwrap();
    exit(&mut conn).await;
    conn.control.leave().await.unwrap();
    let refused = soon(conn.next()).await.unwrap_err();
    assert!(matches!(refused, ConnError::Refused(_)), "{refused}");
    assert!(run.is_alive());
    conn.control.ack(3).await.unwrap();
    conn.control.leave().await.unwrap();
    assert!(matches!(soon(conn.next()).await, Err(ConnError::Closed)));
    until("the shim leaves", || !run.is_alive()).await;
    assert!(matches!(car_shim::attach(run.dir(), 1).await, Err(ConnError::Gone(_))));
    assert_eq!(run.entries().len(), 3);
}

/// A controller that closes its end does not take back what it said before.
#[tokio::test]
async fn what_was_said_before_the_connection_ended_is_done() {
    // It reads no more when the end comes, and says what is to be done after that.
    let run = script("read x").start();
    let mut stream = attached(&run);
    stream.shutdown(Shutdown::Read).unwrap();
    stream.write_all(b"{\"send\":\"now\"}\n").unwrap();
    until("the agent ends", || run.entries().len() == 3).await;
    stream.write_all(b"{\"ack\":3}\n{\"leave\":true}\n").unwrap();
    until("the shim leaves", || !run.is_alive()).await;

    // It goes away with an answer it has not read.
    let run = script("exit 0").start();
    until("the agent ends", || run.entries().len() == 2).await;
    let mut stream = attached(&run);
    until("the journal is there", || rustix::io::ioctl_fionread(&stream).unwrap() > 0).await;
    let (shim, _) = run.processes();
    shim.signal(Signal::STOP).unwrap();
    stream.write_all(b"{\"ack\":2}\n{\"leave\":true}\n").unwrap();
    drop(stream);
    shim.signal(Signal::CONT).unwrap();
    until("the shim leaves", || !run.is_alive()).await;
}

/// A controller that speaks for itself. It has read that it is one, and nothing else.
fn attached(run: &Run) -> UnixStream {
    let mut stream = UnixStream::connect(run.dir().join("shim.sock")).unwrap();
    stream.write_all(b"{\"attach\":1,\"version\":1}\n").unwrap();
    let mut hello = String::new();
    // A byte at a time: what comes after it stays where it is.
    BufReader::with_capacity(1, stream.try_clone().unwrap()).read_line(&mut hello).unwrap();
    assert!(hello.contains("hello"), "{hello}");
    stream
}

#[tokio::test]
async fn an_agent_that_has_ended_is_sent_nothing() {
    let run = script("exit 0").start();
    let mut conn = run.attach(1).await;
    exit(&mut conn).await;
    conn.control.send("late").await.unwrap();
    let refused = soon(conn.next()).await.unwrap_err();
    assert!(matches!(refused, ConnError::Refused(_)), "{refused}");
    assert!(matches!(run.entries().pop().unwrap().kind, EntryKind::Exit(_)), "the end is the last");
}

#[tokio::test]
async fn attaching_again_and_again_leaves_no_gap_and_repeats_nothing() {
    // Small segments, so that the places to go on from are spread over many of them.
    let run = script("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo line $i of many; done")
        .with(|options| options.journal_max = 1 << 20)
        .start();
    let mut expected = 1;
    'attached: loop {
        let mut conn = run.attach(expected).await;
        for _ in 0..expected % 1700 + 1 {
            let entry = next(&mut conn).await;
            assert_eq!(entry.n, expected);
            expected += 1;
            match entry.kind {
                EntryKind::Start { .. } => assert_eq!(entry.n, 1),
                EntryKind::Out(text) => {
                    assert_eq!(text.line, format!("line {} of many", entry.n - 1))
                }
                EntryKind::Exit(_) => break 'attached,
                other @ (EntryKind::In(_) | EntryKind::Err(_)) => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(expected, 20_003);
}

#[tokio::test]
async fn a_second_controller_replaces_the_first() {
    let run = script("while read -r x; do echo $x; done").start();
    let mut first = run.attach(1).await;
    first.control.send("one").await.unwrap();
    assert_eq!(next_out(&mut first).await, "one");
    let mut second = run.attach(1).await;
    assert!(matches!(soon(first.next()).await, Err(ConnError::Closed)));
    assert_eq!(next_out(&mut second).await, "one");
    second.control.send("two").await.unwrap();
    assert_eq!(next_out(&mut second).await, "two");
}

#[tokio::test]
async fn a_line_that_cannot_be_delivered_is_refused_and_not_in_the_journal() {
    let run = script("exec <&-; echo closed; sleep 1000").start();
    let mut conn = run.attach(1).await;
    assert_eq!(next_out(&mut conn).await, "closed");
    assert!(matches!(conn.control.send("a\nb").await, Err(ConnError::Refused(_))));
    conn.control.eof().await.unwrap();
    conn.control.send("late").await.unwrap();
    let refused = soon(conn.next()).await.unwrap_err();
    assert!(matches!(refused, ConnError::Refused(_)), "{refused}");
    assert_eq!(run.entries().len(), 2);
}

#[tokio::test]
async fn a_line_far_larger_than_a_pipe_goes_in_whole() {
    let run = script("read -r x; echo ${#x}").start();
    let mut conn = run.attach(1).await;
    conn.control.send("x".repeat(3 << 20)).await.unwrap();
    assert_eq!(next_out(&mut conn).await, (3 << 20).to_string());
}

#[tokio::test]
async fn bytes_that_are_no_text_are_marked() {
    let run = script(r"printf 'a\000b\377c\r\n\nno end'").start();
    let mut conn = run.attach(2).await;
    let line = Line { line: "a\0b\u{FFFD}c\r".into(), cut: None, lossy: true };
    assert_eq!(next(&mut conn).await.kind, EntryKind::Out(line));
    assert_eq!(next(&mut conn).await.kind, out(""));
    assert_eq!(next(&mut conn).await.kind, out("no end"));
}
