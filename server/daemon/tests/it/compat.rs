//! The Python CAR and this hub on the same files: a hub made by CAR is opened in place, worked in,
//! and read by CAR again. Skipped, with a word about it, where `deploy/dev/test-tools.sh` could not
//! install CAR.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use car_api::{
    PageQuery,
    context::ContextName,
    dispatch::{DispatchMode, ReplyCreate},
    repo::{RepoKind, RepoStatus},
    run::RunStatus,
    ticket::TicketState,
};
use serde_json::json;

use crate::{
    harness::{DEADLINE, TestHub},
    work::{self, git, start, until},
};

#[tokio::test]
async fn a_hub_of_car_1_is_shared() {
    let Some(car) = Car::of("1.2.1", "workspace") else { return };
    share(&car).await;
}

#[tokio::test]
async fn a_hub_of_car_2_is_shared() {
    let Some(car) = Car::of("2.2.3", "contextspace") else { return };
    share(&car).await;
}

#[tokio::test]
async fn runs_of_car_1_are_listed() {
    let Some(car) = Car::of("1.2.1", "workspace") else { return };
    history(&car).await;
}

#[tokio::test]
async fn runs_of_car_2_are_listed() {
    let Some(car) = Car::of("2.2.3", "contextspace") else { return };
    history(&car).await;
}

const DONE: &str = "0b9d6f0e-3c52-4a53-9a0e-2f1d1c7a5e01";
const BROKEN: &str = "1c9d6f0e-3c52-4a53-9a0e-2f1d1c7a5e02";
const ENDED: &str = "2d9d6f0e-3c52-4a53-9a0e-2f1d1c7a5e03";

/// Runs that CAR finished, by its own modules: one more each time, as arguments say. A CAR that was
/// killed leaves what it wrote in the log beside the file.
const FINISH: &str = r"
import os, pathlib, sys
from codex_autorunner.core.flows.store import FlowStore
from codex_autorunner.core.flows.models import FlowRunStatus
store = FlowStore(pathlib.Path('.codex-autorunner/flows.db'))
store.initialize()
[run, flow, status, error, end] = sys.argv[1:]
state = {'ticket_engine': {'total_turns': 3}}
store.create_flow_run(run, flow, {}, state=state)
store.update_flow_run_status(run, FlowRunStatus(status), started_at='2026-01-02T03:04:05Z',
    finished_at='2026-01-02T03:05:00Z', error_message=error or None)
if end == 'killed':
    os._exit(0)
store.close()
";

/// What CAR finished is listed once, before what this hub does, with its messages.
async fn history(car: &Car) {
    let mut hub = TestHub::unserved();
    let root = hub.root();
    fs::remove_dir_all(&root).unwrap();
    fs::create_dir(&root).unwrap();
    let tree = made_by(car, &root);
    use_the_demo_agent(car, &root);
    let finish = |run: &str, flow: &str, status: &str, error: &str, end: &str| {
        car.python(&tree, &["-c", FINISH, run, flow, status, error, end]);
    };
    finish(DONE, "ticket_flow", "completed", "", "closed");
    finish(BROKEN, "ticket_flow", "failed", "The worker died.", "closed");
    finish("3e9d6f0e-3c52-4a53-9a0e-2f1d1c7a5e04", "ticket_flow", "paused", "", "closed");
    finish("4f9d6f0e-3c52-4a53-9a0e-2f1d1c7a5e05", "other", "completed", "", "closed");
    let entry = tree.join(format!(".codex-autorunner/runs/{DONE}/dispatch_history/0001"));
    fs::create_dir_all(&entry).unwrap();
    let dispatch = "---\nmode: notify\ntitle: Finished\n---\n\nThat was all.\n";
    fs::write(entry.join("DISPATCH.md"), dispatch).unwrap();
    let of_car = |root: &Path| {
        let mut all = databases(root);
        all.retain(|path, _| !path.ends_with("hub.sqlite3"));
        all
    };
    let files = || {
        let dir = tree.join(".codex-autorunner");
        let names = fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name());
        let flows = names.filter(|name| name.to_str().unwrap().starts_with("flows.db"));
        flows.collect::<std::collections::BTreeSet<_>>()
    };
    let before = (of_car(&root), files());

    hub.serve(&[]);
    let listed = |hub: &TestHub, count: usize| {
        let client = hub.client();
        async move {
            let begun = std::time::Instant::now();
            loop {
                let page = PageQuery::default();
                let runs = client.run_list(None, None, &page).await.unwrap().items;
                if runs.len() == count {
                    return runs;
                }
                assert!(runs.len() < count && begun.elapsed() < DEADLINE, "{runs:#?}");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    };
    let runs = listed(&hub, 2).await;
    let states: Vec<_> = runs.iter().map(|run| (run.state.status(), run.turns)).collect();
    assert_eq!(states, [(RunStatus::Failed, 3), (RunStatus::Completed, 3)], "the newest first");
    assert!(runs[0].explain.line.contains("The worker died."), "{:?}", runs[0].explain);
    assert_eq!(runs[1].started_at.unwrap().to_string(), "2026-01-02T03:04:05.000000Z");
    let client = hub.client();
    let told = client.run_dispatches(&runs[1].id).await.unwrap();
    assert_eq!(told.items[0].title.as_deref(), Some("Finished"));
    for run in &runs {
        let none = client.run_replies(&run.id).await.unwrap();
        assert!(none.items.is_empty());
    }
    assert!(!tree.join(format!(".codex-autorunner/runs/{BROKEN}")).exists(), "nothing is made");
    // Nobody is called for what failed long ago.
    assert!(client.hub_snapshot().await.unwrap().attention.is_empty());
    let own = start(&client, &"demo--feature-one".parse().unwrap()).await.id;
    until(&client, &own, RunStatus::Paused).await;
    assert_eq!(listed(&hub, 3).await[0].id, own);
    client.run_stop(&own).await.unwrap();
    until(&client, &own, RunStatus::Stopped).await;
    assert!(hub.stop().success());
    assert_eq!((of_car(&root), files()), before, "CAR's files are as they were");

    finish(ENDED, "ticket_flow", "stopped", "", "killed");
    let before = (of_car(&root), files());
    assert!(before.1.len() > 1, "{:?}", before.1);
    hub.serve(&[]);
    listed(&hub, 4).await;
    assert!(hub.stop().success());
    assert_eq!((of_car(&root), files()), before, "CAR's files are as they were");

    assert!(hub.run(&["reindex", "--root", root.to_str().unwrap()]).status.success());
    hub.serve(&[]);
    let again = listed(&hub, 4).await;
    assert_eq!(again.iter().filter(|run| run.turns == 3).count(), 3);
}

const SPEC: &str = "# Spec\n\nWritten before there was another hub.\n";

/// The whole way: made by CAR, worked by this hub, read by CAR.
async fn share(car: &Car) {
    let mut hub = TestHub::unserved();
    let root = hub.root();
    // All of it is CAR's.
    fs::remove_dir_all(&root).unwrap();
    fs::create_dir(&root).unwrap();
    let tree = made_by(car, &root);
    let databases = databases(&root);
    assert!(databases.len() >= 3, "{:?}", databases.keys());

    use_the_demo_agent(car, &root);
    hub.serve(&[]);
    worked_here(&hub, &tree).await;
    assert!(hub.stop().success());

    for (path, bytes) in databases {
        assert_eq!(fs::read(&path).unwrap(), bytes, "{} was written to", path.display());
    }
    read_by(car, &root, &tree);

    // And back once more: what CAR wrote meanwhile is taken up.
    car.ticket_tool(&tree, &["create", "--title", "Third", "--agent", "user"]);
    hub.serve(&[]);
    let client = hub.client();
    let tickets = client
        .ticket_list(&"demo--feature-one".parse().unwrap(), None, &PageQuery::default())
        .await
        .unwrap();
    let states: Vec<_> = tickets.items.iter().map(|t| (t.title.as_str(), t.state)).collect();
    assert_eq!(
        states,
        [("First", TicketState::Done), ("Second", TicketState::Done), ("Third", TicketState::Open)]
    );
}

/// The tickets are for Codex: the demo agent, which speaks its protocol, takes its place, named the
/// way CAR names Codex's program.
fn use_the_demo_agent(car: &Car, root: &Path) {
    let program = root.join("demo-codex");
    let script = format!(
        "#!/bin/sh\nDEMO_AGENT_HOME='{}' exec '{}' demo-agent \"$@\"\n",
        car.home.path().display(),
        env!("CARGO_BIN_EXE_car-hub")
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let config = json!({ "agents": { "codex": { "binary": program } } });
    fs::write(root.join("codex-autorunner.override.yml"), config.to_string()).unwrap();
    // CAR 1 generated a file with every default, which has the last word.
    let generated = root.join(".codex-autorunner/config.yml");
    let text = fs::read_to_string(&generated).unwrap();
    let named = text.replace("binary: codex\n", &format!("binary: {}\n", program.display()));
    fs::write(generated, named).unwrap();
}

/// A hub with a repo, a worktree and two tickets, by CAR's own commands. Gives the worktree.
fn made_by(car: &Car, root: &Path) -> PathBuf {
    car.run(root, &["init", "--mode", "hub", "."]);
    car.run(root, &["hub", "create", "demo"]);
    git(&root.join("demo"), &["commit", "--quiet", "--allow-empty", "-m", "first"]);
    car.run(root, &["hub", "worktree", "create", "demo", "feature/one", "--start-point", "HEAD"]);
    let tree = root.join("worktrees/demo--feature-one");
    for (title, script) in [
        (
            "First",
            r#"{"on": 1, "dispatch": {"mode": "pause", "title": "Go on?", "body": "May I?"}},
            {"from": 2, "say": "I may.", "write": ["one.txt", "one\n"]}, {"from": 2, "commit": "One"},
            {"from": 2, "done": true}"#,
        ),
        (
            "Second",
            r#"{"write": ["two.txt", "two\n"]}, {"commit": "Two"}, {"done": true},
            {"dispatch": {"title": "Finished", "body": "That was all."}}"#,
        ),
    ] {
        let said = car.ticket_tool(&tree, &["create", "--title", title, "--agent", "codex"]);
        let path = said.trim().strip_prefix("Created ").unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}\n@@FAKE[{script}]@@\n")).unwrap();
    }
    fs::write(tree.join(".codex-autorunner").join(car.context).join("spec.md"), SPEC).unwrap();
    // Asking for a run makes the database of runs.
    let _ = car.command(&tree, &["ticket-flow", "status"]).output().unwrap();
    assert!(tree.join(".codex-autorunner/flows.db").exists());
    tree
}

async fn worked_here(hub: &TestHub, tree: &Path) {
    let client = hub.client();
    let repos = client.repo_list(None, &PageQuery::default()).await.unwrap().items;
    let [base, worktree] = &repos[..] else { panic!("{repos:#?}") };
    assert_eq!((base.id.as_str(), base.kind), ("demo", RepoKind::Base));
    assert_eq!((worktree.id.as_str(), worktree.kind), ("demo--feature-one", RepoKind::Worktree));
    assert_eq!(worktree.worktree_of.as_ref(), Some(&base.id));
    assert_eq!(worktree.branch.as_deref(), Some("feature/one"));
    assert_eq!((base.status, worktree.status), (RepoStatus::Ready, RepoStatus::Ready));
    assert_eq!((worktree.tickets.total, worktree.tickets.invalid), (2, 0));
    let id = &worktree.id;
    let tickets = client.ticket_list(id, None, &PageQuery::default()).await.unwrap().items;
    let titles: Vec<_> = tickets.iter().map(|t| (t.title.as_str(), t.number)).collect();
    assert_eq!(titles, [("First", Some(1)), ("Second", Some(2))]);
    let spec = client.context_get(id, ContextName::Spec).await.unwrap();
    assert_eq!(spec.content, SPEC);

    let run = start(&client, id).await.id;
    until(&client, &run, RunStatus::Paused).await;
    let reply = ReplyCreate { title: Some("Yes".to_owned()), body: "You may.".to_owned() };
    client.run_reply(&run, &reply).await.unwrap();
    let run = until(&client, &run, RunStatus::Completed).await;
    assert_eq!(run.finished.tickets, 2);
    let prompt = client.turn_get(&work::turns(&client, &run.id).await[0].id).await.unwrap().prompt;
    assert!(prompt.unwrap().contains("Written before there was another hub."));
    assert_eq!(git(tree, &["log", "--format=%s"]), "Two\nOne\nfirst\n");
    let dispatches = client.run_dispatches(&run.id).await.unwrap().items;
    let modes: Vec<_> = dispatches.iter().map(|d| d.mode).collect();
    assert!(modes.contains(&DispatchMode::Pause) && modes.contains(&DispatchMode::Notify));
}

/// CAR lists the hub, and reads tickets, documents, dispatches and replies with its own code.
fn read_by(car: &Car, root: &Path, tree: &Path) {
    let scanned = car.run(root, &["hub", "scan"]);
    for (id, state) in [("demo", "idle"), ("demo--feature-one", "idle")] {
        assert!(scanned.contains(&format!("- {id}: {state}")), "{scanned}");
    }
    assert_eq!(
        car.ticket_tool(tree, &["list"]),
        "001 [done] TICKET-001.md - First\n002 [done] TICKET-002.md - Second\n"
    );
    assert!(car.lint(tree).contains("OK: 2 ticket(s) linted."));
    let old = tree.join(".codex-autorunner").join(car.context).join("spec.md");
    assert_eq!(fs::read_to_string(old).unwrap(), SPEC);
    let read = car.python(tree, &["-c", READ]);
    let read: serde_json::Value = serde_json::from_str(read.trim()).unwrap();
    assert_eq!(read["errors"], json!([]));
    assert_eq!(read["replies"], json!([["Yes", "You may."]]));
    let dispatches = read["dispatches"].as_array().unwrap();
    for expected in
        [json!(["pause", "Go on?", "May I?"]), json!(["notify", "Finished", "That was all."])]
    {
        assert!(dispatches.contains(&expected), "{dispatches:#?}");
    }
    let summary = |d: &serde_json::Value| d[0] == "turn_summary" && d[2] == "I may.";
    assert!(dispatches.iter().any(summary), "{dispatches:#?}");
}

/// Reads the history of the only run with the modules CAR itself reads it with.
const READ: &str = r"
import json, pathlib
from codex_autorunner.tickets.outbox import parse_dispatch
from codex_autorunner.tickets.replies import parse_user_reply
[run] = pathlib.Path('.codex-autorunner/runs').iterdir()
read = {'errors': [], 'dispatches': [], 'replies': []}
def entries(kind, name, parse, told):
    for number, entry in enumerate(sorted((run / kind).iterdir()), 1):
        assert entry.name == f'{number:04d}', entry
        parsed, errors = parse(entry / name)
        read['errors'] += errors
        yield told(parsed)
read['dispatches'] = list(entries('dispatch_history', 'DISPATCH.md', parse_dispatch,
    lambda d: [d.mode, d.title, d.body.strip()]))
read['replies'] = list(entries('reply_history', 'USER_REPLY.md', parse_user_reply,
    lambda r: [r.title, r.body.strip()]))
print(json.dumps(read))
";

/// Every database of CAR below a directory, with its bytes.
fn databases(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && entry.file_name() != ".git" {
            found.append(&mut databases(&path));
        } else if kind.is_file()
            && path.extension().is_some_and(|end| end == "sqlite3" || end == "db")
        {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// A Python CAR with a home of its own.
struct Car {
    bin: PathBuf,
    home: tempfile::TempDir,
    /// Where this version keeps the documents.
    context: &'static str,
}

impl Car {
    fn of(version: &str, context: &'static str) -> Option<Self> {
        let bin = work::tools().join(format!("car-{version}/bin"));
        if !bin.join("car").exists() {
            eprintln!("skipped: no CAR {version} (run deploy/dev/test-tools.sh)");
            return None;
        }
        let bin = bin.canonicalize().unwrap();
        Some(Self { bin, home: tempfile::tempdir().unwrap(), context })
    }

    fn program(&self, name: &str, cwd: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command
            .args(args)
            .current_dir(cwd)
            .env("HOME", self.home.path())
            .env("CAR_GLOBAL_STATE_ROOT", self.home.path().join("state"))
            .env("PYTHONWARNINGS", "ignore");
        command
    }

    fn command(&self, cwd: &Path, args: &[&str]) -> Command {
        self.program("car", cwd, args)
    }

    fn run(&self, cwd: &Path, args: &[&str]) -> String {
        said(&mut self.command(cwd, args))
    }

    fn python(&self, cwd: &Path, args: &[&str]) -> String {
        said(&mut self.program("python", cwd, args))
    }

    fn ticket_tool(&self, tree: &Path, args: &[&str]) -> String {
        let mut all = vec![".codex-autorunner/bin/ticket_tool.py"];
        all.extend(args);
        self.python(tree, &all)
    }

    /// Each version's own check of a queue.
    fn lint(&self, tree: &Path) -> String {
        let portable = ".codex-autorunner/bin/lint_tickets.py";
        if tree.join(portable).exists() {
            self.python(tree, &[portable])
        } else {
            self.run(tree, &["tickets", "lint"])
        }
    }
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}
