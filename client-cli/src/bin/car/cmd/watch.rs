//! `car watch`: the runs as they go. What matters is one line each, and stays; on a terminal the
//! runs under way stand below it and are redrawn in place.

use std::{collections::HashMap, io, time::Duration};

use car_api::{
    Code, Event, EventKind, RepoId, RunId,
    event::EventCursor,
    hub::{AccountLine, HubCounts, HubSnapshot, RunLine},
    inbox::InboxItem,
    run::RunStatus,
};
use car_client::{EventFilter, watch::Update};
use clap::Args;
use console::{Term, truncate_str};

use super::run::tone;
use crate::{
    args::{Global, RepoArg},
    connection::Connection,
    event_text,
    failure::Failure,
    history,
    matters::matters,
    out::Out,
    pick::short,
    session::Session,
    table::{Cell, Table},
    time_text,
};

/// Events come in bursts; the picture is drawn once for each.
const CALM: Duration = Duration::from_millis(150);

/// Times in the picture grow older by themselves.
const AGES: Duration = Duration::from_secs(20);

#[derive(Args)]
#[command(after_help = "Examples:
  car watch                    every run, until Ctrl-C
  car watch -r demo
  car watch --once --json      the hub's snapshot
  car watch --json             every event as a line of JSON
A lost connection and a restarted hub are taken up where they were; nothing is shown twice.")]
pub(crate) struct Watch {
    #[command(flatten)]
    repo: RepoArg,
    /// Show how things stand, and end
    #[arg(long)]
    once: bool,
    /// Every event, not only what matters
    #[arg(long, short)]
    all: bool,
}

pub(crate) async fn run(args: Watch, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let repo = session.repo_if_given(&args.repo).await?;
    if args.once {
        return once(&session, repo.as_ref()).await;
    }
    let filter = EventFilter { repo, ..EventFilter::default() };
    if out.is_tty() && !out.json && !out.quiet {
        return picture(&session, filter, args.all).await;
    }
    lines(&session, filter, args.all).await
}

/// How things stand now.
pub(crate) async fn once(s: &Session, repo: Option<&RepoId>) -> Result<(), Failure> {
    history::look_again(s).await;
    let mut snapshot = s.client.hub_snapshot().await?;
    if let Some(repo) = repo {
        snapshot.runs.retain(|run| run.repo == *repo);
        snapshot.attention.retain(|one| one.repo.as_ref() == Some(repo));
    }
    let runs = |s: &HubSnapshot| s.runs.iter().map(|run| run.id.to_string()).collect::<Vec<_>>();
    s.out.show(
        &snapshot,
        |snapshot| runs(snapshot).join("\n"),
        |snapshot| {
            let drawn = View::default().draw(snapshot, s.out.width, s.out.colour);
            format!("{}\n{}", drawn.join("\n"), counts(&snapshot.counts))
        },
    )
}

/// One line for each event, for pipes and files. When the log cannot be followed on (the hub was
/// restored, or this reader was away for longer than events are kept), that is said, and what comes
/// from now on is shown.
async fn lines(s: &Session, filter: EventFilter, every: bool) -> Result<(), Failure> {
    let out = &s.out;
    let info = s.client.hub_get().await?;
    history::look(s, &info).await;
    let newest = EventCursor { epoch: Some(info.epoch), seq: info.last_seq };
    let mut watch = s.client.watch_from(newest, filter.clone());
    let mut connection = Connection::default();
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
                out.line(&serde_json::to_string(&event).map_err(io::Error::other)?)?;
            }
            Update::Event(event) if every || matters(&event.event).is_some() => {
                if out.quiet {
                    out.line(&event.seq.to_string())?;
                } else {
                    out.line(&event_text::line(&event))?;
                }
            }
            Update::Lost { reason, .. } => connection.lost(out, reason),
            Update::Back => {
                connection.back(out);
                history::look_again(s).await;
            }
            Update::Event(_) | Update::Live(_) | Update::CaughtUp { .. } => {}
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
    /// The hub's history is another one than before.
    warning: Option<String>,
    /// The connection came back: the history is to be compared.
    back: bool,
    /// What is new and stays on the screen.
    news: Vec<String>,
    every: bool,
    colour: bool,
}

async fn picture(s: &Session, filter: EventFilter, every: bool) -> Result<(), Failure> {
    let term = Term::stdout();
    let mut view = View { every, colour: s.out.colour, back: true, ..View::default() };
    let mut snapshot = s.client.hub_snapshot().await?;
    let mut watch = s.client.watch_from(as_of(&snapshot), filter.clone());
    let mut drawn = 0;
    loop {
        if std::mem::take(&mut view.back) {
            view.warning = history::changed_now(s).await.or(view.warning);
        }
        let (rows, columns) = term.size();
        let width = usize::from(columns);
        let mut shown = snapshot.clone();
        let wanted = |of: &RepoId| filter.repo.as_ref().is_none_or(|repo| repo == of);
        shown.runs.retain(|run| wanted(&run.repo));
        shown.attention.retain(|one| match &one.repo {
            Some(repo) => wanted(repo),
            None => filter.repo.is_none(),
        });
        let mut block = view.draw(&shown, Some(width), s.out.colour);
        // Never more lines than the terminal has: what scrolled away cannot be redrawn.
        block.truncate(usize::from(rows).saturating_sub(1).max(1));
        let news = std::mem::take(&mut view.news);
        let news = news.iter().map(|line| truncate_str(line, width, "…").into_owned());
        term.write_str(&redraw(drawn, &news.collect::<Vec<_>>(), &block))?;
        drawn = block.len();

        let mut stale = match tokio::time::timeout(AGES, watch.next()).await {
            Err(_) => false,
            Ok(Ok(update)) => view.take(update),
            // The picture is of now; how it came to be need not be told.
            Ok(Err(error)) if error.code() == Some(Code::CursorTooOld) => {
                snapshot = s.client.hub_snapshot().await?;
                watch = s.client.watch_from(as_of(&snapshot), filter.clone());
                continue;
            }
            Ok(Err(error)) => return Err(error.into()),
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

/// The bytes that put news above a block that is drawn anew. Every line is overwritten and only
/// its rest cleared, in one write that terminals which can show at once: nothing flickers.
fn redraw(drawn: usize, news: &[String], block: &[String]) -> String {
    let mut text = "\u{1b}[?2026h".to_owned();
    if drawn > 0 {
        text += &format!("\r\u{1b}[{drawn}A");
    }
    for line in news.iter().chain(block) {
        text += line;
        text += "\u{1b}[K\n";
    }
    text + "\u{1b}[J\u{1b}[?2026l"
}

impl View {
    /// Notes an update; whether the snapshot has to be asked for again.
    fn take(&mut self, update: Update) -> bool {
        match update {
            Update::Event(event) => self.event(&event),
            Update::Live(frame) => {
                let last = frame.text.lines().rfind(|line| !line.trim().is_empty());
                if let (Some(line), Some(run)) = (last, frame.run) {
                    self.activity.insert(run, event_text::safe(line));
                }
                false
            }
            Update::Lost { reason, .. } => {
                self.lost = Some(reason);
                false
            }
            Update::Back => {
                self.lost = None;
                self.back = true;
                true
            }
            Update::CaughtUp { .. } => false,
        }
    }

    fn event(&mut self, event: &Event) -> bool {
        if self.every || matters(&event.event).is_some() {
            self.news.push(event_text::coloured(event, self.colour));
        }
        if let Some(run) = &event.run {
            // The explain line tells of states already.
            if !matches!(event.event, EventKind::RunStateChanged { .. }) {
                self.activity.insert(run.clone(), event_text::brief_line(event));
            }
        }
        true
    }

    fn draw(&self, snapshot: &HubSnapshot, width: Option<usize>, colour: bool) -> Vec<String> {
        let mut lines: Vec<_> = self.warning.iter().cloned().collect();
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
            lines.push("No run is under way. Start one: car run start -r REPO".to_owned());
        } else {
            lines.push(runs(&snapshot.runs).render(width, colour));
        }
        for run in &snapshot.runs {
            let at_work = run.status == RunStatus::Running;
            if let Some(activity) = self.activity.get(&run.id).filter(|_| at_work) {
                lines.push(format!("{} {activity}", short(run.id.as_str())));
            }
        }
        lines.extend(snapshot.accounts.iter().filter_map(held));
        if let Some(reason) = &self.lost {
            lines.push(format!("connection lost ({reason}); trying again …"));
        }
        let cut = |line: &str| match width {
            Some(width) => truncate_str(line, width, "…").into_owned(),
            None => line.to_owned(),
        };
        lines.join("\n").lines().map(cut).collect()
    }
}

/// One thing that waits for a person, and what to type.
fn waiting(one: &InboxItem) -> [String; 2] {
    let place = [
        one.repo.as_ref().map(|repo| repo.as_str()),
        one.run.as_ref().map(|run| short(run.as_str())),
    ];
    let place = place.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let place = if place.is_empty() { "hub".to_owned() } else { place };
    let since = time_text::short(one.created_at);
    let actions: Vec<_> = one.actions.iter().map(|action| action.as_str()).collect();
    let item = short(one.id.as_str());
    [
        format!("! {place}: {} (since {since})", event_text::safe(&one.title)),
        format!("    car inbox act {item} {}", actions.join("|")),
    ]
}

fn held(account: &AccountLine) -> Option<String> {
    let until = account.held_until?;
    let line = format!("{}: no quota left until {}", account.account, time_text::short(until));
    Some(event_text::safe(&line))
}

/// What there is, in one line.
fn counts(counts: &HubCounts) -> String {
    let mut all = vec![
        format!("{}, {}", many(counts.repos, "repo"), many(counts.worktrees, "worktree")),
        format!("{} of {} tickets done", counts.tickets.done, counts.tickets.total),
    ];
    for (count, what) in [
        (counts.tickets.invalid, "with errors"),
        (counts.running, "at work"),
        (counts.paused, "paused"),
        (counts.parked, "parked"),
        (counts.pending, "waiting for a slot"),
    ] {
        if count > 0 {
            all.push(format!("{count} {what}"));
        }
    }
    if counts.jobs > 0 {
        all.push(many(counts.jobs, "job"));
    }
    all.join(", ")
}

fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn runs(runs: &[RunLine]) -> Table {
    let mut table = Table::new(&["RUN", "REPO", "STATUS", "TICKETS", "TURNS", "SINCE", "WHY"]);
    for run in runs {
        table.row([
            short(run.id.as_str()).into(),
            run.repo.as_str().into(),
            Cell::toned(run.status.as_str(), tone(run.status)),
            format!("{}/{}", run.tickets.done, run.tickets.total).into(),
            run.turns.to_string().into(),
            time_text::ago(run.created_at).into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_drawn_over_and_never_cleared_first() {
        let lines = |text: &[&str]| text.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            redraw(2, &lines(&["news"]), &lines(&["a", "b"])),
            "\u{1b}[?2026h\r\u{1b}[2Anews\u{1b}[K\na\u{1b}[K\nb\u{1b}[K\n\u{1b}[J\u{1b}[?2026l"
        );
        assert!(!redraw(0, &[], &lines(&["a"])).contains('A'));
    }
}
