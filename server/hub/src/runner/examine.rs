//! A look at what a turn left behind: dispatch, ticket, tree.

use std::path::Path;

use car_api::{
    EventKind, TurnId,
    dispatch::DispatchMode,
    turn::{DiffStats, Turn},
};
use car_engine::{
    flow::{DispatchFinding, Examination, Input, Reading},
    ticket::{VerificationNote, set_done},
};
use car_files::{CAR_DIR, dispatches, run_dir::RunDir, tickets};
use car_git::{Git, Oid, Patterns, Status};
use car_store::Write;

use super::actor::Actor;
use crate::{
    Error, Result, clock,
    hub::blocking,
    inbox::derive::{self, Question},
    reindex::Sealed,
};

/// How many status lines a person or an agent is shown.
const MAX_STATUS_LINES: usize = 20;

/// What a working tree looked like.
#[derive(Debug, Clone)]
pub(super) struct TreeSeen {
    pub(super) status: Status,
    pub(super) fingerprint: String,
    /// What differs, as lines, when it is not clean.
    pub(super) dirty: Option<String>,
}

impl Actor {
    /// Looks at the tree, or remembers it while nobody can have changed it.
    pub(super) async fn look(&mut self) -> Result<TreeSeen> {
        if let Some(seen) = &self.seen {
            return Ok(seen.clone());
        }
        let seen = see(&self.tree).await?;
        self.seen = Some(seen.clone());
        Ok(seen)
    }

    pub(super) async fn examine(&mut self, turn: &TurnId) -> Result<()> {
        let base = self.seen_before(turn).await;
        // None of the three changes what the others read: the run's files are not git's business.
        let (archived, ticket, seen) =
            tokio::try_join!(self.archive(turn), self.read_ticket(), see(&self.tree))?;
        let Archived { dispatch, created, dispatch_seq } = archived;
        if let Some(Created { seq, mode, title, body }) = created {
            match mode {
                DispatchMode::Notify => {
                    let place = (&self.row.repo, &self.row.id);
                    let said = (title.as_deref(), body.as_str());
                    self.desk.writes.push(derive::note(place, seq, said, clock::now()));
                }
                DispatchMode::Pause => self.question = Some(Question { seq, body }),
                DispatchMode::TurnSummary => {}
            }
            self.event(EventKind::DispatchCreated { seq, mode, title });
        }
        self.seen = Some(seen.clone());
        let mut seen = seen;
        self.count_diff(turn, base, &seen.status).await?;
        if self.row.flow.options.auto_commit && seen.dirty.is_some() {
            self.checkpoint(turn).await;
            self.seen = None;
            seen = self.look().await?;
        }
        let mut protected = Vec::new();
        if matches!(ticket.reading, Reading::Done) {
            let protect = self.row.flow.work.as_ref().map(|w| w.brief.protect.clone());
            protected = self.protected_changes(&protect.unwrap_or_default()).await?;
            protected.extend(ticket.weakened);
        }
        self.apply(Input::Examined(Examination {
            dispatch,
            ticket: ticket.reading,
            dirty: seen.dirty,
            fingerprint: seen.fingerprint,
            protected,
            dispatch_seq,
        }))
    }

    /// The commit the tree was at before the turn.
    async fn seen_before(&self, turn: &TurnId) -> Option<Oid> {
        let fingerprint = self.hub.store.turn_fingerprint(turn).await.ok().flatten()?;
        Oid::parse(fingerprint.split(':').next()?)
    }

    /// Archives the agent's dispatch and the summary of its turn. Done again after a crash, both
    /// keep their numbers.
    async fn archive(&self, turn: &TurnId) -> Result<Archived> {
        let (tree, run) = (self.tree.clone(), self.row.id.clone());
        let first = self.row.flow.dispatch_seq + 1;
        let message = match self.noted_turn(turn).await? {
            Some(row) if row.message.is_some() => row.message,
            Some(_) | None => self.last_message.clone(),
        };
        blocking(move || {
            let run = RunDir::create(&tree, run.as_str())?;
            let mut seq = first - 1;
            let mut dispatch = DispatchFinding::None;
            let mut created = None;
            match dispatches::archive(&run, first) {
                // Done before a crash: without a dispatch the summary has this number already.
                Ok(Some(entry)) if is_summary(&entry) => {
                    return Ok(Archived { dispatch, created, dispatch_seq: first });
                }
                Ok(Some(entry)) => {
                    seq = first;
                    if let Ok(said) = entry.dispatch {
                        if said.mode == DispatchMode::Pause {
                            let first_line = said.body.trim().lines().next();
                            let title = said.title.clone().or(first_line.map(str::to_owned));
                            let title = title.filter(|t| !t.is_empty());
                            dispatch = DispatchFinding::Pause {
                                title: title
                                    .unwrap_or_else(|| "The agent asks for you.".to_owned()),
                            };
                        }
                        let (mode, title, body) = (said.mode, said.title, said.body);
                        created = Some(Created { seq: entry.seq, mode, title, body });
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    dispatch = DispatchFinding::Broken {
                        details: format!("The agent's dispatch cannot be read: {error}"),
                    };
                }
            }
            if let Some(message) = message.filter(|text| !text.trim().is_empty()) {
                dispatches::put_turn_summary(&run, seq + 1, &message)?;
                seq += 1;
            }
            Ok(Archived { dispatch, created, dispatch_seq: seq })
        })
        .await
    }

    /// Leaves a dispatch of the hub's own.
    pub(super) async fn notice(&mut self, seq: u32, title: String, body: String) -> Result<()> {
        let (tree, run) = (self.tree.clone(), self.row.id.clone());
        let shown = title.clone();
        blocking(move || {
            let run = RunDir::create(&tree, run.as_str())?;
            dispatches::put(&run, seq, DispatchMode::Pause, Some(&shown), &body)?;
            Ok(())
        })
        .await?;
        let mode = DispatchMode::Pause;
        self.event(EventKind::DispatchCreated { seq, mode, title: Some(title) });
        Ok(())
    }

    async fn read_ticket(&self) -> Result<TicketRead> {
        let Some(work) = self.row.flow.work.clone() else {
            return Ok(TicketRead { reading: Reading::Gone, weakened: None });
        };
        let (tree, agents) = (self.tree.clone(), self.hub.known_agents.clone());
        let file = work.ticket.file.clone();
        let read = blocking(move || Ok(tickets::read(&tree, file.as_ref(), &agents)?)).await?;
        let loaded = match &read.content {
            Ok(loaded) => loaded,
            Err(error) if error.is_not_found() => {
                return Ok(TicketRead { reading: Reading::Gone, weakened: None });
            }
            Err(error) => {
                let details = error.to_string();
                return Ok(TicketRead { reading: Reading::Broken { details }, weakened: None });
            }
        };
        let Some(front) = &loaded.parsed.frontmatter else {
            let lines: Vec<String> = loaded
                .parsed
                .errors()
                .map(|issue| format!("line {}: {}", issue.line, issue.message))
                .collect();
            let details = lines.join("\n");
            return Ok(TicketRead { reading: Reading::Broken { details }, weakened: None });
        };
        let now = self.brief(front);
        let weakened = now.verify != work.brief.verify || now.protect != work.brief.protect;
        let weakened = weakened.then(|| format!("{} (its verify or protect)", work.ticket.file));
        let reading = if front.done { Reading::Done } else { Reading::Open };
        Ok(TicketRead { reading, weakened })
    }

    /// Files under the ticket's protection that differ from the run's base.
    pub(super) async fn protected_changes(&self, protect: &[String]) -> Result<Vec<String>> {
        let Some(base) = self.row.base_commit.as_deref().and_then(Oid::parse) else {
            return Ok(Vec::new());
        };
        if protect.is_empty() || self.row.flow.accept_protected {
            return Ok(Vec::new());
        }
        let changed = Git::at(&self.tree).changed_paths(&base).await.map_err(Error::from)?;
        let patterns = Patterns::new(protect);
        let hit = changed.iter().filter(|path| patterns.matches(path));
        Ok(hit.map(|path| path.to_string_lossy().into_owned()).collect())
    }

    /// Counts what a turn changed. Between two commits nothing can change any more: that is counted
    /// while the run goes on, and written with what is committed next.
    async fn count_diff(
        &mut self,
        turn: &TurnId,
        base: Option<Oid>,
        status: &Status,
    ) -> Result<()> {
        let (git, status) = (Git::at(&self.tree), status.clone());
        let clean = status.is_clean();
        let counting = tokio::spawn(async move { git.diff_stats(base.as_ref(), &status).await });
        self.counting = Some((turn.clone(), counting));
        if clean { Ok(()) } else { self.counted().await }
    }

    /// Writes down what was counted.
    pub(super) async fn counted(&mut self) -> Result<()> {
        let Some((turn, counting)) = self.counting.take() else { return Ok(()) };
        let stats = counting.await.map_err(Error::internal)?.map_err(Error::from)?;
        let diff = DiffStats {
            files_changed: stats.files_changed,
            insertions: stats.insertions,
            deletions: stats.deletions,
        };
        if let Some(mut row) = self.noted_turn(&turn).await? {
            row.diff = Some(diff);
            self.desk.writes.push(Write::Turn(Box::new(row), None));
        }
        self.event(EventKind::DiffUpdated { turn, diff });
        Ok(())
    }

    /// The row of a turn: as it is to be committed, else as it was.
    async fn noted_turn(&self, turn: &TurnId) -> Result<Option<Turn>> {
        let pending = self.desk.writes.iter().rev().find_map(|write| {
            let Write::Turn(row, _) = write else { return None };
            (row.id == *turn).then(|| (**row).clone())
        });
        match pending {
            Some(row) => Ok(Some(row)),
            None => self.hub.store.turn(turn).await.map_err(Error::from),
        }
    }

    async fn checkpoint(&mut self, turn: &TurnId) {
        let number = self.turns;
        let agent = self.ticket().map_or_else(String::new, |ticket| ticket.agent.to_string());
        let message = format!("CAR checkpoint: run={} turn={number} agent={agent}", self.row.id);
        let (commit, error) = match Git::at(&self.tree).commit_all(&message).await {
            Ok(commit) => (commit.map(|oid| oid.to_string()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        self.checkpoint_error.clone_from(&error);
        self.event(EventKind::Checkpoint { turn: turn.clone(), commit, error });
    }

    /// Sets the ticket back to not done, with what verification found.
    pub(super) async fn reopen(&mut self, report: &str) -> Result<()> {
        let Some(file) = self.ticket().map(|ticket| ticket.file.clone()) else { return Ok(()) };
        let tree = self.tree.clone();
        let note = verification_note(report);
        blocking(move || {
            match tickets::set_note(&tree, file.as_ref(), false, Some(&note), None) {
                // A ticket the note cannot be written to is at least open again.
                Err(tickets::ChangeError::Edit(_)) => {
                    let content = tickets::read_bytes(&tree, file.as_ref())?;
                    if set_done(&content.bytes, false).is_ok() {
                        tickets::set_done(&tree, file.as_ref(), false, None)?;
                    }
                }
                result => drop(result?),
            }
            Ok(())
        })
        .await
    }

    /// The ticket holds now: what an earlier verification found is no longer true.
    pub(super) async fn remove_note(&self, file: &str) {
        let (tree, name) = (self.tree.clone(), file.to_owned());
        let removed =
            blocking(move || Ok(tickets::set_note(&tree, name.as_ref(), true, None, None)?));
        if let Err(error) = removed.await {
            tracing::warn!(run = %self.row.id, file, %error, "a verification note could not be removed");
        }
    }

    /// Writes what explains the run without the database.
    pub(super) async fn seal(&mut self) -> Result<()> {
        let (tree, row) = (self.tree.clone(), self.row.clone());
        let sealed = Sealed {
            version: 2,
            id: row.id.clone(),
            repo: row.repo.clone(),
            state: row.flow.state.clone(),
            finished: row.flow.finished,
            turns: row.flow.spent.turns,
            usage: row.flow.spent.usage,
            base_commit: row.base_commit.clone(),
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            sealed_at: clock::now(),
            turn_list: self.hub.store.turns(&row.id, 0, u32::MAX).await?,
        };
        let kept = blocking(move || {
            RunDir::create(&tree, row.id.as_str())?.write_run(&sealed)?;
            Ok(())
        })
        .await;
        if let Err(error) = kept {
            // The run has ended all the same; its tree may be gone.
            tracing::warn!(run = %self.row.id, %error, "run.json could not be written");
        }
        Ok(())
    }
}

/// Looks at a tree.
async fn see(tree: &Path) -> Result<TreeSeen> {
    let git = Git::at(tree);
    let status = git.status().await.map_err(Error::from)?.excluding(CAR_DIR);
    let hash = git.fingerprint(&status).await.map_err(Error::from)?;
    // The commit stands in front, so that the tree before a turn can be told later.
    let head = status.head.as_ref().map_or("unborn", |oid| oid.as_str());
    let fingerprint = format!("{head}:{hash}");
    let dirty = (!status.is_clean()).then(|| lines(&status));
    Ok(TreeSeen { status, fingerprint, dirty })
}

/// What became of an agent's dispatch and of the summary of its turn.
struct Archived {
    dispatch: DispatchFinding,
    created: Option<Created>,
    /// The highest number given.
    dispatch_seq: u32,
}

/// A dispatch that joined the history.
struct Created {
    seq: u32,
    mode: DispatchMode,
    title: Option<String>,
    body: String,
}

fn is_summary(entry: &dispatches::Entry) -> bool {
    entry.dispatch.as_ref().is_ok_and(|dispatch| dispatch.mode == DispatchMode::TurnSummary)
}

struct TicketRead {
    reading: Reading,
    /// The file, when its own checks were changed.
    weakened: Option<String>,
}

fn lines(status: &Status) -> String {
    let mut lines: Vec<String> = Vec::new();
    if let Some(operation) = status.op_in_progress {
        lines.push(format!("a {} is in progress", operation.name()));
    }
    if status.index_locked {
        lines.push(
            "index.lock is there: a git command is at work or was killed; if none runs, remove it"
                .to_owned(),
        );
    }
    lines.extend(status.entries.iter().map(|entry| {
        let word = match entry {
            car_git::Entry::Untracked { .. } => "untracked",
            car_git::Entry::Unmerged { .. } => "conflict",
            car_git::Entry::Changed { .. } | car_git::Entry::Renamed { .. } => "changed",
            car_git::Entry::Ignored { .. } => "ignored",
        };
        format!("{word}: {}", entry.path().display())
    }));
    let more = lines.len().saturating_sub(MAX_STATUS_LINES);
    lines.truncate(MAX_STATUS_LINES);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

/// The report's first line names the command, its second says how it ended; the rest is output.
fn verification_note(report: &str) -> VerificationNote {
    let mut parts = report.splitn(3, '\n');
    VerificationNote {
        command: parts.next().unwrap_or_default().to_owned(),
        outcome: parts.next().unwrap_or_default().to_owned(),
        tail: parts.next().unwrap_or_default().to_owned(),
    }
}
