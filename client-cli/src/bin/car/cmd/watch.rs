//! `car watch`: the runs as they go. On a terminal the picture is redrawn in place from the
//! hub's snapshot; elsewhere every event is a line.

use std::{collections::HashMap, time::Duration};

use car_api::{
    Code, Event, EventKind, RepoId, RunId,
    event::EventCursor,
    hub::{AccountLine, Attention, HubSnapshot, RunLine},
};
use car_client::{EventFilter, watch::Update};
use clap::Args;
use console::{Term, truncate_str};

use super::{hub::tone, run::short_id};
use crate::{
    args::{Global, RepoArg},
    event_text,
    failure::Failure,
    out::Out,
    session::Session,
    table::{Cell, Table},
    time_text,
};

/// Events come in bursts; the picture is drawn once for each.
const CALM: Duration = Duration::from_millis(150);

#[derive(Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    repo: RepoArg,
}

pub(crate) async fn run(args: Watch, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let repo = session.repo_if_given(&args.repo).await?;
    let filter = EventFilter { repo, ..EventFilter::default() };
    if out.is_tty() && !out.json && !out.quiet {
        return picture(&session, filter).await;
    }
    lines(&session, filter).await
}

/// Every event as a line. When the log cannot be followed on (the hub was restored, or this reader
/// was away for longer than events are kept), that is said, and what comes from now on is shown.
async fn lines(s: &Session, filter: EventFilter) -> Result<(), Failure> {
    let out = &s.out;
    let info = s.client.hub_get().await?;
    let newest = EventCursor { epoch: Some(info.epoch), seq: info.last_seq };
    let mut watch = s.client.watch_from(newest, filter.clone());
    loop {
        let update = match watch.next().await {
            Ok(update) => update,
            Err(error) if error.code() == Some(Code::CursorTooOld) => {
                out.note(&error.to_string());
                let snapshot = s.client.hub_snapshot().await?;
                watch = s.client.watch_from(as_of(&snapshot), filter.clone());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        match update {
            Update::Event(event) if out.json => {
                out.line(&serde_json::to_string(&event).map_err(std::io::Error::other)?)?;
            }
            Update::Event(event) => out.line(&event_text::line(&event))?,
            Update::Lost { reason, .. } => out.note(&format!("connection lost: {reason}")),
            Update::Back => out.note("connected again"),
            Update::Live(_) | Update::CaughtUp { .. } => {}
        }
    }
}

/// Where to go on from a snapshot.
fn as_of(snapshot: &HubSnapshot) -> EventCursor {
    EventCursor { epoch: Some(snapshot.epoch.clone()), seq: snapshot.as_of }
}

/// What the picture shows beside the snapshot.
#[derive(Default)]
struct View {
    /// What each run did last.
    activity: HashMap<RunId, String>,
    lost: Option<String>,
}

async fn picture(s: &Session, filter: EventFilter) -> Result<(), Failure> {
    let term = Term::stdout();
    let mut view = View::default();
    let mut snapshot = s.client.hub_snapshot().await?;
    let mut watch = s.client.watch_from(as_of(&snapshot), filter.clone());
    let mut drawn = 0;
    loop {
        let width = usize::from(term.size().1);
        let mut shown = snapshot.clone();
        let wanted = |of: &RepoId| filter.repo.as_ref().is_none_or(|repo| repo == of);
        shown.runs.retain(|run| wanted(&run.repo));
        shown.attention.retain(|one| wanted(&one.repo));
        let text = view.draw(&shown, width, s.out.colour);
        // Never more lines than the terminal has: what scrolled away cannot be redrawn.
        let room = usize::from(term.size().0).saturating_sub(1).max(1);
        let lines: Vec<_> = text.lines().take(room).collect();
        term.clear_last_lines(drawn)?;
        for line in &lines {
            term.write_line(line)?;
        }
        drawn = lines.len();

        let mut stale = match watch.next().await {
            Ok(update) => view.take(update),
            // The picture is of now; how it came to be need not be told.
            Err(error) if error.code() == Some(Code::CursorTooOld) => {
                snapshot = s.client.hub_snapshot().await?;
                watch = s.client.watch_from(as_of(&snapshot), filter.clone());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        // Until nothing comes for a moment, or much has come.
        for _ in 0..200 {
            match tokio::time::timeout(CALM, watch.next()).await {
                Ok(Ok(update)) => stale |= view.take(update),
                Ok(Err(error)) if error.code() == Some(Code::CursorTooOld) => {
                    snapshot = s.client.hub_snapshot().await?;
                    watch = s.client.watch_from(as_of(&snapshot), filter.clone());
                    break;
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => break,
            }
        }
        if stale {
            match s.client.hub_snapshot().await {
                Ok(new) => snapshot = new,
                // The watch finds out by itself and says when it is back.
                Err(error) if error.may_pass() => view.lost = Some(error.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl View {
    /// Notes an update; whether the snapshot has to be asked for again.
    fn take(&mut self, update: Update) -> bool {
        match update {
            Update::Event(event) => self.event(&event),
            Update::Live(frame) => {
                let last = frame.text.lines().rfind(|line| !line.trim().is_empty());
                if let Some(line) = last {
                    self.activity.insert(frame.run, event_text::safe(line));
                }
                false
            }
            Update::Lost { reason, .. } => {
                self.lost = Some(reason);
                false
            }
            Update::Back => {
                self.lost = None;
                true
            }
            Update::CaughtUp { .. } => false,
        }
    }

    fn event(&mut self, event: &Event) -> bool {
        if let Some(run) = &event.run {
            // The explain line tells of states already.
            if !matches!(event.event, EventKind::RunStateChanged { .. }) {
                let line = event_text::line(event);
                let what = line.split_once(": ").map_or(line.as_str(), |(_, what)| what);
                self.activity.insert(run.clone(), what.to_owned());
            }
        }
        true
    }

    fn draw(&self, snapshot: &HubSnapshot, width: usize, colour: bool) -> String {
        let mut lines = Vec::new();
        for one in &snapshot.attention {
            lines.extend(waiting(one));
        }
        let more = snapshot.attention_total.saturating_sub(snapshot.attention.len() as u64);
        if more > 0 {
            lines.push(format!("… and {more} more things wait for you"));
        }
        if !lines.is_empty() {
            lines.push(String::new());
        }
        if snapshot.runs.is_empty() {
            lines.push("No run is under way.".to_owned());
        } else {
            lines.push(runs(&snapshot.runs).render(Some(width), colour));
        }
        for run in &snapshot.runs {
            if let Some(activity) = self.activity.get(&run.id) {
                lines.push(format!("{} {activity}", short_id(run.id.as_str())));
            }
        }
        lines.extend(snapshot.accounts.iter().filter_map(held));
        if let Some(reason) = &self.lost {
            lines.push(format!("connection lost ({reason}); trying again …"));
        }
        let cut = |line: &str| truncate_str(line, width, "…").into_owned();
        lines.join("\n").lines().map(cut).collect::<Vec<_>>().join("\n")
    }
}

/// One thing that waits for a person, and what to type.
fn waiting(one: &Attention) -> [String; 2] {
    let place = match &one.run {
        Some(run) => format!("{} {}", one.repo, short_id(run.as_str())),
        None => one.repo.to_string(),
    };
    let since = one.since.map(|at| format!(" (since {})", time_text::short(at)));
    let line = format!("{place}: {}{}", event_text::safe(&one.line), since.unwrap_or_default());
    [format!("! {line}"), format!("    {}", one.action)]
}

fn held(account: &AccountLine) -> Option<String> {
    let until = account.held_until?;
    let line = format!("{}: no quota left until {}", account.account, time_text::short(until));
    Some(event_text::safe(&line))
}

/// The snapshot as text, for `car hub snapshot`.
pub(crate) fn still(snapshot: &HubSnapshot, colour: bool) -> String {
    let width = usize::from(Term::stdout().size().1);
    let counts = &snapshot.counts;
    let mut all = vec![
        format!("{}, {}", many(counts.repos, "repo"), many(counts.worktrees, "worktree")),
        format!("{} of {} tickets done", counts.tickets.done, counts.tickets.total),
    ];
    for (count, what) in [
        (counts.tickets.invalid, "with errors"),
        (counts.running, "runs at work"),
        (counts.paused, "paused"),
        (counts.parked, "parked"),
        (counts.pending, "waiting for a slot"),
        (counts.jobs, "jobs"),
    ] {
        if count > 0 {
            all.push(format!("{count} {what}"));
        }
    }
    format!("{}\n{}", View::default().draw(snapshot, width, colour), all.join(", "))
}

fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn runs(runs: &[RunLine]) -> Table {
    let mut table = Table::new(&["RUN", "REPO", "STATUS", "TICKETS", "TURNS", "SINCE", "WHY"]);
    for run in runs {
        table.row([
            short_id(run.id.as_str()).into(),
            run.repo.as_str().into(),
            Cell::toned(run.status.as_str(), tone(run.status)),
            format!("{}/{}", run.tickets.done, run.tickets.total).into(),
            run.turns.to_string().into(),
            time_text::short(run.created_at).into(),
            why(run).into(),
        ]);
    }
    table
}

fn why(run: &RunLine) -> String {
    match &run.ticket {
        Some(ticket) => format!("{ticket} — {}", run.explain),
        None => run.explain.clone(),
    }
}
