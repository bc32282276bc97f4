//! What people ask of a run.

use car_api::{
    RunId,
    run::{Phase, ResumeRule, RunState},
};

use super::{Effect, Flow, Illegal, Moment, STOP_GRACE_MS, Transition, Wish, queue::grant};

pub(super) fn replied(flow: Flow) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Paused { resume: ResumeRule::Reply | ResumeRule::UserTicket, .. } => {
            resume(flow, false)
        }
        // The reply waits in its directory and is in the next prompt.
        RunState::Paused { resume: ResumeRule::Fix, .. }
        | RunState::Pending
        | RunState::Running { .. }
        | RunState::Parked { .. } => Ok(flow.keep()),
        RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

/// A run that waits for a person to do a ticket goes on when that is done.
pub(super) fn ticket_done(flow: Flow) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Paused { resume: ResumeRule::UserTicket, .. } => resume(flow, false),
        RunState::Paused { resume: ResumeRule::Reply | ResumeRule::Fix, .. }
        | RunState::Pending
        | RunState::Running { .. }
        | RunState::Parked { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

pub(super) fn resume(mut flow: Flow, accept_protected: bool) -> Result<Transition, Illegal> {
    let effects = match &flow.state {
        RunState::Paused { .. } => Vec::new(),
        // A person who does not want to wait knows better than the last report.
        RunState::Parked { account, .. } => {
            vec![Effect::ReleaseAccount { account: account.clone() }]
        }
        RunState::Pending
        | RunState::Running { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => return Err(Illegal),
    };
    flow.state = RunState::Pending;
    flow.wish = None;
    flow.spent.turns_since_resume = 0;
    flow.accept_protected |= accept_protected;
    if let Some(work) = &mut flow.work {
        work.reset_retries();
    }
    Ok(Transition { flow, effects })
}

pub(super) fn pause_wanted(mut flow: Flow, moment: &Moment) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Running { phase: Phase::BackingOff { .. } } | RunState::Pending => {
            Ok(grant(flow, Wish::Pause, moment))
        }
        RunState::Running {
            phase:
                Phase::Selecting
                | Phase::InTurn { .. }
                | Phase::PostTurn { .. }
                | Phase::Verifying { .. },
        } => {
            flow.wish = Some(Wish::Pause);
            Ok(flow.keep())
        }
        RunState::Parked { .. } => Ok(grant(flow, Wish::Pause, moment)),
        RunState::Paused { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

pub(super) fn stop(mut flow: Flow, moment: &Moment) -> Result<Transition, Illegal> {
    match flow.state.clone() {
        RunState::Running { phase: Phase::InTurn { turn, .. } } => {
            flow.state = RunState::Stopping;
            let at = moment.now.plus_millis(STOP_GRACE_MS);
            let effects = vec![Effect::InterruptTurn { turn }, Effect::WakeAt { at }];
            Ok(Transition { flow, effects })
        }
        RunState::Running { phase: Phase::Verifying { .. } } => {
            let mut transition = flow.end(RunState::Stopped);
            transition.effects.insert(0, Effect::CancelVerify);
            Ok(transition)
        }
        RunState::Running {
            phase: Phase::Selecting | Phase::PostTurn { .. } | Phase::BackingOff { .. },
        }
        | RunState::Pending
        | RunState::Paused { .. }
        | RunState::Parked { .. } => Ok(flow.end(RunState::Stopped)),
        RunState::Stopping => Ok(flow.keep()),
        RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

pub(super) fn supersede(flow: Flow, by: RunId) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Paused { .. } | RunState::Parked { .. } => {
            Ok(flow.end(RunState::Superseded { by }))
        }
        RunState::Pending
        | RunState::Running { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}
