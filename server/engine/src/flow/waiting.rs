//! Waiting: for a slot, a time, a budget, a quota.

use car_api::{
    Timestamp,
    run::{Phase, RunState},
};

use super::{Effect, Flow, Illegal, Transition, Wish};

pub(super) fn granted(flow: Flow) -> Result<Transition, Illegal> {
    match flow.state {
        RunState::Pending => Ok(flow.select()),
        RunState::Running { .. }
        | RunState::Paused { .. }
        | RunState::Parked { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

pub(super) fn park(mut flow: Flow, account: String, until: Timestamp) -> Transition {
    flow.state = RunState::Parked { account: account.clone(), until };
    Transition {
        flow,
        effects: vec![
            Effect::HoldAccount { account, until },
            Effect::EndSession,
            Effect::WakeAt { at: until },
        ],
    }
}

pub(super) fn elapsed(mut flow: Flow) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Running { phase: Phase::BackingOff { .. } } => Ok(flow.select()),
        RunState::Parked { .. } => {
            flow.state = RunState::Pending;
            Ok(flow.keep())
        }
        RunState::Stopping => Ok(flow.end(RunState::Stopped)),
        RunState::Pending
        | RunState::Running {
            phase:
                Phase::Selecting
                | Phase::InTurn { .. }
                | Phase::PostTurn { .. }
                | Phase::Verifying { .. },
        }
        | RunState::Paused { .. }
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

pub(super) fn budget_reached(mut flow: Flow, what: String) -> Result<Transition, Illegal> {
    let Some(turn) = flow.turn().cloned() else { return Err(Illegal) };
    flow.wish = Some(Wish::Budget { what });
    Ok(Transition { flow, effects: vec![Effect::InterruptTurn { turn }] })
}
