//! Terminals: shells on the hub's machine, for people who may have one.
//!
//! A terminal is a child of the hub and does not outlive it. Everything started in it carries its
//! marker; when it ends, in whatever way, its terminal is hung up and whoever carries the marker is
//! ended, as with agents.

mod viewer;
mod work;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use car_api::{
    Code, EventKind, Page, PageQuery, TerminalId,
    terminal::{Terminal, TerminalCreate, TerminalEnd, TerminalStatus},
};
use car_files::CAR_DIR;
use car_pty::Size;
use car_store::Write;
use tokio_util::task::TaskTracker;

use crate::{Error, Hub, Result, clock, cursor, environment, hub::Inner, idempotency::Made, index};

pub use viewer::{Seen, Viewer};
use work::Open;

/// How long what was started in a terminal has to end once it was asked to.
const GRACE: Duration = Duration::from_secs(1);

/// How long what is kept of an ended terminal stays, in milliseconds.
const KEEP_MS: i64 = 30 * 86_400_000;

/// Every terminal that is open.
#[derive(Default)]
pub(crate) struct Terminals {
    open: Mutex<HashMap<TerminalId, Open>>,
    tasks: TaskTracker,
    /// One start at a time, so that no two see the last free place.
    starting: tokio::sync::Mutex<()>,
}

impl Terminals {
    fn open(&self) -> MutexGuard<'_, HashMap<TerminalId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A terminal as it is now: what is open says what its row cannot.
    fn now(&self, mut terminal: Terminal) -> Terminal {
        if let Some(open) = self.open().get(&terminal.id) {
            let state = *open.pty.state().borrow();
            terminal.written = state.written;
            (terminal.cols, terminal.rows) = (state.size.cols, state.size.rows);
            terminal.viewers = open.viewers();
        }
        terminal
    }
}

impl Hub {
    /// Terminals, newest first.
    ///
    /// # Errors
    /// See the API.
    pub async fn terminal_list(&self, page: PageQuery) -> Result<Page<Terminal>> {
        self.terminals_are_on()?;
        let limit = index::limit(&page)?;
        let before: Option<TerminalId> = cursor::read(&page)?;
        let more = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        let rows = self.inner.store.terminals(before.as_ref(), more).await?;
        let rows = rows.into_iter().map(|row| self.inner.terminals.now(row)).collect();
        Ok(index::cut(rows, limit, |terminal| terminal.id.to_string()))
    }

    /// One terminal.
    ///
    /// # Errors
    /// See the API.
    pub async fn terminal_get(&self, id: &TerminalId) -> Result<Terminal> {
        self.terminals_are_on()?;
        Ok(self.inner.terminals.now(self.terminal_row(id).await?))
    }

    /// Opens a terminal.
    ///
    /// # Errors
    /// See the API.
    pub async fn terminal_create(&self, body: TerminalCreate) -> Result<Terminal> {
        self.terminals_are_on()?;
        self.inner.unconfirmed.refuse()?;
        let size = size(body.cols, body.rows)?;
        let dir = match &body.repo {
            Some(repo) => self.inner.tree(repo)?,
            None => self.inner.config.root.clone(),
        };
        let terminals = &self.inner.terminals;
        let _starting = terminals.starting.lock().await;
        let config = &self.inner.config.terminal;
        if terminals.tasks.is_closed() {
            return Err(Error::new(Code::Unavailable, "The hub is stopping."));
        }
        if terminals.open().len() >= config.max_open as usize {
            let detail = format!(
                "{} terminals are open, as many as `terminal.max_open` allows; end one first.",
                config.max_open
            );
            return Err(Error::new(Code::Busy, detail));
        }
        let id = TerminalId::generate();
        let shell = self.inner.shell();
        let now = clock::now();
        let life = i64::try_from(config.life_s).unwrap_or(i64::MAX).saturating_mul(1000);
        let terminal = Terminal {
            id: id.clone(),
            status: TerminalStatus::Running,
            repo: body.repo,
            dir: dir.to_string_lossy().into_owned(),
            command: shell.to_string_lossy().into_owned(),
            cols: size.cols,
            rows: size.rows,
            written: 0,
            viewers: 0,
            opened_by: self.actor.name.clone(),
            created_at: now,
            expires_at: now.plus_millis(life),
            ended_at: None,
            end: None,
            exit_code: None,
        };
        let detail = format!("{} in {}", terminal.command, terminal.dir);
        let act = self.act("terminal_create", &id).detail(detail);
        // Before anything runs: a hub that dies here ends what carries the marker.
        let mut writes = self.inner.terminal_writes(&terminal);
        writes.push(act.done());
        writes.extend(self.remember(&Made::Terminal { id: id.clone() })?);
        self.inner.store.commit(writes).await?;
        let record = self.inner.terminal_dir(&id);
        let marker = id.as_str();
        let environment =
            environment::for_terminal(&self.inner.config, terminal.repo.as_ref(), marker);
        let start = car_pty::Start {
            program: &shell,
            dir: &dir,
            environment: &environment,
            size,
            record: &record,
        };
        match car_pty::start(&start) {
            Ok((pty, shell)) => {
                work::begin(&self.inner, terminal.clone(), pty, shell);
                Ok(terminal)
            }
            Err(error) => {
                let detail = format!(
                    "`{}` could not be started: {error}. Set `terminal.shell` on the hub's machine.",
                    shell.display()
                );
                self.inner.terminal_ended(terminal, TerminalEnd::Exited, None).await?;
                Err(Error::new(Code::Unprocessable, detail))
            }
        }
    }

    /// Ends a terminal and everything that was started in it; comes back when it is gone.
    ///
    /// # Errors
    /// See the API.
    pub async fn terminal_end(&self, id: &TerminalId) -> Result<Terminal> {
        self.terminals_are_on()?;
        let terminal = self.terminal_row(id).await?;
        let pty = self.inner.terminals.open().get(id).map(|open| open.end(TerminalEnd::Killed));
        let Some(pty) = pty else {
            let detail = format!("{} has ended already.", terminal.id);
            return Err(Error::new(Code::IllegalTransition, detail));
        };
        self.note(self.act("terminal_end", id)).await?;
        let _ = pty.state().wait_for(|state| state.ended).await;
        self.terminal_row(id).await
    }

    /// Begins to look at a terminal from a place in what its shell wrote; without one, from as far
    /// back as is quickly read.
    ///
    /// # Errors
    /// See the API.
    pub async fn terminal_attach(&self, id: &TerminalId, from: Option<u64>) -> Result<Viewer> {
        self.terminals_are_on()?;
        self.terminal_row(id).await?;
        self.note(self.act("terminal_attach", id)).await?;
        let open = self.inner.terminals.open().get(id).map(Open::look);
        // Read after that: of one that is not open any more it says how it ended.
        let terminal = self.terminal_row(id).await?;
        Ok(Viewer::new(self.clone(), terminal, open, from))
    }

    async fn terminal_row(&self, id: &TerminalId) -> Result<Terminal> {
        let row = self.inner.store.terminal(id).await?;
        row.ok_or_else(|| Error::not_found(format!("terminal `{id}`")))
    }

    /// Refuses while the hub's owner has not turned terminals on.
    fn terminals_are_on(&self) -> Result<()> {
        if self.inner.config.terminal.enabled {
            return Ok(());
        }
        let detail = "Terminals are turned off. On the hub's machine: `car-hub config set \
                      terminal.enabled true`, then start the hub again.";
        Err(Error::new(Code::TurnedOff, detail))
    }
}

impl Inner {
    /// What people type into.
    fn shell(&self) -> PathBuf {
        let of_user = || {
            let known = self.config.environment.iter().find(|(name, _)| name == "SHELL");
            known.map(|(_, value)| PathBuf::from(value)).filter(|path| path.is_absolute())
        };
        self.config.terminal.shell.clone().or_else(of_user).unwrap_or_else(|| "/bin/sh".into())
    }

    /// Where a terminal's record is.
    fn terminal_dir(&self, id: &TerminalId) -> PathBuf {
        self.config.root.join(CAR_DIR).join("terminals").join(id.as_str())
    }

    fn terminal_writes(&self, terminal: &Terminal) -> Vec<Write> {
        let kind = EventKind::TerminalUpdated { terminal: Box::new(terminal.clone()) };
        // Of no repo: a shell reaches the whole machine.
        let event = Write::Event {
            at: clock::now(),
            repo: None,
            run: None,
            thread: None,
            kind: Box::new(kind),
        };
        vec![Write::Terminal(Box::new(terminal.clone())), event]
    }

    /// Writes down that a terminal has ended.
    async fn terminal_ended(
        &self,
        mut terminal: Terminal,
        end: TerminalEnd,
        exit_code: Option<i32>,
    ) -> Result<()> {
        terminal.status = TerminalStatus::Ended;
        terminal.ended_at = Some(clock::now());
        terminal.end = Some(end);
        terminal.exit_code = exit_code;
        terminal.viewers = 0;
        self.store.commit(self.terminal_writes(&terminal)).await?;
        Ok(())
    }
}

/// Ends every terminal; none is opened from now on.
pub(crate) async fn close(hub: &Inner) {
    {
        let _starting = hub.terminals.starting.lock().await;
        hub.terminals.tasks.close();
    }
    for open in hub.terminals.open().values() {
        open.end(TerminalEnd::HubStopped);
    }
    hub.terminals.tasks.wait().await;
}

/// Ends what an earlier process of the hub left of its terminals.
pub(crate) async fn end_left(hub: &Inner) -> Result<()> {
    for mut terminal in hub.store.running_terminals().await? {
        work::sweep(&terminal.id).await;
        let record = hub.terminal_dir(&terminal.id);
        let written = tokio::task::spawn_blocking(move || car_pty::record_end(&record)).await;
        terminal.written = written.ok().and_then(Result::ok).unwrap_or_default();
        hub.terminal_ended(terminal, TerminalEnd::HubStopped, None).await?;
    }
    Ok(())
}

/// Removes what is kept of terminals that ended long ago.
pub(crate) async fn forget_old(hub: &Inner) -> Result<()> {
    let before = clock::now().plus_millis(-KEEP_MS);
    for id in hub.store.terminals_ended_before(before).await? {
        let _ = tokio::fs::remove_dir_all(hub.terminal_dir(&id)).await;
        hub.store.commit(vec![Write::TerminalGone(id)]).await?;
    }
    Ok(())
}

/// Columns and rows a terminal can have.
pub(crate) fn size(cols: u16, rows: u16) -> Result<Size> {
    if (2..=1000).contains(&cols) && (1..=1000).contains(&rows) {
        return Ok(Size { cols, rows });
    }
    Err(Error::bad_request("`cols` is 2 to 1000 and `rows` 1 to 1000."))
}
