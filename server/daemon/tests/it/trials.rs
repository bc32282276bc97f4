//! Trying the commands of a ticket by hand, and bringing a repo up to what its remote has.

use std::fs;

use car_api::{
    Code, PageQuery,
    job::{Job, JobResult, JobStatus},
    repo::RepoClone,
    run::{RunState, RunStatus},
    verify::{CommandResult, Verdict},
};
use car_client::Client;

use crate::{
    harness::TestHub,
    jobs::lines,
    stage::{Repo, Stage, processes_below},
    work::{ended, git, repo},
};

/// Waits until the hub has seen the file of a ticket.
async fn seen(client: &Client, demo: &Repo, number: &str) {
    while client.ticket_get(&demo.id, number).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

fn checked(job: &Job) -> (Verdict, &[CommandResult]) {
    match &job.result {
        Some(JobResult::Checked { verdict, commands }) => (*verdict, commands),
        other => panic!("{other:?} in {job:?}"),
    }
}

#[tokio::test]
async fn the_commands_of_a_ticket_are_tried_on_the_tree_as_it_is() {
    let mut stage = Stage::start("");
    let demo = stage.repo("demo").await;
    let client = stage.client();
    let front = "verify:\n  - echo looking\n  - cat answer.txt\n  - echo never";
    let ask = r#"{"sh": "until test -e go; do sleep 0.02; done"}, {"dispatch": {"mode": "pause", "title": "How?", "body": "How?"}}"#;
    demo.ticket(1, front, ask);
    seen(&client, &demo, "1").await;

    let job = ended(&client, client.ticket_verify(&demo.id, "1").await.unwrap()).await;
    assert_eq!(
        (job.status, job.phase.as_str()),
        (JobStatus::Completed, "failed: cat answer.txt (exit code 1)")
    );
    let (verdict, commands) = checked(&job);
    assert_eq!((verdict, commands.len()), (Verdict::Failed, 2));
    assert!(commands[1].tail.contains("answer.txt"), "{commands:?}");
    let said = lines(&client, &job).await;
    for line in ["1 of 3: echo looking", "looking", "2 of 3: cat answer.txt"] {
        assert!(said.iter().any(|said| said == line), "{line} is not in {said:?}");
    }

    // What is not committed counts: it is the tree as it is.
    fs::write(demo.dir.join("answer.txt"), "42\n").unwrap();
    let job = ended(&client, client.ticket_verify(&demo.id, "1").await.unwrap()).await;
    assert_eq!((checked(&job).0, checked(&job).1.len()), (Verdict::Passed, 3));
    assert!(
        client
            .run_list(Some(&demo.id), None, &PageQuery::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );

    // A run at work checks for itself; beside one that waits for a person it may be tried.
    let run = stage.run(&demo).await;
    stage.until_begun(1).await;
    let refused = client.ticket_verify(&demo.id, "1").await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::RunActive));
    fs::write(demo.dir.join("go"), "").unwrap();
    stage.until(&run, "is paused", |run| run.state.status() == RunStatus::Paused).await;
    let job = ended(&client, client.ticket_verify(&demo.id, "1").await.unwrap()).await;
    assert_eq!(checked(&job).0, Verdict::Passed);
    client.run_stop(&run).await.unwrap();
    stage.until(&run, "is stopped", |run| run.state == RunState::Stopped).await;
    stage.until_no_process().await;

    // Ended by hand or with the hub, nothing it started is left.
    demo.ticket(2, "verify:\n  - setsid sleep 1000 & echo begun; sleep 1000", "");
    seen(&client, &demo, "2").await;
    let begun = async |client: &Client| {
        let job = client.ticket_verify(&demo.id, "2").await.unwrap();
        while !lines(client, &job).await.iter().any(|line| line == "begun") {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(!processes_below(&demo.dir).is_empty());
        job
    };
    let job = begun(&client).await;
    client.job_cancel(&job.id).await.unwrap();
    assert_eq!(ended(&client, job).await.status, JobStatus::Cancelled);
    stage.until_no_process().await;
    let job = begun(&client).await;
    stage.kill_and_serve();
    let job = stage.client().job_get(&job.id).await.unwrap();
    assert_eq!(job.status, JobStatus::Failed);
    stage.until_no_process().await;
}

#[tokio::test]
async fn a_repo_is_brought_up_to_what_its_remote_has() {
    let hub = TestHub::start();
    let client = hub.client();
    let (origin, dir) = repo(&hub, &client, "origin").await;
    let url = dir.to_str().unwrap().to_owned();
    let body = RepoClone { url, id: Some("copy".to_owned()) };
    ended(&client, client.repo_clone(&body).await.unwrap()).await;
    let copy = "copy".parse().unwrap();
    let sync = async || ended(&client, client.repo_sync(&copy).await.unwrap()).await;
    assert_eq!(sync().await.phase, "up to date");

    fs::write(dir.join("more.txt"), "more\n").unwrap();
    git(&dir, &["add", "more.txt"]);
    git(&dir, &["commit", "--quiet", "-m", "more"]);
    let job = sync().await;
    assert!(job.phase.starts_with("1 commit on, to "), "{job:?}");
    assert!(hub.root().join("copy/more.txt").exists());

    // What has gone apart stays as it is, and the reason is said.
    git(&dir, &["commit", "--quiet", "--allow-empty", "-m", "theirs"]);
    git(&hub.root().join("copy"), &["commit", "--quiet", "--allow-empty", "-m", "ours"]);
    let job = sync().await;
    let problem = job.problem.unwrap();
    assert!(
        job.status == JobStatus::Failed && problem.detail.contains("gone apart"),
        "{problem:?}"
    );

    let job = ended(&client, client.repo_sync(&origin).await.unwrap()).await;
    assert!(job.problem.unwrap().detail.contains("no remote `origin`"));
}
