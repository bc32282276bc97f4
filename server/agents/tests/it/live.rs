//! The real Codex, driven against the scripted model. Skipped, with a line that says so, where
//! there is no Codex: `CAR_TEST_CODEX`, or `.tools/codex` in the workspace
//! (`npm install --prefix .tools/codex @openai/codex@0.169.0`).
//!
//! With `RECORD=1` the sessions are kept as transcripts.

use std::path::{Path, PathBuf};

use car_agents::codex::{Codex, Config};
use car_api::{
    agent::ApprovalPolicy,
    event::LiveStream,
    item::{ApprovalRequest, Decision, ItemBody, ItemStatus, PlanStatus, Usage},
    turn::ErrorClass,
};
use car_engine::agent::{AgentEvent, TurnOrder, TurnOutcome};
use car_model_endpoint::{Endpoint, codex};
use serde_json::Value;

use crate::{
    session::{Session, Wants, ended, order, outcome},
    transcript,
};

#[test]
fn a_turn_from_first_word_to_last() {
    let Some(world) = World::new() else { return };
    let mut session = Session::start(&world.codex, &world.cwd);
    let script = r#"Do it. @@FAKE[
        {"reason": "Thinking first", "say": "I will plan.",
         "plan": [["edit", "in_progress"], ["commit", "pending"]]},
        {"sh": "echo line1; echo line2",
         "headers": {"x-codex-primary-used-percent": "12", "x-codex-primary-window-minutes": "300",
                     "x-codex-primary-reset-at": "4102444800"}},
        {"write": ["notes/new.md", "hello\nworld\n"], "usage": {"in": 70, "cached": 7, "out": 5}},
        {"say": "All done."}]@@"#;
    let order = order("trn_1", script, &world.cwd);
    let wants = Wants { turn: Some(order.clone()), models: true, ..Wants::default() };
    let events = session.until(&wants, ended);

    assert_eq!(outcome(&events), TurnOutcome::Completed { message: Some("All done.".into()) });
    assert!(session.prompt_sent(&order.turn));
    let has = |what: &str, found: &dyn Fn(&AgentEvent) -> bool| {
        assert!(events.iter().any(found), "no {what} in {events:#?}");
    };
    has("version", &|e| matches!(e, AgentEvent::Ready { version: Some(v) } if v.starts_with("0.")));
    has("account", &|e| matches!(e, AgentEvent::Account { name: None, login_required: false }));
    has(
        "model",
        &|e| matches!(e, AgentEvent::Models { models } if models.iter().any(|m| m.id == codex::MODEL)),
    );
    has("thread", &|e| matches!(e, AgentEvent::ThreadOpened { resumed: false, .. }));
    has("start", &|e| matches!(e, AgentEvent::TurnStarted { turn } if *turn == order.turn));
    has("reasoning", &|e| {
        completed(e, |b| matches!(b, ItemBody::Reasoning { text } if text == "Thinking first"))
    });
    has(
        "plan",
        &|e| matches!(e, AgentEvent::Plan { steps } if steps[0].status == PlanStatus::InProgress),
    );
    has("command", &|e| {
        completed(
            e,
            |b| matches!(b, ItemBody::Command { exit_code: Some(0), output, .. } if output == "line1\nline2\n"),
        )
    });
    has("edit", &|e| {
        completed(e, |b| {
            matches!(b, ItemBody::FileChange { status: ItemStatus::Completed, changes }
                if changes[0].path.ends_with("notes/new.md"))
        })
    });
    has(
        "quota",
        &|e| matches!(e, AgentEvent::RateLimits { limits } if limits[0].window_minutes == Some(300)),
    );
    let said: String = events
        .iter()
        .filter_map(|e| match e {
            AgentEvent::Delta { stream: LiveStream::Message, text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(said, "I will plan.All done.");
    let used = events.iter().rev().find_map(|e| match e {
        AgentEvent::Usage { total } => Some(*total),
        _ => None,
    });
    let [input, cached, out, reasoning] = [3 * 1000 + 70, 3 * 200 + 7, 3 * 50 + 5, 3 * 10];
    let expected = Usage {
        input_tokens: input,
        cached_input_tokens: cached,
        output_tokens: out,
        reasoning_tokens: reasoning,
    };
    assert_eq!(used, Some(expected));
    assert_eq!(std::fs::read_to_string(world.cwd.join("notes/new.md")).unwrap(), "hello\nworld\n");

    // The same thread takes the next prompt, without another `thread/start`.
    let next = TurnOrder { turn: "trn_2".parse().unwrap(), thread: session.thread(), ..order };
    let next = TurnOrder { prompt: "and now? @@FAKE[{\"say\": \"nothing\"}]@@".into(), ..next };
    let (events, outcome) = session.turn(&next);
    assert_eq!(outcome, TurnOutcome::Completed { message: Some("nothing".into()) });
    assert!(!events.iter().any(|e| matches!(e, AgentEvent::ThreadOpened { .. })));
    world.record("live-turn", session);
}

#[test]
fn an_interrupt_waits_for_the_start_and_leaves_no_command_running() {
    let Some(world) = World::new() else { return };
    let mut session = Session::start(&world.codex, &world.cwd);
    let script = "@@FAKE[{\"sh\": \"echo $$ > pid; sleep 1000; echo end\"}]@@";
    let turn = order("trn_1", script, &world.cwd);
    let mut wants = Wants { turn: Some(turn.clone()), ..Wants::default() };
    session.until(&wants, |e| matches!(e, AgentEvent::ItemStarted { .. }));
    let pid = appears(&world.cwd.join("pid"));
    wants.interrupt = true;
    let events = session.until(&wants, ended);
    assert_eq!(outcome(&events), TurnOutcome::Interrupted);

    // Its command is told to have ended, late, and is gone.
    let idle = Wants::default();
    session.until(&idle, |e| completed(e, |b| matches!(b, ItemBody::Command { .. })));
    vanishes(pid.trim());

    // Wanted from the very beginning, an interrupt is sent when Codex can heed it.
    let prompt = "@@FAKE[{\"stall\": 1000, \"say\": \"x\"}]@@".to_owned();
    let second =
        TurnOrder { turn: "trn_2".parse().unwrap(), prompt, thread: session.thread(), ..turn };
    let mut wants = Wants { turn: Some(second), ..Wants::default() };
    session.until(&wants, |e| matches!(e, AgentEvent::TurnStarted { .. }));
    wants.interrupt = true;
    let events = session.until(&wants, ended);
    assert_eq!(outcome(&events), TurnOutcome::Interrupted);
    world.record("live-interrupt", session);
}

#[test]
fn questions_wait_for_people_and_get_their_answer() {
    let Some(world) = World::new() else { return };
    let mut session = Session::start(&world.codex, &world.cwd);
    let script = r#"@@FAKE[{"sh": "touch yes.txt"}, {"sh": "touch no.txt"},
        {"write": ["edit.txt", "x\n"]}, {"sh": "touch end.txt"}, {"say": "unreached"}]@@"#;
    let turn =
        TurnOrder { approvals: ApprovalPolicy::Untrusted, ..order("trn_1", script, &world.cwd) };
    let mut wants = Wants { turn: Some(turn), ..Wants::default() };
    let answers =
        [Decision::Accept, Decision::Decline, Decision::AcceptForSession, Decision::Cancel];
    for (number, decision) in answers.into_iter().enumerate() {
        let events = session.until(&wants, |e| matches!(e, AgentEvent::ApprovalRequested { .. }));
        let Some(AgentEvent::ApprovalRequested { key, request }) = events.last() else {
            panic!("{events:#?}");
        };
        match request {
            ApprovalRequest::Command { command, cwd, .. } => {
                assert!(command.contains("touch"), "{command}");
                assert_eq!(*cwd, world.cwd.display().to_string());
            }
            ApprovalRequest::FileChange { changes, .. } => {
                assert_eq!(number, 2);
                assert_eq!(changes[0].diff, "x\n", "the edit is shown with the question");
            }
            ApprovalRequest::Other { detail } => panic!("{detail}"),
        }
        wants.decisions.push((key.clone(), decision));
    }
    let events = session.until(&wants, ended);
    assert_eq!(outcome(&events), TurnOutcome::Interrupted, "cancelling ends the turn");
    let there = |name: &str| world.cwd.join(name).exists();
    assert_eq!(
        [there("yes.txt"), there("no.txt"), there("edit.txt"), there("end.txt")],
        [true, false, true, false]
    );
    let resolved =
        session.events.iter().filter(|e| matches!(e, AgentEvent::ApprovalResolved { .. })).count();
    assert_eq!(resolved, 4);
    world.record("live-approvals", session);
}

#[test]
fn failures_have_their_class() {
    let Some(world) = World::new() else { return };
    let mut session = Session::start(&world.codex, &world.cwd);
    let cases = [
        (r#"{"class": "transient"}"#, ErrorClass::Transient),
        (r#"{"status": 429}"#, ErrorClass::Transient),
        (r#"{"drop": 4}"#, ErrorClass::Transient),
        (r#"{"sse": "failed", "code": "server_is_overloaded"}"#, ErrorClass::Transient),
        (r#"{"class": "context"}"#, ErrorClass::ContextOverflow),
        (r#"{"class": "auth"}"#, ErrorClass::Auth),
        (r#"{"status": 400}"#, ErrorClass::Other),
        (r#"{"sse": "failed", "code": "insufficient_quota"}"#, ErrorClass::Quota),
        (r#"{"class": "quota", "resets_in": 1234567}"#, ErrorClass::Quota),
    ];
    let mut turn = order("trn_0", "", &world.cwd);
    for (number, (fail, class)) in cases.into_iter().enumerate() {
        turn.turn = format!("trn_{number}").parse().unwrap();
        turn.prompt = format!("{number} @@FAKE[{{\"fail\": {fail}}}]@@");
        let (_, outcome) = session.turn(&turn);
        let TurnOutcome::Failed(error) = outcome else { panic!("{fail}: {outcome:?}") };
        assert_eq!(error.class, class, "{fail}: {error:?}");
        assert_eq!(error.retry_at.is_some(), fail.contains("resets_in"), "{fail}: {error:?}");
        turn.thread = session.thread();
    }
    // None of it has spoilt the thread, and a failure that passes is only a notice.
    turn.turn = "trn_99".parse().unwrap();
    turn.prompt = r#"@@FAKE[{"fail": {"drop": 4, "times": 1}, "say": "recovered"}]@@"#.to_owned();
    let (events, outcome) = session.turn(&turn);
    assert_eq!(outcome, TurnOutcome::Completed { message: Some("recovered".into()) });
    assert!(events.iter().any(|e| matches!(e, AgentEvent::Notice { .. })), "{events:#?}");
    world.record("live-failures", session);
}

#[test]
fn a_killed_codex_is_taken_up_again_in_the_same_thread() {
    let Some(world) = World::new() else { return };
    let mut first = Session::start(&world.codex, &world.cwd);
    let script = "@@FAKE[{\"sh\": \"echo $$ > pid; sleep 1000\"}]@@";
    let turn = order("trn_1", script, &world.cwd);
    let wants = Wants { turn: Some(turn.clone()), ..Wants::default() };
    first.until(&wants, |e| matches!(e, AgentEvent::ItemStarted { .. }));
    let pid = appears(&world.cwd.join("pid"));
    let thread = first.thread();
    first.kill();
    // A killed Codex leaves its commands behind; under the hub they are ended by the shim.
    let kill = std::process::Command::new("kill").arg(pid.trim()).status();
    assert!(kill.unwrap().success());

    let mut second = Session::start(&world.codex, &world.cwd);
    assert_ne!(first.pid(), second.pid());
    let next = TurnOrder {
        turn: "trn_2".parse().unwrap(),
        thread: thread.clone(),
        prompt: "You were interrupted. @@FAKE[{\"say\": \"going on\"}]@@".to_owned(),
        ..turn.clone()
    };
    let (events, outcome) = second.turn(&next);
    assert_eq!(outcome, TurnOutcome::Completed { message: Some("going on".into()) });
    let opened = events.iter().find(|e| matches!(e, AgentEvent::ThreadOpened { .. }));
    let expected = AgentEvent::ThreadOpened { thread: thread.unwrap(), resumed: true };
    assert_eq!(opened, Some(&expected));
    world.record("live-resume", second);

    // A thread nobody knows is lost; the same turn is then done on a new one.
    let mut third = Session::start(&world.codex, &world.cwd);
    let unknown = "01a1f8e4-9006-7c63-b16d-69e36dcc14cf".to_owned();
    let mut lost = TurnOrder { turn: "trn_3".parse().unwrap(), thread: Some(unknown), ..next };
    let wants = Wants { turn: Some(lost.clone()), ..Wants::default() };
    third.until(&wants, |e| matches!(e, AgentEvent::ThreadLost { .. }));
    assert!(!third.prompt_sent(&lost.turn));
    lost.thread = None;
    let (_, outcome) = third.turn(&lost);
    assert_eq!(outcome, TurnOutcome::Completed { message: Some("going on".into()) });
    world.record("live-lost", third);
}

/// The steps that leave the words to the prompt, as a ticket of the flow has them.
#[test]
fn a_ticket_is_worked_set_to_done_and_committed() {
    let Some(world) = World::new() else { return };
    let git = |args: &str| {
        let args = args.split(' ').map(str::to_owned);
        let output =
            std::process::Command::new("git").args(args).current_dir(&world.cwd).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    git("init -q");
    git("config user.email a@b");
    git("config user.name a");
    let ticket = world.cwd.join("TICKET-001.md");
    let script = r#"@@FAKE[{"write": ["x.txt", "x\n"]}, {"done": true}, {"commit": "it's done"},
        {"dispatch": {"mode": "notify", "body": "look"}}, {"say": "end"}]@@"#;
    let body = format!("---\nagent: codex\ndone: false\n---\n{script}\n");
    std::fs::write(&ticket, &body).unwrap();
    let prompt = format!(
        "DISPATCH.md path: run/DISPATCH.md\n<CAR_CURRENT_TICKET_FILE>\nPATH: TICKET-001.md\n\
         <TICKET_MARKDOWN>\n{body}</TICKET_MARKDOWN>\n</CAR_CURRENT_TICKET_FILE>\n"
    );
    let mut session = Session::start(&world.codex, &world.cwd);
    let (_, outcome) = session.turn(&order("trn_1", &prompt, &world.cwd));
    assert_eq!(outcome, TurnOutcome::Completed { message: Some("end".into()) });
    assert!(std::fs::read_to_string(ticket).unwrap().contains("\ndone: true\n"));
    assert_eq!(git("log --format=%s"), "it's done\n");
    let dispatch = std::fs::read_to_string(world.cwd.join("run/DISPATCH.md")).unwrap();
    assert_eq!(dispatch, "---\nmode: notify\n---\n\nlook\n");
}

#[test]
fn a_missing_key_is_a_missing_login() {
    let Some(mut world) = World::new() else { return };
    world.configure(|config| drop(config.env.remove(codex::KEY_VARIABLE)));
    let mut session = Session::start(&world.codex, &world.cwd);
    let (_, outcome) = session.turn(&order("trn_1", "hello", &world.cwd));
    let TurnOutcome::Failed(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.class, ErrorClass::Auth, "{error:?}");
    world.record("live-no-key", session);
}

/// A sandboxed agent commits in a worktree whose `.git` lies elsewhere.
#[test]
fn a_sandboxed_codex_can_commit() {
    let Some(world) = World::new() else { return };
    let repo = world.dir.path().join("repo");
    let tree = world.dir.path().join("tree");
    let git = |args: &str| {
        let status = std::process::Command::new("/bin/sh").args(["-c", args]).status().unwrap();
        assert!(status.success(), "{args}");
    };
    git(&format!(
        "git init -q {repo} && cd {repo} && git config user.email a@b && git config user.name a \
         && git commit -q --allow-empty -m base && git worktree add -q {tree}",
        repo = repo.display(),
        tree = tree.display()
    ));
    let mut session = Session::start(&world.codex, &tree);
    let script = r#"@@FAKE[{"sh": "echo x > x; git add -A && git commit -qm inside && git log -1 --format=%s"},
        {"say": "ok"}]@@"#;
    let turn = TurnOrder {
        approvals: ApprovalPolicy::OnRequest,
        // Both are needed: Codex keeps the worktree's own directory in `.git` read-only even where
        // `.git` as a whole is writable.
        writable: [".git", ".git/worktrees/tree"]
            .map(|dir| repo.join(dir).display().to_string())
            .to_vec(),
        ..order("trn_1", script, &tree)
    };
    let (events, _) = session.turn(&turn);
    let committed = events.iter().any(|e| {
        completed(
            e,
            |b| matches!(b, ItemBody::Command { output, .. } if output.ends_with("inside\n")),
        )
    });
    assert!(committed, "{events:#?}");
}

/// The content of a file, once there is one.
fn appears(path: &Path) -> String {
    let begin = std::time::Instant::now();
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            Ok(_) | Err(_) => std::thread::yield_now(),
        }
        assert!(begin.elapsed().as_secs() < 120, "{} does not appear", path.display());
    }
}

/// Waits for a process to be gone, or to be waited for by its parent.
fn vanishes(pid: &str) {
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

fn completed(event: &AgentEvent, is: impl Fn(&ItemBody) -> bool) -> bool {
    matches!(event, AgentEvent::ItemCompleted { item } if is(&item.body))
}

/// A directory of one's own, an endpoint and a Codex that knows only them.
struct World {
    dir: tempfile::TempDir,
    cwd: PathBuf,
    endpoint: Endpoint,
    config: Config,
    codex: Codex,
}

impl World {
    fn new() -> Option<Self> {
        let Some(binary) = binary() else {
            eprintln!("skipped: no Codex (set CAR_TEST_CODEX, or install it into .tools/codex)");
            return None;
        };
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let dir = tempfile::tempdir_in(target).unwrap();
        let (cwd, home) = (dir.path().join("cwd"), dir.path().join("home"));
        std::fs::create_dir_all(&cwd).unwrap();
        let endpoint = Endpoint::start("127.0.0.1:0").unwrap();
        codex::codex_home(&home, endpoint.url(), &binary).unwrap();
        let config = Config {
            command: vec![binary.display().to_string()],
            home: Some(home.display().to_string()),
            // A home of its own: what a user's shell profile prints is no part of a session.
            env: [(codex::KEY_VARIABLE, "key".to_owned()), ("HOME", home.display().to_string())]
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            ..Config::default()
        };
        Some(Self { codex: Codex::new(&config), dir, cwd, endpoint, config })
    }

    fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.codex = Codex::new(&self.config);
    }

    /// Keeps the session as a transcript, if asked to, without this machine's paths.
    fn record(&self, name: &str, session: Session<'_>) {
        let (journal, _) = session.close();
        if std::env::var_os("RECORD").is_none() {
            return;
        }
        let mut text = String::new();
        for line in &journal {
            text.push_str(&trimmed(line.clone()).to_string());
            text.push('\n');
        }
        for (from, to) in [
            (self.cwd.display().to_string(), "/tree"),
            (self.config.home.clone().unwrap(), "/codex-home"),
            (self.dir.path().display().to_string(), "/test"),
            (self.endpoint.url().to_owned(), "http://model"),
        ] {
            text = text.replace(&from, to);
        }
        std::fs::write(transcript::directory().join(format!("{name}.jsonl")), text).unwrap();
    }
}

fn binary() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CAR_TEST_CODEX") {
        return Some(PathBuf::from(path));
    }
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../.tools/codex/node_modules/@openai/codex-linux-x64/vendor");
    let mut triples = std::fs::read_dir(vendor).ok()?.flatten();
    triples.find_map(|triple| {
        let binary = triple.path().join("bin/codex");
        binary.exists().then(|| binary.canonicalize().ok()).flatten()
    })
}

/// What says nothing about the protocol and something about the machine is left out.
fn trimmed(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for name in ["serverName", "installationId", "gitInfo", "preview", "path"] {
                // A changed file's path is no private matter.
                if members.get("diff").is_none() {
                    members.remove(name);
                }
            }
            for (_, member) in members.iter_mut() {
                *member = trimmed(member.take());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| *item = trimmed(item.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}
