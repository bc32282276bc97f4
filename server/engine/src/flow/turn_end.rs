//! What becomes of a run when a turn ends, well or badly.

use car_api::{
    TurnId,
    run::{PauseReason, Phase, RunState},
    turn::{ErrorClass, TurnError, TurnPurpose},
};

use super::{
    Effect, Flow, Illegal, Moment, Transition, TurnOutcome, TurnResult,
    pause::pause,
    queue::{begin_turn, grant, unless_wish},
    waiting::park,
};

/// The longest wait after a passing error, in ms.
const MAX_BACKOFF_MS: i64 = 5 * 60_000;
/// How long an account is left alone when its provider does not say, doubled each time, in ms.
const QUOTA_PROBE_MS: i64 = 5 * 60_000;
/// The longest such wait, in ms.
const MAX_QUOTA_PROBE_MS: i64 = 60 * 60_000;

pub(super) fn turn_ended(
    mut flow: Flow,
    result: TurnResult,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    if flow.state == RunState::Stopping {
        flow.spend(&result);
        return Ok(flow.end(RunState::Stopped));
    }
    if flow.turn() != Some(&result.turn) {
        return Err(Illegal);
    }
    flow.spend(&result);
    let turn = result.turn;
    Ok(match result.outcome {
        TurnOutcome::Completed => {
            flow.replies_seen = flow.replies_seen.max(result.replies_seen);
            if let Some(work) = &mut flow.work {
                work.network_retries = 0;
                work.quota_hits = 0;
                work.continued = false;
                work.refreshed = false;
            }
            flow.running(Phase::PostTurn { turn: turn.clone() }, vec![Effect::Examine { turn }])
        }
        TurnOutcome::Interrupted => {
            if let Some(work) = &mut flow.work {
                work.next = again(work.next);
            }
            match flow.wish.clone() {
                Some(wish) => grant(flow, wish, moment),
                None => {
                    let details = "The turn was interrupted.";
                    pause(flow, PauseReason::Interrupted, details, moment)
                }
            }
        }
        TurnOutcome::Failed(error) => failed(flow, error, &result.account, &turn, moment),
    })
}

fn failed(
    mut flow: Flow,
    error: TurnError,
    account: &str,
    turn: &TurnId,
    moment: &Moment,
) -> Transition {
    let max_network = flow.options.max_network_retries;
    let Some(work) = &mut flow.work else { return flow.select() };
    work.next = again(work.next);
    match error.class {
        ErrorClass::Transient => {
            work.network_retries += 1;
            let attempt = work.network_retries;
            if attempt > max_network {
                let details = format!("{} tries failed. Last error: {}", attempt, error.message);
                return pause(flow, PauseReason::InfraError, details, moment);
            }
            let planned = moment.now.plus_millis(backoff_ms(attempt, turn));
            let until = error.retry_at.map_or(planned, |at| at.max(planned));
            flow.running(Phase::BackingOff { until, attempt }, vec![Effect::WakeAt { at: until }])
        }
        ErrorClass::Quota => {
            work.quota_hits += 1;
            let probe =
                QUOTA_PROBE_MS.saturating_mul(1 << work.quota_hits.min(8).saturating_sub(1));
            let probe = moment.now.plus_millis(probe.min(MAX_QUOTA_PROBE_MS));
            let reset = error.retry_at.filter(|at| *at > moment.now).unwrap_or(probe);
            // A little after the reset, so that not every run asks in the same second.
            let until = reset.plus_millis(jitter_ms(turn, 15_000));
            park(flow, account.to_owned(), until)
        }
        ErrorClass::Auth => pause(flow, PauseReason::AgentAuth, error.message, moment),
        ErrorClass::ContextOverflow if !work.refreshed => {
            work.refreshed = true;
            work.thread = None;
            unless_wish(flow, moment, begin_turn)
        }
        ErrorClass::ContextOverflow | ErrorClass::Other => {
            pause(flow, PauseReason::InfraError, error.message, moment)
        }
        ErrorClass::AgentLost => lost(flow, &error.message, false, moment),
    }
}

pub(super) fn agent_lost(
    flow: Flow,
    detail: &str,
    tree_changed: bool,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    if flow.state == RunState::Stopping {
        return Ok(flow.end(RunState::Stopped));
    }
    super::in_turn(flow, |mut flow| {
        flow.spent.turns += 1;
        flow.spent.turns_since_resume += 1;
        lost(flow, detail, tree_changed, moment)
    })
}

/// The agent's process is gone: its conversation is taken up once, then a person is asked.
fn lost(mut flow: Flow, detail: &str, tree_changed: bool, moment: &Moment) -> Transition {
    let Some(work) = &mut flow.work else { return flow.select() };
    work.next = again(work.next);
    if work.continued {
        let details = format!("The agent was lost twice in a row. {detail}");
        return pause(flow, PauseReason::InfraError, details, moment);
    }
    work.continued = true;
    if work.thread.is_none() {
        return restart(flow, detail, tree_changed, moment);
    }
    unless_wish(flow, moment, begin_turn)
}

pub(super) fn thread_lost(
    mut flow: Flow,
    detail: &str,
    tree_changed: bool,
    moment: &Moment,
) -> Transition {
    if let Some(work) = &mut flow.work {
        work.thread = None;
    }
    restart(flow, detail, tree_changed, moment)
}

/// The conversation is lost. The turn begins again only when nothing was changed by it.
fn restart(mut flow: Flow, detail: &str, tree_changed: bool, moment: &Moment) -> Transition {
    if let Some(work) = &mut flow.work
        && !tree_changed
        && work.next == TurnPurpose::Continue
    {
        work.next = TurnPurpose::Work;
    }
    if tree_changed {
        let details = format!(
            "The agent's conversation is lost ({detail}) and the tree has changed since the turn \
             began. Look at the changes, then resume: a new conversation will go on from them."
        );
        return pause(flow, PauseReason::Interrupted, details, moment);
    }
    unless_wish(flow, moment, begin_turn)
}

/// Why the next turn is wanted when this one did not end well: work is continued, a repair or a
/// commit is asked for again with what it needs said.
fn again(purpose: TurnPurpose) -> TurnPurpose {
    match purpose {
        TurnPurpose::Work | TurnPurpose::Continue => TurnPurpose::Continue,
        TurnPurpose::LintRepair | TurnPurpose::Commit | TurnPurpose::VerifyFix => purpose,
    }
}

/// 2 s, doubled with each try, up to five minutes, with up to a quarter more so that runs spread.
fn backoff_ms(attempt: u32, turn: &TurnId) -> i64 {
    let base = 2_000_i64.saturating_mul(1 << attempt.min(16).saturating_sub(1)).min(MAX_BACKOFF_MS);
    base + jitter_ms(turn, base / 4)
}

/// A number below `below` that differs from turn to turn; the core draws no random numbers.
fn jitter_ms(turn: &TurnId, below: i64) -> i64 {
    let hash = turn.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let below = u64::try_from(below).unwrap_or(0).max(1);
    i64::try_from(hash % below).unwrap_or(0)
}

impl Flow {
    fn spend(&mut self, result: &TurnResult) {
        self.spent.turns += 1;
        self.spent.turns_since_resume += 1;
        self.spent.add(result.usage, result.cost);
        self.spent.active_ms += result.active_ms;
        if let Some(work) = &mut self.work {
            work.turns += 1;
        }
    }
}
