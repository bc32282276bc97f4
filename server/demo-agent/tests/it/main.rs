//! The demo agent as the hub sees it: a process under the Codex driver, working on real files.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic; clippy exempts only `#[test]` functions"
)]
#![expect(clippy::wildcard_enum_match_arm, reason = "tests pick out what they look for")]

#[path = "../../../agents/tests/it/session.rs"]
mod session;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use car_agents::demo;
use car_api::{
    agent::ApprovalPolicy,
    item::{Decision, ItemBody},
    turn::ErrorClass,
};
use car_engine::agent::{Adapter, AgentEvent, TurnOrder, TurnOutcome};

use crate::session::{Session, Wants, ended, order, outcome};

#[test]
fn without_a_script_it_does_an_honest_piece_of_work() {
    let world = World::new();
    let prompt = world.ticket("TICKET-001.md", "Just do it.");
    let mut session = Session::start(&world.agent, &world.cwd);
    let (events, outcome) = session.turn(&order("trn_1", &prompt, &world.cwd));
    assert!(matches!(outcome, TurnOutcome::Completed { message: Some(_) }), "{outcome:?}");
    assert!(events.iter().any(|e| matches!(e, AgentEvent::Usage { .. })));
    let ticket = world.read(".codex-autorunner/tickets/TICKET-001.md");
    assert!(ticket.contains("\ndone: true # keep\n"), "{ticket}");
    assert_eq!(world.read("TICKET-001.txt").lines().count(), 1);
    assert_eq!(world.git("status --porcelain"), "");
    assert_eq!(world.git("log --format=%s"), "Work on TICKET-001\n");
}

#[test]
fn a_script_is_followed_by_attempt() {
    let world = World::new();
    let prompt = world.ticket(
        "TICKET-002.md",
        r#"@@FAKE[{"on": 1, "write": ["x.txt", "bad"]}, {"from": 2, "write": ["x.txt", "good"]},
            {"plan": [["mend", "completed"]]}, {"done": true}, {"commit": "it's done"},
            {"dispatch": {"mode": "pause", "title": "a: b", "body": "look"}},
            {"usage": {"in": 100, "cached": 10, "out": 5, "reasoning": 1}}, {"say": "end"}]@@"#,
    );
    let mut session = Session::start(&world.agent, &world.cwd);
    let first = order("trn_1", &prompt, &world.cwd);
    session.turn(&first);
    assert_eq!(world.read("x.txt"), "bad");
    assert_eq!(world.read("run/DISPATCH.md"), "---\nmode: pause\ntitle: \"a: b\"\n---\n\nlook\n");
    let second = TurnOrder { turn: "trn_2".parse().unwrap(), thread: session.thread(), ..first };
    let (events, outcome) = session.turn(&second);
    assert_eq!(world.read("x.txt"), "good");
    assert_eq!(world.git("log --format=%s"), "it's done\nit's done\n");
    assert_eq!(outcome, TurnOutcome::Completed { message: Some("end".into()) });
    let total = events.iter().find_map(|e| match e {
        AgentEvent::Usage { total } => Some(total.total()),
        _ => None,
    });
    assert_eq!(total, Some(210), "tokens are counted over the thread");
}

#[test]
fn the_log_tells_every_start_and_end_once() {
    let world = World::new();
    let prompt = world.ticket("TICKET-003.md", "@@FAKE[{\"say\": \"x\"}]@@");
    let mut session = Session::start(&world.agent, &world.cwd);
    session.turn(&order("trn_7", &prompt, &world.cwd));
    let log = std::fs::read_to_string(&world.log).unwrap();
    let words: Vec<Vec<&str>> = log.lines().map(|l| l.split(' ').collect()).collect();
    assert_eq!(words.len(), 2, "{log}");
    for (line, word) in words.iter().zip(["START", "END"]) {
        assert_eq!(line[0], word);
        assert!(line[1].ends_with("tickets/TICKET-003.md"), "{log}");
        assert_eq!(line[2], "trn_7");
        assert_eq!(line[3], session.pid().to_string());
    }
    assert_eq!(words[1][5], "completed");
}

#[test]
fn a_killed_turn_is_interrupted_in_the_history_of_its_thread() {
    let world = World::new();
    let mut first = Session::start(&world.agent, &world.cwd);
    let script = "@@FAKE[{\"on\": 1, \"say\": \"begin\"}, {\"on\": 1, \"hang\": true}, {\"say\": \"again\"}]@@";
    let turn = order("trn_1", script, &world.cwd);
    let wants = Wants { turn: Some(turn.clone()), ..Wants::default() };
    first.until(&wants, |e| matches!(e, AgentEvent::ItemCompleted { .. }));
    let thread = first.thread();

    // While it lives, nobody else may have the thread.
    let next = TurnOrder { turn: "trn_2".parse().unwrap(), thread: thread.clone(), ..turn };
    let mut second = Session::start(&world.agent, &world.cwd);
    let (_, outcome) = second.turn(&next);
    assert!(
        matches!(&outcome, TurnOutcome::Failed(e) if e.class == ErrorClass::Transient),
        "{outcome:?}"
    );
    assert!(!world.said(&second, "again"));

    first.kill();
    let mut third = Session::start(&world.agent, &world.cwd);
    let (_, outcome) = third.turn(&next);
    assert_eq!(outcome, TurnOutcome::Completed { message: Some("again".into()) });
    assert_eq!(third.thread(), thread);
    let resumed = third.journal.iter().find_map(|line| {
        Some(line.pointer("/msg/result/thread/turns")?.as_array()?.first()?["status"].clone())
    });
    assert_eq!(resumed, Some("interrupted".into()));
}

#[test]
fn an_unknown_thread_is_lost_and_one_without_a_turn_leaves_nothing() {
    let world = World::new();
    let mut session = Session::start(&world.agent, &world.cwd);
    let unknown = Some("01a1f8e4-9006-7c63-b16d-69e36dcc14cf".to_owned());
    let turn = TurnOrder { thread: unknown, ..order("trn_1", "hello", &world.cwd) };
    let wants = Wants { turn: Some(turn), ..Wants::default() };
    let events = session.until(&wants, |e| matches!(e, AgentEvent::ThreadLost { .. }));
    assert!(!session.prompt_sent(&wants.turn.unwrap().turn));
    let detail = "no rollout found for thread id 01a1f8e4-9006-7c63-b16d-69e36dcc14cf".to_owned();
    assert_eq!(events.last(), Some(&AgentEvent::ThreadLost { detail }));
    assert!(!world.home.join("threads").exists());
}

#[test]
fn questions_are_asked_and_answers_heeded() {
    let world = World::new();
    let mut session = Session::start(&world.agent, &world.cwd);
    let script = r#"@@FAKE[{"sh": "touch yes"}, {"escalate": true, "write": ["no", "x"]}, {"sh": "touch end"}]@@"#;
    let turn =
        TurnOrder { approvals: ApprovalPolicy::Untrusted, ..order("trn_1", script, &world.cwd) };
    let mut wants = Wants { turn: Some(turn), ..Wants::default() };
    for decision in [Decision::Accept, Decision::Decline, Decision::Cancel] {
        let events = session.until(&wants, |e| matches!(e, AgentEvent::ApprovalRequested { .. }));
        let Some(AgentEvent::ApprovalRequested { key, .. }) = events.last() else { panic!() };
        wants.decisions.push((key.clone(), decision));
    }
    let events = session.until(&wants, ended);
    assert_eq!(outcome(&events), TurnOutcome::Interrupted);
    let there = |name: &str| world.cwd.join(name).exists();
    assert_eq!([there("yes"), there("no"), there("end")], [true, false, false]);
}

#[test]
fn an_interrupt_ends_the_turn_and_cleaning_ends_its_command() {
    let world = World::new();
    let mut session = Session::start(&world.agent, &world.cwd);
    let script = "@@FAKE[{\"sh\": \"echo $$ > pid; echo begin; exec sleep 1000\"}]@@";
    let turn = order("trn_1", script, &world.cwd);
    let mut wants = Wants { turn: Some(turn), ..Wants::default() };
    session.until(&wants, |e| matches!(e, AgentEvent::Delta { .. }));
    wants.interrupt = true;
    let events = session.until(&wants, ended);
    assert_eq!(outcome(&events), TurnOutcome::Interrupted);
    let pid = world.read("pid").trim().to_owned();
    // The answer to the clean-up comes after the command's end.
    let wants = Wants { models: true, ..Wants::default() };
    session.until(&wants, |e| matches!(e, AgentEvent::Models { .. }));
    let begin = std::time::Instant::now();
    let runs = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    while runs() {
        assert!(begin.elapsed().as_secs() < 120, "{pid} still runs");
        std::thread::yield_now();
    }
}

#[test]
fn failures_have_their_class() {
    let world = World::new();
    let mut session = Session::start(&world.agent, &world.cwd);
    for (number, class) in [
        ErrorClass::Transient,
        ErrorClass::Quota,
        ErrorClass::Auth,
        ErrorClass::ContextOverflow,
        ErrorClass::Other,
    ]
    .into_iter()
    .enumerate()
    {
        let word = class.as_str().split('_').next().unwrap();
        let script = format!("@@FAKE[{{\"fail\": {{\"class\": \"{word}\"}}}}]@@");
        let turn = order(&format!("trn_{number}"), &script, &world.cwd);
        let (_, outcome) = session.turn(&turn);
        let TurnOutcome::Failed(error) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.class, class);
        assert_eq!(error.retry_at.is_some(), class == ErrorClass::Quota);
    }
}

#[test]
fn a_flood_of_output_comes_through_whole() {
    let world = World::new();
    let mut session = Session::start(&world.agent, &world.cwd);
    let script = "@@FAKE[{\"flood\": 3000000}]@@";
    let (events, _) = session.turn(&order("trn_1", script, &world.cwd));
    let bytes: usize = events
        .iter()
        .filter_map(
            |e| if let AgentEvent::Delta { text, .. } = e { Some(text.len()) } else { None },
        )
        .sum();
    assert_eq!(bytes, 3_000_000);
    let kept = events.iter().find_map(|e| match e {
        AgentEvent::ItemCompleted { item } => match &item.body {
            ItemBody::Command { output, .. } => Some(output.len()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(kept, Some(64 * 1024), "only the end of the output is kept with the item");
}

#[test]
fn a_crash_leaves_the_turn_open() {
    let world = World::new();
    let mut session = Session::start(&world.agent, &world.cwd);
    let script = "@@FAKE[{\"say\": \"so far\"}, {\"crash\": 7}]@@";
    let turn = order("trn_1", script, &world.cwd);
    let wants = Wants { turn: Some(turn.clone()), ..Wants::default() };
    session.until(&wants, |e| matches!(e, AgentEvent::ItemCompleted { .. }));
    assert!(session.prompt_sent(&turn.turn));
    assert_eq!(session.exited(), Some(7));
    assert_eq!(std::fs::read_to_string(&world.log).unwrap().lines().count(), 1, "no end");
}

#[test]
fn it_ends_with_its_input_and_tells_its_version() {
    let world = World::new();
    let mut session = Session::start(&world.agent, &world.cwd);
    session.turn(&order("trn_1", "hello", &world.cwd));
    assert_eq!(session.close().1, Some(0));

    let output = Command::new(env!("CARGO_BIN_EXE_car-demo-agent")).arg("--version").output();
    let version = String::from_utf8(output.unwrap().stdout).unwrap();
    assert_eq!(version, "codex-cli 0.169.0 (car demo agent)\n");
}

/// A repository, and the agent with a home of its own.
struct World {
    _dir: tempfile::TempDir,
    cwd: PathBuf,
    home: PathBuf,
    log: PathBuf,
    agent: car_agents::codex::Codex,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [cwd, home, log] = ["cwd", "home", "log"].map(|name| dir.path().join(name));
        std::fs::create_dir_all(&cwd).unwrap();
        let text = |path: &Path| path.display().to_string();
        let agent = demo::demo(&demo::Config {
            command: vec![env!("CARGO_BIN_EXE_car-demo-agent").to_owned()],
            env: [("DEMO_AGENT_HOME", &home), ("DEMO_AGENT_LOG", &log)]
                .map(|(name, path)| (name.to_owned(), text(path)))
                .into(),
            pass_env: Vec::new(),
        });
        assert_eq!(agent.id().as_str(), "demo");
        let world = Self { cwd, home, log, agent, _dir: dir };
        world.git("init -q");
        world
    }

    /// Writes a ticket; the prompt a hub would send for it.
    fn ticket(&self, name: &str, body: &str) -> String {
        let dir = self.cwd.join(".codex-autorunner/tickets");
        std::fs::create_dir_all(&dir).unwrap();
        let text = format!("---\nagent: demo\ndone: false # keep\n---\n\n{body}\n");
        std::fs::write(dir.join(name), &text).unwrap();
        format!(
            "<CAR_TICKET_FLOW_PROMPT>\n<CAR_RUNTIME_PATHS>\nDISPATCH.md path: run/DISPATCH.md\n\
             </CAR_RUNTIME_PATHS>\n<CAR_CURRENT_TICKET_FILE>\n\
             PATH: .codex-autorunner/tickets/{name}\n<TICKET_MARKDOWN>\n{text}</TICKET_MARKDOWN>\n\
             </CAR_CURRENT_TICKET_FILE>\n</CAR_TICKET_FLOW_PROMPT>\n"
        )
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.cwd.join(path)).unwrap()
    }

    fn git(&self, args: &str) -> String {
        let output =
            Command::new("git").args(args.split(' ')).current_dir(&self.cwd).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn said(&self, session: &Session<'_>, text: &str) -> bool {
        session.journal.iter().any(|line| line["msg"]["params"]["delta"] == text)
    }
}
