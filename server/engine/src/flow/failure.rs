//! When the hub cannot go on, and when it begins again.

use car_api::{
    Timestamp,
    run::{FailureCode, PauseReason, Phase, RunState},
    turn::TurnPurpose,
};

use super::{Effect, Flow, Illegal, Moment, Transition, pause::pause};

pub(super) fn blocked(
    mut flow: Flow,
    details: String,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Running { phase } => {
            if let (Phase::InTurn { .. }, Some(work)) = (phase, &mut flow.work) {
                work.next = TurnPurpose::Continue;
            }
            Ok(pause(flow, PauseReason::InfraError, details, moment))
        }
        RunState::Stopping => Ok(flow.end(RunState::Stopped)),
        RunState::Pending
        | RunState::Paused { .. }
        | RunState::Parked { .. }
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

pub(super) fn fail(flow: Flow, code: FailureCode, message: String) -> Result<Transition, Illegal> {
    if flow.state.status().is_end() {
        return Err(Illegal);
    }
    let mut transition = flow.end(RunState::Failed { code, message });
    transition.effects.insert(0, Effect::CancelVerify);
    Ok(transition)
}

/// The hub may have died at any instruction: say again what the present state needs.
pub(super) fn recovered(flow: Flow) -> Transition {
    let effects = match flow.state.clone() {
        RunState::Running { phase } => match phase {
            Phase::Selecting => vec![Effect::Survey],
            Phase::InTurn { turn, purpose } => vec![Effect::RunTurn { turn, purpose }],
            Phase::PostTurn { turn } => vec![Effect::Examine { turn }],
            Phase::Verifying { attempt } => vec![Effect::Verify { attempt }],
            Phase::BackingOff { until, .. } => vec![Effect::WakeAt { at: until }],
        },
        RunState::Parked { account, until } => {
            vec![
                Effect::HoldAccount { account, until },
                Effect::EndSession,
                Effect::WakeAt { at: until },
            ]
        }
        RunState::Stopping => return flow.end(RunState::Stopped),
        RunState::Paused { .. } => vec![Effect::EndSession],
        RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => vec![Effect::EndSession, Effect::Seal],
        RunState::Pending => Vec::new(),
    };
    Transition { flow, effects }
}

/// Nothing that was under way when the backup was made is under way now, and the tree may be older
/// or newer than the run's memory: a person looks first.
pub(super) fn restored(mut flow: Flow, backup: Timestamp, moment: &Moment) -> Transition {
    match &flow.state {
        RunState::Pending | RunState::Running { .. } | RunState::Parked { .. } => {
            if let (RunState::Running { phase: Phase::InTurn { .. } }, Some(work)) =
                (&flow.state, &mut flow.work)
            {
                work.next = TurnPurpose::Continue;
            }
            let details = format!(
                "It was restored from a backup of {backup}. Look whether the tree is as it \
                 should be, then let it go on."
            );
            pause(flow, PauseReason::Restored, details, moment)
        }
        RunState::Stopping => flow.end(RunState::Stopped),
        RunState::Paused { .. }
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => flow.keep(),
    }
}
