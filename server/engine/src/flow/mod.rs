//! The ticket flow as a pure state machine.
//!
//! [`step`] takes a run's [`Flow`], what happened, and what the shell prepared (the time and a
//! fresh turn id), and gives the new flow and the effects to carry out once it is committed.
//! Effects carry the number of the transition they belong to, and what comes back of them is
//! accepted only while that transition is the latest: a late answer changes nothing.
mod effect;
mod explain;
mod failure;
mod input;
mod pause;
mod person;
mod queue;
mod state;
#[cfg(test)]
mod tests;
mod turn_end;
mod waiting;

pub use effect::{Effect, Illegal, Transition};
pub use explain::explain;
pub use input::{
    Candidate, DispatchFinding, Examination, Finding, Input, Moment, Reading, TurnOutcome,
    TurnResult, VerifyOutcome,
};
pub use state::{Brief, Flow, Spent, Wish, Work};

/// How long a stopped turn may take to end by itself before its processes are ended, in ms.
pub const STOP_GRACE_MS: i64 = 8_000;

/// Turns on the same ticket that may change nothing before the run pauses.
pub const MAX_UNCHANGED_TURNS: u32 = 2;

/// Decides what becomes of a run when something happens to it.
///
/// # Errors
/// [`Illegal`] when the input has no place in the present state.
pub fn step(flow: &Flow, input: Input, moment: &Moment) -> Result<Transition, Illegal> {
    let mut flow = flow.clone();
    flow.step += 1;
    match input {
        Input::Granted => waiting::granted(flow),
        Input::Surveyed(finding) => queue::surveyed(flow, finding, moment),
        Input::ThreadOpened { thread } => in_turn(flow, |mut flow| {
            if let Some(work) = &mut flow.work {
                work.thread = Some(thread);
            }
            flow.keep()
        }),
        Input::ThreadLost { detail, tree_changed } => {
            in_turn(flow, |flow| turn_end::thread_lost(flow, &detail, tree_changed, moment))
        }
        Input::TurnEnded(result) => turn_end::turn_ended(flow, result, moment),
        Input::AgentLost { detail, tree_changed, usage, cost, active_ms } => {
            flow.spent.add(usage, cost);
            flow.spent.active_ms += active_ms;
            turn_end::agent_lost(flow, &detail, tree_changed, moment)
        }
        Input::Examined(examination) => queue::examined(flow, examination, moment),
        Input::Verified(outcome) => queue::verified(flow, outcome, moment),
        Input::Elapsed => waiting::elapsed(flow),
        Input::BudgetReached { what } => waiting::budget_reached(flow, what),
        Input::Replied => person::replied(flow),
        Input::TicketDone => person::ticket_done(flow),
        Input::Resume { max_total_turns, max_tokens, max_cost, max_seconds, accept_protected } => {
            let options = &mut flow.options;
            options.max_total_turns = max_total_turns.unwrap_or(options.max_total_turns);
            options.max_tokens = max_tokens.or(options.max_tokens);
            options.max_cost = max_cost.or(options.max_cost);
            options.max_seconds = max_seconds.or(options.max_seconds);
            person::resume(flow, accept_protected)
        }
        Input::Pause => person::pause_wanted(flow, moment),
        Input::Stop => person::stop(flow, moment),
        Input::Supersede { by } => person::supersede(flow, by),
        Input::Blocked { details } => failure::blocked(flow, details, moment),
        Input::Fail { code, message } => failure::fail(flow, code, message),
        Input::Recovered => Ok(failure::recovered(flow)),
        Input::Restored { backup } => Ok(failure::restored(flow, backup, moment)),
    }
}

/// Applies `f` only while a turn is under way.
fn in_turn(flow: Flow, f: impl FnOnce(Flow) -> Transition) -> Result<Transition, Illegal> {
    if flow.turn().is_some() { Ok(f(flow)) } else { Err(Illegal) }
}
