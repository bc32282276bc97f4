//! Why a run stands as it does, who acts next, and when.

use car_api::run::{Explain, Owner, Phase, ResumeRule, RunState};
use car_api::turn::TurnPurpose;

use super::Flow;

/// Explains a run. `ahead` is how many runs wait before it, when it waits for a slot.
#[must_use]
pub fn explain(flow: &Flow, ahead: Option<u32>) -> Explain {
    let file = flow.work.as_ref().map_or("the next ticket", |work| work.ticket.file.as_str());
    match &flow.state {
        RunState::Pending => {
            let line = match ahead {
                Some(0) => "Next in the queue for a free slot.".to_owned(),
                Some(n) => format!("Waiting for a free slot; {n} ahead."),
                None => "Waiting for a free slot.".to_owned(),
            };
            say(line, Owner::Hub, "start when a slot is free")
        }
        RunState::Running { phase } => running(flow, phase, file),
        RunState::Paused { details, resume, .. } => {
            let first = details.lines().next().unwrap_or_default();
            let next = match resume {
                ResumeRule::Reply => "answer with `car reply`, or `car run resume`",
                ResumeRule::Fix => "mend the cause, then `car run resume`",
                ResumeRule::UserTicket => "do the ticket and mark it done",
            };
            say(first.to_owned(), Owner::User, next)
        }
        RunState::Parked { account, until } => Explain {
            next_at: Some(*until),
            ..say(
                format!("Waiting for the quota of {account} to reset."),
                Owner::Provider,
                "resume",
            )
        },
        RunState::Stopping => {
            say("Stopping: the agent was asked to end its turn.".to_owned(), Owner::Agent, "stop")
        }
        RunState::Completed => {
            let done = flow.finished;
            let line =
                format!("All tickets are done; {} of {} verified.", done.verified, done.tickets);
            say(line, Owner::Nobody, "")
        }
        RunState::Failed { message, .. } => say(message.clone(), Owner::Nobody, ""),
        RunState::Stopped => say("Stopped on request.".to_owned(), Owner::Nobody, ""),
        RunState::Superseded { by } => say(format!("Run {by} took its place."), Owner::Nobody, ""),
    }
}

fn running(flow: &Flow, phase: &Phase, file: &str) -> Explain {
    let agent = flow.work.as_ref().map_or("the agent", |work| work.ticket.agent.as_str());
    match phase {
        Phase::Selecting => say("Choosing the next ticket.".to_owned(), Owner::Hub, "begin a turn"),
        Phase::InTurn { purpose, .. } => {
            let line = match purpose {
                TurnPurpose::Work => format!("{agent} is working on {file}."),
                TurnPurpose::LintRepair => format!("{agent} is mending the frontmatter of {file}."),
                TurnPurpose::Commit => format!("{agent} is committing its work on {file}."),
                TurnPurpose::VerifyFix => {
                    format!("{agent} is mending what verification of {file} found.")
                }
                TurnPurpose::Continue => {
                    format!("{agent} is going on with {file} after an interruption.")
                }
            };
            say(line, Owner::Agent, "look at what the turn changed")
        }
        Phase::PostTurn { .. } => say(
            format!("Looking at what the turn on {file} changed."),
            Owner::Hub,
            "decide what follows",
        ),
        Phase::Verifying { attempt } => say(
            format!("Verifying {file}, try {attempt}."),
            Owner::Hub,
            "accept the ticket or send it back",
        ),
        Phase::BackingOff { until, attempt } => Explain {
            next_at: Some(*until),
            ..say(
                format!("A passing error stopped try {attempt} on {file}."),
                Owner::Hub,
                "try again",
            )
        },
    }
}

fn say(line: String, owner: Owner, next_action: &str) -> Explain {
    Explain { line, owner, next_action: next_action.to_owned(), next_at: None }
}
