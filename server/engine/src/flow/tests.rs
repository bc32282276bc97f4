use std::fmt::Write as _;

use car_api::{
    Timestamp, TurnId,
    budget::BudgetLimits,
    item::Usage,
    money::Amount,
    run::{FailureCode, Finished, PauseReason, Phase, ResumeRule, RunOptions, RunState, RunTicket},
    turn::{ErrorClass, TurnError, TurnPurpose},
    verify::{VerifyCommand, VerifyTree},
};
use proptest::prelude::*;

use super::{pause::resume_rule, *};
use crate::budget::{Sum, Today};

fn turn(n: u32) -> TurnId {
    format!("trn_{n}").parse().unwrap()
}

fn ticket(n: u64) -> RunTicket {
    RunTicket {
        id: format!("tkt_{n:03}").parse().unwrap(),
        number: n,
        file: format!("TICKET-{n:03}.md"),
        title: format!("Ticket {n}"),
        agent: "codex".parse().unwrap(),
    }
}

fn brief() -> Brief {
    Brief {
        model: None,
        reasoning: None,
        require_commit: true,
        verify: vec![VerifyCommand {
            run: "make check".into(),
            dir: None,
            timeout_s: 60,
            tree: VerifyTree::Worktree,
        }],
        protect: vec!["tests/**".into()],
    }
}

fn moment(n: u32) -> Moment {
    Moment {
        now: Timestamp::from_secs(1000 + i64::from(n)),
        turn: turn(n),
        today: Today::default(),
    }
}

fn candidate(done: bool, dirty: Option<&str>) -> Input {
    Input::Surveyed(Finding::Next(Box::new(Candidate {
        ticket: ticket(1),
        brief: brief(),
        done,
        again: false,
        dirty: dirty.map(str::to_owned),
        protected: Vec::new(),
        fingerprint: "f".into(),
    })))
}

fn ended(n: u32, outcome: TurnOutcome) -> Input {
    Input::TurnEnded(TurnResult {
        turn: turn(n),
        outcome,
        usage: Usage { input_tokens: 10, output_tokens: 1, ..Usage::default() },
        cost: None,
        active_ms: 1000,
        account: "codex".into(),
        replies_seen: 0,
    })
}

fn lost(tree_changed: bool) -> Input {
    let usage = Usage { input_tokens: 7, ..Usage::default() };
    Input::AgentLost { detail: "killed".into(), tree_changed, usage, cost: None, active_ms: 1500 }
}

fn failure(class: ErrorClass, retry_at: Option<Timestamp>) -> TurnOutcome {
    TurnOutcome::Failed(TurnError { class, message: "it broke".into(), retry_at })
}

fn seen(ticket: Reading, dirty: Option<&str>) -> Input {
    Input::Examined(Examination {
        dispatch: DispatchFinding::None,
        ticket,
        dirty: dirty.map(str::to_owned),
        fingerprint: "f".into(),
        protected: Vec::new(),
        dispatch_seq: 0,
    })
}

fn resume(accept_protected: bool) -> Input {
    let (max_total_turns, max_tokens, max_cost, max_seconds) = (None, None, None, None);
    Input::Resume { max_total_turns, max_tokens, max_cost, max_seconds, accept_protected }
}

fn inputs() -> Vec<Input> {
    let protected = Input::Examined(Examination {
        dispatch: DispatchFinding::None,
        ticket: Reading::Done,
        dirty: None,
        fingerprint: "f".into(),
        protected: vec!["tests/a.rs".into()],
        dispatch_seq: 0,
    });
    let asking = Input::Examined(Examination {
        dispatch: DispatchFinding::Pause { title: "Which?".into() },
        ticket: Reading::Done,
        dirty: None,
        fingerprint: "f".into(),
        protected: Vec::new(),
        dispatch_seq: 0,
    });
    vec![
        Input::Granted,
        Input::Surveyed(Finding::NoTickets),
        Input::Surveyed(Finding::AllDone),
        Input::Surveyed(Finding::NeedsFix { details: "two files are 001".into() }),
        Input::Surveyed(Finding::ForUser { ticket: ticket(1) }),
        Input::Surveyed(Finding::Held { account: "a".into(), until: Timestamp::from_secs(9) }),
        candidate(false, None),
        candidate(true, None),
        candidate(true, Some("M a.rs")),
        Input::ThreadOpened { thread: "t".into() },
        Input::ThreadLost { detail: "no rollout".into(), tree_changed: false },
        Input::ThreadLost { detail: "no rollout".into(), tree_changed: true },
        ended(0, TurnOutcome::Completed),
        ended(0, TurnOutcome::Interrupted),
        ended(0, failure(ErrorClass::Transient, None)),
        ended(0, failure(ErrorClass::Quota, Some(Timestamp::from_secs(5000)))),
        ended(0, failure(ErrorClass::Auth, None)),
        ended(0, failure(ErrorClass::ContextOverflow, None)),
        ended(0, failure(ErrorClass::Other, None)),
        ended(99, TurnOutcome::Completed),
        lost(false),
        lost(true),
        seen(Reading::Open, None),
        seen(Reading::Done, None),
        seen(Reading::Done, Some("M a.rs")),
        seen(Reading::Broken { details: "no agent".into() }, None),
        seen(Reading::Gone, None),
        protected,
        asking,
        Input::Verified(VerifyOutcome::Passed),
        Input::Verified(VerifyOutcome::Failed { report: "exit 1".into() }),
        Input::Verified(VerifyOutcome::Broken { details: "no shell".into() }),
        Input::Elapsed,
        Input::BudgetReached { what: "tokens".into() },
        Input::Replied,
        Input::TicketDone,
        resume(false),
        Input::Pause,
        Input::Stop,
        Input::Supersede { by: "run_2".parse().unwrap() },
        Input::Blocked { details: "no such program".into() },
        Input::Fail { code: FailureCode::RepoNotFound, message: "gone".into() },
        Input::Recovered,
        Input::Restored { backup: Timestamp::from_secs(0) },
    ]
}

fn work() -> Work {
    Work { thread: Some("t".into()), ..Work::new(ticket(1), brief(), "start".into()) }
}

fn with(state: RunState) -> Flow {
    Flow { state, work: Some(work()), ..Flow::new(RunOptions::default(), Vec::new()) }
}

fn states() -> Vec<Flow> {
    let running = |phase| with(RunState::Running { phase });
    let paused = |reason| {
        let details = "why".to_owned();
        let since = Timestamp::from_secs(1);
        with(RunState::Paused { reason, details, since, resume: resume_rule(reason) })
    };
    vec![
        Flow::new(RunOptions::default(), Vec::new()),
        running(Phase::Selecting),
        running(Phase::InTurn { turn: turn(0), purpose: TurnPurpose::Work }),
        running(Phase::PostTurn { turn: turn(0) }),
        running(Phase::Verifying { attempt: 1 }),
        running(Phase::BackingOff { until: Timestamp::from_secs(9), attempt: 1 }),
        paused(PauseReason::UserPause),
        paused(PauseReason::MaxTurns),
        with(RunState::Parked { account: "codex".into(), until: Timestamp::from_secs(9) }),
        with(RunState::Stopping),
        with(RunState::Completed),
        with(RunState::Failed { code: FailureCode::Internal, message: "m".into() }),
        with(RunState::Stopped),
        with(RunState::Superseded { by: "run_2".parse().unwrap() }),
    ]
}

/// Every state meets every input; the whole table is one reviewable file.
#[test]
#[expect(clippy::disallowed_methods, reason = "the golden is a file")]
fn transition_table() {
    let mut table = String::new();
    for flow in states() {
        writeln!(table, "{:?}", flow.state).unwrap();
        for input in inputs() {
            writeln!(table, "    {input:?}").unwrap();
            match step(&flow, input, &moment(7)) {
                Ok(t) => writeln!(table, "        -> {:?} {:?}", t.flow.state, t.effects).unwrap(),
                Err(Illegal) => writeln!(table, "        -> illegal").unwrap(),
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/flow/transitions.txt");
    if std::fs::read_to_string(path).unwrap_or_default() != table {
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, table).unwrap();
            return;
        }
        panic!("{path} is out of date; run `UPDATE=1 cargo nextest run -p car-engine transition`");
    }
}

/// Whatever happens, a run is never stuck: from every state some inputs lead to an end, and every
/// state that is not an end says who acts next.
#[test]
fn every_state_can_end() {
    for start in states() {
        let mut reached = vec![start.clone()];
        let mut at = 0;
        while at < reached.len() && !reached[at].state.status().is_end() {
            for input in inputs() {
                if let Ok(t) = step(&reached[at], input, &moment(0))
                    && reached.iter().all(|seen| seen.state != t.flow.state)
                {
                    reached.push(t.flow);
                }
            }
            at += 1;
        }
        assert!(reached.iter().any(|f| f.state.status().is_end()), "{:?} cannot end", start.state);
        for flow in reached {
            let explain = explain(&flow, Some(1));
            assert!(!explain.line.is_empty());
            let over = flow.state.status().is_end();
            assert_eq!(explain.next_action.is_empty(), over, "{:?}", flow.state);
        }
    }
}

fn run(mut flow: Flow, steps: impl IntoIterator<Item = Input>) -> Flow {
    for (n, input) in (0..).zip(steps) {
        let shown = format!("{input:?}");
        flow = step(&flow, input, &moment(n))
            .unwrap_or_else(|_| panic!("{shown} in {:?}", flow.state))
            .flow;
    }
    flow
}

/// A turn that claims done, verification that never passes: reopened, asked again, then a person.
#[test]
fn a_liar_never_passes() {
    let mut flow =
        run(Flow::new(RunOptions::default(), Vec::new()), [Input::Granted, candidate(false, None)]);
    for n in 0..4 {
        let id = flow.turn().expect("a turn").clone();
        let result = TurnResult {
            turn: id,
            outcome: TurnOutcome::Completed,
            usage: Usage::default(),
            cost: None,
            active_ms: 1,
            account: String::new(),
            replies_seen: 0,
        };
        let report = format!("exit {n}");
        flow = run(
            flow,
            [
                Input::TurnEnded(result),
                seen(Reading::Done, None),
                Input::Verified(VerifyOutcome::Failed { report }),
            ],
        );
    }
    let RunState::Paused { reason, details, .. } = &flow.state else { panic!("{:?}", flow.state) };
    assert_eq!(*reason, PauseReason::VerifyFailed);
    assert!(details.contains("exit 3"));
    assert_eq!(flow.finished, Finished::default());
}

/// The agent dies mid-turn: its conversation is taken up once; the second loss asks a person.
#[test]
fn a_lost_agent_is_taken_up_once() {
    let opened = Input::ThreadOpened { thread: "t".into() };
    let begun = run(
        Flow::new(RunOptions::default(), Vec::new()),
        [Input::Granted, candidate(false, None), opened],
    );
    let again = step(&begun, lost(true), &moment(5)).unwrap();
    assert_eq!(again.effects, [Effect::RunTurn { turn: turn(5), purpose: TurnPurpose::Continue }]);
    let third = step(&again.flow, lost(false), &moment(6)).unwrap();
    assert_eq!(third.flow.state.status().as_str(), "paused");
    // What lost turns have used counts.
    assert_eq!(third.flow.spent.active_ms, 2 * 1500);
    assert_eq!(third.flow.spent.usage.total(), 2 * 7);
    // Without a conversation the turn begins again only over an unchanged tree.
    let no_thread =
        run(Flow::new(RunOptions::default(), Vec::new()), [Input::Granted, candidate(false, None)]);
    let fresh = step(&no_thread, lost(false), &moment(5)).unwrap();
    assert_eq!(fresh.effects, [Effect::RunTurn { turn: turn(5), purpose: TurnPurpose::Work }]);
    let asked = step(&no_thread, lost(true), &moment(5)).unwrap();
    assert_eq!(asked.flow.state.status().as_str(), "paused");
}

/// What checks a ticket is what the run selected; another wish of the file needs a person.
#[test]
fn a_ticket_cannot_loosen_its_own_checks() {
    let mut flow =
        run(Flow::new(RunOptions::default(), Vec::new()), [Input::Granted, candidate(false, None)]);
    flow = run(flow, [ended(1, TurnOutcome::Completed), seen(Reading::Open, None)]);
    let Input::Surveyed(Finding::Next(mut loosened)) = candidate(false, None) else {
        panic!("a candidate")
    };
    loosened.brief.verify.clear();
    let loosened = Input::Surveyed(Finding::Next(loosened));
    let asked = step(&flow, loosened.clone(), &moment(9)).unwrap().flow;
    let RunState::Paused { reason, .. } = &asked.state else { panic!("{:?}", asked.state) };
    assert_eq!(*reason, PauseReason::ProtectedPaths);
    let kept = asked.work.as_ref().unwrap().brief.verify.len();
    assert_eq!(kept, 1);
    let accepted = run(asked, [resume(true), Input::Granted, loosened]);
    assert_eq!(accepted.work.unwrap().brief.verify, []);
}

/// No turn begins over a budget, of the run or of the day; what was decided before it is kept.
#[test]
fn no_turn_begins_over_a_budget() {
    let waiting = run(Flow::new(RunOptions::default(), Vec::new()), [Input::Granted]);
    let limits = BudgetLimits { day_tokens: Some(100), ..BudgetLimits::default() };
    let at = |tokens| Moment {
        today: Today { limits, hub: Sum { tokens, ..Sum::default() }, ..Today::default() },
        ..moment(1)
    };
    let begun = step(&waiting, candidate(false, None), &at(99)).unwrap();
    assert_eq!(begun.effects, [Effect::RunTurn { turn: turn(1), purpose: TurnPurpose::Work }]);
    let held = step(&waiting, candidate(false, None), &at(100)).unwrap();
    let RunState::Paused { reason, details, resume: rule, .. } = &held.flow.state else {
        panic!("{:?}", held.flow.state)
    };
    assert_eq!((*reason, *rule), (PauseReason::Budget, ResumeRule::Fix));
    assert!(details.contains("100 tokens for the hub"), "{details}");
    assert!(explain(&held.flow, None).line.contains("`budget.day_tokens`"));
    // Resumed on the next day it goes on.
    let next = run(held.flow, [resume(false), Input::Granted, candidate(false, None)]);
    assert!(next.turn().is_some());

    let max_cost = Some(Amount::from_millionths(5));
    let dear = Flow::new(RunOptions { max_cost, ..RunOptions::default() }, Vec::new());
    let begun = run(dear, [Input::Granted, candidate(false, None)]);
    let result = TurnResult {
        turn: begun.turn().unwrap().clone(),
        outcome: TurnOutcome::Completed,
        usage: Usage { input_tokens: 10, ..Usage::default() },
        cost: max_cost,
        active_ms: 1,
        account: String::new(),
        replies_seen: 0,
    };
    let ended = [Input::TurnEnded(result), seen(Reading::Open, None), candidate(false, None)];
    let paused = run(begun, ended);
    let RunState::Paused { reason, .. } = &paused.state else { panic!("{:?}", paused.state) };
    assert_eq!(*reason, PauseReason::Budget);
}

#[test]
fn two_turns_without_a_change_pause() {
    let mut flow = run(Flow::new(RunOptions::default(), Vec::new()), [Input::Granted]);
    for n in 0..2 {
        flow = step(&flow, candidate(false, None), &moment(n)).unwrap().flow;
        flow = run(flow, [ended(n, TurnOutcome::Completed), seen(Reading::Open, None)]);
    }
    let RunState::Paused { reason, .. } = flow.state else { panic!("{:?}", flow.state) };
    assert_eq!(reason, PauseReason::LoopNoDiff);
}

proptest! {
    /// A hub that dies after any committed step and recovers ends where an undisturbed one ends:
    /// recovery says again what was to be done, and never changes what was decided.
    #[test]
    fn recovery_changes_nothing(
        picks in proptest::collection::vec(0usize..43, 1..60),
        deaths in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let mut calm = Flow::new(RunOptions::default(), Vec::new());
        let mut shaken = calm.clone();
        for (n, pick) in picks.into_iter().enumerate() {
            let at = moment(u32::try_from(n).unwrap());
            let input = match (&inputs()[pick % inputs().len()], calm.turn()) {
                (Input::TurnEnded(result), Some(turn)) => {
                    Input::TurnEnded(TurnResult { turn: turn.clone(), ..result.clone() })
                }
                (input, _) => input.clone(),
            };
            let stopping = calm.state == RunState::Stopping;
            if deaths[n] && !stopping {
                let again = step(&shaken, Input::Recovered, &at).unwrap();
                prop_assert_eq!(&again.flow.state, &shaken.state);
                shaken = again.flow;
            }
            match (step(&calm, input.clone(), &at), step(&shaken, input, &at)) {
                (Ok(one), Ok(other)) => {
                    prop_assert_eq!(&one.effects, &other.effects);
                    (calm, shaken) = (one.flow, other.flow);
                }
                (Err(_), Err(_)) => {}
                (one, other) => prop_assert!(false, "{:?} against {:?}", one, other),
            }
            prop_assert_eq!(&calm.state, &shaken.state);
            prop_assert_eq!(&calm.work, &shaken.work);
            prop_assert!(calm.finished.verified <= calm.finished.tickets);
        }
    }

    /// No sequence of inputs spends more turns than the limit allows between two resumes.
    #[test]
    fn the_limit_of_turns_holds(picks in proptest::collection::vec(0usize..43, 1..200)) {
        let mut flow = Flow::new(RunOptions { max_total_turns: 3, ..RunOptions::default() }, Vec::new());
        for (n, pick) in picks.into_iter().enumerate() {
            let input = match (&inputs()[pick % inputs().len()], flow.turn()) {
                (Input::TurnEnded(result), Some(turn)) => {
                    Input::TurnEnded(TurnResult { turn: turn.clone(), ..result.clone() })
                }
                (input, _) => input.clone(),
            };
            if let Ok(t) = step(&flow, input, &moment(u32::try_from(n).unwrap())) {
                flow = t.flow;
            }
            prop_assert!(flow.spent.turns_since_resume <= 3);
        }
    }
}
