//! Jobs end when they are asked to, and leave nothing behind.

use std::net::TcpListener;

use car_api::{
    PageQuery,
    job::{Job, JobStatus},
    repo::{RepoClone, SetupUpdate},
    worktree::WorktreeCreate,
};
use car_client::Client;

use crate::{
    harness::{DEADLINE, TestHub},
    work::{ended, git, repo},
};

async fn reaches(client: &Client, job: &Job, phase: &str) {
    let found = async {
        loop {
            let now = client.job_get(&job.id).await.unwrap();
            assert_eq!(now.status, JobStatus::Running, "{now:?}");
            if now.phase.starts_with(phase) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, found).await.is_ok(), "never {phase}");
}

/// What a job has said so far.
pub(crate) async fn lines(client: &Client, job: &Job) -> Vec<String> {
    let page = PageQuery { limit: Some(500), ..PageQuery::default() };
    let lines = client.job_log(&job.id, &page).await.unwrap().items;
    lines.into_iter().map(|line| line.line).collect()
}

#[tokio::test]
async fn a_cancelled_worktree_is_taken_back() {
    let hub = TestHub::start();
    let client = hub.client();
    let (base, dir) = repo(&hub, &client, "base").await;
    let setup = ["echo prepared; echo more > file.txt", "echo waiting; exec sleep 1000"];
    let setup = SetupUpdate { commands: setup.map(str::to_owned).to_vec() };
    client.repo_setup_update(&base, &setup, Some("*")).await.unwrap();
    let body = WorktreeCreate {
        base: base.clone(),
        branch: "feature".to_owned(),
        start_point: Some("HEAD".to_owned()),
        skip_setup: false,
    };
    let job = client.worktree_create(&body).await.unwrap();
    reaches(&client, &job, "set-up: echo waiting").await;
    let tree = hub.root().join("worktrees/base--feature");
    assert!(tree.join("file.txt").exists());
    assert!(client.job_cancel(&job.id).await.unwrap().cancelling);
    let job = ended(&client, job).await;
    assert_eq!((job.status, job.phase.as_str()), (JobStatus::Cancelled, "cancelled"));
    assert!(job.problem.is_none() && job.result.is_none(), "{job:?}");
    let said = lines(&client, &job).await;
    for line in ["checking out", "prepared", "asked to end", "cleaning up", "It was cancelled."] {
        assert!(said.iter().any(|said| said == line), "{line} is not in {said:?}");
    }
    assert!(!tree.exists());
    let trees = client.worktree_list(Some(&base), &PageQuery::default()).await.unwrap().items;
    assert!(trees.is_empty(), "{trees:?}");
    assert!(!git(&dir, &["branch", "--list", "feature"]).contains("feature"));
    // What a command had made in it is kept for a while.
    assert_eq!(client.salvage_list(&PageQuery::default()).await.unwrap().items.len(), 1);
    // The name is free again.
    client
        .repo_setup_update(&base, &SetupUpdate { commands: Vec::new() }, Some("*"))
        .await
        .unwrap();
    let again = ended(&client, client.worktree_create(&body).await.unwrap()).await;
    assert_eq!(again.status, JobStatus::Completed, "{again:?}");
    assert_eq!(again.percent, Some(100));
}

#[tokio::test]
async fn a_cancelled_clone_leaves_nothing() {
    let hub = TestHub::start();
    let client = hub.client();
    // Somebody who takes the call and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("git://127.0.0.1:{}/repo", silent.local_addr().unwrap().port());
    let body = RepoClone { url, id: Some("never".to_owned()) };
    let job = client.repo_clone(&body).await.unwrap();
    let _call = silent.accept().unwrap();
    client.job_cancel(&job.id).await.unwrap();
    let job = ended(&client, job).await;
    assert_eq!(job.status, JobStatus::Cancelled, "{job:?}");
    assert!(!hub.root().join("never").exists());
    assert!(client.repo_get(&"never".parse().unwrap()).await.is_err());
    assert!(lines(&client, &job).await[0].starts_with("cloning git://127.0.0.1:"));
}
