//! What tests make of a hub: repos, tickets, runs, and the wait for what becomes of them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use car_api::{
    PageQuery, RepoId, RunId,
    job::{Job, JobStatus},
    repo::RepoCreate,
    run::{Run, RunStart, RunStatus},
    ticket::{TicketCreate, TicketText},
    turn::Turn,
    worktree::WorktreeCreate,
};
use car_client::Client;

use crate::harness::{DEADLINE, TestHub};

/// A ticket as tests write them: a script for an agent without a model.
pub(crate) struct Scripted<'a> {
    pub(crate) agent: &'a str,
    pub(crate) title: &'a str,
    pub(crate) script: &'a str,
    pub(crate) verify: &'a str,
}

/// A repo with one commit, ready for tickets; with its directory.
pub(crate) async fn repo(hub: &TestHub, client: &Client, id: &str) -> (RepoId, PathBuf) {
    let body = RepoCreate { id: id.to_owned(), path: None, force: false };
    let repo = client.repo_create(&body).await.unwrap();
    let dir = hub.root().join(&repo.path);
    std::fs::write(dir.join("README.md"), format!("{id}\n")).unwrap();
    git(&dir, &["add", "README.md"]);
    git(&dir, &["commit", "--quiet", "-m", "first"]);
    client.repo_init(&repo.id).await.unwrap();
    (repo.id, dir)
}

/// A worktree of a repo on a new branch, with its directory.
pub(crate) async fn worktree(
    hub: &TestHub,
    client: &Client,
    base: &RepoId,
    branch: &str,
) -> (RepoId, PathBuf) {
    let body = WorktreeCreate {
        base: base.clone(),
        branch: branch.to_owned(),
        start_point: Some("HEAD".to_owned()),
        skip_setup: false,
    };
    let job = ended(client, client.worktree_create(&body).await.unwrap()).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:?}");
    let made = client.worktree_list(Some(base), &PageQuery::default()).await.unwrap().items;
    let made = made.into_iter().find(|tree| tree.branch.as_deref() == Some(branch)).unwrap();
    let dir = hub.root().join(&made.path);
    (made.id, dir)
}

pub(crate) async fn ticket(client: &Client, repo: &RepoId, ticket: Scripted<'_>) -> TicketText {
    let Scripted { agent, title, script, verify } = ticket;
    let body = TicketCreate {
        title: title.to_owned(),
        agent: Some(agent.to_owned()),
        goal: None,
        body: Some(format!("## Goal\n\n{title}\n\n@@FAKE[{script}]@@\n")),
        verify: vec![verify.to_owned()],
        at: None,
    };
    client.ticket_create(repo, &body).await.unwrap()
}

pub(crate) async fn start(client: &Client, repo: &RepoId) -> Run {
    client.run_start(repo, &RunStart::default()).await.unwrap()
}

pub(crate) async fn turns(client: &Client, run: &RunId) -> Vec<Turn> {
    client.run_turns(run, &PageQuery::default()).await.unwrap().items
}

/// Waits for the run to have this status. It fails at once when the run has ended otherwise.
pub(crate) async fn until(client: &Client, run: &RunId, status: RunStatus) -> Run {
    let found =
        wait_for(client, run, |run| run.state.status() == status || run.state.status().is_end())
            .await;
    assert_eq!(found.state.status(), status, "{found:#?}\n{:#?}", turns(client, run).await);
    found
}

/// Waits for the run to be as wanted.
pub(crate) async fn wait_for(client: &Client, run: &RunId, wanted: impl Fn(&Run) -> bool) -> Run {
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
        Err(_) => panic!("the run stays as it is: {last:#?}\n{:#?}", turns(client, run).await),
    }
}

/// Waits for a job to end.
pub(crate) async fn ended(client: &Client, job: Job) -> Job {
    let mut last = job;
    let end = tokio::time::timeout(DEADLINE, async {
        while last.status == JobStatus::Running {
            tokio::time::sleep(Duration::from_millis(20)).await;
            last = client.job_get(&last.id).await.unwrap();
        }
    });
    assert!(end.await.is_ok(), "the job does not end");
    last
}

/// What git prints, run by somebody.
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@localhost"])
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The real `car`, as this hub's owner runs it.
pub(crate) fn car(hub: &TestHub, args: &[&str]) -> String {
    let output = car_command(hub, args).output().unwrap();
    assert!(output.status.success(), "car {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same, not started yet.
pub(crate) fn car_command(hub: &TestHub, args: &[&str]) -> Command {
    let mut command = Command::new(car_program());
    command
        .args(["--hub", hub.url()])
        .args(args)
        .env("CAR_CONFIG_DIR", hub.config_dir())
        .env_remove("CAR_HUB_URL")
        .env_remove("CAR_TOKEN")
        .env_remove("CAR_REPO");
    command
}

/// Where the program is.
pub(crate) fn car_program() -> PathBuf {
    let mut program = PathBuf::from(env!("CARGO_BIN_EXE_car-hub"));
    program.set_file_name("car");
    if !program.exists() {
        // Built with the workspace; alone, this test has to ask for it.
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "car-client", "--bin", "car"]);
        assert!(build.status().unwrap().success(), "`car` cannot be built");
    }
    program
}

/// Where `deploy/dev/test-tools.sh` puts programs.
pub(crate) fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools")
}
