//! Every operation of the API is really called by the command `car help operations` names for it,
//! and what a command prints with `--json` is what the API answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
    time::Duration,
};

use car_api::{
    RunId,
    inbox::InboxItem,
    pairing::{PairFinish, PairOutcome, PairRequest},
    run::{Run, RunStatus},
};
use car_client::{Client, RawRequest};
use serde_json::Value;

use crate::{
    contract::operations,
    harness::{DEADLINE, TestHub},
    talk::Talk,
    templates::Source,
    work::{car_command, git},
};

/// What the program itself says about operations and commands.
const TABLE: &str = include_str!("../../../../client-cli/src/bin/car/help/operations.txt");

/// Operations whose command shows something else than their answer.
const OTHERWISE_SHOWN: &[&str] = &[
    "health_live",
    "health_ready",
    "hub_doctor",
    "event_list",
    "file_get",
    "repo_file_get",
    "pma_packet",
];

struct Tour {
    hub: TestHub,
    dir: tempfile::TempDir,
    /// What the words in capitals stand for.
    words: BTreeMap<&'static str, String>,
    done: BTreeSet<String>,
}

#[tokio::test]
async fn every_operation_is_called_by_its_command() {
    let mut tour = Tour {
        hub: TestHub::with_terminals(),
        dir: tempfile::tempdir().unwrap(),
        words: BTreeMap::new(),
        done: BTreeSet::new(),
    };
    for (word, value) in [
        ("AGENT", "demo"),
        ("REPO", "base"),
        ("ID", "base"),
        ("REF", "HEAD"),
        ("BRANCH", "feature/one"),
        ("WORKTREE", "base--feature-one"),
        ("NAME", "tour"),
        ("TITLE", "Some work"),
        ("TEXT", "That one."),
    ] {
        tour.set(word, value);
    }
    the_hub(&mut tour).await;
    repos(&mut tour).await;
    tickets(&mut tour).await;
    templates(&mut tour).await;
    runs(&mut tour).await;
    approvals(&mut tour).await;
    worktrees(&mut tour).await;
    threads(&mut tour).await;
    terminals(&mut tour).await;
    audit(&mut tour).await;
    webhooks(&mut tour).await;
    notifications(&mut tour).await;
    logins(&mut tour).await;
    browsers(&mut tour).await;
    tokens(&mut tour).await;
    tour.set("REPO", "copy");
    tour.run("repo_remove", &[]).await;

    let all = operations();
    let ids = all.iter().map(|(_, _, operation)| operation["operationId"].as_str().unwrap());
    let missing: Vec<_> = ids.filter(|id| !tour.done.contains(*id)).collect();
    assert!(missing.is_empty(), "the tour in commands.rs runs no command for {missing:?}");
}

async fn the_hub(tour: &mut Tour) {
    for id in [
        "health_live",
        "health_ready",
        "hub_get",
        "hub_snapshot",
        "hub_scan",
        "hub_doctor",
        "openapi_get",
        "docs_get",
        "docs_style",
        "metrics_get",
        "backup_create",
        "backup_list",
        "event_list",
        "agent_list",
        "agent_models",
    ] {
        tour.run(id, &[]).await;
    }
    // No restore waits for it.
    tour.run_for("restore_confirm", &[], &[5]).await;
}

async fn repos(tour: &mut Tour) {
    tour.run("repo_create", &[]).await;
    let made = tour.car(&["hub", "show", "base", "--json"]).stdout;
    let made: car_api::repo::Repo = serde_json::from_slice(&made).unwrap();
    let dir = tour.hub.root().join(made.path);
    fs::write(dir.join("README.md"), "base\n").unwrap();
    git(&dir, &["add", "README.md"]);
    git(&dir, &["commit", "--quiet", "-m", "first"]);
    tour.set("REPO_DIR", dir.to_str().unwrap());
    tour.set("URL", dir.to_str().unwrap());
    for id in [
        "repo_init",
        "repo_list",
        "repo_get",
        "repo_git",
        "repo_update",
        "repo_setup_update",
        "repo_setup_get",
    ] {
        tour.run(id, &[]).await;
    }
    tour.set("ID", "copy");
    tour.run("repo_clone", &[]).await;
    tour.set("REPO", "copy");
    tour.run("repo_sync", &[]).await;
    tour.set("REPO", "base");
    tour.run("job_list", &[]).await;
    let job = tour.ids(&["jobs", "list"]).remove(0);
    tour.set("JOB", &job);
    tour.run("job_get", &[]).await;
    tour.run("job_log", &[]).await;
    // It has ended: to cancel it is no longer possible.
    tour.run_for("job_cancel", &[], &[0, 5]).await;
}

async fn tickets(tour: &mut Tour) {
    tour.run("ticket_create", &["--agent", "demo", "--verify", "true"]).await;
    tour.run("ticket_create", &["--agent", "demo", "--verify", "true"]).await;
    for id in ["ticket_list", "ticket_list_all", "ticket_get", "ticket_lint"] {
        tour.run(id, &[]).await;
    }
    tour.run("ticket_move", &[]).await;
    tour.run("ticket_renumber", &[]).await;
    let text = tour.car(&["ticket", "show", "1", "--repo", "base"]).stdout;
    tour.file(&format!("{}\nMore.\n", String::from_utf8(text).unwrap()));
    tour.run("ticket_update", &[]).await;
    tour.run("ticket_patch", &[]).await;
    tour.run("ticket_verify", &[]).await;
    tour.run("ticket_done", &[]).await;
    // By a piece of its id, as every other ticket can be named.
    let id = tour.ids(&["ticket", "list", "--repo", "base"]).remove(1);
    tour.car(&["ticket", "done", &id[..id.len() - 1], "--repo", "base"]);
    tour.file("What is to be built.\n");
    for id in ["context_update", "context_list", "context_get"] {
        tour.run(id, &[]).await;
    }
    for id in ["file_put", "file_list", "repo_file_put", "repo_file_list"] {
        tour.run(id, &[]).await;
    }
    for id in ["file_link", "repo_file_link"] {
        tour.run(id, &[]).await;
    }
    // What is not a link of this hub leads nowhere.
    tour.run_for("download_get", &[], &[3]).await;
    for id in ["file_get", "file_delete", "repo_file_get", "repo_file_delete"] {
        tour.run(id, &[]).await;
    }
    tour.run("pma_breaker_reset", &[]).await;
    for id in
        ["pma_doc_update", "pma_doc_list", "pma_doc_get", "pma_doc_prune", "pma_packet", "pma_get"]
    {
        tour.run(id, &[]).await;
    }
    tour.run("voice_get", &[]).await;
    // Nothing that finds words is named.
    tour.run_for("voice_transcribe", &["--kind", "audio/webm"], &[4]).await;
}

async fn templates(tour: &mut Tour) {
    let source = Source::new(&[("fix/bug.md", "# Mend it\n\nAll of it.\n")]);
    let (id, url) = (tour.words["ID"].clone(), tour.words["URL"].clone());
    tour.set("ID", "team");
    tour.set("URL", source.url());
    tour.set("TEMPLATE", "team:fix/bug.md");
    tour.run("template_source_create", &[]).await;
    for id in ["template_source_sync", "template_source_list", "template_list", "template_get"] {
        tour.run(id, &[]).await;
    }
    // There is nobody to be asked.
    tour.car_for(&["templates", "trust", "team:fix/bug.md"], &[2]);
    tour.run_for("template_apply", &[], &[2]).await;
    let sha256 = source.sha256("fix/bug.md");
    tour.run("template_trust", &["--sha256", &sha256]).await;
    tour.run("template_apply", &["--set-agent", "user", "--title", "Mended"]).await;
    tour.run("template_untrust", &[]).await;
    tour.run("template_apply", &["--accept-sha256", &sha256]).await;
    tour.run("template_source_trust", &["--yes"]).await;
    tour.run("template_source_untrust", &[]).await;
    tour.car(&["templates", "search", "mend", "all"]);
    tour.car(&["templates", "repos", "list"]);
    let fetched = tour.car(&["templates", "fetch", "team:fix/bug.md@main"]).stdout;
    assert_eq!(fetched, b"# Mend it\n\nAll of it.\n");
    tour.run("template_source_delete", &[]).await;
    tour.set("ID", &id);
    tour.set("URL", &url);
    for ticket in tour.ids(&["ticket", "list", "--repo", "base", "--state", "open"]) {
        tour.car(&["ticket", "done", &ticket, "--repo", "base"]);
    }
}

async fn runs(tour: &mut Tour) {
    let ask = r#"{"say": "A question.", "dispatch": {"mode": "pause", "title": "Which?", "body": "This?"}, "on": 1},
        {"from": 2, "write": ["answer.txt", "that\n"]}, {"from": 2, "done": true}, {"from": 2, "commit": "That"}"#;
    tour.work(ask);
    tour.run("run_start", &[]).await;
    let run = tour.latest_run().await;
    tour.until(&run, |run| run.state.status() == RunStatus::Paused).await;
    let inbox = tour.car(&["inbox", "--json"]).stdout;
    let inbox: car_api::Page<InboxItem> = serde_json::from_slice(&inbox).unwrap();
    assert_eq!(inbox.items.iter().map(|item| &item.run).collect::<Vec<_>>(), [&Some(run.clone())]);
    tour.run("inbox_list", &[]).await;
    tour.run("inbox_counts", &[]).await;
    tour.set("ITEM", &inbox.items[0].id.as_str()[24..]);
    tour.run("inbox_get", &[]).await;
    // The last letters, as lists show them, are enough.
    tour.set("RUN", &run.as_str()[run.as_str().len() - 8..]);
    tour.run("dispatch_create", &["--notify"]).await;
    for id in ["run_list", "run_get", "run_explain", "run_dispatches", "run_reply"] {
        tour.run(id, &[]).await;
    }
    tour.until(&run, |run| run.state.status() == RunStatus::Completed).await;
    // The agent's word is only for information, and there until it is read or put away.
    let note = tour.ids(&["inbox"]).remove(0);
    tour.set("ITEM", &note);
    tour.run("inbox_act", &[]).await;
    assert_eq!(tour.ids(&["inbox"]), Vec::<String>::new());
    tour.run("inbox_seen", &[]).await;
    tour.set("TURN", "2");
    tour.set("FILE", "answer.txt");
    for id in ["run_replies", "run_turns", "turn_get", "run_evidence", "run_diff", "run_diff_file"]
    {
        tour.run(id, &[]).await;
    }
    let usage = tour.car(&["usage", "--by", "agent", "--json"]).stdout;
    let usage: Value = serde_json::from_slice(&usage).unwrap();
    assert_eq!(usage["rows"][0]["key"], "demo");
    assert_eq!(usage["total"]["turns"], 2);
    for id in ["usage_get", "budgets_get", "budgets_update"] {
        tour.run(id, &[]).await;
    }

    tour.work(ask);
    tour.run("run_start", &[]).await;
    let run = tour.latest_run().await;
    tour.until(&run, |run| run.state.status() == RunStatus::Paused).await;
    tour.set("RUN", "base");
    tour.run("run_resume", &[]).await;
    tour.until(&run, |run| run.state.status() == RunStatus::Completed).await;
}

async fn approvals(tour: &mut Tour) {
    tour.work(r#"{"escalate": true, "sh": "echo allowed > allowed.txt"}, {"hang": true}"#);
    tour.run("run_start", &["--approvals", "untrusted"]).await;
    let run = tour.latest_run().await;
    let waiting = tour.until(&run, |run| !run.approvals.is_empty()).await;
    let approval = waiting.approvals[0].id.to_string();
    tour.set("RUN", run.as_str());
    tour.set("APPROVAL", &approval[approval.len() - 8..]);
    for id in ["approval_decide", "run_pause", "run_stop"] {
        tour.run(id, &[]).await;
    }
    tour.until(&run, |run| run.state.status() == RunStatus::Stopped).await;
}

async fn threads(tour: &mut Tour) {
    let client = tour.hub.client();
    tour.set("TEXT", "Hello. @@FAKE[{\"say\": \"A greeting.\"}]@@");
    tour.set("WORDS", "greeting");
    tour.run("thread_create", &["--agent", "demo", "--approvals", "untrusted"]).await;
    let thread = tour.ids(&["thread", "list"]).remove(0);
    let talk = Talk { client: client.clone(), key: thread.parse().unwrap() };
    tour.set("THREAD", &thread[thread.len() - 8..]);
    tour.set("THREAD_ID", &thread);
    tour.run("thread_update", &[]).await;
    let said = tour.car(&["thread", "post", &thread, &tour.words["TEXT"].clone(), "-f"]).stdout;
    assert_eq!(String::from_utf8(said).unwrap(), "A greeting.\n");
    tour.set("MESSAGE", "1");
    for id in ["thread_list", "thread_get", "message_list", "message_get", "message_search"] {
        tour.run(id, &[]).await;
    }
    tour.run("thread_compact", &[]).await;
    talk.until_idle().await;
    tour.run("thread_fork", &[]).await;
    tour.set("TEXT", "@@FAKE[{\"sh\": \"true\"}, {\"hang\": true}]@@");
    tour.run("message_post", &[]).await;
    let approval = talk.asked().await.id.to_string();
    tour.set("APPROVAL", &approval);
    tour.run("thread_approval_decide", &[]).await;
    tour.run("message_post", &[]).await;
    tour.set("MESSAGE", "3");
    tour.run("message_cancel", &[]).await;
    tour.run("thread_interrupt", &[]).await;
    talk.until_idle().await;
    tour.set("MESSAGE", "2");
    tour.run("message_continue", &[]).await;
    talk.until_idle().await;
    tour.run("thread_reset", &[]).await;
    tour.run("thread_resume", &[]).await;
    tour.run("thread_stop", &[]).await;
    tour.set("TEXT", "That one.");
}

async fn worktrees(tour: &mut Tour) {
    tour.run("worktree_create", &[]).await;
    tour.run("worktree_list", &[]).await;
    let made = tour.car(&["hub", "show", "base--feature-one", "--json"]).stdout;
    let made: car_api::repo::Repo = serde_json::from_slice(&made).unwrap();
    fs::write(tour.hub.root().join(made.path).join("only-here.txt"), "work\n").unwrap();
    // Nothing is lost unless its kind is named, and without a terminal `--yes` is needed too.
    let refused = tour.car_for(&["hub", "worktree", "cleanup", "base--feature-one"], &[5]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--drop untracked"));
    let drop = ["hub", "worktree", "cleanup", "base--feature-one", "--drop", "untracked"];
    tour.car_for(&drop, &[2]);
    tour.run("worktree_cleanup", &["--drop", "untracked", "--yes"]).await;
    tour.run("salvage_list", &[]).await;
    let salvage = tour.ids(&["salvage", "list"]).remove(0);
    tour.set("SALVAGE", &salvage);
    tour.run("salvage_restore", &[]).await;
}

async fn tokens(tour: &mut Tour) {
    tour.run("token_create", &[]).await;
    tour.run("token_list", &[]).await;
    let listed = tour.car(&["token", "list", "--json"]).stdout;
    let listed: car_api::Page<car_api::token::Token> = serde_json::from_slice(&listed).unwrap();
    let made = listed.items.iter().find(|token| token.name == "tour").unwrap();
    tour.set("TOKEN", &made.id.as_str()[made.id.as_str().len() - 8..]);
    for id in [
        "token_delete",
        "credential_get",
        "token_exchange",
        "ws_ticket_create",
        "key_rotate",
        "key_list",
        "token_delete_others",
    ] {
        tour.run(id, &[]).await;
    }
}

async fn audit(tour: &mut Tour) {
    for id in ["audit_list", "audit_head", "audit_verify"] {
        tour.run(id, &[]).await;
    }
}

async fn webhooks(tour: &mut Tour) {
    // Nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    tour.set("URL", &format!("http://{address}/hook"));
    tour.run("webhook_create", &["--kind", "restore_confirmed"]).await;
    let webhook = tour.ids(&["webhook", "list"]).remove(0);
    tour.set("WEBHOOK", &webhook);
    tour.run("webhook_list", &[]).await;
    tour.run("webhook_get", &[]).await;
    tour.run_for("webhook_test", &[], &[7]).await;
    tour.run("webhook_deliveries", &[]).await;
    let delivery = tour.ids(&["webhook", "deliveries", &webhook]).remove(0);
    tour.set("DELIVERY", &delivery[delivery.len() - 8..]);
    for id in ["webhook_redeliver", "webhook_rotate", "webhook_update"] {
        tour.run(id, &[]).await;
    }
    tour.set("WEBHOOK", &webhook[webhook.len() - 8..]);
    tour.run("webhook_delete", &[]).await;
}

async fn terminals(tour: &mut Tour) {
    tour.run("terminal_create", &[]).await;
    let terminal = tour.ids(&["terminal", "list"]).remove(0);
    tour.set("TERMINAL", &terminal[terminal.len() - 8..]);
    tour.run("terminal_list", &[]).await;
    tour.run("terminal_get", &[]).await;
    let (look, record) = tour.spawn("terminal_attach", &["--from", "0"]);
    tour.run("terminal_end", &[]).await;
    let seen = look.wait_with_output().unwrap();
    assert!(seen.status.success(), "{seen:?}");
    tour.has_called(&record, &["terminal_attach"]);
}

async fn notifications(tour: &mut Tour) {
    // Nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    tour.set("CHANNEL_URL", &format!("http://{address}/hook"));
    tour.run("channel_create", &["--quiet-hours", "22:00-07:00"]).await;
    let channel = tour.ids(&["channel", "list"]).remove(0);
    tour.set("CHANNEL", &channel[channel.len() - 8..]);
    tour.run("channel_list", &[]).await;
    tour.run("channel_get", &[]).await;
    tour.run_for("channel_test", &[], &[7]).await;
    let notification = tour.ids(&["notification", "list", "--status", "failed"]).remove(0);
    tour.set("NOTIFICATION", &notification[notification.len() - 8..]);
    for id in ["notification_list", "notification_get", "notification_seen"] {
        tour.run(id, &[]).await;
    }
    tour.run("channel_update", &["--disable", "--never-quiet"]).await;
    tour.run("notification_retry", &[]).await;
    tour.run("channel_delete", &[]).await;
    tour.run("push_key_get", &[]).await;
    // The rest is for browsers.
    for id in ["push_get", "push_subscribe", "push_unsubscribe", "push_test", "push_act"] {
        tour.run_for(id, &[], &[1, 2, 4]).await;
    }
}

/// `car login` waits for `car pair approve`.
async fn logins(tour: &mut Tour) {
    let url = tour.hub.url().to_owned();
    tour.set("URL", &url);
    let (mut login, record) = tour.spawn("pair_request", &["--name", "tour"]);
    let client = tour.hub.client();
    let code = tokio::time::timeout(DEADLINE, async {
        loop {
            let asks = client.pairing_list().await.unwrap().items;
            if let Some(code) = asks.into_iter().find_map(|asks| asks.code) {
                return code;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let code = code.await.unwrap();
    tour.run("pairing_list", &[]).await;
    tour.set("CODE", &code);
    tour.run("pairing_decide", &[]).await;
    assert!(login.wait().unwrap().success());
    tour.has_called(&record, &["pair_request", "pair_finish"]);
    tour.run("credential_delete", &[]).await;
}

/// `car pair` waits for a browser.
async fn browsers(tour: &mut Tour) {
    let (mut pair, record) = tour.spawn("pairing_create", &["--quiet", "--yes"]);
    let mut link = String::new();
    BufReader::new(pair.stdout.take().unwrap()).read_line(&mut link).unwrap();
    let code = link.trim().split_once('#').unwrap().1.to_owned();
    let browser = Client::new(tour.hub.url(), None).unwrap();
    let claim = PairRequest::Device { code, name: "a browser".to_owned() };
    let asked = browser.pair_request(&claim).await.unwrap();
    let finish = PairFinish { secret: asked.secret, wait: Some(20) };
    let outcome = browser.pair_finish(&finish).await.unwrap();
    let PairOutcome::Device { device, .. } = outcome else { panic!("{outcome:?}") };
    assert!(pair.wait().unwrap().success());
    tour.has_called(&record, &["pairing_create", "pairing_get"]);
    tour.run("device_list", &[]).await;
    tour.set("DEVICE", &device.id.as_str()[device.id.as_str().len() - 8..]);
    tour.run("device_delete", &[]).await;
}

impl Tour {
    fn set(&mut self, word: &'static str, value: &str) {
        self.words.insert(word, value.to_owned());
    }

    /// The text `FILE` stands for.
    fn file(&mut self, text: &str) {
        let path = self.dir.path().join("text.md");
        fs::write(&path, text).unwrap();
        self.set("FILE", path.to_str().unwrap());
    }

    /// A ticket with a script of the demo agent, written by `car`.
    fn work(&mut self, script: &str) {
        self.file(&format!("## Goal\n\nWork.\n\n@@FAKE[{script}]@@\n"));
        let file = self.words["FILE"].clone();
        let new =
            ["ticket", "new", "Work", "--repo", "base", "--agent", "demo", "--verify", "true"];
        self.car(&[&new[..], &["--body", &file]].concat());
    }

    fn car(&self, args: &[&str]) -> Output {
        self.car_for(args, &[0])
    }

    fn car_for(&self, args: &[&str], expected: &[i32]) -> Output {
        let output = car_command(&self.hub, args)
            .env("CAR_CLIENT_COVERAGE", self.record())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let status = output.status.code().unwrap();
        assert!(
            expected.contains(&status),
            "car {args:?} ended with {status}:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// What a list prints with `-q`.
    fn ids(&self, args: &[&str]) -> Vec<String> {
        let output = self.car(&[&["-q"], args].concat());
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn record(&self) -> PathBuf {
        self.dir.path().join("called")
    }

    /// Begins the command of an operation, which waits for somebody else, and says where the
    /// operations it calls are recorded.
    fn spawn(&self, id: &str, more: &[&str]) -> (Child, PathBuf) {
        let words = self.command(id);
        let words: Vec<&str> =
            words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let record = self.dir.path().join(id);
        let child = car_command(&self.hub, &words)
            .env("CAR_CLIENT_COVERAGE", &record)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        (child, record)
    }

    fn has_called(&mut self, record: &Path, ids: &[&str]) {
        let called = fs::read_to_string(record).unwrap();
        for id in ids {
            assert!(called.lines().any(|called| called == *id), "{called:?} lacks {id}");
            self.done.insert((*id).to_owned());
        }
    }

    /// Runs the command of an operation, with further arguments.
    async fn run(&mut self, id: &str, more: &[&str]) {
        self.run_for(id, more, &[0]).await;
    }

    async fn run_for(&mut self, id: &str, more: &[&str], expected: &[i32]) {
        let words = self.command(id);
        let words: Vec<&str> =
            words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let _ = fs::remove_file(self.record());
        self.car_for(&words, expected);
        self.done.insert(id.to_owned());
        // Any request at all: its words say which.
        if words[0] == "api" {
            return;
        }
        let called = fs::read_to_string(self.record()).unwrap_or_default();
        assert!(called.lines().any(|called| called == id), "{words:?} calls {called:?}, not {id}");
        self.compare(id, &words).await;
    }

    /// The words of an operation's command.
    fn command(&self, id: &str) -> Vec<String> {
        let line = TABLE
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split_once(' '))
            .find(|(of, _)| *of == id);
        let Some((_, line)) = line else { panic!("help/operations.txt has no command for {id}") };
        let words = line.trim().split(' ').skip(1);
        let filled = |word: &str| self.words.get(word).cloned().unwrap_or_else(|| word.to_owned());
        // A path may hold some, too.
        words.map(|word| word.split('/').map(filled).collect::<Vec<_>>().join("/")).collect()
    }

    /// For what only reads: `--json` gives what the API gives.
    async fn compare(&self, id: &str, words: &[&str]) {
        let all = operations();
        let of = |(_, _, operation): &&(String, String, Value)| operation["operationId"] == id;
        let (path, method, _) = all.iter().find(of).unwrap();
        if method != "get" || OTHERWISE_SHOWN.contains(&id) {
            return;
        }
        let printed = self.car(&[words, &["--json"]].concat()).stdout;
        let mut printed: Value = serde_json::from_slice(&printed).unwrap();
        let mut path = path.trim_start_matches("/api/v1/").to_owned();
        for (name, word) in
            [("repo", "REPO"), ("agent", "AGENT"), ("job", "JOB"), ("webhook", "WEBHOOK")]
        {
            if let Some(value) = self.words.get(word) {
                path = path.replace(&format!("{{{name}}}"), value);
            }
        }
        let name = if id == "pma_doc_get" { "active_context" } else { "spec" };
        path = path.replace("{ticket}", "1").replace("{name}", name);
        // Named by pieces on the command line, in full by what was printed.
        if path.contains("{run}") {
            path = path.replace("{run}", self.latest_run().await.as_str());
        }
        for name in ["item", "channel", "notification", "terminal"] {
            if let Some(id) = printed["id"].as_str() {
                path = path.replace(&format!("{{{name}}}"), id);
            }
        }
        if let Some(thread) = self.words.get("THREAD_ID") {
            path = path.replace("{thread}", thread);
        }
        if let Some(message) = printed["message"]["id"].as_str() {
            path = path.replace("{message}", message);
        }
        if let Some(turn) = printed["turn"]["id"].as_str() {
            path = path.replace("{turn}", turn);
        }
        let request = RawRequest {
            method: "GET".to_owned(),
            path: path.clone(),
            query: vec![("limit".to_owned(), "500".to_owned())],
            ..RawRequest::default()
        };
        let searches = id == "message_search";
        let request = if printed.get("items").is_some_and(|_| pages(&all, id)) && !searches {
            request
        } else if searches {
            let words = ("q".to_owned(), self.words["WORDS"].clone());
            RawRequest { query: vec![words], ..request }
        } else if id == "template_get" {
            let name = ("template".to_owned(), self.words["TEMPLATE"].clone());
            RawRequest { query: vec![name], ..request }
        } else if id == "run_diff_file" {
            let path = ("path".to_owned(), self.words["FILE"].clone());
            RawRequest { query: vec![path], ..request }
        } else {
            RawRequest { query: Vec::new(), ..request }
        };
        let answer = self.hub.client().raw(request).await.unwrap().body;
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        for value in [&mut printed, &mut answer] {
            // The two requests themselves change it.
            strip(value, "last_used_at");
            if id == "hub_snapshot" {
                strip(value, "at");
            }
        }
        let is_list = printed.as_object().is_some_and(|fields| fields.len() == 1);
        // The lines of a job's log have no ids.
        let is_list = is_list && id != "job_log";
        if let Some(items) = printed["items"].as_array().filter(|_| is_list) {
            let ids = self.ids(words);
            let bare = ids.iter().all(|id| !id.is_empty() && !id.contains(char::is_whitespace));
            assert!(bare && ids.len() == items.len(), "car -q {words:?} prints {ids:?}");
        }
        assert_eq!(printed, answer, "{id}: car {words:?} --json is not GET {path}");
    }

    async fn latest_run(&self) -> RunId {
        let page = car_api::PageQuery { after: None, limit: Some(1) };
        self.hub.client().run_list(None, None, &page).await.unwrap().items.remove(0).id
    }

    async fn until(&self, run: &RunId, wanted: impl Fn(&Run) -> bool) -> Run {
        let client = self.hub.client();
        let mut last = None;
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                let now = client.run_get(run).await.unwrap();
                if wanted(&now) {
                    return now;
                }
                last = Some(now);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        match found.await {
            Ok(run) => run,
            Err(_) => panic!("the run stays as it is: {last:#?}"),
        }
    }
}

/// Whether an operation's answer comes in pages.
fn pages(all: &[(String, String, Value)], id: &str) -> bool {
    let operation = all.iter().find(|(_, _, operation)| operation["operationId"] == id);
    let parameters = operation.and_then(|(_, _, operation)| operation["parameters"].as_array());
    parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "limit"))
}

/// Takes a field out, wherever it is.
fn strip(value: &mut Value, field: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(field);
            fields.values_mut().for_each(|value| strip(value, field));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| strip(value, field)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
