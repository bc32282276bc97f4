//! One agent process under its shim, seen from the hub.
//!
//! A session is read line by line from its journal, whether the shim lives or only its files are
//! left. Nothing is sent before everything the journal held when the hub attached was read: that is
//! what keeps a restarted hub from sending a line twice.

use std::{
    collections::VecDeque,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use car_api::{AgentId, SessionId, TurnId, item::Usage};
use car_engine::agent::{Adapter, AgentEvent, Direction, Driver, Wish};
use car_shim::{Conn, ConnError, Entry, EntryKind, Found};
use car_store::{Errand, SessionRow};

use crate::{Error, Result, clock};

/// How long the processes of a session have to end by themselves.
const GRACE: Duration = Duration::from_secs(3);

/// How long a shim has to answer.
const ATTACH: Duration = Duration::from_secs(15);

/// How long a shim that was begun by an earlier process of the hub may take until it serves.
const STARTING: Duration = Duration::from_secs(3);

/// How long a shim whose agent has ended waits for the hub to have read that. Its journal says the
/// same to a hub that comes later, so nobody is kept for one that does not come.
const UNREAD: Duration = Duration::from_secs(20);

/// Lines of the agent's error output that are kept to explain its end.
const LAST_WORDS: usize = 12;

pub(crate) struct Session {
    /// The session as it will be committed next.
    pub(crate) row: SessionRow,
    driver: Box<dyn Driver>,
    link: Link,
    /// The journal's last line when the hub attached.
    caught_up_at: u64,
    /// A line was given to the shim and has not come back.
    awaiting: bool,
    /// How the agent ended, once that was read.
    over: Option<String>,
    last_words: VecDeque<String>,
}

enum Link {
    Live(Box<Conn>),
    /// The link is lost; its journal is to be read from disk.
    Lost,
    /// These lines of its journal are left.
    Left {
        entries: VecDeque<Entry>,
        /// Everything the session left on the machine was ended before they were read.
        swept: bool,
    },
}

/// What a session has to say.
pub(crate) enum News {
    /// A line was read.
    Line {
        /// What it meant.
        events: Vec<AgentEvent>,
    },
    /// The agent's process is gone.
    Ended {
        /// How, for people.
        detail: String,
    },
}

/// What a new session needs.
pub(crate) struct Start<'a> {
    pub(crate) errand: &'a Errand,
    pub(crate) adapter: &'a Arc<dyn Adapter>,
    pub(crate) dir: PathBuf,
}

/// The row of a session that is about to be started. It is committed first, so that a hub that
/// dies here knows of every process there may be.
pub(crate) fn plan(start: &Start<'_>) -> SessionRow {
    SessionRow {
        id: SessionId::generate(),
        errand: start.errand.clone(),
        agent: start.adapter.id(),
        dir: start.dir.to_string_lossy().into_owned(),
        line: 0,
        driver: None,
        started_at: clock::now(),
        ended_at: None,
    }
}

/// Starts the agent of a planned session under its shim.
pub(crate) async fn start(
    row: SessionRow,
    adapter: &Arc<dyn Adapter>,
    program: &Path,
    tree: &Path,
    environment: Vec<(OsString, OsString)>,
) -> Result<Session> {
    let command = adapter.command().into_iter().map(OsString::from).collect();
    let mut options = car_shim::Options::new(&row.dir, row.id.as_str(), command);
    options.cwd = Some(tree.to_owned());
    options.env = environment;
    options.clear_env = true;
    options.env.extend(adapter.environment().into_iter().map(|(k, v)| (k.into(), v.into())));
    options.grace = GRACE;
    options.ack_timeout = UNREAD;
    let program = program.to_owned();
    let spawned = tokio::task::spawn_blocking(move || car_shim::spawn(&program, &options)).await;
    spawned.map_err(Error::internal)?.map_err(|error| {
        let hint = adapter.install_hint();
        Error::new(
            car_api::Code::AgentUnavailable,
            format!("{} could not be started: {error}. {hint}", adapter.name()),
        )
    })?;
    attach(row, adapter).await
}

/// Takes a session up: from its shim if that lives, from its journal otherwise. Gives nothing when
/// its agent was never started.
pub(crate) async fn take_up(
    row: SessionRow,
    adapter: &Arc<dyn Adapter>,
) -> Result<Option<Session>> {
    let dir = PathBuf::from(&row.dir);
    let patience = Instant::now() + STARTING;
    loop {
        let (place, id) = (dir.clone(), row.id.to_string());
        let look = move || {
            // In this order: a shim that is not on its way any more has left its status.
            let starting = car_shim::is_starting(&id);
            (car_shim::status(&place), starting)
        };
        let (status, starting) =
            tokio::task::spawn_blocking(look).await.map_err(Error::internal)?;
        let may_come = Instant::now() < patience;
        match status {
            Ok(car_shim::Status::Alive(state)) if !state.is_spoken() => {
                let version = state.version;
                tracing::warn!(session = %row.id, version, "a shim of another version is ended");
                retire(&row).await;
                return left(row, adapter).await.map(Some);
            }
            Ok(car_shim::Status::Alive(_)) => match attach(row.clone(), adapter).await {
                Ok(session) => return Ok(Some(session)),
                // It died between the question and the call, or does not listen yet.
                Err(_) if may_come => {}
                Err(_) => return left(row, adapter).await.map(Some),
            },
            // The hub died while its shim was starting: an agent may still come of it.
            Ok(car_shim::Status::Dead(None)) | Err(_) if may_come && starting => {}
            Ok(car_shim::Status::Dead(None)) | Err(_) => {
                sweep(&row.id).await;
                if dir.join("journal.jsonl").exists() {
                    return left(row, adapter).await.map(Some);
                }
                return Ok(None);
            }
            Ok(car_shim::Status::Dead(Some(_))) => return left(row, adapter).await.map(Some),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn attach(row: SessionRow, adapter: &Arc<dyn Adapter>) -> Result<Session> {
    let driver = adapter.driver(row.driver.as_deref()).map_err(Error::internal)?;
    // A shim that is stopped, or something else at its socket, must not hold a run up.
    let attached = car_shim::attach(Path::new(&row.dir), row.line + 1);
    let conn = tokio::time::timeout(ATTACH, attached)
        .await
        .map_err(|_| Error::internal("the shim does not answer"))?
        .map_err(Error::internal)?;
    let caught_up_at = conn.hello.last;
    Ok(Session {
        row,
        driver,
        link: Link::Live(Box::new(conn)),
        caught_up_at,
        awaiting: false,
        over: None,
        last_words: VecDeque::new(),
    })
}

async fn left(row: SessionRow, adapter: &Arc<dyn Adapter>) -> Result<Session> {
    sweep(&row.id).await;
    let driver = adapter.driver(row.driver.as_deref()).map_err(Error::internal)?;
    let entries = read_left(&row.dir, row.line + 1).await?;
    Ok(Session {
        row,
        driver,
        link: Link::Left { entries, swept: true },
        caught_up_at: u64::MAX,
        awaiting: false,
        over: None,
        last_words: VecDeque::new(),
    })
}

async fn read_left(dir: &str, from: u64) -> Result<VecDeque<Entry>> {
    let dir = PathBuf::from(dir);
    let read = move || -> std::io::Result<VecDeque<Entry>> {
        let mut entries = VecDeque::new();
        for found in car_shim::read_journal(&dir, from)? {
            match found? {
                Found::Entry(entry) => entries.push_back(entry),
                // A torn line was never acted on; missing ones were acknowledged before.
                Found::Missing { .. } | Found::Torn { .. } => {}
            }
        }
        Ok(entries)
    };
    tokio::task::spawn_blocking(read).await.map_err(Error::internal)?.map_err(Error::internal)
}

/// Ends the agent of a shim that lives although the hub has lost the link to it, and lets the shim
/// go: it would wait long for a hub that does not come.
async fn dismiss(row: &SessionRow) {
    let dir = PathBuf::from(&row.dir);
    let looked = {
        let dir = dir.clone();
        tokio::task::spawn_blocking(move || car_shim::status(&dir)).await
    };
    let Ok(Ok(car_shim::Status::Alive(_))) = looked else { return };
    let ended = async {
        // From the last line that is known again: the end may be the one.
        let mut conn = car_shim::attach(&dir, row.line.max(1)).await.ok()?;
        conn.control.stop(Some(GRACE)).await.ok()?;
        loop {
            match conn.next().await {
                Ok(Entry { n, kind: EntryKind::Exit(_), .. }) => {
                    conn.control.ack(n).await.ok()?;
                    return conn.control.leave().await.ok();
                }
                Ok(_) | Err(ConnError::Refused(_)) => {}
                Err(_) => return None,
            }
        }
    };
    let limit = GRACE + Duration::from_secs(4);
    if let Ok(Some(())) = tokio::time::timeout(limit, ended).await {
        tracing::info!(session = %row.id, "a shim nobody was linked to was let go");
    }
}

/// Has a shim whose words are not this hub's end its agent, and waits until its journal says so: to
/// stop is said alike in every version. The shim then leaves by itself.
async fn retire(row: &SessionRow) {
    if car_shim::stop(Path::new(&row.dir), Some(GRACE)).await.is_err() {
        return;
    }
    let patience = Instant::now() + GRACE + Duration::from_secs(4);
    while Instant::now() < patience {
        let read = read_left(&row.dir, row.line + 1).await;
        let last = read.as_ref().ok().and_then(|entries| entries.back());
        if matches!(last, Some(Entry { kind: EntryKind::Exit(_), .. })) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Ends whatever a session left on the machine.
pub(crate) async fn sweep(id: &SessionId) {
    let id = id.to_string();
    let swept = tokio::task::spawn_blocking(move || car_shim::sweep(&id, GRACE)).await;
    if let Ok(count) = swept
        && count > 0
    {
        tracing::info!(count, "ended processes a lost session had left");
    }
}

impl Session {
    pub(crate) fn agent(&self) -> &AgentId {
        &self.row.agent
    }

    /// Whether its shim serves, as far as is known.
    pub(crate) fn is_live(&self) -> bool {
        match &self.link {
            Link::Live(_) => true,
            Link::Lost | Link::Left { .. } => false,
        }
    }

    /// The next thing the session has to say; waits for it. Safe to cancel: what a call that was
    /// given up had begun is done by the next.
    pub(crate) async fn next(&mut self) -> News {
        loop {
            if let Some(how) = self.over.clone() {
                self.release().await;
                return News::Ended { detail: self.with_last_words(&how) };
            }
            let from = self.row.line + 1;
            let entry = match &mut self.link {
                Link::Live(conn) => match conn.next().await {
                    Ok(entry) => entry,
                    Err(ConnError::Refused(reason)) => {
                        tracing::warn!(session = %self.row.id, reason, "the shim refused a line");
                        self.awaiting = false;
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(session = %self.row.id, %error, "the shim is gone");
                        self.link = Link::Lost;
                        continue;
                    }
                },
                Link::Lost => {
                    let entries = read_left(&self.row.dir, from).await.unwrap_or_default();
                    self.link = Link::Left { entries, swept: false };
                    continue;
                }
                Link::Left { entries, swept } => match entries.pop_front() {
                    Some(entry) => entry,
                    None if !*swept => {
                        sweep(&self.row.id).await;
                        // What was written until everything was ended.
                        *entries = read_left(&self.row.dir, from).await.unwrap_or_default();
                        *swept = true;
                        continue;
                    }
                    None => {
                        // A shim writes a line down before it hands it on: one that is not in the
                        // journal never reached the agent.
                        self.awaiting = false;
                        return News::Ended { detail: self.with_last_words("its shim is gone") };
                    }
                },
            };
            self.row.line = entry.n;
            match entry.kind {
                EntryKind::Start { .. } => return News::Line { events: Vec::new() },
                EntryKind::In(line) => {
                    self.awaiting = false;
                    let events = self.driver.observe(Direction::In, &line);
                    return News::Line { events };
                }
                EntryKind::Out(line) => {
                    let events = self.driver.observe(Direction::Out, &line.line);
                    return News::Line { events };
                }
                EntryKind::Err(line) => {
                    if self.last_words.len() == LAST_WORDS {
                        self.last_words.pop_front();
                    }
                    self.last_words.push_back(line.line);
                    return News::Line { events: Vec::new() };
                }
                EntryKind::Exit(exit) => {
                    // Nothing is handed on after it.
                    self.awaiting = false;
                    self.over = Some(match (exit.code, exit.signal) {
                        (Some(code), _) => format!("it ended with exit code {code}"),
                        (None, Some(signal)) => format!("signal {signal} ended it"),
                        (None, None) => "it ended".to_owned(),
                    });
                }
            }
        }
    }

    /// Whether the journal holds the turn's prompt. While a line is on its way that is not known,
    /// and the answer is yes.
    pub(crate) fn prompt_sent(&self, turn: &TurnId) -> bool {
        self.awaiting || self.driver.prompt_sent(turn)
    }

    /// The model a conversation runs with, where the agent tells.
    pub(crate) fn model(&self, thread: &str) -> Option<String> {
        self.driver.model(thread).map(str::to_owned)
    }

    /// Tokens used in a conversation since it began, as the lines so far have it.
    pub(crate) fn used(&self, thread: &str) -> Option<Usage> {
        self.driver.used(thread)
    }

    /// Sends the next line towards the wish, when it is the hub's move.
    pub(crate) async fn drive(&mut self, wish: &Wish<'_>) {
        let Link::Live(conn) = &mut self.link else { return };
        if self.awaiting || self.row.line < self.caught_up_at {
            return;
        }
        if let Some(line) = self.driver.next(wish) {
            // A failure shows as the end of the link when it is read next.
            self.awaiting = conn.control.send(line).await.is_ok();
        }
    }

    /// Notes the driver's state, so that it is committed with what the lines so far meant.
    pub(crate) fn note(&mut self) -> SessionRow {
        self.row.driver = Some(self.driver.snapshot());
        self.row.clone()
    }

    /// Tells the shim that the lines up to here are committed.
    pub(crate) async fn acknowledge(&mut self) {
        if let Link::Live(conn) = &mut self.link {
            let _ = conn.control.ack(self.row.line).await;
        }
    }

    /// Ends the agent's process and everything it started.
    pub(crate) async fn end(&mut self) {
        if self.over.is_some() {
            return self.release().await;
        }
        if let Link::Live(conn) = &mut self.link {
            let _ = conn.control.stop(Some(GRACE)).await;
            let ended = async {
                loop {
                    match conn.next().await {
                        Ok(Entry { n, kind: EntryKind::Exit(_), .. }) => return Some(n),
                        Ok(_) | Err(ConnError::Refused(_)) => {}
                        Err(_) => return None,
                    }
                }
            };
            let limit = GRACE + Duration::from_secs(4);
            if let Ok(Some(n)) = tokio::time::timeout(limit, ended).await {
                self.row.line = n;
                self.release().await;
                return;
            }
        }
        dismiss(&self.row).await;
        sweep(&self.row.id).await;
    }

    /// Lets the shim go.
    async fn release(&mut self) {
        let told = match &mut self.link {
            Link::Live(conn) => {
                conn.control.ack(self.row.line).await.is_ok() && conn.control.leave().await.is_ok()
            }
            // The link was lost, not necessarily the shim.
            Link::Lost | Link::Left { .. } => false,
        };
        if !told {
            dismiss(&self.row).await;
        }
    }

    fn with_last_words(&self, how: &str) -> String {
        if self.last_words.is_empty() {
            return format!("{how}.");
        }
        let words: Vec<&str> = self.last_words.iter().map(String::as_str).collect();
        format!("{how}. Its last words:\n{}", words.join("\n"))
    }
}
