//! Tickets worked, asked about, lied about, stopped.

use std::{
    fs,
    time::{Duration, Instant},
};

use car_api::{
    PageQuery,
    agent::ApprovalPolicy,
    item::{ApprovalRequest, Decision, ItemBody},
    run::{ApprovalDecide, PauseReason, RunStart, RunState, RunStatus},
    ticket::TicketState,
    turn::TurnStatus,
    verify::Verdict,
};

use super::{World, gate, patient, ticket};
use crate::{
    harness::{DEADLINE, wait_until},
    work::{car, git, repo, start, ticket as ticket_in, turns, until, wait_for, worktree},
};

#[tokio::test]
async fn two_worktrees_of_a_repo_are_worked_at_the_same_time() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (base, _) = repo(&world.hub, &client, "base").await;
    let meeting = world.hub.root().join("meeting");
    fs::create_dir(&meeting).unwrap();
    let mut trees = Vec::new();
    for (branch, other) in [("left", "right"), ("right", "left")] {
        let (tree, dir) = worktree(&world.hub, &client, &base, branch).await;
        // Neither gets on before the other is there.
        let meet = patient(&format!(
            "touch {0}/{branch}; while [ ! -e {0}/{other} ]; do sleep 0.02; done; echo met > met",
            meeting.display()
        ));
        let first = format!(
            r#"{{"say": "I am {branch}"}}, {meet}, {{"commit": "Meet as {branch}"}}, {{"done": true}}"#
        );
        let second = r#"{"write": ["two.txt", "two\n"]}, {"commit": "Two"}, {"done": true}, {"say": "second"}"#;
        let third = r#"{"plan": [["write", "in_progress"]]}, {"sh": "cat two.txt two.txt > three.txt"},
            {"done": true}, {"commit": "Three"}"#;
        ticket_in(&client, &tree, ticket("Meet", &first, "test -f met")).await;
        ticket_in(&client, &tree, ticket("Two", second, "grep -q two two.txt")).await;
        ticket_in(&client, &tree, ticket("Three", third, "test $(wc -l < three.txt) = 2")).await;
        trees.push((tree, dir, branch));
    }
    let mut runs = Vec::new();
    for (tree, dir, branch) in trees {
        runs.push((start(&client, &tree).await.id, tree, dir, branch));
    }
    for (run, tree, dir, branch) in &runs {
        let run = until(&client, run, RunStatus::Completed).await;
        assert_eq!((run.finished.tickets, run.finished.verified), (3, 3));
        assert_eq!((run.tickets.total, run.tickets.done, run.turns), (3, 3, 3));
        let commits = git(dir, &["log", "--format=%s"]);
        assert_eq!(commits, format!("Three\nTwo\nMeet as {branch}\nfirst\n"));
        assert_eq!(git(dir, &["status", "--porcelain"]), "");
        let evidence = client.run_evidence(&run.id).await.unwrap().items;
        // At the end the first two are checked once more, on what the third left.
        assert_eq!(evidence.len(), 5);
        let head = git(dir, &["rev-parse", "HEAD"]);
        for found in &evidence[2..] {
            assert_eq!(found.commit.as_deref(), Some(head.trim()));
        }
        assert!(evidence.iter().all(|e| e.verdict == Verdict::Passed), "{evidence:#?}");
        let done = client.ticket_list(tree, Some(TicketState::Done), &PageQuery::default()).await;
        assert_eq!(done.unwrap().items.len(), 3);
        let turns = turns(&client, &run.id).await;
        assert!(turns.iter().all(|t| t.status == TurnStatus::Completed), "{turns:#?}");
        assert_eq!(turns[1].message.as_deref(), Some("second"));
        assert!(turns.iter().all(|t| t.diff.is_some_and(|d| d.files_changed > 0)), "{turns:#?}");
        // Each ticket is a conversation of its own.
        assert!(turns[0].thread.is_some() && turns[0].thread != turns[1].thread);
    }
}

#[tokio::test]
async fn a_question_is_answered_on_the_command_line() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (repo, dir) = repo(&world.hub, &client, "base").await;
    let script = r#"
        {"on": 1, "dispatch": {"mode": "pause", "title": "Which colour?", "body": "Red or blue?"}},
        {"on": 1, "say": "I have asked."},
        {"from": 2, "sh": "echo blue > colour.txt"},
        {"from": 2, "commit": "Blue"}, {"from": 2, "done": true}"#;
    ticket_in(&client, &repo, ticket("Paint it", script, "grep -qx blue colour.txt")).await;
    let run = start(&client, &repo).await.id;
    let paused = until(&client, &run, RunStatus::Paused).await;
    let RunState::Paused { reason, .. } = paused.state else { panic!("{paused:#?}") };
    assert_eq!(reason, PauseReason::UserPause);
    let dispatches = client.run_dispatches(&run).await.unwrap().items;
    let asked = dispatches.iter().find(|d| d.title.as_deref() == Some("Which colour?")).unwrap();
    assert_eq!(asked.body.trim(), "Red or blue?");
    // Nobody waits in vain: the process is gone while a person thinks.
    assert!(git(&dir, &["log", "--format=%s"]).starts_with("first\n"));

    let said = car(&world.hub, &["reply", run.as_str(), "Blue, as the sea."]);
    assert!(said.contains("reply 1"), "{said}");
    let run = until(&client, &run, RunStatus::Completed).await;
    assert_eq!(run.finished.verified, 1);
    let turns = turns(&client, &run.id).await;
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0].thread, turns[1].thread, "the conversation goes on");
    let prompt = client.turn_get(&turns[1].id).await.unwrap().prompt.unwrap();
    assert!(prompt.contains("Blue, as the sea."), "{prompt}");
}

#[tokio::test]
async fn a_liar_never_passes() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (repo, dir) = repo(&world.hub, &client, "base").await;
    let script = r#"{"sh": "echo words >> lie.txt"}, {"commit": "Words"}, {"done": true},
        {"say": "All done, all tests pass."}"#;
    let verify = "test -f widget.txt || { echo there is no widget; exit 3; }";
    let text = ticket_in(&client, &repo, ticket("Make a widget", script, verify)).await;
    ticket_in(&client, &repo, ticket("After it", r#"{"done": true}"#, "true")).await;
    let run = start(&client, &repo).await.id;
    let paused = until(&client, &run, RunStatus::Paused).await;
    let RunState::Paused { reason, details, .. } = &paused.state else { panic!("{paused:#?}") };
    assert_eq!(*reason, PauseReason::VerifyFailed);
    assert!(details.contains(verify) && details.contains("there is no widget"), "{details}");
    assert_eq!((paused.finished.tickets, paused.finished.verified), (0, 0));
    let tries = 1 + usize::try_from(paused.options.max_verify_retries).unwrap();
    let evidence = client.run_evidence(&run).await.unwrap().items;
    assert_eq!(evidence.len(), tries);
    for verdict in evidence {
        assert_eq!(verdict.verdict, Verdict::Failed);
        assert_eq!(verdict.commands[0].exit_code, Some(3));
        assert!(verdict.commands[0].tail.contains("there is no widget"));
    }
    let turns = turns(&client, &run).await;
    assert_eq!(turns.len(), tries);
    // From the second on it was told what failed.
    for turn in &turns[1..] {
        let prompt = client.turn_get(&turn.id).await.unwrap().prompt.unwrap();
        assert!(prompt.contains("<CAR_VERIFY_FAILED>") && prompt.contains("there is no widget"));
    }
    let number = text.ticket.number.unwrap().to_string();
    // It is taken back a moment after the run is seen to wait.
    let begun = Instant::now();
    while client.ticket_get(&repo, &number).await.unwrap().ticket.state != TicketState::Open {
        assert!(begun.elapsed() < DEADLINE, "the claim stands");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // A person mends it; the claim is checked again and the queue goes on.
    fs::write(dir.join("widget.txt"), "widget\n").unwrap();
    git(&dir, &["add", "widget.txt"]);
    git(&dir, &["commit", "--quiet", "-m", "Widget"]);
    client.run_resume(&run, &car_api::run::RunResume::default()).await.unwrap();
    let run = until(&client, &run, RunStatus::Completed).await;
    assert_eq!((run.finished.tickets, run.finished.verified), (2, 2));
}

#[tokio::test]
async fn a_stopped_run_leaves_no_command_behind() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (repo, dir) = repo(&world.hub, &client, "base").await;
    let never = world.hub.root().join("never");
    let script = format!(r#"{}, {{"done": true}}"#, gate("echo $$ > pid", &never));
    ticket_in(&client, &repo, ticket("Wait", &script, "true")).await;
    let run = start(&client, &repo).await.id;
    let pid = wait_until("the command runs", || {
        fs::read_to_string(dir.join("pid")).ok().filter(|text| text.ends_with('\n'))
    });
    client.run_stop(&run).await.unwrap();
    until(&client, &run, RunStatus::Stopped).await;
    let process = format!("/proc/{}", pid.trim());
    wait_until("the command is gone", || (!fs::exists(&process).unwrap()).then_some(()));
    let turns = turns(&client, &run).await;
    assert_eq!(turns.len(), 1);
    assert_ne!(turns[0].status, TurnStatus::Running);
    let open = client.ticket_list(&repo, Some(TicketState::Open), &PageQuery::default()).await;
    assert_eq!(open.unwrap().items.len(), 1);
}

#[tokio::test]
async fn questions_about_commands_are_answered_over_the_api() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (repo, dir) = repo(&world.hub, &client, "base").await;
    let script = r#"{"sh": "touch yes.txt"}, {"sh": "touch no.txt"}, {"write": ["edit.txt", "x\n"]},
        {"commit": "Allowed"}, {"done": true}"#;
    ticket_in(&client, &repo, ticket("May I", script, "test -f yes.txt -a ! -f no.txt")).await;
    let body = RunStart { approvals: Some(ApprovalPolicy::Untrusted), ..RunStart::default() };
    let run = client.run_start(&repo, &body).await.unwrap().id;
    let mut asked = Vec::new();
    let ended = loop {
        let now = wait_for(&client, &run, |run| {
            run.state.status() != RunStatus::Running && run.state.status() != RunStatus::Pending
                || run.approvals.iter().any(|a| a.decision.is_none() && !asked.contains(&a.id))
        })
        .await;
        let Some(open) = now.approvals.iter().find(|a| a.decision.is_none()) else { break now };
        let refuse = matches!(&open.request, ApprovalRequest::Command { command, .. } if command.contains("no.txt"));
        if let ApprovalRequest::FileChange { changes, .. } = &open.request {
            assert_eq!(changes[0].diff, "x\n", "the edit is shown with the question");
        }
        let decision = if refuse { Decision::Decline } else { Decision::Accept };
        let answer = client.approval_decide(&run, &open.id, &ApprovalDecide { decision }).await;
        assert_eq!(answer.unwrap().decision, Some(decision));
        asked.push(open.id.clone());
    };
    assert_eq!(ended.state.status(), RunStatus::Completed, "{ended:#?}");
    // Two commands and an edit at the least; committing and marking done ask as well.
    assert!(asked.len() >= 3, "{asked:?}");
    assert!(dir.join("edit.txt").exists());
    assert_eq!(git(&dir, &["log", "-1", "--format=%s"]), "Allowed\n");
    let detail = client.turn_get(&turns(&client, &run).await[0].id).await.unwrap();
    let declined = detail.items.iter().any(|item| {
        matches!(&item.body, ItemBody::Command { command, .. } if command.contains("no.txt"))
    });
    assert!(declined, "what was refused is on record: {:#?}", detail.items);
}

#[tokio::test]
async fn a_sandboxed_agent_asks_only_to_get_out() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let (base, _) = repo(&world.hub, &client, "base").await;
    let (tree, dir) = worktree(&world.hub, &client, &base, "boxed").await;
    let script = r#"{"sh": "touch inside.txt"}, {"escalate": true, "sh": "touch asked.txt"},
        {"commit": "Both"}, {"done": true}"#;
    ticket_in(&client, &tree, ticket("Escape", script, "test -f inside.txt -a -f asked.txt")).await;
    let body = RunStart { approvals: Some(ApprovalPolicy::OnRequest), ..RunStart::default() };
    let run = client.run_start(&tree, &body).await.unwrap().id;
    let now = wait_for(&client, &run, |run| !run.approvals.is_empty()).await;
    assert!(dir.join("inside.txt").exists(), "this needed no question");
    assert!(!dir.join("asked.txt").exists());
    let [approval] = now.approvals.as_slice() else { panic!("{now:#?}") };
    let body = ApprovalDecide { decision: Decision::Accept };
    client.approval_decide(&run, &approval.id, &body).await.unwrap();
    let run = until(&client, &run, RunStatus::Completed).await;
    assert_eq!(run.finished.verified, 1);
    assert_eq!(git(&dir, &["log", "-1", "--format=%s"]), "Both\n");
}
