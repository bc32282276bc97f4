//! `car events`, and `car run logs`, which is the same log of one run in full.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};

use car_api::{Event, EventKind, RunId, ThreadId, event::EventCursor};
use car_client::{EventFilter, EventFrom, watch::Update};
use clap::Args;

use crate::{
    args::{Global, RepoArg},
    connection::Connection,
    event_text,
    failure::Failure,
    history,
    out::Out,
    session::Session,
};

/// How many events are shown when nothing is said.
const LAST: u32 = 50;

#[derive(Args)]
pub(crate) struct Events {
    /// Go on as new ones come; with --json, one object a line
    #[arg(long, short)]
    follow: bool,
    /// Those after this number or cursor; `newest` for none of those there are; 0 for all
    #[arg(long, value_name = "N", conflicts_with = "last")]
    after: Option<String>,
    /// Begin with the last so many [default: 50; with -f, only new ones]
    #[arg(long, short = 'n', value_name = "COUNT")]
    last: Option<u32>,
    #[command(flatten)]
    repo: RepoArg,
    /// Only of this run
    #[arg(long)]
    run: Option<String>,
    /// Only of this thread
    #[arg(long, value_name = "THREAD")]
    thread: Option<ThreadId>,
    /// Only of this kind, such as `run_state_changed`; may be repeated
    #[arg(long)]
    kind: Vec<String>,
    /// Go on where this file says, and note there what was printed; made when it is not there
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
}

pub(crate) async fn run(args: Events, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let s = &session;
    let run = match &args.run {
        Some(text) => Some(s.run(Some(text)).await?),
        None => None,
    };
    let filter = EventFilter {
        repo: s.repo_if_given(&args.repo).await?,
        run,
        thread: args.thread,
        kinds: args.kind,
    };
    let info = s.client.hub_get().await?;
    history::look(s, &info).await;
    let newest = EventCursor { epoch: Some(info.epoch), seq: info.last_seq };
    let file = args.cursor_file.as_deref();
    let noted = file.map(read_cursor).transpose()?.flatten();
    let from = match (noted, args.after.as_deref(), args.last) {
        (Some(noted), _, _) => EventFrom::After(noted),
        (None, Some("newest"), _) => EventFrom::After(newest.clone()),
        (None, Some(text), _) => EventFrom::After(text.parse().map_err(Failure::Usage)?),
        (None, None, Some(0)) => EventFrom::After(newest.clone()),
        (None, None, Some(count)) => EventFrom::Last(count),
        (None, None, None) if args.follow => EventFrom::After(newest.clone()),
        (None, None, None) if file.is_some() => EventFrom::After(EventCursor::default()),
        (None, None, None) => EventFrom::Last(LAST),
    };
    let epoch = newest.epoch.clone();
    let mut print = |event: &Event| -> Result<bool, Failure> {
        print_event(out, event, |event| Some(event_text::line(event)))?;
        if let Some(file) = file {
            write_cursor(file, &EventCursor { epoch: epoch.clone(), seq: event.seq })?;
        }
        Ok(true)
    };
    let after = match from.clone() {
        EventFrom::After(cursor) if args.follow => cursor,
        EventFrom::After(_) | EventFrom::Last(_) => {
            let begun = match &from {
                EventFrom::After(cursor) => cursor.seq,
                EventFrom::Last(_) => 0,
            };
            // Nothing that matches: everything there was is passed over.
            let last = read(s, from, &filter, &mut print).await?;
            EventCursor { epoch: newest.epoch, seq: last.unwrap_or(newest.seq.max(begun)) }
        }
    };
    if let Some(file) = file {
        // So that the next call begins here although nothing was printed.
        write_cursor(file, &after)?;
    }
    if args.follow {
        return follow(s, after, filter, &mut print).await;
    }
    Ok(())
}

/// The cursor a file holds; none when there is no file.
fn read_cursor(file: &Path) -> Result<Option<EventCursor>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => text.trim().parse().map(Some).map_err(|e| {
            Failure::Usage(format!("{}: {e}; remove the file to begin anew", file.display()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Replaces the file as a whole: whoever is killed leaves the old cursor or the new one.
fn write_cursor(file: &Path, cursor: &EventCursor) -> Result<(), Failure> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    fs::write(&new, format!("{cursor}\n"))?;
    fs::rename(&new, file)?;
    Ok(())
}

/// How the log of a run is wanted.
pub(crate) struct Logs {
    pub(crate) follow: bool,
    /// Only so many of the last entries.
    pub(crate) tail: Option<usize>,
}

/// The log of one run, to its present end or to the run's.
pub(crate) async fn logs(s: &Session, run: RunId, wanted: Logs) -> Result<(), Failure> {
    let filter = EventFilter { run: Some(run.clone()), ..EventFilter::default() };
    let mut print = |event: &Event| -> Result<bool, Failure> {
        print_event(&s.out, event, |event| event_text::log_entry(event, s.out.colour))?;
        let over = matches!(
            &event.event,
            EventKind::RunStateChanged { state, .. } if state.status().is_end()
        );
        Ok(!over)
    };
    let begin = EventFrom::After(EventCursor::default());
    let after = match wanted.tail {
        None => read(s, begin, &filter, &mut print).await?,
        Some(tail) => {
            let mut last = VecDeque::new();
            let mut keep = |event: &Event| {
                if s.out.json || event_text::log_entry(event, false).is_some() {
                    last.push_back(event.clone());
                }
                if last.len() > tail {
                    last.pop_front();
                }
                Ok(true)
            };
            let after = read(s, begin, &filter, &mut keep).await?;
            for event in &last {
                print(event)?;
            }
            after
        }
    };
    let after = EventCursor::from(after.unwrap_or(0));
    if !wanted.follow || s.client.run_get(&run).await?.state.status().is_end() {
        // What was written between the two reads.
        return read(s, EventFrom::After(after), &filter, &mut print).await.map(|_| ());
    }
    follow(s, after, filter, &mut print).await
}

/// What comes from now on, until the process is ended.
pub(crate) async fn follow_newest(s: &Session, filter: EventFilter) -> Result<(), Failure> {
    let info = s.client.hub_get().await?;
    history::look(s, &info).await;
    let newest = EventCursor { epoch: Some(info.epoch), seq: info.last_seq };
    let mut print = |event: &Event| -> Result<bool, Failure> {
        print_event(&s.out, event, |event| event_text::log_entry(event, s.out.colour))?;
        Ok(true)
    };
    follow(s, newest, filter, &mut print).await
}

/// Every event there is from a place on, page by page; answers with the last one's number.
async fn read(
    s: &Session,
    mut from: EventFrom,
    filter: &EventFilter,
    print: &mut impl FnMut(&Event) -> Result<bool, Failure>,
) -> Result<Option<i64>, Failure> {
    let mut last = None;
    loop {
        let page = s.client.event_list_from(&from, Some(500), filter).await?;
        for event in &page.items {
            print(event)?;
            last = Some(event.seq);
        }
        match (page.next, last) {
            (Some(_), Some(seq)) => from = EventFrom::After(seq.into()),
            (_, _) => return Ok(last),
        }
    }
}

async fn follow(
    s: &Session,
    after: EventCursor,
    filter: EventFilter,
    print: &mut impl FnMut(&Event) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut watch = s.client.watch_from(after, filter);
    let mut connection = Connection::default();
    loop {
        match watch.next().await? {
            Update::Event(event) => {
                if !print(&event)? {
                    return Ok(());
                }
            }
            Update::Lost { reason, .. } => connection.lost(&s.out, reason),
            Update::Back => {
                connection.back(&s.out);
                history::look_again(s).await;
            }
            Update::Live(_) | Update::CaughtUp { .. } => {}
        }
    }
}

/// One event: a line of JSON for programs (a stream has no end to close a list at).
fn print_event(
    out: &Out,
    event: &Event,
    text: impl FnOnce(&Event) -> Option<String>,
) -> Result<(), Failure> {
    if out.json {
        let json = serde_json::to_string(event).map_err(io::Error::other)?;
        return out.line(&json);
    }
    if out.quiet {
        return out.line(&event.seq.to_string());
    }
    match text(event) {
        Some(text) => out.line(&text),
        None => Ok(()),
    }
}
