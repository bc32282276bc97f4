//! The journal on disk: bounded, and readable in whatever state it was left.

use std::fs;
use std::path::PathBuf;

use car_shim::{EntryKind, Found};
use rustix::process::Signal;

use crate::harness::{exit, next, next_out, script, segments, soon, until};

const MAX: u64 = 1 << 20;

fn total(dir: &std::path::Path) -> u64 {
    segments(dir).iter().map(|(_, bytes)| bytes).sum()
}

#[tokio::test]
async fn without_acknowledgement_the_agent_waits_and_nothing_is_lost() {
    const LINES: u64 = 60_000;
    let run = script(&format!(
        "i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo a line of some length, number $i; done"
    ))
    .with(|options| options.journal_max = MAX)
    .start();
    until("the journal is full", || total(run.dir()) > 2 * MAX).await;
    let (_, agent) = run.processes();
    let wait_channel = || fs::read_to_string(format!("/proc/{}/syscall", agent.pid)).unwrap();
    // 1 is write(2): the agent stands at its full pipe.
    until("the agent waits", || {
        cfg!(not(target_arch = "x86_64")) || wait_channel().starts_with("1 ")
    })
    .await;
    assert!(total(run.dir()) < 2 * MAX + (256 << 10));

    let mut conn = run.attach(1).await;
    for n in 1..=LINES + 2 {
        assert_eq!(next(&mut conn).await.n, n);
        if n % 500 == 0 {
            conn.control.ack(n).await.unwrap();
            assert!(total(run.dir()) < 2 * MAX + (256 << 10));
        }
    }
    conn.control.ack(LINES + 2).await.unwrap();
    conn.control.leave().await.unwrap();
    until("the shim leaves", || !run.is_alive()).await;
    assert!(total(run.dir()) <= MAX + (256 << 10));
}

#[tokio::test]
async fn what_is_deleted_is_told() {
    let run = script(
        "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo a line of some length, number $i; done",
    )
    .with(|options| options.journal_max = MAX)
    .start();
    let mut conn = run.attach(1).await;
    let mut last = 0;
    while last < 40_002 {
        last = next(&mut conn).await.n;
        if last % 100 == 0 {
            conn.control.ack(last).await.unwrap();
        }
    }
    let conn = run.attach(1).await;
    assert!(
        conn.hello.first > 1 && conn.hello.last == last && !conn.hello.alive,
        "{:?}",
        conn.hello
    );
    let first = car_shim::read_journal(run.dir(), 1).unwrap().next().unwrap().unwrap();
    assert_eq!(first, Found::Missing { from: 1, to: conn.hello.first - 1 });
    assert!(matches!(
        car_shim::read_journal(run.dir(), last).unwrap().next(),
        Some(Ok(Found::Entry(entry))) if matches!(entry.kind, EntryKind::Exit(_))
    ));
}

#[tokio::test]
async fn a_journal_is_read_from_a_dead_shim_with_every_wound_named() {
    let run = script("i=0; while :; do i=$((i+1)); echo a line of some length, number $i; done")
        .with(|options| options.journal_max = MAX)
        .start();
    until("some segments are there", || segments(run.dir()).len() > 4).await;
    run.processes().0.signal(Signal::KILL).unwrap();
    until("the shim is dead", || !run.is_alive()).await;

    let first_of = |path: &PathBuf| -> u64 {
        let text = fs::read_to_string(path).unwrap();
        text.strip_prefix("{\"n\":").unwrap().split(',').next().unwrap().parse().unwrap()
    };
    let mut files: Vec<PathBuf> = segments(run.dir()).into_iter().map(|(path, _)| path).collect();
    // The newest may have been begun in the very moment.
    let newest = files.last().unwrap();
    if fs::read_to_string(newest).unwrap().matches('\n').count() < 10 {
        fs::remove_file(newest).unwrap();
        files.pop();
    }
    let (third, fourth) = (first_of(&files[2]), first_of(&files[3]));

    // Cut the last segment within its tenth line, lose the third, damage a line of the second.
    let last = files.last().unwrap();
    let text = fs::read_to_string(last).unwrap();
    let start: usize = text.split_inclusive('\n').take(9).map(str::len).sum();
    let torn_n = first_of(last) + 9;
    fs::write(last, &text[..start + 12]).unwrap();
    fs::remove_file(&files[2]).unwrap();
    let second = fs::read_to_string(&files[1]).unwrap();
    let damaged = first_of(&files[1]) + 1;
    fs::write(&files[1], second.replacen(&format!("{{\"n\":{damaged},"), "{\"n\":#,", 1)).unwrap();

    let mut expected = 1;
    let mut wounds = Vec::new();
    for found in car_shim::read_journal(run.dir(), 1).unwrap() {
        match found.unwrap() {
            Found::Entry(entry) => {
                assert_eq!(entry.n, expected);
                expected += 1;
            }
            missing @ Found::Missing { to, .. } => {
                wounds.push(missing);
                expected = to + 1;
            }
            torn @ Found::Torn { .. } => wounds.push(torn),
        }
    }
    assert_eq!(
        wounds,
        [
            Found::Missing { from: damaged, to: damaged },
            Found::Missing { from: third, to: fourth - 1 },
            Found::Torn { n: torn_n, bytes: 12 },
        ]
    );
}

#[tokio::test]
async fn a_journal_can_be_read_from_anywhere_while_it_is_written() {
    let run = script("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo a line of some length, number $i; done; read x")
        .with(|options| options.journal_max = MAX)
        .start();
    let mut next = 1;
    until("all is read", || {
        for found in car_shim::read_journal(run.dir(), next).unwrap() {
            match found.unwrap() {
                Found::Entry(entry) => {
                    assert_eq!(entry.n, next);
                    next += 1;
                }
                Found::Torn { n, .. } => assert_eq!(n, next),
                missing @ Found::Missing { .. } => panic!("{missing:?}"),
            }
        }
        next == 20_002
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_waited_out() {
    // A limit on file sizes is the want of space that any user can make.
    let run = script("echo one; read x; echo \"<$x>\"").start();
    let mut conn = run.attach(1).await;
    assert_eq!(next_out(&mut conn).await, "one");
    let (shim, _) = run.processes();
    let limit = |bytes: &str| {
        let pid = shim.pid.to_string();
        let done = std::process::Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")])
            .status();
        done.is_ok_and(|status| status.success())
    };
    assert!(limit("1"), "prlimit, of util-linux, is needed");
    conn.control.send("refused").await.unwrap();
    let refused = soon(conn.next()).await.unwrap_err();
    assert!(matches!(refused, car_shim::ConnError::Refused(_)), "{refused}");
    assert_eq!(run.entries().len(), 2, "a refused line leaves no trace");
    assert!(limit("unlimited"));
    conn.control.send("taken").await.unwrap();
    assert_eq!(next_out(&mut conn).await, "<taken>");
    exit(&mut conn).await;
    assert_eq!(run.entries().len(), 5);
}

fn is_exit(kind: &EntryKind) -> bool {
    matches!(kind, EntryKind::Exit(_))
}

#[tokio::test]
async fn whatever_dies_when_every_line_the_agent_got_is_in_the_journal() {
    for round in 0..30_u32 {
        let run = script("while read -r x; do echo $x >>\"$0\"; echo $x; done");
        let got = run.dir().with_file_name("got");
        let run = run.with(|options| options.command.push(got.clone().into())).start();
        let mut conn = run.attach(1).await;
        let (shim, agent) = run.processes();
        // The moment is spread by how many lines were heard back, not by a clock.
        for i in 0..200 {
            conn.control.send(format!("line-{i}")).await.unwrap();
        }
        for _ in 0..round * 7 {
            next(&mut conn).await;
        }
        if round % 3 == 2 {
            agent.signal(Signal::KILL).unwrap();
            // What was sent too late is refused before the end is told.
            while !matches!(soon(conn.next()).await, Ok(entry) if is_exit(&entry.kind)) {}
        } else {
            shim.signal(Signal::KILL).unwrap();
            until("both are dead", || !run.is_alive() && !agent.is_alive()).await;
        }
        let journal: Vec<String> = car_shim::read_journal(run.dir(), 1)
            .unwrap()
            .filter_map(|found| match found.unwrap() {
                Found::Entry(entry) => match entry.kind {
                    EntryKind::In(line) => Some(line),
                    EntryKind::Start { .. }
                    | EntryKind::Out(_)
                    | EntryKind::Err(_)
                    | EntryKind::Exit(_) => None,
                },
                Found::Torn { .. } => None,
                missing @ Found::Missing { .. } => panic!("{missing:?}"),
            })
            .collect();
        let got = fs::read_to_string(got).unwrap_or_default();
        let got: Vec<&str> = got.lines().collect();
        assert!(got.len() <= journal.len(), "round {round}");
        assert_eq!(got, journal[..got.len()], "round {round}");
    }
}
