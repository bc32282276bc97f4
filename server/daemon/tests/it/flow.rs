//! What a run does with an agent that behaves well, badly, or not at all: told through the client
//! and judged by what stands in the tree, in git and in the hub's log.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use car_api::{
    Event, EventKind,
    agent::ApprovalPolicy,
    dispatch::{Dispatch, DispatchMode, ReplyCreate},
    item::Decision,
    run::{ApprovalDecide, PauseReason, Phase, RunResume, RunStart, RunState, RunStatus},
    ticket::TicketDone,
    turn::{ErrorClass, TurnPurpose, TurnStatus},
    verify::Verdict,
};

use car_client::EventFilter;

use crate::{
    harness::{DEADLINE, wait_until},
    stage::{FINISH, Repo, Stage, all_events, write_file},
};

/// A dispatch that waits for an answer.
const ASK: &str =
    r#"{"on": 1, "dispatch": {"mode": "pause", "title": "Which?", "body": "A or B?"}}"#;

/// Waits in the middle of a turn until the test says go, see [`go`].
const WAIT: &str = r#"{"sh": "until [ -e .codex-autorunner/go ]; do sleep 0.02; done"}"#;

fn go(repo: &Repo) {
    fs::write(repo.dir.join(".codex-autorunner/go"), "").unwrap();
}

async fn purposes(stage: &Stage, run: &car_api::RunId) -> Vec<TurnPurpose> {
    stage.turns(run).await.into_iter().map(|turn| turn.purpose).collect()
}

/// The steps, each only from the second turn on.
fn later(steps: &str) -> String {
    steps.replace('{', r#"{"from": 2, "#)
}

/// `car`, as it is installed beside the hub; built if these tests alone were.
fn car() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_car-hub")).with_file_name("car");
    if !beside.exists() {
        let build = ["build", "--quiet", "--package", "car-client", "--bin", "car"];
        let built = Command::new(env!("CARGO")).args(build).status().unwrap();
        assert!(built.success() && beside.exists(), "`car` could not be built");
    }
    beside
}

#[tokio::test]
async fn a_question_pauses_and_every_door_takes_the_answer() {
    let stage = Stage::start("");
    for door in ["api", "file", "car"] {
        let repo = stage.repo(&format!("by-{door}")).await;
        let finish = later(&format!("{}, {FINISH}", write_file(1, "B")));
        repo.ticket(1, "", &format!("{ASK}, {finish}"));
        let run = stage.run(&repo).await;
        let title = stage.until_paused(&run, PauseReason::UserPause).await;
        assert_eq!(title, "Which?");
        let asked = stage.client().run_dispatches(&run).await.unwrap().items;
        assert!(asked.iter().any(|d| d.mode == DispatchMode::Pause && d.body.trim() == "A or B?"));
        let answer = format!("Take B, says {door}.");
        match door {
            "api" => {
                let body = ReplyCreate { title: None, body: answer.clone() };
                stage.client().run_reply(&run, &body).await.unwrap();
            }
            "file" => {
                let path = format!(".codex-autorunner/runs/{run}/USER_REPLY.md");
                // As somebody types it: it is a reply when it has been written to its end.
                let mut file = fs::File::create(repo.dir.join(path)).unwrap();
                let (begin, end) = answer.split_at(6);
                file.write_all(begin.as_bytes()).unwrap();
                until_noticed(&stage, &repo).await;
                let seen = stage.client().run_get(&run).await.unwrap();
                assert_eq!(seen.state.status(), RunStatus::Paused, "{seen:#?}");
                file.write_all(end.as_bytes()).unwrap();
            }
            _ => {
                let output = Command::new(car())
                    .args(["reply", run.as_str(), &answer])
                    .current_dir(&repo.dir)
                    .env("CAR_CONFIG_DIR", stage.hub.config_dir())
                    .env("CAR_HUB_URL", stage.hub.url())
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{said}");
            }
        }
        stage.until_completed(&run).await;
        let turns = stage.turns(&run).await;
        assert_eq!(turns.len(), 2, "{door}");
        assert_eq!(turns[0].thread, turns[1].thread, "{door}");
        let prompt = stage.client().turn_get(&turns[1].id).await.unwrap().prompt.unwrap();
        assert!(prompt.contains(&answer), "{door}: {prompt}");
        assert_eq!(repo.read("file-1.txt"), "B\n");
    }
}

#[tokio::test]
async fn a_ticket_for_a_person_waits_for_the_person() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    fs::write(repo.ticket_file(1), "---\nagent: user\ndone: false\n---\n\nBuy a domain.\n")
        .unwrap();
    repo.easy_ticket(2);
    let run = stage.run(&repo).await;
    stage.until_paused(&run, PauseReason::UserPause).await;
    assert!(stage.noted().is_empty(), "it spends no turn");
    stage.client().ticket_done(&repo.id, "1", &TicketDone { done: true }, None).await.unwrap();
    let ended = stage.until_completed(&run).await;
    assert_eq!(
        (ended.turns, ended.finished.tickets),
        (1, 1),
        "only the agent's ticket is its work"
    );
}

fn is_pause(dispatch: &Dispatch) -> bool {
    dispatch.mode == DispatchMode::Pause
}

#[tokio::test]
async fn turns_that_change_nothing_pause_and_an_edit_helps() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    repo.ticket(1, "", r#"{"say": "I will look into it."}"#);
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::LoopNoDiff).await;
    assert!(details.contains("TICKET-001.md"), "{details}");
    assert_eq!(stage.noted().len(), 2 * 2, "two turns, each with its start and end");
    // It is told once the state is in the log.
    let begun = Instant::now();
    while !stage.client().run_dispatches(&run).await.unwrap().items.iter().any(is_pause) {
        assert!(begun.elapsed() < DEADLINE, "nobody was told");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    repo.easy_ticket(1);
    stage.client().run_resume(&run, &RunResume::default()).await.unwrap();
    stage.until_completed(&run).await;
}

#[tokio::test]
async fn broken_frontmatter_is_mended_by_the_agent_or_shown() {
    let stage = Stage::start("ticket_flow:\n  max_lint_retries: 1\n");
    let ticket = ".codex-autorunner/tickets/TICKET-001.md";
    let spoil = format!(r#"{{"on": 1, "sh": "sed -i 's/^done: false/done: maybe/' {ticket}"}}"#);
    let mend = format!(r#"{{"on": 2, "sh": "sed -i 's/^done: maybe/done: true/' {ticket}"}}"#);
    let repo = stage.repo("mended").await;
    repo.ticket(1, "", &format!("{spoil}, {mend}"));
    let run = stage.run(&repo).await;
    stage.until_completed(&run).await;
    assert_eq!(purposes(&stage, &run).await, [TurnPurpose::Work, TurnPurpose::LintRepair]);

    let repo = stage.repo("spoilt").await;
    repo.ticket(1, "", &spoil);
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::NeedsUserFix).await;
    assert!(details.contains("done"), "{details}");
    assert_eq!(purposes(&stage, &run).await, [TurnPurpose::Work, TurnPurpose::LintRepair]);
}

#[tokio::test]
async fn a_finished_ticket_is_committed() {
    let stage = Stage::start("");
    let claim = format!(r#"{}, {{"done": true}}"#, write_file(1, "good"));
    let repo = stage.repo("late").await;
    repo.ticket(1, "", &format!(r#"{claim}, {{"on": 2, "commit": "Late"}}"#));
    let run = stage.run(&repo).await;
    stage.until_completed(&run).await;
    assert_eq!(purposes(&stage, &run).await, [TurnPurpose::Work, TurnPurpose::Commit]);
    assert!(repo.is_clean() && repo.subjects().contains(&"Late".to_owned()));

    let repo = stage.repo("never").await;
    repo.ticket(1, "", &claim);
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::NeedsUserFix).await;
    assert!(details.contains("file-1.txt"), "{details}");
    let made = purposes(&stage, &run).await;
    assert_eq!(made, [TurnPurpose::Work, TurnPurpose::Commit, TurnPurpose::Commit]);
    // A person commits.
    repo.git(&["add", "--", "file-1.txt"]);
    repo.git(&["commit", "--quiet", "--message", "By hand"]);
    stage.client().run_resume(&run, &RunResume::default()).await.unwrap();
    let ended = stage.until_completed(&run).await;
    assert_eq!(ended.turns, 3, "no further turn is spent");
}

#[tokio::test]
async fn a_false_claim_is_never_finished() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let front = "verify: [\"test -e README.md\", \"echo no cake >&2; exit 3\"]";
    repo.ticket(1, front, &format!("{}, {FINISH}", write_file(1, "cake")));
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::VerifyFailed).await;
    for fact in ["echo no cake", "exit code 3", "no cake"] {
        assert!(details.contains(fact), "{fact}: {details}");
    }
    let seen = stage.client().run_get(&run).await.unwrap();
    assert_eq!((seen.finished.tickets, seen.finished.verified), (0, 0));
    let evidence = stage.client().run_evidence(&run).await.unwrap().items;
    assert_eq!(evidence.len(), 4, "the first and three more tries");
    for found in &evidence {
        assert_eq!(found.verdict, Verdict::Failed);
        assert!(found.commit.is_some() && found.tree.is_some());
        assert_eq!(found.commands[0].exit_code, Some(0));
        assert_eq!(found.commands[1].exit_code, Some(3));
        assert!(found.commands[1].tail.contains("no cake"));
    }
    // The file follows the state; both are sure.
    let ticket = || fs::read_to_string(repo.ticket_file(1)).unwrap();
    stage.until(&run, "opened its ticket again", |_| ticket().contains("done: false")).await;
    assert!(ticket().contains("no cake"), "{}", ticket());
    let turns = stage.turns(&run).await;
    assert_eq!(turns.len(), 4);
    let prompt = stage.client().turn_get(&turns[1].id).await.unwrap().prompt.unwrap();
    assert!(prompt.contains("<CAR_VERIFY_FAILED>") && prompt.contains("no cake"), "{prompt}");
}

#[tokio::test]
async fn protected_files_and_the_tickets_own_checks_need_a_person() {
    let stage = Stage::start("");
    let repo = stage.repo("files").await;
    repo.ticket(
        1,
        "protect: [\"tests/**\"]",
        &format!(r#"{{"write": ["tests/a.txt", "eased\n"]}}, {FINISH}"#),
    );
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::ProtectedPaths).await;
    assert!(details.contains("tests/a.txt"), "{details}");
    assert_eq!(stage.client().run_get(&run).await.unwrap().finished.tickets, 0);
    let body = RunResume { accept_protected: true, ..RunResume::default() };
    stage.client().run_resume(&run, &body).await.unwrap();
    assert_eq!(stage.until_completed(&run).await.finished.tickets, 1);

    let repo = stage.repo("checks").await;
    let ease = r#"{"sh": "sed -i 's/exit 9/exit 0/' .codex-autorunner/tickets/TICKET-001.md"}"#;
    repo.ticket(1, "verify: [\"exit 9\"]", &format!("{}, {ease}, {FINISH}", write_file(1, "x")));
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::ProtectedPaths).await;
    assert!(details.contains("TICKET-001.md"), "{details}");
    // It stays so until a person accepts it, or puts it back.
    stage.client().run_resume(&run, &RunResume::default()).await.unwrap();
    stage.until_paused(&run, PauseReason::ProtectedPaths).await;
    assert_eq!(stage.client().run_get(&run).await.unwrap().finished.tickets, 0);
    assert!(stage.client().run_evidence(&run).await.unwrap().items.is_empty());
    stage.client().run_resume(&run, &body).await.unwrap();
    assert_eq!(stage.until_completed(&run).await.finished.verified, 1);
}

#[tokio::test]
async fn the_limit_of_turns_pauses_and_resuming_allows_as_many_again() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    repo.ticket(1, "", r#"{"sh": "echo more >> README.md"}"#);
    let body = RunStart { max_total_turns: Some(2), ..RunStart::default() };
    let run = stage.client().run_start(&repo.id, &body).await.unwrap().id;
    stage.until_paused(&run, PauseReason::MaxTurns).await;
    assert_eq!(stage.turns(&run).await.len(), 2);
    let more = RunResume { max_total_turns: Some(1), ..RunResume::default() };
    stage.client().run_resume(&run, &more).await.unwrap();
    stage.until(&run, "has three turns", |run| run.turns == 3).await;
    stage.until_paused(&run, PauseReason::MaxTurns).await;
}

#[tokio::test]
async fn a_budget_of_tokens_outlives_the_hub() {
    let mut stage = Stage::start("");
    let repo = stage.repo("between").await;
    repo.ticket(1, "", r#"{"sh": "echo more >> README.md"}, {"usage": {"in": 90, "out": 10}}"#);
    let body = RunStart { max_tokens: Some(150), ..RunStart::default() };
    let run = stage.client().run_start(&repo.id, &body).await.unwrap().id;
    let details = stage.until_paused(&run, PauseReason::Budget).await;
    assert!(details.contains("150"), "{details}");
    let turns = stage.turns(&run).await;
    assert!(turns.len() == 2 && turns.iter().all(|turn| turn.usage.total() == 100), "{turns:?}");
    stage.kill_and_serve();
    stage.client().run_resume(&run, &RunResume::default()).await.unwrap();
    stage.until_paused(&run, PauseReason::Budget).await;
    assert_eq!(stage.turns(&run).await.len(), 2, "no turn is begun over the budget");

    // Used up in the middle of a turn: the turn is interrupted.
    let repo = stage.repo("within").await;
    repo.ticket(1, "", r#"{"usage": {"in": 500}}, {"hang": true}"#);
    let run = stage.client().run_start(&repo.id, &body).await.unwrap().id;
    stage.until_paused(&run, PauseReason::Budget).await;
    assert_eq!(stage.turns(&run).await[0].status, TurnStatus::Interrupted);
}

#[tokio::test]
async fn every_run_has_the_budget_that_the_hubs_owner_set() {
    let mut stage = Stage::start("");
    assert!(stage.hub.stop().success());
    let root = stage.hub.root();
    let set = |value| {
        stage.hub.run(&[
            "config",
            "--root",
            root.to_str().unwrap(),
            "set",
            "ticket_flow.max_tokens",
            value,
        ])
    };
    assert!(!set("0").status.success() && !set("-1").status.success());
    assert!(set("150").status.success());
    stage.hub.serve(&[]);
    let repo = stage.repo("plain").await;
    repo.ticket(1, "", r#"{"sh": "echo more >> README.md"}, {"usage": {"in": 90, "out": 10}}"#);
    let run = stage.client().run_start(&repo.id, &RunStart::default()).await.unwrap();
    assert_eq!(run.options.max_tokens, Some(150));
    let details = stage.until_paused(&run.id, PauseReason::Budget).await;
    assert!(details.contains("150"), "{details}");
    assert_eq!(stage.turns(&run.id).await.len(), 2);
}

/// Waits until the hub has seen what changed in the tree so far.
async fn until_noticed(stage: &Stage, repo: &Repo) {
    let filter = EventFilter { repo: Some(repo.id.clone()), ..EventFilter::default() };
    // What is noticed together is done in no order: the second comes after all of that.
    for text in ["one", "two"] {
        let heard = async || {
            let events = all_events(&stage.client(), 0, &filter).await;
            let changed = |event: &Event| matches!(event.event, EventKind::ContextChanged { .. });
            events.iter().filter(|event| changed(event)).count()
        };
        let before = heard().await;
        fs::write(repo.dir.join(".codex-autorunner/contextspace/decisions.md"), text).unwrap();
        let begun = Instant::now();
        while heard().await == before {
            assert!(begun.elapsed() < DEADLINE, "a change is not noticed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_budget_of_time_runs_on_while_the_hub_is_away() {
    let mut stage = Stage::start("");
    let repo = stage.repo("tree").await;
    repo.ticket(1, "", r#"{"hang": true}"#);
    let body = RunStart { max_seconds: Some(10), ..RunStart::default() };
    let run = stage.client().run_start(&repo.id, &body).await.unwrap().id;
    stage.until_begun(1).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        stage.kill_and_serve();
    }
    stage.until_paused(&run, PauseReason::Budget).await;
    let turn = &stage.turns(&run).await[0];
    let took = turn.ended_at.unwrap().millis_since(turn.started_at);
    assert!(took >= 10_000, "{took}");
    // Anew after each restart it would have been ten seconds longer than the restarts took.
    assert!(took < 10_000 + i64::try_from(begun.elapsed().as_millis()).unwrap(), "{took}");
    // The run is paused before the agent has gone.
    stage.until_no_process().await;
    assert_eq!(stage.noted().len(), 2, "one start, one end");
}

#[tokio::test]
async fn a_passing_error_is_tried_again_after_a_while() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let finish = later(&format!("{}, {FINISH}", write_file(1, "good")));
    repo.ticket(1, "", &format!(r#"{{"on": 1, "fail": {{"class": "transient"}}}}, {finish}"#));
    let run = stage.run(&repo).await;
    let backing_off = stage
        .until(&run, "backs off", |run| {
            matches!(&run.state, RunState::Running { phase: Phase::BackingOff { .. } })
        })
        .await;
    assert!(backing_off.explain.next_at.is_some(), "{:?}", backing_off.explain);
    stage.until_completed(&run).await;
    let turns = stage.turns(&run).await;
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0].error.as_ref().unwrap().class, ErrorClass::Transient);
    assert_eq!(turns[0].thread, turns[1].thread);
    let waited = turns[1].started_at.millis_since(turns[0].ended_at.unwrap());
    assert!(waited >= 2000, "{waited}");
}

#[tokio::test]
async fn a_used_up_quota_parks_every_run_of_the_account_and_wakes_each_once() {
    let stage = Stage::start("hub:\n  max_parallel_runs: 2\n");
    let (first, second) = (stage.repo("first").await, stage.repo("second").await);
    let finish = later(&format!("{}, {FINISH}", write_file(1, "good")));
    let quota = r#"{"on": 1, "fail": {"class": "quota", "resets_in": 10}}"#;
    first.ticket(1, "", &format!("{quota}, {finish}"));
    second.ticket(1, "", &format!("{WAIT}, {}, {FINISH}", write_file(1, "good")));
    second.easy_ticket(2);
    let other = stage.run(&second).await;
    stage.until_begun(1).await;
    let run = stage.run(&first).await;
    let parked = |run: &car_api::run::Run| run.state.status() == RunStatus::Parked;
    let seen = stage.until(&run, "is parked", parked).await;
    assert!(seen.explain.next_at.is_some(), "{:?}", seen.explain);
    // The other one's turn goes on; its next is not begun.
    go(&second);
    stage.until(&other, "is parked", parked).await;
    assert_eq!(stage.turns(&other).await.len(), 1);
    stage.until_completed(&run).await;
    stage.until_completed(&other).await;
    let turns = stage.turns(&run).await;
    assert_eq!(turns.len(), 2, "it is resumed once");
    assert_eq!(turns[0].error.as_ref().unwrap().class, ErrorClass::Quota);
    assert_eq!(turns[0].thread, turns[1].thread, "in its conversation");
    assert_eq!(stage.turns(&other).await.len(), 2, "no turn was burnt");
}

#[tokio::test]
async fn an_agent_that_is_not_logged_in_pauses() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let finish = later(&format!("{}, {FINISH}", write_file(1, "good")));
    repo.ticket(1, "", &format!(r#"{{"on": 1, "fail": {{"class": "auth"}}}}, {finish}"#));
    let run = stage.run(&repo).await;
    stage.until_paused(&run, PauseReason::AgentAuth).await;
    stage.client().run_resume(&run, &RunResume::default()).await.unwrap();
    stage.until_completed(&run).await;
}

#[tokio::test]
async fn questions_of_the_agent_are_answered_from_afar() {
    let mut stage = Stage::start("");
    for (decision, made) in [(Decision::Accept, true), (Decision::Decline, false)] {
        let repo = stage.repo(decision.as_str()).await;
        repo.ticket(1, "", &format!(r#"{{"escalate": true, "sh": "touch asked.txt"}}, {FINISH}"#));
        let body = RunStart { approvals: Some(ApprovalPolicy::OnRequest), ..RunStart::default() };
        let run = stage.client().run_start(&repo.id, &body).await.unwrap().id;
        stage.until(&run, "asks", |run| !run.approvals.is_empty()).await;
        // The question outlives the hub.
        stage.kill_and_serve();
        let asking = stage.until(&run, "asks", |run| !run.approvals.is_empty()).await;
        assert_eq!(asking.explain.owner, car_api::run::Owner::User);
        let approval = asking.approvals[0].id.clone();
        assert!(!repo.dir.join("asked.txt").exists());
        let answer = ApprovalDecide { decision };
        stage.client().approval_decide(&run, &approval, &answer).await.unwrap();
        stage.until_completed(&run).await;
        assert_eq!(repo.dir.join("asked.txt").exists(), made, "{decision}");
        let resolved = stage.events(&run).await.into_iter().any(|event| {
            matches!(event, EventKind::ApprovalResolved { approval: a, .. } if a.decision == Some(decision))
        });
        assert!(resolved, "{decision}");
    }
}

#[tokio::test]
async fn stopping_ends_whatever_the_agent_started() {
    let stage = Stage::start("");
    for (name, last) in [("hangs", r#"{"hang": true}"#), ("deaf", r#"{"deaf": true}"#)] {
        let repo = stage.repo(name).await;
        let begun = stage.noted().len();
        let children = r#"{"detach": 600}, {"sh": "setsid -f sleep 600; (sleep 600 &)"}"#;
        repo.ticket(1, "", &format!("{children}, {}, {last}", write_file(1, "here")));
        let run = stage.run(&repo).await;
        wait_until("the agent has come to its last step", || {
            repo.dir.join("file-1.txt").exists().then_some(())
        });
        assert!(stage.noted().len() > begun && !stage.processes().is_empty());
        stage.client().run_stop(&run).await.unwrap();
        stage.until(&run, "is stopped", |run| run.state == RunState::Stopped).await;
        stage.until_no_process().await;
    }
}

#[tokio::test]
async fn stopping_ends_a_check_under_way() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let front = "verify: [\"setsid -f sleep 600; sleep 600\"]";
    repo.ticket(1, front, &format!("{}, {FINISH}", write_file(1, "good")));
    let run = stage.run(&repo).await;
    let begun = |line: &(i32, String)| line.1.starts_with("sleep 600");
    let asked = Instant::now();
    while stage.processes().iter().filter(|line| begun(line)).count() < 2 {
        assert!(asked.elapsed() < DEADLINE, "the check is not begun: {:?}", stage.processes());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stage.client().run_stop(&run).await.unwrap();
    stage.until(&run, "is stopped", |run| run.state == RunState::Stopped).await;
    stage.until_no_process().await;
    assert_eq!(stage.client().run_get(&run).await.unwrap().finished.tickets, 0);
}

#[tokio::test]
async fn a_pause_is_granted_after_the_turn() {
    let mut stage = Stage::start("");
    let repo = stage.repo("tree").await;
    repo.ticket(1, "", &format!("{WAIT}, {}, {FINISH}", write_file(1, "good")));
    repo.easy_ticket(2);
    let run = stage.run(&repo).await;
    stage.until_begun(1).await;
    stage.client().run_pause(&run).await.unwrap();
    // The wish outlives the hub.
    stage.kill_and_serve();
    go(&repo);
    stage.until_paused(&run, PauseReason::Requested).await;
    assert_eq!(stage.turns(&run).await.len(), 1);
    stage.client().run_resume(&run, &RunResume::default()).await.unwrap();
    assert_eq!(stage.until_completed(&run).await.finished.tickets, 2);
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_begun_anew_once() {
    let stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let finish = later(&format!("{}, {FINISH}", write_file(1, "good")));
    repo.ticket(1, "", &format!(r#"{{"on": 1, "fail": {{"class": "context"}}}}, {finish}"#));
    let run = stage.run(&repo).await;
    stage.until_completed(&run).await;
    let turns = stage.turns(&run).await;
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0].error.as_ref().unwrap().class, ErrorClass::ContextOverflow);
    assert!(turns[1].thread.is_some() && turns[0].thread != turns[1].thread);

    let repo = stage.repo("always").await;
    repo.ticket(1, "", r#"{"fail": {"class": "context"}}"#);
    let run = stage.run(&repo).await;
    stage.until_paused(&run, PauseReason::InfraError).await;
    assert_eq!(stage.turns(&run).await.len(), 2);
}

#[tokio::test]
async fn an_agent_that_heeds_no_interrupt_is_ended_and_taken_up_again() {
    let stage = Stage::start("ticket_flow:\n  turn_idle_timeout_s: 4\n");
    let repo = stage.repo("tree").await;
    let finish = later(&format!("{}, {FINISH}", write_file(1, "good")));
    repo.ticket(1, "", &format!(r#"{{"on": 1, "deaf": true}}, {finish}"#));
    let run = stage.run(&repo).await;
    stage.until_completed(&run).await;
    let turns = stage.turns(&run).await;
    assert_eq!(turns[0].error.as_ref().unwrap().class, ErrorClass::AgentLost);
    assert_eq!(purposes(&stage, &run).await, [TurnPurpose::Work, TurnPurpose::Continue]);
}

#[tokio::test]
async fn an_agent_that_crashes_goes_on_in_its_conversation_once() {
    let stage = Stage::start("");
    let repo = stage.repo("once").await;
    let finish = later(&format!("{}, {FINISH}", write_file(1, "good")));
    let half = r#"{"on": 1, "write": ["half.txt", "half\n"]}, {"on": 1, "crash": 3}"#;
    repo.ticket(1, "", &format!("{half}, {finish}"));
    let run = stage.run(&repo).await;
    stage.until_completed(&run).await;
    let turns = stage.turns(&run).await;
    assert_eq!(purposes(&stage, &run).await, [TurnPurpose::Work, TurnPurpose::Continue]);
    assert_eq!(turns[0].error.as_ref().unwrap().class, ErrorClass::AgentLost);
    assert!(turns[0].thread.is_some() && turns[0].thread == turns[1].thread);

    let repo = stage.repo("always").await;
    repo.ticket(1, "", r#"{"crash": 3}"#);
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::InfraError).await;
    assert!(details.contains("exit code 3"), "{details}");
    assert_eq!(stage.turns(&run).await.len(), 2);
    stage.until_no_process().await;
}

#[tokio::test]
async fn an_agent_that_says_nothing_is_interrupted() {
    let stage = Stage::start("ticket_flow:\n  turn_idle_timeout_s: 4\n");
    let repo = stage.repo("tree").await;
    let finish = later(&format!("{}, {FINISH}", write_file(1, "good")));
    repo.ticket(1, "", &format!(r#"{{"on": 1, "hang": true}}, {finish}"#));
    let run = stage.run(&repo).await;
    stage.until_paused(&run, PauseReason::Interrupted).await;
    assert_eq!(stage.turns(&run).await[0].status, TurnStatus::Interrupted);
    stage.client().run_resume(&run, &RunResume::default()).await.unwrap();
    stage.until_completed(&run).await;
}

#[tokio::test]
async fn runs_over_the_limit_wait_in_a_visible_queue() {
    let stage = Stage::start("hub:\n  max_parallel_runs: 1\n");
    let mut runs = Vec::new();
    let mut repos = Vec::new();
    for name in ["one", "two", "three"] {
        let repo = stage.repo(name).await;
        repo.ticket(1, "", &format!("{WAIT}, {}, {FINISH}", write_file(1, "good")));
        runs.push(stage.run(&repo).await);
        repos.push(repo);
        stage.until_begun(1).await;
    }
    let mut lines = Vec::new();
    for run in &runs[1..] {
        // Which place it has it knows a moment after it waits.
        let waits = |run: &car_api::run::Run| {
            run.state == RunState::Pending && run.explain.line != "Waiting for a free slot."
        };
        lines.push(stage.until(run, "waits in its place", waits).await.explain.line);
    }
    assert!(lines[0] != lines[1] && lines[1].contains('1'), "{lines:?}");
    assert_eq!(stage.noted().len(), 1, "only one agent is at work");
    for (repo, run) in repos.iter().zip(&runs) {
        go(repo);
        stage.until_completed(run).await;
    }
    let order: Vec<PathBuf> = stage
        .noted()
        .into_iter()
        .filter(|line| line.ended.is_none())
        .map(|line| line.ticket)
        .collect();
    let expected: Vec<PathBuf> = repos.iter().map(|repo| repo.ticket_file(1)).collect();
    assert_eq!(order, expected, "first come, first served");
}

#[tokio::test]
async fn a_check_that_takes_too_long_is_ended_with_all_it_started() {
    let stage = Stage::start("ticket_flow:\n  max_verify_retries: 0\n");
    let repo = stage.repo("tree").await;
    let front = "verify:\n  - run: \"setsid -f sleep 600; echo begun; sleep 600\"\n    timeout: 5s";
    repo.ticket(1, front, &format!("{}, {FINISH}", write_file(1, "good")));
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::VerifyFailed).await;
    assert!(details.contains("timed out") && details.contains("begun"), "{details}");
    stage.until_no_process().await;
}

#[tokio::test]
async fn a_check_under_way_is_begun_anew_by_the_next_hub() {
    let mut stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let front = "verify: [\"until [ -e .codex-autorunner/go ]; do sleep 0.02; done\"]";
    repo.ticket(1, front, &format!("{}, {FINISH}", write_file(1, "good")));
    let run = stage.run(&repo).await;
    let checked = |run: &car_api::run::Run| {
        matches!(&run.state, RunState::Running { phase: Phase::Verifying { .. } })
    };
    stage.until(&run, "is checked", checked).await;
    stage.kill_and_serve();
    stage.until(&run, "is checked", checked).await;
    go(&repo);
    let ended = stage.until_completed(&run).await;
    assert_eq!((ended.turns, ended.finished.verified), (1, 1));
    assert_eq!(stage.client().run_evidence(&run).await.unwrap().items.len(), 1);
    stage.until_no_process().await;
}

#[tokio::test]
async fn a_checkout_of_a_hub_that_died_is_cleared_away() {
    let mut stage = Stage::start("");
    let repo = stage.repo("tree").await;
    let gate = repo.dir.join(".codex-autorunner/go");
    let front = format!(
        "verify:\n  - run: \"until [ -e {} ]; do sleep 0.02; done; test -e file-1.txt\"\n    tree: clean",
        gate.display()
    );
    repo.ticket(1, &front, &format!("{}, {FINISH}", write_file(1, "good")));
    let run = stage.run(&repo).await;
    // Git gives up on one that is just being made.
    let checkouts = |repo: &Repo| {
        let list = Command::new("git").current_dir(&repo.dir).args(["worktree", "list"]).output();
        list.unwrap().stdout.iter().filter(|byte| **byte == b'\n').count()
    };
    wait_until("the checkout is made", || (checkouts(&repo) == 2).then_some(()));
    stage.kill_and_serve();
    go(&repo);
    assert_eq!(stage.until_completed(&run).await.finished.verified, 1);
    wait_until("every checkout is removed", || (checkouts(&repo) == 1).then_some(()));
    stage.until_no_process().await;
}

#[tokio::test]
async fn an_agent_works_on_while_there_is_no_hub() {
    let mut stage = Stage::start("");
    let repo = stage.repo("tree").await;
    repo.ticket(1, "", &format!("{WAIT}, {}, {FINISH}", write_file(1, "good")));
    repo.easy_ticket(2);
    let run = stage.run(&repo).await;
    stage.until_begun(1).await;
    assert!(stage.hub.stop().success());
    go(&repo);
    wait_until("the agent ends its turn", || (stage.noted().len() == 2).then_some(()));
    assert!(repo.subjects().contains(&"Finish".to_owned()));
    stage.hub.serve(&[]);
    let ended = stage.until_completed(&run).await;
    assert_eq!((ended.turns, ended.finished.tickets), (2, 2), "nothing is done again");
    let turns = stage.turns(&run).await;
    assert!(turns.iter().all(|turn| turn.status == TurnStatus::Completed), "{turns:?}");
    assert_eq!(turns[0].session, turns[1].session, "the same process goes on");
    stage.until_no_process().await;
}

#[tokio::test]
async fn a_clean_tree_holds_only_what_was_committed() {
    let stage = Stage::start("ticket_flow:\n  max_verify_retries: 0\n");
    let front = |tree: &str| {
        format!(
            "verify:\n  - run: \"test -e file-1.txt && test ! -e ignored.txt\"\n    tree: {tree}"
        )
    };
    for (tree, passes) in [("clean", true), ("worktree", false)] {
        let repo = stage.repo(tree).await;
        fs::write(repo.dir.join(".gitignore"), "ignored.txt\n").unwrap();
        repo.git(&["add", "--", ".gitignore"]);
        repo.git(&["commit", "--quiet", "--message", "Ignore what is left over"]);
        fs::write(repo.dir.join("ignored.txt"), "left over\n").unwrap();
        repo.ticket(1, &front(tree), &format!("{}, {FINISH}", write_file(1, "good")));
        let run = stage.run(&repo).await;
        if passes {
            assert_eq!(stage.until_completed(&run).await.finished.verified, 1);
        } else {
            stage.until_paused(&run, PauseReason::VerifyFailed).await;
        }
        assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 1, "checkouts are removed");
    }
}

#[tokio::test]
async fn a_check_that_failed_before_is_shown_as_such() {
    let front = "verify: [\"test -e never.txt\"]";
    let work = format!("{}, {FINISH}", write_file(1, "good"));
    let mut stage = Stage::start("ticket_flow:\n  max_verify_retries: 0\n");
    let repo = stage.repo("blocked").await;
    repo.ticket(1, front, &work);
    let run = stage.run(&repo).await;
    let details = stage.until_paused(&run, PauseReason::VerifyFailed).await;
    assert!(details.contains("base commit"), "{details}");
    let evidence = stage.client().run_evidence(&run).await.unwrap().items;
    assert_eq!(evidence[0].commands[0].fails_on_base, Some(true));

    stage.hub.stop();
    stage.configure("ticket_flow:\n  allow_preexisting: true\n");
    stage.hub.serve(&[]);
    let repo = stage.repo("allowed").await;
    repo.ticket(1, front, &work);
    let run = stage.run(&repo).await;
    stage.until_completed(&run).await;
    let evidence = stage.client().run_evidence(&run).await.unwrap().items;
    assert_eq!(evidence[0].verdict, Verdict::PreExisting);
}
