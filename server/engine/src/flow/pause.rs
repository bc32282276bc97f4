//! Pausing: why, and what makes a run go on.

use car_api::run::{PauseReason, ResumeRule, RunState};

use super::{Effect, Flow, Moment, Transition};

/// Pauses the run; its agent's process ends, its conversation is kept.
pub(super) fn pause(
    mut flow: Flow,
    reason: PauseReason,
    details: impl Into<String>,
    moment: &Moment,
) -> Transition {
    flow.state = RunState::Paused {
        reason,
        details: details.into(),
        since: moment.now,
        resume: resume_rule(reason),
    };
    Transition { flow, effects: vec![Effect::EndSession] }
}

/// What makes a run go on that paused for this reason.
pub(super) fn resume_rule(reason: PauseReason) -> ResumeRule {
    match reason {
        // An answer is what the agent lacks.
        PauseReason::UserPause
        | PauseReason::NeedsUserFix
        | PauseReason::LoopNoDiff
        | PauseReason::VerifyFailed
        | PauseReason::InfraError
        | PauseReason::Interrupted => ResumeRule::Reply,
        // An answer to the agent does not change the cause.
        PauseReason::MaxTurns
        | PauseReason::Budget
        | PauseReason::NoTickets
        | PauseReason::ProtectedPaths
        | PauseReason::AgentAuth
        | PauseReason::Requested
        | PauseReason::Restored
        | PauseReason::MissingRequiredContext => ResumeRule::Fix,
    }
}
