//! A hub with repos, tickets and the scripted demo agent, and the facts tests judge it by: what
//! the agent noted of its turns, the hub's log, git, and the processes there are.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use car_api::{
    Event, EventKind, RepoId, RunId,
    repo::RepoCreate,
    run::{PauseReason, Run, RunStart, RunState, RunStatus},
    turn::Turn,
};
use car_client::{Client, EventFilter};

use crate::harness::{DEADLINE, TestHub};

/// The configuration file tests write.
const CONFIG: &str = "codex-autorunner.override.yml";

/// A hub whose agent notes its turns.
pub(crate) struct Stage {
    pub(crate) hub: TestHub,
}

/// What the demo agent noted: a turn began, or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noted {
    /// `None` at the start, how it ended otherwise.
    pub(crate) ended: Option<String>,
    /// The ticket's file, absolute.
    pub(crate) ticket: PathBuf,
    /// The hub's id of the turn.
    pub(crate) turn: String,
    pub(crate) pid: i32,
    /// Milliseconds since 1970.
    pub(crate) at: u64,
}

impl Stage {
    /// A hub that serves, with these further lines of configuration.
    pub(crate) fn start(config: &str) -> Self {
        let mut stage = Self { hub: TestHub::unserved() };
        stage.configure(config);
        stage.hub.serve(&[]);
        stage
    }

    /// Replaces the configuration; it holds from the next start on.
    pub(crate) fn configure(&self, config: &str) {
        let log = self.log_file();
        let agents =
            format!("agents:\n  demo:\n    env:\n      DEMO_AGENT_LOG: {}\n", log.display());
        fs::write(self.hub.root().join(CONFIG), format!("{agents}{config}")).unwrap();
    }

    fn log_file(&self) -> PathBuf {
        self.hub.root().join("demo-agent.log")
    }

    pub(crate) fn client(&self) -> Client {
        self.hub.client()
    }

    /// Kills the hub and serves anew.
    pub(crate) fn kill_and_serve(&mut self) {
        self.hub.kill();
        self.hub.serve(&[]);
    }

    /// A new repo with a commit, ready for tickets.
    pub(crate) async fn repo(&self, id: &str) -> Repo {
        let client = self.client();
        let body = RepoCreate { id: id.to_owned(), path: None, force: false };
        let made = client.repo_create(&body).await.unwrap();
        let repo = Repo { id: made.id, dir: self.hub.root().join(&made.path) };
        repo.git(&["config", "user.name", "Test"]);
        repo.git(&["config", "user.email", "test@localhost"]);
        fs::write(repo.dir.join("README.md"), "A repo of a test.\n").unwrap();
        repo.git(&["add", "--", "README.md"]);
        repo.git(&["commit", "--quiet", "--message", "Begin"]);
        client.repo_init(&repo.id).await.unwrap();
        repo
    }

    /// Starts a run with the hub's defaults.
    pub(crate) async fn run(&self, repo: &Repo) -> RunId {
        self.client().run_start(&repo.id, &RunStart::default()).await.unwrap().id
    }

    /// Waits until the run is as wanted. A run that has ended otherwise fails the test at once.
    pub(crate) async fn until(
        &self,
        run: &RunId,
        what: &str,
        wanted: impl Fn(&Run) -> bool,
    ) -> Run {
        let client = self.client();
        let begun = Instant::now();
        loop {
            let seen = client.run_get(run).await.unwrap();
            if wanted(&seen) {
                return seen;
            }
            let over = seen.state.status().is_end() || begun.elapsed() > DEADLINE;
            assert!(!over, "waiting for a run that {what}: {:?}", seen.state);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the run pauses for this reason; the details.
    pub(crate) async fn until_paused(&self, run: &RunId, wanted: PauseReason) -> String {
        let seen = self
            .until(run, &format!("is paused ({wanted})"), |run| {
                run.state.status() == RunStatus::Paused
            })
            .await;
        let RunState::Paused { reason, details, .. } = seen.state else { panic!() };
        assert_eq!(reason, wanted, "{details}");
        details
    }

    pub(crate) async fn until_completed(&self, run: &RunId) -> Run {
        self.until(run, "is completed", |run| run.state == RunState::Completed).await
    }

    /// Waits until the agent has noted this many starts of turns.
    pub(crate) async fn until_begun(&self, turns: usize) {
        let begun = Instant::now();
        while self.noted().iter().filter(|line| line.ended.is_none()).count() < turns {
            assert!(begun.elapsed() < DEADLINE, "no {turns} turns were begun: {:?}", self.noted());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn turns(&self, run: &RunId) -> Vec<Turn> {
        let page = car_api::PageQuery { after: None, limit: Some(500) };
        self.client().run_turns(run, &page).await.unwrap().items
    }

    /// The whole log of a run.
    pub(crate) async fn events(&self, run: &RunId) -> Vec<EventKind> {
        let filter = EventFilter { run: Some(run.clone()), ..EventFilter::default() };
        let events = all_events(&self.client(), 0, &filter).await;
        events.into_iter().map(|event| event.event).collect()
    }

    /// What the agent has noted so far.
    pub(crate) fn noted(&self) -> Vec<Noted> {
        let text = fs::read_to_string(self.log_file()).unwrap_or_default();
        text.lines().map(noted).collect()
    }

    /// Processes of runs that are alive: their ids and command lines.
    pub(crate) fn processes(&self) -> Vec<(i32, String)> {
        processes_below(&self.hub.root())
    }

    /// Waits until no process of a run is left.
    pub(crate) async fn until_no_process(&self) {
        let begun = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(begun.elapsed() < DEADLINE, "processes were left behind: {left:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Every event after a cursor.
pub(crate) async fn all_events(client: &Client, after: i64, filter: &EventFilter) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut cursor = after;
    loop {
        let page = client.event_list(cursor, Some(500), filter).await.unwrap();
        let last = page.items.last().map(|event| event.seq);
        events.extend(page.items);
        match (page.next, last) {
            (Some(_), Some(last)) => cursor = last,
            (Some(_) | None, _) => return events,
        }
    }
}

fn noted(line: &str) -> Noted {
    let parts: Vec<&str> = line.split(' ').collect();
    let ended = match parts[0] {
        "START" => None,
        "END" => Some(parts.get(5).copied().unwrap_or_default().to_owned()),
        other => panic!("the demo agent's log has {other:?}"),
    };
    Noted {
        ended,
        ticket: parts[1].into(),
        turn: parts[2].to_owned(),
        pid: parts[3].parse().unwrap(),
        at: parts[4].parse().unwrap(),
    }
}

/// Processes that a shim or a verification below `root` started, or that are one: by the marker in
/// their environment, which survives every way of detaching.
pub(crate) fn processes_below(root: &Path) -> Vec<(i32, String)> {
    let root = root.to_str().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let read = |name: &str| {
            let bytes = fs::read(entry.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let (line, environment) = (read("cmdline"), read("environ"));
        let cwd = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let ours = environment.contains(root) || cwd.starts_with(root);
        let of_run = environment.contains("CAR_SHIM_ID=") && ours;
        // A zombie has no command line: it is dead already.
        if !line.is_empty() && (of_run || line.contains("shim-serve") && line.contains(root)) {
            found.push((pid, line));
        }
    }
    found
}

/// One repo of a stage.
#[derive(Debug, Clone)]
pub(crate) struct Repo {
    pub(crate) id: RepoId,
    pub(crate) dir: PathBuf,
}

impl Repo {
    pub(crate) fn ticket_file(&self, number: u32) -> PathBuf {
        self.dir.join(format!(".codex-autorunner/tickets/TICKET-{number:03}.md"))
    }

    /// Writes a ticket with further lines of frontmatter and a script for the demo agent.
    pub(crate) fn ticket(&self, number: u32, front: &str, script: &str) {
        let mut text = format!("---\nagent: demo\ndone: false\ntitle: Ticket {number}\n");
        for line in front.lines() {
            writeln!(text, "{line}").unwrap();
        }
        write!(text, "---\n\n## Goal\n\nWhat the script says.\n\n@@FAKE[{script}]@@\n").unwrap();
        fs::write(self.ticket_file(number), text).unwrap();
    }

    /// A ticket whose script does it: writes a file, sets done and commits.
    pub(crate) fn easy_ticket(&self, number: u32) {
        self.ticket(number, "", &format!("{}, {FINISH}", write_file(number, "good")));
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dir.join(path)).unwrap()
    }

    /// Runs git in the tree, which must go well; its output.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git").current_dir(&self.dir).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Subjects of all commits.
    pub(crate) fn subjects(&self) -> Vec<String> {
        self.git(&["log", "--format=%s"]).lines().map(str::to_owned).collect()
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.git(&["status", "--porcelain", "--", ":!.codex-autorunner"]).is_empty()
    }
}

/// The steps that claim a ticket is done.
pub(crate) const FINISH: &str = r#"{"done": true}, {"commit": "Finish"}"#;

/// A step that writes a ticket's own file.
pub(crate) fn write_file(number: u32, text: &str) -> String {
    format!(r#"{{"write": ["file-{number}.txt", "{text}\n"]}}"#)
}
