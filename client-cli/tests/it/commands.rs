//! The real `car` against a hub of canned answers: exit statuses, output, and which repo is meant.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::stub::{Answers, Stub};
use car_client::credentials::{self, Credential};

/// A hub's root with one repo, served by a stub, and its owner's configuration.
pub(crate) struct World {
    pub(crate) stub: Stub,
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new(answers: Answers) -> Self {
        Self::of(Stub::new(answers))
    }

    fn of(stub: Stub) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Self { stub, dir };
        let root = world.root();
        fs::create_dir_all(root.join("repos/demo/src")).unwrap();
        fs::create_dir_all(root.join(".codex-autorunner")).unwrap();
        fs::write(root.join(".codex-autorunner/manifest.yml"), "version: 3\n").unwrap();
        let url = world.stub.url.clone();
        let endpoint = format!(r#"{{"url":"{url}","pid":1,"instance":"i1","version":"0"}}"#);
        fs::write(root.join(".codex-autorunner/hub_endpoint.json"), endpoint).unwrap();
        let credential = Credential { url, root, token: "car_pat_x".to_owned() };
        credentials::store(&world.dir.path().join("config"), "i1", credential).unwrap();
        world
    }

    pub(crate) fn root(&self) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap().join("hub")
    }

    /// `car` in a directory, with an environment of its own.
    fn car_in(&self, cwd: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_car"));
        command.args(words).current_dir(cwd).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("CAR_CONFIG_DIR", self.dir.path().join("config"));
        command
    }

    /// `car` inside the repo.
    pub(crate) fn car(&self, words: &[&str]) -> Output {
        self.car_in(&self.root().join("repos/demo/src"), words).output().unwrap()
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn problem(code: &str, status: u16, detail: &str) -> String {
    format!(r#"{{"code":"{code}","title":"t","status":{status},"detail":"{detail}"}}"#)
}

const REPOS: &str = r#"{"items":[
  {"id":"demo","name":"Demo","path":"repos/demo","kind":"base","branch":"main","status":"ready",
   "tickets":{"total":3,"done":1,"invalid":0}},
  {"id":"demo--x","name":"x","path":"worktrees/demo--x","kind":"worktree","worktree_of":"demo",
   "status":"missing","tickets":{"total":0,"done":0,"invalid":0},"issue":"The directory is gone."}
]}"#;

const HUB: &str = r#"{"version":"0.1.0","instance":"i1","root":"/hub","last_seq":1,
  "started_at":"2026-03-02T12:00:00Z","max_parallel_runs":2,"url":"http://127.0.0.1:1"}"#;

const LIST: &str = "GET /api/v1/repos?limit=500";

const TICKET: &str = r#"{"id":"tkt_000001","repo":"demo","number":1,"file":"TICKET-001.md",
  "state":"open","title":"Greet","agent":"codex","has_verify":false,"issues":[],"etag":"\"v1\""}"#;

fn ticket(content: &str) -> String {
    format!(r#"{{"ticket":{TICKET},"content":"{content}"}}"#)
}

#[test]
fn the_hub_and_its_token_are_found_from_within() {
    let world = World::new(vec![(LIST, 200, REPOS.to_owned())]);
    let output = world.car(&["hub", "repos"]);
    let expected = "\
REPO     STATUS   TICKETS  BRANCH  NOTE
demo     ready    1/3      main
demo--x  missing  0/0              The directory is gone.
";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(world.stub.asked()[0].headers["authorization"], "Bearer car_pat_x");

    let output = world.car(&["-q", "hub", "repos"]);
    assert_eq!(text(&output.stdout), "demo\ndemo--x\n");
    let output = world.car(&["hub", "repos", "--json"]);
    let page: car_api::Page<car_api::repo::Repo> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(page, serde_json::from_str(REPOS).unwrap());
}

#[test]
fn a_repo_is_meant_by_directory_path_or_id() {
    let tickets = "GET /api/v1/repos/demo/tickets?limit=500";
    let page = format!(r#"{{"items":[{TICKET}]}}"#);
    let world = World::new(vec![(LIST, 200, REPOS.to_owned()), (tickets, 200, page)]);
    let elsewhere = tempfile::tempdir().unwrap();
    let path = world.root().join("repos/demo");
    let expected = "NO   STATE  TITLE  AGENT  FINDINGS\n001  open   Greet  codex\n";

    let inside = world.car(&["ticket", "list"]);
    let by_path = ["tickets", "list", "--repo", path.to_str().unwrap()];
    let by_path = world.car_in(elsewhere.path(), &by_path).output().unwrap();
    let by_id = world.car_in(elsewhere.path(), &["ticket", "list", "-r", "demo"]).output().unwrap();
    for output in [inside, by_path, by_id] {
        assert_eq!(text(&output.stdout), expected, "{}", text(&output.stderr));
    }
    let nowhere = world.car_in(elsewhere.path(), &["ticket", "list"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(text(&nowhere.stderr).contains("--repo ID"), "{}", text(&nowhere.stderr));
}

#[test]
fn failures_have_their_statuses_and_go_to_standard_error() {
    for (code, status, exit) in [
        ("unauthenticated", 401, 4),
        ("not_found", 404, 3),
        ("unavailable", 503, 6),
        ("internal", 500, 1),
    ] {
        let body = problem(code, status, "What happened.");
        let world = World::new(vec![("GET /api/v1/hub", status, body)]);
        let output = world.car(&["hub", "info"]);
        assert_eq!(output.status.code(), Some(exit), "{code}");
        assert_eq!(text(&output.stdout), "");
        assert!(text(&output.stderr).starts_with("error: What happened.\n"), "{code}");

        let output = world.car(&["hub", "info", "--json"]);
        let said: car_api::Problem = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(said.code.as_str(), code);
    }
    let world = World::new(Vec::new());
    assert_eq!(world.car(&["hub", "no-such-word"]).status.code(), Some(2));
    fs::remove_file(world.root().join(".codex-autorunner/hub_endpoint.json")).unwrap();
    let down = world.car(&["tickets", "lint"]);
    assert_eq!(down.status.code(), Some(6));
    assert!(text(&down.stderr).contains("car hub serve --root"), "{}", text(&down.stderr));
}

#[test]
fn what_would_be_lost_is_listed_with_the_words_that_drop_it() {
    let body = r#"{"code":"would_lose_work","title":"t","status":409,"detail":"It is not safe.",
      "unsaved":[{"kind":"untracked","detail":"2 untracked files","count":2,"sample":["a","b"]}]}"#;
    let cleanup = "POST /api/v1/worktrees/demo--x/cleanup";
    let world = World::new(vec![(cleanup, 409, body.to_owned())]);
    let output = world.car(&["hub", "worktree", "cleanup", "demo--x", "--dry-run"]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(
        text(&output.stderr),
        "error: It is not safe.\n  untracked: 2 untracked files\n\
         hint: to remove it all the same: --drop untracked\n"
    );
    let sent = &world.stub.asked()[0].body;
    assert_eq!(sent, r#"{"delete_branch":false,"drop":[],"dry_run":true}"#);
}

#[test]
fn an_edit_names_its_version_and_a_conflict_shows_both() {
    let stale = r#"{"code":"stale","title":"t","status":412,"detail":"It changed.",
      "current":{"content":"theirs\n","etag":"\"v2\""}}"#;
    let put = "PUT /api/v1/repos/demo/tickets/1";
    let world = World::new(vec![
        ("GET /api/v1/repos/demo/tickets/1", 200, ticket("old\\n")),
        (put, 200, ticket("mine\\n")),
        (put, 412, stale.to_owned()),
    ]);
    let mine = world.dir.path().join("mine.md");
    fs::write(&mine, "mine\n").unwrap();
    let words = ["ticket", "edit", "1", "-r", "demo", "--file", mine.to_str().unwrap()];
    let saved = world.car(&words);
    assert_eq!(text(&saved.stdout), "TICKET-001.md is saved\n", "{}", text(&saved.stderr));
    let asked = world.stub.asked();
    assert_eq!(asked[1].headers["if-match"], "\"v1\"");
    assert_eq!(asked[1].body, r#"{"content":"mine\n","allow_invalid":false}"#);

    let refused = world.car(&words);
    assert_eq!(refused.status.code(), Some(5));
    let said = text(&refused.stderr);
    assert!(said.contains("theirs\n----- yours -----\nmine\n"), "{said}");
    assert!(said.contains("error: It changed."), "{said}");
}

#[test]
fn a_job_is_waited_for_and_its_failure_is_the_commands() {
    let job = |status: &str, more: &str| {
        let phase = if status == "completed" { "done" } else { "Cloning" };
        format!(
            r#"{{"id":"job_1","kind":"clone","repo":"demo","status":"{status}","phase":"{phase}",
              "percent":50,"created_at":"2026-03-02T12:00:00Z"{more}}}"#
        )
    };
    let clone = "POST /api/v1/repos/clone";
    let get = "GET /api/v1/jobs/job_1";
    let world = World::new(vec![
        (clone, 202, job("running", "")),
        (get, 200, job("running", "")),
        (get, 200, job("completed", "")),
        (get, 200, job("failed", &format!(r#","problem":{}"#, problem("git_failed", 422, "No.")))),
    ]);
    let output = world.car(&["hub", "clone", "https://example.org/demo.git"]);
    assert_eq!(text(&output.stdout), "clone demo: done\n");
    assert_eq!(text(&output.stderr), "Cloning\n");
    let output = world.car(&["hub", "clone", "https://example.org/demo.git"]);
    assert_eq!(output.status.code(), Some(7));
    assert!(text(&output.stderr).ends_with("error: No.\n"));
    let output = world.car(&["hub", "clone", "-q", "--no-wait", "https://example.org/demo.git"]);
    assert_eq!(text(&output.stdout), "job_1\n");
}

#[test]
fn a_named_hub_is_chosen_and_its_secret_stays_out_of_sight() {
    let world = World::new(vec![("GET /api/v1/hub", 401, problem("unauthenticated", 401, "No."))]);
    let elsewhere = tempfile::tempdir().unwrap();
    let url = world.stub.url.clone();
    let car = |words: &[&str]| {
        let mut command = world.car_in(elsewhere.path(), words);
        command.env("CAR_TOKEN", "boxed").output().unwrap()
    };
    assert_eq!(car(&["use", "box", &url]).status.code(), Some(0));
    let list = world.car_in(elsewhere.path(), &["contexts", "--json"]).output().unwrap();
    let list = text(&list.stdout);
    assert!(list.contains(r#""current": "box""#) && !list.contains("boxed"), "{list}");
    let info = world.car_in(elsewhere.path(), &["hub", "info"]).output().unwrap();
    assert_eq!(info.status.code(), Some(4));
    assert_eq!(world.stub.asked()[0].headers["authorization"], "Bearer boxed");
    assert_eq!(car(&["use", "nowhere"]).status.code(), Some(3));
}

#[test]
fn the_operations_that_were_called_can_be_recorded() {
    let world = World::new(vec![(LIST, 200, REPOS.to_owned())]);
    let record = world.dir.path().join("operations");
    for words in [["hub", "repos"], ["hub", "info"]] {
        let mut car = world.car_in(&world.root(), &words);
        car.env("CAR_CLIENT_COVERAGE", &record).output().unwrap();
    }
    assert_eq!(fs::read_to_string(record).unwrap(), "repo_list\nhub_get\n");
}

#[test]
fn a_description_says_where_one_is_even_when_the_hub_is_down() {
    let world = World::new(vec![(LIST, 200, REPOS.to_owned())]);
    let output = world.car(&["describe", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["hub_url"], world.stub.url.as_str());
    assert_eq!(said["hub"], serde_json::Value::Null);
    assert!(said["hub_problem"].is_string());
    assert!(said["commands"].as_array().unwrap().len() > 50);
}

#[test]
fn contexts_are_listed_renamed_and_forgotten() {
    let world = World::new(vec![("GET /api/v1/hub", 200, HUB.to_owned())]);
    let url = world.stub.url.clone();
    let car = |words: &[&str]| world.car(words);
    assert_eq!(car(&["use", "box", &url]).status.code(), Some(0));
    assert_eq!(text(&car(&["-q", "contexts"]).stdout), "box\n");
    let shown = text(&car(&["contexts", "show"]).stdout);
    assert!(shown.contains("instance   i1\n") && shown.contains("answers    yes"), "{shown}");
    assert_eq!(car(&["contexts", "rename", "box", "home"]).status.code(), Some(0));
    let list: serde_json::Value =
        serde_json::from_slice(&car(&["contexts", "list", "--json"]).stdout).unwrap();
    assert_eq!(list["current"], "home");
    assert_eq!(list["contexts"]["home"]["url"], url.as_str());
    assert_eq!(car(&["contexts", "rename", "nobody", "x"]).status.code(), Some(3));
    assert_eq!(car(&["contexts", "remove", "home"]).status.code(), Some(0));
    assert_eq!(text(&car(&["contexts", "-q"]).stdout), "");
    assert_eq!(car(&["use", "home"]).status.code(), Some(3));
}

#[test]
fn another_hub_a_newer_one_and_none_at_all_are_told_apart() {
    let other = "car-hub-instance: i2\r\ncar-hub-version: 0.1.0\r\n";
    let world = World::of(Stub::with_headers(vec![(LIST, 200, REPOS.to_owned())], other));
    let output = world.car(&["hub", "repos"]);
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(text(&output.stdout), "");
    let said = text(&output.stderr);
    assert!(said.contains("its instance is i2, not i1") && said.contains("hint: "), "{said}");

    let newer = "car-hub-instance: i1\r\ncar-hub-version: 99.0.0\r\n";
    let answer = r#"{"things":[]}"#.to_owned();
    let world = World::of(Stub::with_headers(vec![(LIST, 200, answer.clone())], newer));
    let output = world.car(&["hub", "repos", "--json"]);
    assert_eq!(output.status.code(), Some(8));
    let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["code"], "hub_newer");

    let world = World::new(vec![(LIST, 200, answer)]);
    assert_eq!(world.car(&["hub", "repos"]).status.code(), Some(1));

    let output = world.car(&["--hub", "http://127.0.0.1:1", "--json", "hub", "repos"]);
    assert_eq!(output.status.code(), Some(6));
    let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["code"], "hub_unreachable");
    let output = world.car(&["--hub", "no-such-name", "hub", "repos"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[test]
fn any_request_can_be_made() {
    let post = "POST /api/v1/repos/demo/runs?a=b&c=d";
    let world = World::new(vec![(post, 200, r#"{"x":1}"#.to_owned())]);
    let words = ["api", "post", "repos/demo/runs?a=b", "--query", "c=d", "--data", "{}"];
    let output = world.car(&[&words[..], &["-H", "If-Match: *"]].concat());
    assert_eq!(text(&output.stdout), "{\n  \"x\": 1\n}\n", "{}", text(&output.stderr));
    let asked = &world.stub.asked()[0];
    assert_eq!(asked.body, "{}");
    assert_eq!(asked.headers["if-match"], "*");
    assert_eq!(asked.headers["content-type"], "application/json");
    assert_eq!(asked.headers["authorization"], "Bearer car_pat_x");
    assert_eq!(world.car(&["api", "GET", "nothing"]).status.code(), Some(3));
    assert_eq!(world.car(&["api", "GET", "x", "--query", "y"]).status.code(), Some(2));
}

#[test]
fn words_of_the_original_that_are_missing_are_one_line_and_a_usage_error() {
    let world = World::new(Vec::new());
    for (words, said) in [
        (&["telegram", "start"][..], "does not have Telegram"),
        (&["hub", "inbox", "clear"][..], "is now `car inbox`"),
        (&["flow", "worker"][..], "is not needed"),
    ] {
        let output = world.car(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let line = text(&output.stderr);
        assert!(line.starts_with("error: ") && line.contains(said), "{words:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
    let output = world.car(&["hub", "repoz"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("'repos'"));
}

#[test]
fn every_command_has_a_page_and_every_shell_its_completions() {
    let world = World::new(Vec::new());
    let pages = world.dir.path().join("man");
    world.car(&["man", "--dir", pages.to_str().unwrap()]);
    for page in ["car.1", "car-hub-worktree-create.1", "car-run-start.1", "car-watch.1"] {
        let page = fs::read_to_string(pages.join(page)).unwrap();
        assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    }
    assert!(text(&world.car(&["man", "run", "start"]).stdout).contains("max\\-total\\-turns"));
    for shell in ["bash", "zsh", "fish"] {
        let script = world.car(&["completions", shell]);
        assert!(text(&script.stdout).contains("worktree"), "{shell}");
    }
    let script = world.dir.path().join("car.bash");
    fs::write(&script, world.car(&["completions", "bash"]).stdout).unwrap();
    if let Ok(read) = Command::new("bash").arg("-n").arg(&script).status() {
        assert!(read.success());
    }
}
