//! `car-hub up`: a hub, from nothing to work that can be watched.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use car_api::{Event, EventKind, PageQuery, RunId, Timestamp, run::RunState};
use car_hub::{EventFilter, Hub, RepoFilter};
use tokio::sync::oneshot;

use crate::{
    config::Loaded,
    console::Console,
    init, invite, log,
    program::{Error, say},
    root, sample,
    serve::{self, Served, Signals},
};

/// Directory of the hub that is made when none is named and none is near, below the home directory.
const DEFAULT_ROOT: &str = "car-hub";

/// How many events are read at a time.
const BATCH: u32 = 200;

/// What is to be done about the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sample {
    /// Ask when the hub has no repos and somebody sits at the terminal.
    Ask,
    /// Add it when the hub has no repos.
    Add,
    /// Leave it.
    Skip,
}

/// The root that was named, or the nearest, or one in the home directory; made if it is missing.
pub(crate) fn root(named: Option<&Path>) -> Result<PathBuf, Error> {
    let dir = match named {
        Some(dir) => dir.to_owned(),
        None => match root::find(None) {
            Ok(found) => return Ok(found),
            Err(_) => home()?.join(DEFAULT_ROOT),
        },
    };
    if init::make(&dir)? {
        say(format_args!("A new hub: {}", dir.display()));
    }
    root::absolute(&dir)
}

fn home() -> Result<PathBuf, Error> {
    std::env::var_os("HOME").map(PathBuf::from).ok_or_else(|| {
        Error::file("there is no place for a hub", io::Error::other("HOME is not set; use --root"))
    })
}

/// Serves, offers the sample when there is nothing else, and shows what happens until a signal.
pub(crate) fn run(loaded: &Loaded, sample: Sample) -> Result<ExitCode, Error> {
    let redactor = serve::redactor(loaded);
    log::to_file(&loaded.root, &redactor).map_err(|error| Error::file(log::FILE, error))?;
    for warning in &loaded.warnings {
        say(format_args!("note: {warning}"));
    }
    serve::runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let served = Served::start(loaded, Vec::new(), redactor).await?;
        say(format_args!("car-hub ready: {}", served.url));
        let page = format!("{}{}", served.url, loaded.config.server.base_path);
        let letting_in = invite::browser(&served.hub, &page).await?;
        say(format_args!(
            "It serves until Ctrl-C. Its log is {}.",
            loaded.root.join(log::FILE).display()
        ));
        let watched = watch(&served, &loaded.root, sample);
        tokio::select! {
            ended = watched => ended?,
            () = signals.next() => {}
        }
        letting_in.abort();
        say("The hub stops; agents at work go on. Start it again with the same command.");
        Ok(served.end(signals).await)
    })
}

/// Prints what happens, for ever.
async fn watch(served: &Served, root: &Path, sample: Sample) -> Result<(), Error> {
    let hub = &served.hub;
    let mut cursor = hub.hub_get().await?.last_seq;
    let mut bell = hub.bell();
    let tour = begin(hub, root, sample).await?;
    let mut console = Console::new(colours());
    loop {
        bell.mark_unchanged();
        let events = hub.events(cursor, BATCH, &EventFilter::default()).await?;
        for event in &events {
            cursor = event.seq;
            for line in console.lines(&clock(event.at), event) {
                say(line);
            }
            if tour.as_ref().is_some_and(|run| completes(event, run)) {
                say(sample::closing(served.port));
            }
        }
        if events.is_empty() && bell.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// Adds and starts the sample where that is wanted; gives its run.
async fn begin(hub: &Hub, root: &Path, sample: Sample) -> Result<Option<RunId>, Error> {
    let one = PageQuery { after: None, limit: Some(1) };
    let empty = hub.repo_list(RepoFilter::default(), one).await?.items.is_empty();
    let wanted = match sample {
        Sample::Add => empty,
        Sample::Skip => false,
        Sample::Ask if !empty => false,
        Sample::Ask if io::stdin().is_terminal() => ask().await,
        Sample::Ask => {
            say(
                "The hub has no repos yet. Add one: car hub clone URL, or see the sample: car-hub up --sample",
            );
            false
        }
    };
    if !wanted {
        return Ok(None);
    }
    say("The sample: three tickets for the bundled demo agent (scripted, no model).");
    say("The second ticket is claimed done too early; watch what the hub makes of that.\n");
    sample::start(hub, root).await.map(Some)
}

async fn ask() -> bool {
    print!("The hub has no repos yet. Add a small sample and run it? [Y/n] ");
    let _ = io::stdout().flush();
    let (answer, answered) = oneshot::channel();
    // A thread of its own: reading a terminal cannot be cancelled, and must not keep the program.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).unwrap_or(0);
        let _ = answer.send(read > 0 && !line.trim().to_lowercase().starts_with('n'));
    });
    answered.await.unwrap_or(false)
}

fn completes(event: &Event, run: &RunId) -> bool {
    let completed =
        matches!(&event.event, EventKind::RunStateChanged { state: RunState::Completed, .. });
    completed && event.run.as_ref() == Some(run)
}

fn colours() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

/// The time of day here.
fn clock(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.micros())
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string())
        .unwrap_or_default()
}
