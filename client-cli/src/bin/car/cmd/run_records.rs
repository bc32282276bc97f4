//! What a run left behind: turns, verdicts, dispatches, replies.

use car_api::{
    RunId, TurnId,
    dispatch::{Dispatch, DispatchMode, Reply},
    turn::{Turn, TurnDetail, TurnStatus},
    verify::{CommandResult, Evidence, Verdict},
};

use crate::{
    event_text,
    failure::Failure,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

pub(crate) async fn turns(s: &Session, run: &RunId) -> Result<(), Failure> {
    let list = all(async |page| s.client.run_turns(run, &page).await).await?;
    s.out.list(
        &list,
        |t| t.id.to_string(),
        "No turns yet.",
        |turns| {
            let mut table =
                Table::new(&["TURN", "TICKET", "AGENT", "FOR", "STATUS", "TOKENS", "SAID"]);
            for turn in turns {
                table.row([
                    turn.number.to_string().into(),
                    turn.ticket_file.as_str().into(),
                    turn.agent.as_str().into(),
                    turn.purpose.as_str().into(),
                    Cell::toned(turn.status.as_str(), tone(turn.status)),
                    turn.usage.total().to_string().into(),
                    said(turn).into(),
                ]);
            }
            table
        },
    )
}

fn tone(status: TurnStatus) -> Tone {
    match status {
        TurnStatus::Running => Tone::Busy,
        TurnStatus::Completed => Tone::Good,
        TurnStatus::Failed => Tone::Bad,
        TurnStatus::Interrupted => Tone::Waits,
    }
}

fn said(turn: &Turn) -> &str {
    let error = turn.error.as_ref().map(|error| error.message.as_str());
    error.or(turn.message.as_deref()).unwrap_or_default()
}

pub(crate) async fn turn(s: &Session, turn: &TurnId) -> Result<(), Failure> {
    let detail = s.client.turn_get(turn).await?;
    s.out.show(&detail, |d| d.turn.id.to_string(), turn_text)
}

fn turn_text(detail: &TurnDetail) -> String {
    let turn = &detail.turn;
    let mut lines = vec![format!(
        "turn {} on {}, {} ({}): {}",
        turn.number, turn.ticket_file, turn.agent, turn.purpose, turn.status
    )];
    lines.extend(detail.items.iter().map(event_text::item));
    lines.extend(turn.error.as_ref().map(|e| format!("{}: {}", e.class, e.message)));
    lines.join("\n")
}

pub(crate) async fn evidence(s: &Session, run: &RunId) -> Result<(), Failure> {
    let list = s.client.run_evidence(run).await?;
    s.out.show(
        &list,
        |l| l.items.iter().map(|e| e.seq.to_string()).collect::<Vec<_>>().join("\n"),
        |l| match l.items.as_slice() {
            [] => "Nothing was checked yet.".to_owned(),
            all => all.iter().map(evidence_text).collect::<Vec<_>>().join("\n\n"),
        },
    )
}

/// A verdict with its commands; of those that failed, what they printed last.
pub(crate) fn evidence_text(evidence: &Evidence) -> String {
    let commit = evidence.commit.as_deref().and_then(|c| c.get(..12)).unwrap_or("no commit");
    let verdict = evidence.verdict.as_str().replace('_', " ");
    let mut lines = vec![format!("{} {verdict}, at {commit}", evidence.ticket_path)];
    for result in &evidence.commands {
        lines.extend(command_lines(result).map(|line| format!("  {line}")));
    }
    lines.extend(evidence.protected.iter().map(|file| format!("  protected file changed: {file}")));
    if evidence.verdict == Verdict::NotVerified {
        lines.push("  no commands are set; see `car help verify`".to_owned());
    }
    lines.join("\n")
}

/// What came of a command; of one that failed, what it printed last.
pub(crate) fn command_lines(result: &CommandResult) -> impl Iterator<Item = String> {
    let outcome = match (result.exit_code, result.timed_out) {
        (_, true) => "timed out".to_owned(),
        (Some(0), false) => "passed".to_owned(),
        (Some(code), false) => format!("exit {code}"),
        (None, false) => "ended by a signal".to_owned(),
    };
    let before = if result.fails_on_base == Some(true) { ", on the base commit too" } else { "" };
    let seconds = result.duration_ms as f64 / 1000.0;
    let command = event_text::safe(&result.command.run);
    let head = format!("$ {command}: {outcome}{before} ({seconds:.1} s)");
    let tail = if result.exit_code == Some(0) { "" } else { result.tail.as_str() };
    let tail = tail.lines().map(|line| format!("  {}", event_text::safe(line)));
    std::iter::once(head).chain(tail)
}

pub(crate) async fn dispatches(s: &Session, run: &RunId) -> Result<(), Failure> {
    let list = s.client.run_dispatches(run).await?;
    let ids = |l: &car_api::Page<Dispatch>| {
        l.items.iter().map(|d| d.seq.to_string()).collect::<Vec<_>>().join("\n")
    };
    s.out.show(&list, ids, |l| {
        let text = |d: &Dispatch| {
            let mode = match d.mode {
                DispatchMode::Notify => "for information",
                DispatchMode::Pause => "waits for an answer",
                DispatchMode::TurnSummary => "summary of a turn",
            };
            letter(d.seq, mode, d.title.as_deref(), d.created_at, &d.body, &d.attachments)
        };
        texts(l.items.iter().map(text), "No dispatches.")
    })
}

pub(crate) async fn replies(s: &Session, run: &RunId) -> Result<(), Failure> {
    let list = s.client.run_replies(run).await?;
    let ids = |l: &car_api::Page<Reply>| {
        l.items.iter().map(|r| r.seq.to_string()).collect::<Vec<_>>().join("\n")
    };
    s.out.show(&list, ids, |l| {
        let text = |r: &Reply| {
            letter(r.seq, "reply", r.title.as_deref(), r.created_at, &r.body, &r.attachments)
        };
        texts(l.items.iter().map(text), "No replies.")
    })
}

fn texts(texts: impl Iterator<Item = String>, none: &str) -> String {
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() { none.to_owned() } else { texts.join("\n\n") }
}

fn letter(
    seq: u32,
    kind: &str,
    title: Option<&str>,
    at: Option<car_api::Timestamp>,
    body: &str,
    attachments: &[String],
) -> String {
    let title = title.map(|t| format!(": {t}")).unwrap_or_default();
    let mut text = format!("#{seq} {} {kind}{title}\n{}", time_text::or_dash(at), body.trim_end());
    for file in attachments {
        text += &format!("\nattached: {file}");
    }
    text
}
