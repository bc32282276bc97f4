//! Which events somebody who looks at the hub from time to time wants to know of, and how good or
//! bad they are. The others fill the log.

use car_api::{
    EventKind, dispatch::DispatchMode, job::JobStatus, run::RunStatus, thread::MessageStatus,
    verify::Verdict,
};

use crate::table::Tone;

/// How an event that matters feels; nothing for the others.
pub(crate) fn matters(kind: &EventKind) -> Option<Tone> {
    match kind {
        EventKind::HubStarted { .. }
        | EventKind::RepoAdded { .. }
        | EventKind::RepoRemoved { .. }
        | EventKind::TicketSelected { .. }
        | EventKind::ReplyReceived { .. } => Some(Tone::Plain),
        EventKind::RestoreConfirmed => Some(Tone::Good),
        EventKind::BackupFailed { .. } | EventKind::WebhookDisabled { .. } => Some(Tone::Bad),
        EventKind::ApprovalRequested { .. } => Some(Tone::Waits),
        EventKind::MessageUpdated { message } => match message.status {
            MessageStatus::Completed => Some(Tone::Good),
            MessageStatus::Failed | MessageStatus::Blocked => Some(Tone::Bad),
            MessageStatus::Interrupted => Some(Tone::Waits),
            MessageStatus::Queued | MessageStatus::Working | MessageStatus::Cancelled => None,
        },
        EventKind::RunStateChanged { state, .. } => match state.status() {
            RunStatus::Paused | RunStatus::Parked => Some(Tone::Waits),
            RunStatus::Completed => Some(Tone::Good),
            RunStatus::Failed => Some(Tone::Bad),
            RunStatus::Stopped | RunStatus::Superseded => Some(Tone::Plain),
            RunStatus::Pending | RunStatus::Running | RunStatus::Stopping => None,
        },
        EventKind::TicketFinished { verified, .. } => {
            Some(if *verified { Tone::Good } else { Tone::Plain })
        }
        EventKind::VerifyEnded { evidence } => match evidence.verdict {
            // The finished ticket says so.
            Verdict::Passed | Verdict::NotVerified => None,
            Verdict::PreExisting => Some(Tone::Plain),
            Verdict::Failed | Verdict::Protected => Some(Tone::Bad),
        },
        EventKind::DispatchCreated { mode, .. } => match mode {
            DispatchMode::Notify => Some(Tone::Plain),
            // The run that pauses says so.
            DispatchMode::Pause | DispatchMode::TurnSummary => None,
        },
        EventKind::TurnEnded { error, .. } => error.as_ref().map(|_| Tone::Bad),
        EventKind::JobUpdated { job } => match job.status {
            JobStatus::Running => None,
            JobStatus::Completed => Some(Tone::Good),
            JobStatus::Failed => Some(Tone::Bad),
            JobStatus::Cancelled => Some(Tone::Plain),
        },
        EventKind::TerminalUpdated { .. } => Some(Tone::Plain),
        // What has become of it is told by what caused it.
        EventKind::InboxUpdated { .. }
        | EventKind::NotificationUpdated { .. }
        | EventKind::TicketChanged { .. }
        | EventKind::ContextChanged { .. }
        | EventKind::FileChanged { .. }
        | EventKind::PmaDocChanged { .. }
        | EventKind::TemplatesChanged { .. }
        | EventKind::RunCreated
        | EventKind::SessionStarted { .. }
        | EventKind::SessionEnded { .. }
        | EventKind::TurnStarted { .. }
        | EventKind::ItemUpdated { .. }
        | EventKind::PlanUpdated { .. }
        | EventKind::RateLimitsUpdated { .. }
        | EventKind::ApprovalResolved { .. }
        | EventKind::AgentNotice { .. }
        | EventKind::DiffUpdated { .. }
        | EventKind::Checkpoint { .. }
        | EventKind::ThreadUpdated { .. }
        | EventKind::VerifyStarted { .. } => None,
    }
}
