//! `car events`, and `car run logs`, which is the same log of one run in full.

use std::collections::VecDeque;

use car_api::{Event, EventKind, RunId};
use car_client::{EventFilter, watch::Update};
use clap::Args;

use crate::{
    args::{Global, RepoArg},
    event_text,
    failure::Failure,
    out::Out,
    session::Session,
};

#[derive(Args)]
pub(crate) struct Events {
    /// Go on as new ones come; with --json, one object a line
    #[arg(long, short)]
    follow: bool,
    /// Those after this number [default: the last 50; with -f, only new ones]
    #[arg(long, value_name = "N")]
    after: Option<i64>,
    #[command(flatten)]
    repo: RepoArg,
    /// Only of this run
    #[arg(long)]
    run: Option<String>,
    /// Only of this kind, such as `run_state_changed`; may be repeated
    #[arg(long)]
    kind: Vec<String>,
}

pub(crate) async fn run(args: Events, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let s = &session;
    let run = match &args.run {
        Some(text) => Some(s.run(Some(text)).await?),
        None => None,
    };
    let filter = EventFilter { repo: s.repo_if_given(&args.repo).await?, run, kinds: args.kind };
    let after = match (args.after, args.follow, filter.is_empty()) {
        (Some(after), _, _) => after,
        (None, true, _) => s.client.hub_get().await?.last_seq,
        (None, false, true) => s.client.hub_get().await?.last_seq.saturating_sub(50).max(0),
        (None, false, false) => 0,
    };
    let mut print = |event: &Event| -> Result<bool, Failure> {
        print_event(out, event, |event| Some(event_text::line(event)))?;
        Ok(true)
    };
    if args.follow {
        return follow(s, after, filter, &mut print).await;
    }
    read(s, after, &filter, &mut print).await.map(|_| ())
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
    let after = match wanted.tail {
        None => read(s, 0, &filter, &mut print).await?,
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
            let after = read(s, 0, &filter, &mut keep).await?;
            for event in &last {
                print(event)?;
            }
            after
        }
    };
    if !wanted.follow || s.client.run_get(&run).await?.state.status().is_end() {
        // What was written between the two reads.
        return read(s, after, &filter, &mut print).await.map(|_| ());
    }
    follow(s, after, filter, &mut print).await
}

/// Every event there is after a number, page by page; answers with the last one's number.
async fn read(
    s: &Session,
    mut after: i64,
    filter: &EventFilter,
    print: &mut impl FnMut(&Event) -> Result<bool, Failure>,
) -> Result<i64, Failure> {
    loop {
        let page = s.client.event_list(after, Some(500), filter).await?;
        for event in &page.items {
            print(event)?;
            after = event.seq;
        }
        if page.next.is_none() {
            return Ok(after);
        }
    }
}

async fn follow(
    s: &Session,
    after: i64,
    filter: EventFilter,
    print: &mut impl FnMut(&Event) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut watch = s.client.watch(after, filter);
    loop {
        match watch.next().await? {
            Update::Event(event) => {
                if !print(&event)? {
                    return Ok(());
                }
            }
            Update::Lost { reason, .. } => s.out.note(&format!("connection lost: {reason}")),
            Update::Back => s.out.note("connected again"),
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
        let json = serde_json::to_string(event).map_err(std::io::Error::other)?;
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
