use car_api::{
    Timestamp,
    run::{PauseReason, ResumeRule},
    verify::{CommandResult, VerifyCommand, VerifyTree},
};

use super::*;

const RUN: &str = "run_1";

fn lines(console: &mut Console, kind: EventKind) -> Vec<String> {
    let event = Event {
        seq: 1,
        at: Timestamp::from_secs(0),
        repo: Some("demo".parse().unwrap()),
        run: Some(RUN.parse().unwrap()),
        thread: None,
        event: kind,
    };
    console.lines("10:31:02", &event)
}

fn ticket() -> RunTicket {
    RunTicket {
        id: "tkt_one".parse().unwrap(),
        number: 1,
        file: "TICKET-001.md".to_owned(),
        title: "Add a greeting".to_owned(),
        agent: "codex".parse().unwrap(),
    }
}

fn turn(purpose: TurnPurpose) -> EventKind {
    EventKind::TurnStarted {
        turn: "trn_1".parse().unwrap(),
        number: 1,
        ticket: "tkt_one".parse().unwrap(),
        agent: "codex".parse().unwrap(),
        purpose,
        prompt_hash: String::new(),
    }
}

fn evidence(verdict: Verdict, exit_code: Option<i32>, tail: &str) -> EventKind {
    let command = VerifyCommand {
        run: "make test".to_owned(),
        dir: None,
        timeout_s: 1,
        tree: VerifyTree::Worktree,
    };
    EventKind::VerifyEnded {
        evidence: Evidence {
            seq: 1,
            ticket: "tkt_one".parse().unwrap(),
            ticket_path: "t".to_owned(),
            verdict,
            commit: None,
            tree: None,
            commands: vec![CommandResult {
                command,
                exit_code,
                timed_out: false,
                duration_ms: 1,
                tail: tail.to_owned(),
                fails_on_base: None,
            }],
            protected: Vec::new(),
            started_at: Timestamp::from_secs(0),
            ended_at: Timestamp::from_secs(1),
        },
    }
}

#[test]
fn a_turn_names_its_ticket_and_agent() {
    let mut console = Console::new(false);
    assert!(lines(&mut console, EventKind::TicketSelected { ticket: ticket() }).is_empty());
    assert_eq!(
        lines(&mut console, turn(TurnPurpose::Work)),
        ["10:31:02 demo · 001 Add a greeting · turn 1 · codex"]
    );
    assert_eq!(
        lines(&mut console, turn(TurnPurpose::VerifyFix)),
        ["10:31:02 demo · 001 Add a greeting · turn 1 · codex · mends it"]
    );
}

#[test]
fn a_failed_check_names_the_command_and_its_last_words() {
    let mut console = Console::new(false);
    assert_eq!(
        lines(&mut console, evidence(Verdict::Failed, Some(2), "a\nexpected 1, got 2\n\n")),
        ["10:31:02 demo · check failed: make test (exit 2)", "         expected 1, got 2"]
    );
    assert_eq!(
        lines(&mut console, evidence(Verdict::Passed, Some(0), "")),
        ["10:31:02 demo · check passed (1 command)"]
    );
}

#[test]
fn a_pause_says_how_to_answer() {
    let state = RunState::Paused {
        reason: PauseReason::UserPause,
        details: "Which port?\nMore text".to_owned(),
        since: Timestamp::from_secs(0),
        resume: ResumeRule::Reply,
    };
    let kind = EventKind::RunStateChanged { state, explain: "waits".to_owned() };
    assert_eq!(
        lines(&mut Console::new(false), kind),
        [
            "10:31:02 demo · paused: Which port?",
            "         answer: car reply run_1 \"…\"",
            "         go on:  car run resume run_1"
        ]
    );
}

#[test]
fn lines_fit_and_cannot_steer_the_terminal() {
    let title = format!("\u{1b}[2J{}", "x".repeat(200));
    let kind =
        EventKind::DispatchCreated { seq: 1, mode: DispatchMode::Notify, title: Some(title) };
    let said = lines(&mut Console::new(false), kind);
    assert_eq!(said[0].chars().count(), WIDTH);
    assert!(said[0].ends_with('…') && !said[0].contains('\u{1b}'));
    let coloured = lines(
        &mut Console::new(true),
        EventKind::TicketFinished { ticket: ticket(), verified: true },
    );
    assert_eq!(
        coloured,
        ["\u{1b}[32m10:31:02 demo · 001 Add a greeting · finished and verified\u{1b}[0m"]
    );
}
