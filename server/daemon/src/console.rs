//! The log as lines for a terminal of eighty columns.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use car_api::{
    Event, EventKind, RunId,
    dispatch::DispatchMode,
    item::ApprovalRequest,
    job::JobStatus,
    run::{RunState, RunTicket},
    thread::MessageStatus,
    turn::{TurnPurpose, TurnStatus},
    verify::{Evidence, Verdict},
};

/// Longest line, in characters; hints with commands to copy are not cut.
const WIDTH: usize = 80;

/// What is known of runs from the events so far.
#[derive(Default)]
pub(crate) struct Console {
    colours: bool,
    tickets: HashMap<RunId, String>,
}

/// How a line is meant.
#[derive(Clone, Copy)]
enum Tone {
    Plain,
    Good,
    Bad,
    Wants,
}

impl Console {
    /// Lines with or without colours.
    pub(crate) fn new(colours: bool) -> Self {
        Self { colours, tickets: HashMap::new() }
    }

    /// What to print for an event that was written at `clock`; most events are not worth a line.
    pub(crate) fn lines(&mut self, clock: &str, event: &Event) -> Vec<String> {
        let Some((tone, text, hints)) = self.said(event) else { return Vec::new() };
        let place = event.repo.as_ref().map_or_else(String::new, |repo| format!("{repo} · "));
        let line = cut(&format!("{clock} {place}{text}"));
        let hints = hints.into_iter().map(|hint| format!("         {hint}"));
        std::iter::once(self.coloured(tone, line)).chain(hints).collect()
    }

    fn said(&mut self, event: &Event) -> Option<(Tone, String, Vec<String>)> {
        let plain = |text: String| Some((Tone::Plain, text, Vec::new()));
        match &event.event {
            EventKind::RunCreated => plain("run started".to_owned()),
            EventKind::RunStateChanged { state, explain } => self.state(event, state, explain),
            EventKind::TicketSelected { ticket } => {
                if let Some(run) = &event.run {
                    self.tickets.insert(run.clone(), named(ticket));
                }
                None
            }
            EventKind::TurnStarted { number, agent, purpose, .. } => {
                let ticket = event.run.as_ref().and_then(|run| self.tickets.get(run));
                let ticket = ticket.map_or("", String::as_str);
                plain(format!("{ticket} · turn {number} · {agent}{}", why(*purpose)))
            }
            EventKind::TurnEnded { status: TurnStatus::Failed, error, .. } => {
                let message = error.as_ref().map_or("", |error| error.message.as_str());
                Some((Tone::Bad, format!("turn failed: {}", first_line(message)), Vec::new()))
            }
            EventKind::VerifyStarted { commands, again, .. } => {
                let how = if *again { "checking once more, on the final tree" } else { "checking" };
                plain(format!("{how}: {}", commands.join(" && ")))
            }
            EventKind::VerifyEnded { evidence } => Some(verdict(evidence)),
            EventKind::Checkpoint { commit: Some(commit), .. } => {
                plain(format!("commit {}", commit.get(..10).unwrap_or(commit)))
            }
            EventKind::Checkpoint { error: Some(error), .. } => {
                Some((Tone::Bad, format!("no checkpoint: {}", first_line(error)), Vec::new()))
            }
            EventKind::TicketFinished { ticket, verified } => {
                let how = if *verified { "finished and verified" } else { "finished" };
                Some((Tone::Good, format!("{} · {how}", named(ticket)), Vec::new()))
            }
            EventKind::DispatchCreated { mode: DispatchMode::Notify, title, .. } => {
                plain(format!("says: {}", title.as_deref().unwrap_or("(no title)")))
            }
            EventKind::ApprovalRequested { approval, .. } => {
                let run = event.run.as_ref().map_or_else(String::new, ToString::to_string);
                let id = &approval.id;
                let hints = match &event.thread {
                    None => vec![
                        format!("yes: car approve {run} {id}"),
                        format!("no:  car decline {run} {id}"),
                    ],
                    Some(thread) => vec![
                        format!("yes: car thread approve {thread} {id}"),
                        format!("no:  car thread decline {thread} {id}"),
                    ],
                };
                Some((Tone::Wants, format!("asks: {}", asked(&approval.request)), hints))
            }
            EventKind::BackupFailed { detail } => {
                Some((Tone::Bad, format!("the backup was not made: {detail}"), Vec::new()))
            }
            EventKind::RestoreConfirmed => plain("the restore was confirmed".to_owned()),
            EventKind::JobUpdated { job } => match job.status {
                JobStatus::Failed => {
                    let detail = job.problem.as_ref().map_or("", |problem| problem.detail.as_str());
                    Some((Tone::Bad, format!("{} failed: {detail}", job.kind), Vec::new()))
                }
                JobStatus::Completed => plain(format!("{} done", job.kind)),
                JobStatus::Running | JobStatus::Cancelled => None,
            },
            EventKind::TerminalUpdated { terminal } => match terminal.end {
                None => {
                    plain(format!("{} opened a terminal in {}", terminal.opened_by, terminal.dir))
                }
                Some(_) => None,
            },
            EventKind::WebhookDisabled { description, reason, .. } => {
                let text = format!("webhook turned off: {description}. {reason}");
                Some((Tone::Bad, text, Vec::new()))
            }
            EventKind::MessageUpdated { message } => match message.status {
                MessageStatus::Failed | MessageStatus::Blocked => {
                    let error = message.error.as_ref().map(|error| error.message.as_str());
                    let why = message.detail.as_deref().or(error).unwrap_or_default();
                    let text = format!("message {}: {}", message.status, first_line(why));
                    Some((Tone::Bad, text, Vec::new()))
                }
                MessageStatus::Queued
                | MessageStatus::Working
                | MessageStatus::Completed
                | MessageStatus::Interrupted
                | MessageStatus::Cancelled => None,
            },
            EventKind::RepoAdded { .. } => plain("joined the hub".to_owned()),
            EventKind::RepoRemoved { .. } => plain("left the hub".to_owned()),
            // What caused them has a line of its own.
            EventKind::InboxUpdated { .. }
            | EventKind::NotificationUpdated { .. }
            | EventKind::HubStarted { .. }
            | EventKind::TicketChanged { .. }
            | EventKind::ContextChanged { .. }
            | EventKind::FileChanged { .. }
            | EventKind::PmaDocChanged { .. }
            | EventKind::TemplatesChanged { .. }
            | EventKind::SessionStarted { .. }
            | EventKind::SessionEnded { .. }
            | EventKind::ItemUpdated { .. }
            | EventKind::PlanUpdated { .. }
            | EventKind::RateLimitsUpdated { .. }
            | EventKind::ApprovalResolved { .. }
            | EventKind::AgentNotice { .. }
            | EventKind::TurnEnded { .. }
            | EventKind::DiffUpdated { .. }
            | EventKind::Checkpoint { .. }
            | EventKind::DispatchCreated { .. }
            | EventKind::ReplyReceived { .. }
            | EventKind::ThreadUpdated { .. } => None,
        }
    }

    fn state(
        &mut self,
        event: &Event,
        state: &RunState,
        explain: &str,
    ) -> Option<(Tone, String, Vec<String>)> {
        let run = event.run.as_ref()?;
        match state {
            RunState::Paused { details, .. } => {
                let text = if details.is_empty() { explain } else { first_line(details) };
                let hints = vec![
                    format!("answer: car reply {run} \"…\""),
                    format!("go on:  car run resume {run}"),
                ];
                Some((Tone::Wants, format!("paused: {text}"), hints))
            }
            RunState::Parked { .. } => Some((Tone::Wants, explain.to_owned(), Vec::new())),
            RunState::Completed => {
                self.tickets.remove(run);
                Some((Tone::Good, "done: every ticket is finished".to_owned(), Vec::new()))
            }
            RunState::Failed { message, .. } => {
                Some((Tone::Bad, format!("failed: {}", first_line(message)), Vec::new()))
            }
            RunState::Stopped => Some((Tone::Plain, "stopped".to_owned(), Vec::new())),
            RunState::Pending
            | RunState::Running { .. }
            | RunState::Stopping
            | RunState::Superseded { .. } => None,
        }
    }

    fn coloured(&self, tone: Tone, line: String) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Wants => "33",
            Tone::Plain => return line,
        };
        if self.colours { format!("\u{1b}[{code}m{line}\u{1b}[0m") } else { line }
    }
}

fn named(ticket: &RunTicket) -> String {
    format!("{:03} {}", ticket.number, ticket.title)
}

fn why(purpose: TurnPurpose) -> &'static str {
    match purpose {
        TurnPurpose::Work => "",
        TurnPurpose::LintRepair => " · mends the ticket",
        TurnPurpose::Commit => " · commits",
        TurnPurpose::VerifyFix => " · mends it",
        TurnPurpose::Continue => " · goes on",
    }
}

fn verdict(evidence: &Evidence) -> (Tone, String, Vec<String>) {
    let failed = evidence.commands.iter().find(|result| result.exit_code != Some(0));
    match (evidence.verdict, failed) {
        (Verdict::Passed, _) => {
            (Tone::Good, format!("check passed ({})", count(evidence.commands.len())), Vec::new())
        }
        (Verdict::Failed, Some(result)) => {
            let how = match (result.timed_out, result.exit_code) {
                (true, _) => "took too long".to_owned(),
                (false, Some(code)) => format!("exit {code}"),
                (false, None) => "ended by a signal".to_owned(),
            };
            let last = result.tail.lines().rev().find(|line| !line.trim().is_empty());
            let hints = last.map(|line| cut(line.trim())).into_iter().collect();
            (Tone::Bad, format!("check failed: {} ({how})", result.command.run), hints)
        }
        (Verdict::Failed, None) => (Tone::Bad, "check failed".to_owned(), Vec::new()),
        (Verdict::PreExisting, _) => {
            (Tone::Plain, "check fails as it did before the run".to_owned(), Vec::new())
        }
        (Verdict::Protected, _) => {
            let files = evidence.protected.join(", ");
            (Tone::Wants, format!("protected files changed: {files}"), Vec::new())
        }
        (Verdict::NotVerified, _) => (Tone::Plain, "nothing was checked".to_owned(), Vec::new()),
    }
}

fn count(commands: usize) -> String {
    if commands == 1 { "1 command".to_owned() } else { format!("{commands} commands") }
}

fn asked(request: &ApprovalRequest) -> String {
    match request {
        ApprovalRequest::Command { command, .. } => format!("may it run `{command}`?"),
        ApprovalRequest::FileChange { changes, .. } => {
            let files: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
            format!("may it change {}?", files.join(", "))
        }
        ApprovalRequest::Other { detail } => first_line(detail).to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim()
}

/// One line, without what a terminal would act on, cut to the width.
fn cut(line: &str) -> String {
    let clean: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.chars().count() <= WIDTH {
        return clean;
    }
    clean.chars().take(WIDTH - 1).chain(['…']).collect()
}
