//! Events and pieces of turns as lines for people.

use std::fmt::Write;

use car_api::{
    Event, EventKind,
    inbox::InboxStatus,
    item::{Item, ItemBody, ItemStatus},
    job::JobStatus,
    thread::{Message, MessageStatus},
};

use crate::{
    cmd::{answer, run_records},
    matters::matters,
    table::Tone,
    time_text,
};

/// Text of agents and files without the escape sequences it may carry: they could repaint the
/// terminal. Line ends and tabs stay.
pub(crate) fn safe(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// One event as one line: when, where, what.
pub(crate) fn line(event: &Event) -> String {
    format!("{} {} {}: {}", event.seq, time_text::short(event.at), place(event), brief_line(event))
}

/// The same for a terminal, where numbers are in the way and a colour says how it went.
pub(crate) fn coloured(event: &Event, colour: bool) -> String {
    let style = |tone: Tone| tone.style().force_styling(colour);
    let time = style(Tone::Dim).apply_to(time_text::short(event.at));
    format!(
        "{time} {}  {}",
        place(event),
        style(matters(&event.event).unwrap_or(Tone::Plain)).apply_to(brief_line(event))
    )
}

/// What happened, in one line.
pub(crate) fn brief_line(event: &Event) -> String {
    what(&event.event, false).lines().next().unwrap_or_default().to_owned()
}

fn place(event: &Event) -> &str {
    event.repo.as_ref().map_or("hub", |repo| repo.as_str())
}

/// One event of a run in full, for `car run logs`; nothing for what only fills the log.
pub(crate) fn log_entry(event: &Event, colour: bool) -> Option<String> {
    let begun = matches!(&event.event, EventKind::ItemUpdated { completed: false, .. });
    let about = matches!(&event.event, EventKind::RateLimitsUpdated { .. });
    if begun || about {
        return None;
    }
    let style = |tone: Tone| tone.style().force_styling(colour);
    let time = style(Tone::Dim).apply_to(time_text::short(event.at));
    let tone = matters(&event.event).unwrap_or(Tone::Plain);
    Some(format!("{time} {}", style(tone).apply_to(what(&event.event, true))))
}

fn what(kind: &EventKind, full: bool) -> String {
    let text = match kind {
        EventKind::HubStarted { version } => format!("the hub began (version {version})"),
        EventKind::RepoAdded { path } => format!("added, at {path}"),
        EventKind::RepoRemoved { salvage: Some(kept) } => format!("removed; kept in {kept}"),
        EventKind::RepoRemoved { salvage: None } => "removed".to_owned(),
        EventKind::TicketChanged { file, ticket, done } => match (ticket, done) {
            (None, _) => format!("{file} is gone"),
            (Some(_), true) => format!("{file} changed; it says done"),
            (Some(_), false) => format!("{file} changed"),
        },
        EventKind::ContextChanged { name } => format!("{name} changed"),
        EventKind::FileChanged { r#box, name, size } => match size {
            Some(size) => format!("{name} is in the {box} ({size} bytes)"),
            None => format!("{name} is gone from the {box}"),
        },
        EventKind::PmaDocChanged { name } => format!("the project manager's {name} changed"),
        EventKind::RunCreated => "a run was asked for".to_owned(),
        EventKind::RunStateChanged { state, explain } => {
            format!("run {}: {explain}", state.status())
        }
        EventKind::TicketSelected { ticket } => {
            format!("ticket {:03}: {} ({})", ticket.number, ticket.title, ticket.agent)
        }
        EventKind::TicketFinished { ticket, verified: true } => {
            format!("ticket {:03} finished and verified", ticket.number)
        }
        EventKind::TicketFinished { ticket, verified: false } => {
            format!("ticket {:03} finished, not verified", ticket.number)
        }
        EventKind::SessionStarted { agent, version, .. } => {
            format!("{agent} {} began", version.as_deref().unwrap_or(""))
        }
        EventKind::SessionEnded { detail, .. } => format!("the agent's process ended: {detail}"),
        EventKind::TurnStarted { number, agent, purpose, .. } => {
            format!("turn {number}: {agent}, {}", purpose.as_str().replace('_', " "))
        }
        EventKind::ItemUpdated { item: piece, .. } if full => item(piece),
        EventKind::ItemUpdated { item: piece, .. } => brief(piece),
        EventKind::PlanUpdated { steps, .. } => {
            let done = steps.iter().filter(|s| s.status == car_api::item::PlanStatus::Completed);
            format!("plan: {} of {} steps done", done.count(), steps.len())
        }
        EventKind::RateLimitsUpdated { account, limits } => {
            let windows = limits.iter().map(|l| format!("{} {:.0}%", l.window, l.used_percent));
            format!("quota of {account}: {}", windows.collect::<Vec<_>>().join(", "))
        }
        EventKind::ApprovalRequested { approval, .. } => {
            format!("the agent asks: {} ({})", answer::question(approval), approval.id)
        }
        EventKind::ApprovalResolved { approval, .. } => match approval.decision {
            Some(decision) => format!("answered {decision}: {}", answer::question(approval)),
            None => format!("no longer asked: {}", answer::question(approval)),
        },
        EventKind::AgentNotice { message, .. } => message.clone(),
        EventKind::TurnEnded { status, error: Some(error), .. } => {
            format!("turn {status}: {} ({})", error.message, error.class)
        }
        EventKind::TurnEnded { status, error: None, usage, .. } => {
            format!("turn {status}, {} tokens", usage.total())
        }
        EventKind::DiffUpdated { diff, .. } => match diff.files_changed {
            0 => "no file changed".to_owned(),
            1 => format!("1 file changed, +{} -{}", diff.insertions, diff.deletions),
            all => format!("{all} files changed, +{} -{}", diff.insertions, diff.deletions),
        },
        EventKind::Checkpoint { commit: Some(commit), .. } => {
            format!("committed {}", commit.get(..12).unwrap_or(commit))
        }
        EventKind::Checkpoint { commit: None, error, .. } => {
            format!("not committed: {}", error.as_deref().unwrap_or("nothing to commit"))
        }
        EventKind::DispatchCreated { seq, mode, title } => {
            let title = title.as_deref().unwrap_or("");
            format!("dispatch {seq} ({}) {title}", mode.as_str().replace('_', " "))
        }
        EventKind::ReplyReceived { seq, via } => format!("reply {seq} by {via}"),
        EventKind::VerifyStarted { commands, again: true, .. } => {
            format!("verifying once more, on the final tree: {}", commands.join("; "))
        }
        EventKind::VerifyStarted { attempt, commands, again: false, .. } => {
            format!("verifying, try {attempt}: {}", commands.join("; "))
        }
        EventKind::VerifyEnded { evidence } if full => run_records::evidence_text(evidence),
        EventKind::VerifyEnded { evidence } => {
            let bad = evidence.commands.iter().find(|c| c.exit_code != Some(0));
            let bad = bad.map(|c| format!(": {}", c.command.run)).unwrap_or_default();
            format!("verification {}{bad}", evidence.verdict.as_str().replace('_', " "))
        }
        EventKind::WebhookDisabled { description, reason, webhook } => {
            let name = if description.is_empty() { webhook.as_str() } else { description };
            format!("webhook turned off: {name}. {reason}")
        }
        EventKind::InboxUpdated { item, .. } => match item.status {
            InboxStatus::Open => format!("inbox: {}", item.title),
            InboxStatus::Resolved | InboxStatus::Dismissed => {
                let how = item.resolution.as_deref().unwrap_or(item.status.as_str());
                format!("inbox: {} ({how})", item.title)
            }
        },
        EventKind::TerminalUpdated { terminal } => match terminal.end {
            None => format!("{} opened a terminal in {}", terminal.opened_by, terminal.dir),
            Some(end) => format!(
                "the terminal in {} ended ({})",
                terminal.dir,
                end.as_str().replace('_', " ")
            ),
        },
        EventKind::NotificationUpdated { notification } => {
            let ways = notification.deliveries.iter().map(|way| way.status.as_str());
            let ways = ways.collect::<Vec<_>>().join(", ");
            let ways = if ways.is_empty() { "no way out".to_owned() } else { ways };
            format!("notification: {} ({ways})", notification.title)
        }
        EventKind::ThreadUpdated { thread } => format!("{}: {}", thread.status, thread.explain),
        EventKind::MessageUpdated { message } => message_text(message, full),
        EventKind::BackupFailed { detail } => format!("the backup was not made: {detail}"),
        EventKind::RestoreConfirmed => "the restore was confirmed".to_owned(),
        EventKind::TemplatesChanged { source } => format!("templates of {source} changed"),
        EventKind::JobUpdated { job } => {
            let percent = job.percent.map(|p| format!(" {p}%")).unwrap_or_default();
            let kind = job.kind.as_str().replace('_', " ");
            match job.status {
                JobStatus::Running => format!("{kind}: {}{percent}", job.phase),
                JobStatus::Completed | JobStatus::Failed | JobStatus::Cancelled => {
                    format!("{kind}: {}", job.status)
                }
            }
        }
    };
    safe(&text)
}

/// A message in one line, or with its text.
fn message_text(message: &Message, full: bool) -> String {
    let Message { number, author, status, .. } = message;
    match status {
        MessageStatus::Queued if full => format!("message {number} by {author}: {}", message.body),
        MessageStatus::Queued | MessageStatus::Working | MessageStatus::Cancelled => {
            format!("message {number} by {author} {status}")
        }
        MessageStatus::Completed => format!("message {number} answered"),
        MessageStatus::Interrupted | MessageStatus::Failed | MessageStatus::Blocked => {
            let error = message.error.as_ref().map(|error| error.message.as_str());
            let why = message.detail.as_deref().or(error).unwrap_or_default();
            format!("message {number} by {author} {status}: {why}")
        }
    }
}

/// A piece of a turn in one line.
fn brief(item: &Item) -> String {
    match &item.body {
        ItemBody::Message { text } => {
            format!("says: {}", text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        ItemBody::Reasoning { text } => {
            format!("thinks: {}", text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        ItemBody::Command { command, status, exit_code, .. } => {
            format!("$ {command}{}", outcome(*status, *exit_code))
        }
        ItemBody::FileChange { status, changes } => {
            let paths: Vec<_> = changes.iter().map(|c| c.path.as_str()).collect();
            format!("edits {}{}", paths.join(", "), outcome(*status, None))
        }
        ItemBody::Tool { name, status, .. } => format!("{name}{}", outcome(*status, None)),
    }
}

/// A piece of a turn in full; of a command, what it printed last.
pub(crate) fn item(item: &Item) -> String {
    const LAST: usize = 20;
    let mut text = match &item.body {
        ItemBody::Message { text } | ItemBody::Reasoning { text } => text.trim_end().to_owned(),
        ItemBody::Command { .. } | ItemBody::FileChange { .. } | ItemBody::Tool { .. } => {
            brief(item)
        }
    };
    match &item.body {
        ItemBody::Command { output, .. } => {
            let lines: Vec<_> = output.lines().collect();
            let left_out = lines.len().saturating_sub(LAST);
            if left_out > 0 {
                let _ = write!(text, "\n    … {left_out} lines before");
            }
            for line in lines.iter().skip(left_out) {
                let _ = write!(text, "\n    {line}");
            }
        }
        ItemBody::Tool { detail, .. } if !detail.is_empty() => {
            let _ = write!(text, "\n    {detail}");
        }
        ItemBody::Message { .. }
        | ItemBody::Reasoning { .. }
        | ItemBody::FileChange { .. }
        | ItemBody::Tool { .. } => {}
    }
    safe(&text)
}

fn outcome(status: ItemStatus, exit: Option<i32>) -> String {
    match (status, exit) {
        (_, Some(0)) | (ItemStatus::Completed, None) => String::new(),
        (_, Some(code)) => format!(" (exit {code})"),
        (ItemStatus::InProgress, None) => " …".to_owned(),
        (ItemStatus::Failed, None) => " (failed)".to_owned(),
        (ItemStatus::Declined, None) => " (declined)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_shows_how_it_went_and_what_it_printed_last() {
        let output: String = (1..=25).map(|n| format!("line {n}\u{1b}[2J\n")).collect();
        let command = Item {
            id: "1".to_owned(),
            body: ItemBody::Command {
                command: "make test".to_owned(),
                cwd: "/x".to_owned(),
                status: ItemStatus::Failed,
                exit_code: Some(2),
                output,
                duration_ms: None,
            },
        };
        let text = item(&command);
        assert!(text.starts_with("$ make test (exit 2)\n    … 5 lines before\n    line 6[2J\n"));
        assert!(text.ends_with("\n    line 25[2J"));
        assert_eq!(brief(&command), "$ make test (exit 2)");
    }
}
