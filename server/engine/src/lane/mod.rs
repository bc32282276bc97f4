//! A thread's lane as a pure state machine: which message is answered, what waits, what is held.
//!
//! [`step`] takes a thread's [`Lane`], what happened, and what the shell prepared (the time and a
//! fresh turn id), and gives the new lane and the effects. A message's end is an effect that is
//! committed with the lane; what comes next depends on that commit and on nothing else, so that
//! nothing is answered twice and nothing is left.

mod ended;
mod explain;
mod input;
mod person;
mod state;
#[cfg(test)]
mod tests;

pub use explain::explain;
pub use input::{Effect, Illegal, Input, Moment, Restored, Transition};
pub use state::{Chore, Hold, Lane, State};

/// How often an answer that ended in a passing error is tried again by itself.
pub const MAX_TRIES: u32 = 3;

/// How long an account without a known reset is left alone, in ms.
pub const QUOTA_WAIT_MS: i64 = 15 * 60_000;

/// Decides what becomes of a thread's messages when something happens to it.
///
/// # Errors
/// [`Illegal`] when the input has no place in the present state.
pub fn step(lane: &Lane, input: Input, moment: &Moment) -> Result<Transition, Illegal> {
    let lane = lane.clone();
    match input {
        Input::Posted { message, first } => Ok(person::posted(lane, message, first)),
        Input::Admitted { message } => ended::admitted(lane, &message, moment),
        Input::Blocked { message, detail } => ended::blocked(lane, &message, detail),
        Input::Held { message, hold } => ended::held(lane, &message, hold),
        Input::Opened { backend } => ended::opened(lane, backend),
        Input::Forgotten { seed } => ended::forgotten(lane, seed, moment),
        Input::Ended { turn, outcome } => ended::ended(lane, &turn, outcome, moment),
        Input::Lost { detail } => ended::lost(lane, detail),
        Input::Failed { detail } => ended::failed(lane, detail),
        Input::Cancel { message } => person::cancel(lane, &message),
        Input::BudgetReached { what } => ended::budget_reached(lane, what),
        Input::Interrupt => person::interrupt(lane),
        Input::Stop => Ok(person::stop(lane)),
        Input::Reset => Ok(person::reset(lane)),
        Input::Compact { seed } => person::compact(lane, seed, moment),
        Input::Elapsed | Input::Released => ended::released(lane),
        Input::Recovered => Ok(ended::recovered(lane)),
        Input::Restored { from } => Ok(ended::restored(lane, from, moment)),
    }
}
