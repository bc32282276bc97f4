//! What waits for a person because of how something stands: pure functions, called where it comes
//! to stand so and again after a start.

#[cfg(test)]
mod tests;

use car_api::{
    ChannelId, InboxItemId, RepoId, RunId, ThreadId, Timestamp,
    inbox::{InboxAction, InboxItem, InboxKind, InboxStatus},
    item::{Approval, ApprovalRequest},
    job::{Job, JobStatus},
    notification::{Notification, NotificationChannel, NotificationKind},
    run::{FailureCode, PauseReason, ResumeRule, RunState},
    thread::{Message, MessageStatus},
};
use car_engine::{
    flow::explain,
    lane::{self, State},
};
use car_store::{InboxDraft, InboxSync, RunRow, ThreadRow, Write};

/// How long a line is at most, in characters.
const LINE: usize = 200;

/// How long a body is at most, in characters: it goes over the wire with every change.
const BODY: usize = 4000;

/// Why something waits no longer.
const NO_LONGER: &str = "It no longer stands.";

/// What an agent said when it stopped to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// Number of the dispatch.
    pub(crate) seq: u32,
    /// Its text.
    pub(crate) body: String,
}

/// Runs of one tree: only the latest has something that waits.
pub(crate) fn runs_of(repo: &RepoId) -> String {
    format!("runs:{repo}")
}

/// What agents in one tree had to say.
pub(crate) fn notes_of(repo: &RepoId) -> String {
    format!("notes:{repo}")
}

/// The directory and entry of a repo.
pub(crate) fn entry_of(repo: &RepoId) -> String {
    format!("repo:{repo}")
}

/// Nothing of a subject waits from now on.
pub(crate) fn nothing(subject: String, at: Timestamp, resolution: Option<&str>) -> Write {
    let resolution = resolution.unwrap_or(NO_LONGER).to_owned();
    Write::Inbox(Box::new(InboxSync {
        subject,
        at,
        open: Vec::new(),
        keep_others: false,
        resolution,
    }))
}

fn only(subject: String, at: Timestamp, draft: Option<InboxDraft>, resolution: &str) -> Write {
    let (open, resolution) = (draft.into_iter().collect(), resolution.to_owned());
    Write::Inbox(Box::new(InboxSync { subject, at, open, keep_others: false, resolution }))
}

/// A new item that waits.
pub(super) fn item(kind: InboxKind, title: &str, line: &str, at: Timestamp) -> InboxItem {
    InboxItem {
        id: InboxItemId::generate(),
        kind,
        status: InboxStatus::Open,
        rank: rank(kind),
        title: cut(title, LINE),
        line: cut(line, LINE),
        body: None,
        actions: Vec::new(),
        repo: None,
        run: None,
        thread: None,
        message: None,
        dispatch: None,
        approval: None,
        job: None,
        channel: None,
        created_at: at,
        held_until: None,
        seen_at: None,
        resolved_at: None,
        acted: None,
        resolution: None,
    }
}

/// How pressing a kind is; there is room between two.
fn rank(kind: InboxKind) -> u32 {
    let place = InboxKind::ALL.iter().position(|one| *one == kind).unwrap_or_default();
    u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(10)
}

/// What of a run waits for a person, should it be the latest of its tree. A question may be held
/// back from them while somebody else may have the answer.
pub(crate) fn of_run(
    row: &RunRow,
    question: Option<&Question>,
    held_until: Option<Timestamp>,
) -> Option<InboxDraft> {
    let mut draft = match &row.flow.state {
        RunState::Paused { reason, details, since, resume } => paused(
            row,
            Pause { reason: *reason, details, since: *since, resume: *resume },
            question,
        ),
        // Long ago, and nobody here can have it tried again.
        RunState::Failed { code: FailureCode::Imported, .. } => return None,
        RunState::Failed { message, .. } => {
            let at = row.ended_at.unwrap_or(row.created_at);
            let title = format!("A run in {} failed", row.repo);
            let mut item = item(InboxKind::RunFailed, &title, message, at);
            item.body = more_than(message, &item.line);
            item.actions = vec![InboxAction::Retry, InboxAction::Dismiss];
            let notify = Some(NotificationKind::Failed);
            InboxDraft { key: format!("run:{}:failed", row.id), item, notify }
        }
        RunState::Pending
        | RunState::Running { .. }
        | RunState::Parked { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Stopped
        | RunState::Superseded { .. } => return None,
    };
    draft.item.repo = Some(row.repo.clone());
    draft.item.run = Some(row.id.clone());
    if draft.item.kind == InboxKind::Question && held_until.is_some() {
        draft.item.held_until = held_until;
        draft.item.actions.push(InboxAction::Escalate);
    }
    Some(draft)
}

struct Pause<'a> {
    reason: PauseReason,
    details: &'a str,
    since: Timestamp,
    resume: ResumeRule,
}

fn paused(row: &RunRow, pause: Pause<'_>, question: Option<&Question>) -> InboxDraft {
    use InboxAction::{Approve, Done, Reply, Resume, Stop};
    let Pause { reason, details, since, resume } = pause;
    let kind = match (reason, resume) {
        (PauseReason::UserPause, ResumeRule::UserTicket) => InboxKind::UserTicket,
        (PauseReason::UserPause, ResumeRule::Reply | ResumeRule::Fix) => InboxKind::Question,
        (PauseReason::MaxTurns | PauseReason::Budget, _) => InboxKind::Budget,
        (
            PauseReason::NoTickets
            | PauseReason::NeedsUserFix
            | PauseReason::LoopNoDiff
            | PauseReason::VerifyFailed
            | PauseReason::ProtectedPaths
            | PauseReason::InfraError
            | PauseReason::AgentAuth
            | PauseReason::Interrupted
            | PauseReason::Requested
            | PauseReason::MissingRequiredContext
            | PauseReason::Restored,
            _,
        ) => InboxKind::Fix,
    };
    let first = details.lines().next().unwrap_or_default();
    let line = match &row.flow.work {
        Some(work) => format!(
            "{} is paused at {:03} {}: {reason}",
            row.repo, work.ticket.number, work.ticket.title
        ),
        None => format!("{} is paused: {reason}", row.repo),
    };
    let mut item = item(kind, first, &line, since);
    let question = question.filter(|_| kind == InboxKind::Question);
    item.dispatch = question.map(|question| question.seq);
    item.body = match question {
        Some(question) => more_than(&question.body, &item.title),
        None => more_than(details, &item.title),
    };
    item.actions = match (kind, reason) {
        (InboxKind::UserTicket, _) => vec![Done, Reply, Resume, Stop],
        (InboxKind::Budget, _) => vec![Resume, Stop],
        (_, PauseReason::ProtectedPaths) => vec![Approve, Resume, Stop],
        (InboxKind::Question, _) => vec![Reply, Resume, Stop],
        (_, _) if resume == ResumeRule::Reply => vec![Resume, Reply, Stop],
        (_, _) => vec![Resume, Stop],
    };
    // Who paused it knows.
    let notify = (reason != PauseReason::Requested).then_some(NotificationKind::Attention);
    InboxDraft { key: format!("run:{}:paused:{}", row.id, since.micros()), item, notify }
}

/// The same as a change of the inbox.
pub(crate) fn run_stands(
    row: &RunRow,
    question: Option<&Question>,
    held_until: Option<Timestamp>,
    (at, resolution): (Timestamp, Option<&str>),
) -> Write {
    let draft = of_run(row, question, held_until);
    only(runs_of(&row.repo), at, draft, resolution.unwrap_or("The run went on."))
}

/// A newer run of a tree: what waited because of earlier ones no longer does.
pub(crate) fn run_begins(repo: &RepoId, run: &RunId, at: Timestamp, who: &str) -> [Write; 2] {
    let resolution = format!("Run {run} was started by {who}.");
    [nothing(runs_of(repo), at, Some(&resolution)), nothing(notes_of(repo), at, Some(&resolution))]
}

/// A repo left the hub.
pub(crate) fn repo_gone(repo: &RepoId, at: Timestamp) -> [Write; 3] {
    [runs_of(repo), notes_of(repo), entry_of(repo)]
        .map(|subject| nothing(subject, at, Some("The repo left the hub.")))
}

/// A run's good end is told, once.
pub(crate) fn completed(row: &RunRow, at: Timestamp) -> Write {
    let title = format!("{} is done", row.repo);
    let line = explain(&row.flow, None).line;
    Write::Notify(Box::new(super::plain_notification(
        format!("run:{}:completed", row.id),
        NotificationKind::Completed,
        (title, cut(&line, LINE)),
        (Some(row.repo.clone()), Some(row.id.clone())),
        at,
    )))
}

/// What an agent had to say, for information.
pub(crate) fn note(
    (repo, run): (&RepoId, &RunId),
    seq: u32,
    (title, body): (Option<&str>, &str),
    at: Timestamp,
) -> Write {
    let first = body.trim().lines().next().unwrap_or_default();
    let line = format!("{repo}: the agent has something to say");
    let mut item = item(InboxKind::Note, title.unwrap_or(first), &line, at);
    item.body = more_than(body, &item.title);
    item.actions = vec![InboxAction::Dismiss, InboxAction::Reply];
    item.repo = Some(repo.clone());
    item.run = Some(run.clone());
    item.dispatch = Some(seq);
    let draft = InboxDraft { key: format!("note:{run}:{seq}"), item, notify: None };
    Write::Inbox(Box::new(InboxSync {
        subject: notes_of(repo),
        at,
        open: vec![draft],
        keep_others: true,
        resolution: String::new(),
    }))
}

/// Where a question of an agent was asked.
pub(crate) struct AskedIn<'a> {
    pub(crate) repo: Option<&'a RepoId>,
    pub(crate) run: Option<&'a RunId>,
    pub(crate) thread: Option<&'a ThreadId>,
}

/// A question of an agent: it waits until it was answered or became void.
pub(crate) fn approval(
    asked: &Approval,
    place: &AskedIn<'_>,
    void: bool,
    (at, who): (Timestamp, Option<&str>),
) -> Write {
    let subject = format!("approval:{}", asked.id);
    let resolution = match (asked.decision, who) {
        (Some(decision), Some(who)) => format!("{decision} by {who}"),
        (Some(decision), None) => decision.to_string(),
        (None, _) => "The turn is over.".to_owned(),
    };
    let open = asked.decision.is_none() && !void;
    only(subject, at, open.then(|| of_approval(asked, place)), &resolution)
}

pub(super) fn of_approval(asked: &Approval, place: &AskedIn<'_>) -> InboxDraft {
    let (wish, body) = match &asked.request {
        ApprovalRequest::Command { command, .. } => {
            (format!("May it run `{command}`?"), format!("```\n{command}\n```"))
        }
        ApprovalRequest::FileChange { changes, .. } => {
            let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
            let wish = match paths.as_slice() {
                [one] => format!("May it change {one}?"),
                many => format!("May it change {} files?", many.len()),
            };
            (wish, paths.join("\n"))
        }
        ApprovalRequest::Other { detail } => (detail.clone(), detail.clone()),
    };
    let line = match (place.repo, place.thread) {
        (Some(repo), _) => format!("The agent in {repo} waits for your permission."),
        (None, _) => "An agent waits for your permission.".to_owned(),
    };
    let mut item = item(InboxKind::Approval, &wish, &line, asked.asked_at);
    item.body = more_than(&body, &item.title);
    item.actions = vec![InboxAction::Approve, InboxAction::Decline];
    item.repo = place.repo.cloned();
    item.run = place.run.cloned();
    item.thread = place.thread.cloned();
    item.approval = Some(asked.id.clone());
    let notify = Some(NotificationKind::Attention);
    InboxDraft { key: format!("approval:{}", asked.id), item, notify }
}

/// A job that failed.
pub(crate) fn job(job: &Job) -> Option<Write> {
    if job.status != JobStatus::Failed {
        return None;
    }
    let at = job.ended_at.unwrap_or(job.created_at);
    let title = match &job.repo {
        Some(repo) => format!("{} of {repo} failed", job.kind.as_str().replace('_', " ")),
        None => format!("{} failed", job.kind.as_str().replace('_', " ")),
    };
    let why = job.problem.as_ref().map(|problem| problem.detail.clone()).unwrap_or_default();
    let mut item = item(InboxKind::JobFailed, &title, &why, at);
    item.body = more_than(&why, &item.line);
    item.actions = vec![InboxAction::Dismiss];
    item.repo.clone_from(&job.repo);
    item.job = Some(job.id.clone());
    let subject = format!("job:{}", job.id);
    let notify = Some(NotificationKind::Failed);
    let draft = InboxDraft { key: subject.clone(), item, notify };
    Some(only(subject, at, Some(draft), NO_LONGER))
}

/// Answers of a thread that failed or were cut off: only the newest message waits for a person.
pub(crate) fn message(message: &Message, repo: Option<&RepoId>) -> Write {
    let at = message.ended_at.unwrap_or(message.created_at);
    let failed = match message.status {
        MessageStatus::Failed | MessageStatus::Interrupted => true,
        MessageStatus::Queued
        | MessageStatus::Working
        | MessageStatus::Completed
        | MessageStatus::Cancelled
        | MessageStatus::Blocked => false,
    };
    let draft = failed.then(|| {
        let first = cut(&message.body, 80);
        let title = format!("No whole answer to: {first}");
        let error = message.error.as_ref().map(|error| error.message.clone());
        let why = error.or_else(|| message.detail.clone()).unwrap_or_default();
        let mut item = item(InboxKind::MessageFailed, &title, &why, at);
        item.body = more_than(&why, &item.line);
        item.actions = vec![InboxAction::Retry, InboxAction::Dismiss];
        item.repo = repo.cloned();
        item.thread = Some(message.thread.clone());
        item.message = Some(message.id.clone());
        // Who cut it off knows.
        let notify = (message.status == MessageStatus::Failed).then_some(NotificationKind::Failed);
        InboxDraft { key: format!("message:{}", message.id), item, notify }
    });
    only(format!("thread:{}", message.thread), at, draft, "The conversation went on.")
}

/// What holds a thread.
pub(crate) fn held_of(thread: &ThreadId) -> String {
    format!("held:{thread}")
}

/// A thread that is held until a person has looked at it, or because its agent fails time after
/// time.
pub(crate) fn held(row: &ThreadRow, at: Timestamp) -> Write {
    let since = match &row.lane.state {
        State::Held { hold } => hold.person_since,
        State::Idle | State::Admitting { .. } | State::Answering { .. } | State::Tending { .. } => {
            None
        }
    };
    let draft = since.map(|since| {
        let name = if row.name.is_empty() { "A conversation" } else { row.name.as_str() };
        let line = lane::explain(&row.lane, false, row.agent.as_str());
        let mut item = item(InboxKind::ThreadHeld, &format!("{name} is held"), &line, since);
        item.body = more_than(&line, &item.line);
        item.actions = vec![InboxAction::Resume, InboxAction::Stop, InboxAction::Dismiss];
        item.repo.clone_from(&row.repo);
        item.thread = Some(row.id.clone());
        let key = format!("{}:{}", held_of(&row.id), since.micros());
        InboxDraft { key, item, notify: Some(NotificationKind::Attention) }
    });
    only(held_of(&row.id), at, draft, "It went on.")
}

/// What a channel does not deliver.
pub(crate) fn channel(id: &ChannelId) -> String {
    format!("channel:{id}")
}

/// A notification was given up. One item stands for all that a channel does not deliver until
/// something arrives; it is never notified about.
pub(crate) fn delivery_failed(
    channel_of: &NotificationChannel,
    notification: &Notification,
    why: &str,
    at: Timestamp,
) -> Write {
    let title = format!("Notifications do not arrive by {}", channel_of.name);
    let line = format!("\"{}\" was given up: {why}", notification.title);
    let mut item = item(InboxKind::DeliveryFailed, &title, &line, at);
    item.body = more_than(why, &item.line);
    item.actions = vec![InboxAction::Retry, InboxAction::Dismiss];
    item.channel = Some(channel_of.id.clone());
    let subject = channel(&channel_of.id);
    let since = channel_of.failing_since.unwrap_or(at).micros();
    let draft = InboxDraft { key: format!("{subject}:{since}"), item, notify: None };
    only(subject, at, Some(draft), "It was given up again.")
}

/// A repo whose directory or entry cannot be used, with what is wrong; nothing when all is well.
pub(crate) fn repo(id: &RepoId, wrong: Option<&str>, at: Timestamp) -> Write {
    let draft = wrong.map(|wrong| {
        let title = format!("{id} cannot be used");
        let mut item = item(InboxKind::Repo, &title, wrong, at);
        item.body = more_than(wrong, &item.line);
        item.actions = vec![InboxAction::Dismiss];
        item.repo = Some(id.clone());
        InboxDraft { key: entry_of(id), item, notify: Some(NotificationKind::Attention) }
    });
    only(entry_of(id), at, draft, "It can be used again.")
}

/// A text that says more than what is shown already, bounded.
fn more_than(text: &str, shown: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text == shown {
        return None;
    }
    Some(match text.char_indices().nth(BODY) {
        Some((at, _)) => format!("{}\n[... cut ...]", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    })
}

/// One line that is not too long.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}
