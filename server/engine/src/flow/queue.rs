//! From the queue to a turn, and from a turn to a finished ticket.

use car_api::{
    run::{PauseReason, Phase, ResumeRule, RunState},
    turn::TurnPurpose,
};

use super::{
    Candidate, DispatchFinding, Effect, Examination, Finding, Flow, Illegal, MAX_UNCHANGED_TURNS,
    Moment, Reading, Transition, VerifyOutcome, Wish, Work, pause::pause, waiting::park,
};
use crate::budget::run_used_up;

pub(super) fn surveyed(
    flow: Flow,
    finding: Finding,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    if flow.state != (RunState::Running { phase: Phase::Selecting }) {
        return Err(Illegal);
    }
    if let Some(wish) = flow.wish.clone() {
        return Ok(grant(flow, wish, moment));
    }
    Ok(match finding {
        Finding::NoTickets => {
            let details = "The queue has no tickets. Add one with `car ticket new`.";
            pause(flow, PauseReason::NoTickets, details, moment)
        }
        Finding::NeedsFix { details } => pause(flow, PauseReason::NeedsUserFix, details, moment),
        Finding::MissingContext { details } => {
            pause(flow, PauseReason::MissingRequiredContext, details, moment)
        }
        Finding::AllDone => flow.end(RunState::Completed),
        Finding::ForUser { ticket } => {
            let details = format!(
                "Ticket {} ({}) is for you. Mark it done when it is: `car ticket done {}`.",
                ticket.file, ticket.title, ticket.number
            );
            let mut transition = pause(flow, PauseReason::UserPause, details, moment);
            if let RunState::Paused { resume, .. } = &mut transition.flow.state {
                *resume = ResumeRule::UserTicket;
            }
            transition
        }
        Finding::Held { account, until } => park(flow, account, until),
        Finding::Next(candidate) => selected(flow, *candidate, moment),
    })
}

/// The next ticket is known: begin a turn, or check a claim that stands already.
fn selected(mut flow: Flow, candidate: Candidate, moment: &Moment) -> Transition {
    let Candidate { ticket, brief, done, again, dirty, protected, fingerprint } = candidate;
    match &mut flow.work {
        Some(work) if work.ticket.id == ticket.id => {
            // Another agent or model means another conversation.
            if work.ticket.agent != ticket.agent || work.brief.model != brief.model {
                work.thread = None;
            }
            if work.brief.checks_differ(&brief) {
                if !flow.accept_protected {
                    let details = format!(
                        "What checks or protects {} is not as it was when the run selected the \
                         ticket. If that is as you want it, go on with \
                         `car run resume --accept-protected`; else put it back and resume.",
                        ticket.file
                    );
                    return pause(flow, PauseReason::ProtectedPaths, details, moment);
                }
                work.brief.verify = brief.verify;
                work.brief.protect = brief.protect;
            }
            work.ticket = ticket;
            work.brief.model = brief.model;
            work.brief.reasoning = brief.reasoning;
        }
        Some(_) | None => {
            flow.work = Some(Work { again, ..Work::new(ticket, brief, fingerprint) });
        }
    }
    if done { claimed(flow, dirty, &protected, moment) } else { begin_turn(flow, moment) }
}

/// Begins the turn that is next for the ticket, unless a limit is reached.
pub(super) fn begin_turn(flow: Flow, moment: &Moment) -> Transition {
    if let Some((reason, details)) = over_limit(&flow, moment) {
        return pause(flow, reason, details, moment);
    }
    let purpose = flow.work.as_ref().map_or(TurnPurpose::Work, |work| work.next);
    let turn = moment.turn.clone();
    flow.running(
        Phase::InTurn { turn: turn.clone(), purpose },
        vec![Effect::RunTurn { turn, purpose }],
    )
}

fn over_limit(flow: &Flow, moment: &Moment) -> Option<(PauseReason, String)> {
    let (spent, options) = (&flow.spent, &flow.options);
    if spent.turns_since_resume >= options.max_total_turns {
        let max = options.max_total_turns;
        return Some((PauseReason::MaxTurns, format!("The limit of {max} turns is reached.")));
    }
    run_used_up(spent, options, &moment.today.currency)
        .or_else(|| moment.today.used_up())
        .map(|what| (PauseReason::Budget, what))
}

pub(super) fn grant(mut flow: Flow, wish: Wish, moment: &Moment) -> Transition {
    flow.wish = None;
    match wish {
        Wish::Pause => pause(flow, PauseReason::Requested, "Paused on request.", moment),
        Wish::Budget { what } => pause(flow, PauseReason::Budget, what, moment),
    }
}

pub(super) fn examined(
    mut flow: Flow,
    seen: Examination,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    let RunState::Running { phase: Phase::PostTurn { .. } } = &flow.state else {
        return Err(Illegal);
    };
    let max_lint = flow.options.max_lint_retries;
    flow.dispatch_seq = flow.dispatch_seq.max(seen.dispatch_seq);
    let Some(work) = &mut flow.work else { return Ok(flow.select()) };
    let was_lint_repair = work.next == TurnPurpose::LintRepair;
    work.next = TurnPurpose::Work;
    work.note = None;
    let unchanged = work.fingerprint.as_ref() == Some(&seen.fingerprint);
    work.fingerprint = Some(seen.fingerprint);

    if let DispatchFinding::Broken { details } = seen.dispatch {
        return Ok(pause(flow, PauseReason::NeedsUserFix, details, moment));
    }
    if let Reading::Broken { details } = seen.ticket {
        if work.lint_retries >= max_lint {
            let details = format!("The agent could not mend the ticket's frontmatter:\n{details}");
            return Ok(pause(flow, PauseReason::NeedsUserFix, details, moment));
        }
        work.lint_retries += 1;
        work.next = TurnPurpose::LintRepair;
        work.note = Some(details);
        return Ok(unless_wish(flow, moment, begin_turn));
    }
    work.lint_retries = 0;
    if let DispatchFinding::Pause { title } = seen.dispatch {
        return Ok(pause(flow, PauseReason::UserPause, title, moment));
    }
    match seen.ticket {
        Reading::Broken { .. } | Reading::Gone => {
            let details = format!(
                "{} is gone. Put it back, or resume to go on with the rest of the queue.",
                work.ticket.file
            );
            flow.work = None;
            Ok(pause(flow, PauseReason::NeedsUserFix, details, moment))
        }
        Reading::Done => Ok(unless_wish(flow, moment, |flow, moment| {
            claimed(flow, seen.dirty, &seen.protected, moment)
        })),
        Reading::Open => {
            // A turn that only mended frontmatter is not expected to change the tree.
            work.unchanged = if unchanged && !was_lint_repair { work.unchanged + 1 } else { 0 };
            if work.unchanged >= MAX_UNCHANGED_TURNS {
                return Ok(looping(flow, moment));
            }
            Ok(unless_wish(flow, moment, |flow, _| flow.select()))
        }
    }
}

fn looping(mut flow: Flow, moment: &Moment) -> Transition {
    flow.dispatch_seq += 1;
    let seq = flow.dispatch_seq;
    let turns = MAX_UNCHANGED_TURNS;
    let file = flow.work.as_ref().map_or_else(String::new, |work| work.ticket.file.clone());
    let details = format!(
        "{turns} turns in a row on {file} changed nothing in the tree. \
         Reply with guidance, or edit the ticket and resume."
    );
    let notice =
        Effect::Notice { seq, title: "Turns change nothing".to_owned(), body: details.clone() };
    let mut transition = pause(flow, PauseReason::LoopNoDiff, details, moment);
    transition.effects.insert(0, notice);
    transition
}

/// Goes on with `next` unless a wish waits to take effect.
pub(super) fn unless_wish(
    flow: Flow,
    moment: &Moment,
    next: impl FnOnce(Flow, &Moment) -> Transition,
) -> Transition {
    match flow.wish.clone() {
        Some(wish) => grant(flow, wish, moment),
        None => next(flow, moment),
    }
}

/// The ticket says done: is it committed, is nothing protected touched, and does it hold?
fn claimed(
    mut flow: Flow,
    dirty: Option<String>,
    protected: &[String],
    moment: &Moment,
) -> Transition {
    let max_commit = flow.options.max_commit_retries;
    let Some(work) = &mut flow.work else { return flow.select() };
    if let Some(status) = dirty.filter(|_| work.brief.require_commit) {
        if work.commit_retries >= max_commit {
            let tries = work.commit_retries;
            let details = format!(
                "{} says done but the tree is not clean after {tries} tries. Commit or discard \
                 these and resume:\n{status}",
                work.ticket.file
            );
            return pause(flow, PauseReason::NeedsUserFix, details, moment);
        }
        work.commit_retries += 1;
        work.next = TurnPurpose::Commit;
        work.note = Some(status);
        return begin_turn(flow, moment);
    }
    if !protected.is_empty() && !flow.accept_protected {
        let details = format!(
            "Protected files were changed: {}. Look at them, then go on with \
             `car run resume --accept-protected`, or revert them and resume.",
            protected.join(", ")
        );
        return pause(flow, PauseReason::ProtectedPaths, details, moment);
    }
    if work.brief.verify.is_empty() {
        return finish_ticket(flow, false);
    }
    let attempt = work.verify_retries + 1;
    flow.running(Phase::Verifying { attempt }, vec![Effect::Verify { attempt }])
}

fn finish_ticket(mut flow: Flow, verified: bool) -> Transition {
    flow.accept_protected = false;
    let work = flow.work.take();
    let again = work.as_ref().is_some_and(|work| work.again);
    if !again {
        flow.finished.tickets += 1;
        flow.finished.verified += u32::from(verified);
    }
    // One that was checked again and held is as finished as it was.
    let finished = work
        .filter(|work| !again || work.turns > 0)
        .map(|work| Effect::FinishTicket { ticket: work.ticket, verified });
    let mut transition = flow.select();
    if let Some(effect) = finished {
        transition.effects.insert(0, effect);
    }
    transition
}

pub(super) fn verified(
    mut flow: Flow,
    outcome: VerifyOutcome,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    let RunState::Running { phase: Phase::Verifying { .. } } = &flow.state else {
        return Err(Illegal);
    };
    let max = flow.options.max_verify_retries;
    let Some(work) = &mut flow.work else { return Ok(flow.select()) };
    Ok(match outcome {
        VerifyOutcome::Passed => finish_ticket(flow, true),
        VerifyOutcome::Broken { details } => pause(flow, PauseReason::InfraError, details, moment),
        VerifyOutcome::Failed { report } => {
            let reopen = Effect::Reopen { report: report.clone() };
            work.verify_retries += 1;
            work.next = TurnPurpose::VerifyFix;
            work.note = Some(report.clone());
            let mut transition = if work.verify_retries > max {
                let tries = work.verify_retries;
                let details = format!(
                    "Verification of {} failed {tries} times.\nThe last time: {report}",
                    work.ticket.file
                );
                pause(flow, PauseReason::VerifyFailed, details, moment)
            } else {
                unless_wish(flow, moment, begin_turn)
            };
            transition.effects.insert(0, reopen);
            transition
        }
    })
}
