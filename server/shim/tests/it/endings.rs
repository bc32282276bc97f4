//! How runs end, and that nothing of them stays.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use car_shim::{EntryKind, Exit, Process};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::harness::{Run, SHIM, exit, next_out, script, soon, until};

/// Ways to get away from a parent; each says the id of the process that stays.
const DETACHED: &[&str] = &[
    "setsid sh -c 'echo $$; exec sleep 1000' &",
    "nohup sh -c 'echo $$; exec sleep 1000' 2>&1 &",
    "(setsid sh -c '(echo $(exec sh -c \"echo \\$PPID\"); exec sleep 1000) &' &)",
    "setsid sh -c 'trap \"\" TERM HUP INT; echo $$; while :; do sleep 1000; done' &",
    "setsid sh -c 'echo $$; kill -STOP $$; exec sleep 1000' &",
];
/// One that even takes its marker off: only the shim's adoption finds it, or its control group.
const UNMARKED: &str = "setsid env -i /bin/sh -c 'echo $$; exec sleep 1000' &";

async fn start_detached(
    ways: &[&str],
    then: &str,
    cgroup: bool,
) -> (Run, car_shim::Conn, Vec<Process>) {
    let run = script(&format!("{}\n{then}", ways.join("\n")))
        .with(|options| options.cgroup = cgroup)
        .start();
    let mut conn = run.attach(1).await;
    let mut processes = Vec::new();
    let mut ready = false;
    while processes.len() < ways.len() || !ready {
        match next_out(&mut conn).await.parse() {
            Ok(pid) => processes.push(Process::of(pid).expect("it lives")),
            Err(_) => ready = true,
        }
    }
    (run, conn, processes)
}

fn with_unmarked() -> Vec<&'static str> {
    DETACHED.iter().copied().chain([UNMARKED]).collect()
}

#[tokio::test]
async fn exit_codes_and_signals_are_recorded() {
    let cases = [
        ("exit 0", Some(0), None),
        ("exit 3", Some(3), None),
        ("kill -SEGV $$", None, Some(11)),
        ("kill -KILL $$", None, Some(9)),
    ];
    for (text, code, signal) in cases {
        let run = script(text).start();
        let expected = Exit { code, signal, killed: 0, left: 0 };
        assert_eq!(exit(&mut run.attach(1).await).await, expected, "{text}");
    }
}

#[tokio::test]
async fn whatever_detached_ends_with_the_agent() {
    for cgroup in [true, false] {
        let (_run, mut conn, processes) =
            start_detached(&with_unmarked(), "echo ready; read x; exit 7", cgroup).await;
        conn.control.send("end").await.unwrap();
        let ended = exit(&mut conn).await;
        assert_eq!((ended.code, ended.left), (Some(7), 0));
        assert!(ended.killed as usize >= processes.len(), "{ended:?}");
        for process in processes {
            assert!(!process.is_alive(), "{process:?} with cgroup {cgroup}");
        }
    }
}

#[tokio::test]
async fn stop_ends_all_of_a_run_and_only_that() {
    let (other, _other_conn, others) = start_detached(DETACHED, "echo ready; read x", false).await;
    for cgroup in [true, false] {
        let (run, mut conn, processes) = start_detached(
            &with_unmarked(),
            "trap '' TERM; echo ready; while :; do sleep 1000; done",
            cgroup,
        )
        .await;
        conn.control.stop(Some(Duration::from_millis(100))).await.unwrap();
        let ended = exit(&mut conn).await;
        assert_eq!((ended.signal, ended.left), (Some(9), 0));
        let (_, agent) = run.processes();
        for process in processes.into_iter().chain([agent]) {
            assert!(!process.is_alive(), "{process:?} with cgroup {cgroup}");
        }
    }
    assert!(others.iter().all(|process| process.is_alive()));
    let (shim, agent) = other.processes();
    assert!(shim.is_alive() && agent.is_alive());
}

#[tokio::test]
async fn an_agent_that_hears_may_end_by_itself() {
    let run = script(
        "trap 'echo last words; exit 5' TERM; echo ready; while :; do sleep 1000 & wait; done",
    )
    .with(|options| options.grace = Duration::from_secs(60))
    .start();
    let mut conn = run.attach(1).await;
    assert_eq!(next_out(&mut conn).await, "ready");
    // Without becoming the controller: the one that is hears the end.
    soon(car_shim::stop(run.dir(), None)).await.unwrap();
    assert_eq!(next_out(&mut conn).await, "last words");
    assert_eq!(exit(&mut conn).await.code, Some(5));
}

#[tokio::test]
async fn a_second_stop_makes_haste() {
    let run = script("trap '' TERM; echo ready; while :; do sleep 1000; done")
        .with(|options| options.grace = Duration::from_secs(3600))
        .start();
    let mut conn = run.attach(1).await;
    assert_eq!(next_out(&mut conn).await, "ready");
    conn.control.stop(None).await.unwrap();
    conn.control.stop(Some(Duration::ZERO)).await.unwrap();
    assert_eq!(exit(&mut conn).await.signal, Some(9));
}

#[tokio::test]
async fn a_killed_shim_takes_its_agent_along_and_a_sweep_takes_the_rest() {
    for cgroup in [true, false] {
        let (run, _conn, processes) =
            start_detached(DETACHED, "echo ready; while :; do sleep 1000; done", cgroup).await;
        let (shim, agent) = run.processes();
        shim.signal(Signal::KILL).unwrap();
        until("the agent dies with the shim", || !agent.is_alive()).await;
        until("the status is true", || !run.is_alive()).await;
        assert!(processes.iter().all(|process| process.is_alive()), "nobody is there to end them");
        assert_eq!(car_shim::sweep("test", Duration::ZERO), 0, "part of an id is not the id");
        let swept = car_shim::sweep(&run.options.id, Duration::from_millis(100));
        assert!(swept >= processes.len(), "{swept}");
        for process in processes {
            assert!(!process.is_alive(), "{process:?} with cgroup {cgroup}");
        }
        assert_eq!(car_shim::sweep(&run.options.id, Duration::ZERO), 0);
    }
}

#[tokio::test]
async fn the_run_outlives_whoever_started_it() {
    let run = script("while read -r x; do echo \"<$x>\"; done");
    let mut hub = Command::new("sh");
    hub.args(["-c", "\"$@\" && echo started; sleep 1000", "sh", SHIM, "shim", "--dir"]);
    hub.arg(run.dir()).args(["--id", &run.options.id, "--"]).args(&run.options.command);
    hub.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
    let mut hub = hub.spawn().unwrap();
    until("the shim is started", || run.is_alive()).await;
    kill_process_group(Pid::from_child(&hub), Signal::HUP).unwrap();
    kill_process_group(Pid::from_child(&hub), Signal::KILL).unwrap();
    hub.wait().unwrap();
    let mut conn = run.attach(1).await;
    conn.control.send("still there").await.unwrap();
    assert_eq!(next_out(&mut conn).await, "<still there>");
}

#[tokio::test]
async fn a_shim_that_is_told_to_end_ends_its_run_first() {
    let run = script("echo ready; sleep 1000")
        .with(|options| options.grace = Duration::from_secs(60))
        .start();
    let mut conn = run.attach(1).await;
    assert_eq!(next_out(&mut conn).await, "ready");
    run.processes().0.signal(Signal::TERM).unwrap();
    assert_eq!(exit(&mut conn).await.signal, Some(15));
    until("the shim leaves", || !run.is_alive()).await;
}

#[tokio::test]
async fn a_run_within_a_run_ends_with_the_outer_one() {
    for killed in [false, true] {
        let inner_home = tempfile::tempdir().unwrap();
        let dir = inner_home.path().join("inner");
        let inner = "setsid sh -c 'echo $$ >pid; exec sleep 1000' & sleep 1000";
        let outer = script(
            "\"$0\" shim --dir \"$1\" --id inner-one -- sh -c \"$2\" && echo started; sleep 1000",
        )
        .with(|options| {
            options.cgroup = false;
            options.cwd = Some(inner_home.path().into());
            options.command.extend([SHIM.into(), dir.clone().into(), inner.into()]);
        })
        .start();
        let mut conn = outer.attach(1).await;
        assert_eq!(next_out(&mut conn).await, "started");
        let pid =
            || std::fs::read_to_string(inner_home.path().join("pid")).ok()?.trim().parse().ok();
        until("the inner run detached something", || pid().is_some()).await;
        let process = Process::of(pid().unwrap()).unwrap();
        if killed {
            outer.processes().0.signal(Signal::KILL).unwrap();
            until("the outer shim is dead", || !outer.is_alive()).await;
            car_shim::sweep(&outer.options.id, Duration::from_millis(500));
        } else {
            conn.control.stop(None).await.unwrap();
            exit(&mut conn).await;
        }
        assert!(!process.is_alive(), "killed: {killed}");
    }
}

#[tokio::test]
async fn everything_said_before_the_end_is_recorded() {
    for _ in 0..20 {
        let run = script("i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo $i; done").start();
        exit(&mut run.attach(1).await).await;
        let is_out = |kind: &EntryKind| matches!(kind, EntryKind::Out(_));
        assert_eq!(run.entries().iter().filter(|entry| is_out(&entry.kind)).count(), 200);
    }
}
