//! What the hub knows of its repos, worktrees and tickets without looking at the disk.
//!
//! Lists are answered from here. The watcher and the hub's own writes keep it current; the store
//! keeps what was read of each ticket file, so that a start reads only what has changed.

mod tree;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bytes::Bytes;
use car_api::{
    Page, PageQuery, RepoId,
    repo::{Repo, RepoKind, RepoStatus, RunBrief, TicketCounts},
    run::RunStatus,
    ticket::{Ticket, TicketState},
};
use car_engine::{flow::explain, manifest};
use car_store::{RunRow, TicketFileRow};

pub(crate) use tree::{Change, Read, Tree, issue, read_tree};

use crate::{Error, Reach, Result, cursor};

/// Entries a page when nothing else is asked for.
const PAGE: u32 = 100;
/// The largest page.
const MAX_PAGE: u32 = 500;
/// How much of answers is kept, in bytes.
const KEPT: usize = 4 << 20;

#[derive(Default)]
pub(crate) struct Index {
    root: PathBuf,
    state: RwLock<State>,
    /// Answers to list requests, as they go over the wire, and the generation they are true for.
    answers: Mutex<HashMap<ListKey, (u64, Bytes)>>,
}

#[derive(Default)]
struct State {
    generation: u64,
    trees: BTreeMap<RepoId, Tree>,
    issues: Vec<String>,
}

/// Which tickets are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// Only those that stand so.
    pub state: Option<TicketState>,
    /// Only those this agent, or `user`, works.
    pub agent: Option<String>,
    /// Only those whose title has this in it, whatever the case.
    pub title: Option<String>,
}

impl TicketFilter {
    fn takes(&self, ticket: &Ticket) -> bool {
        let title = self.title.as_ref().map(|part| part.to_lowercase());
        self.state.is_none_or(|state| ticket.state == state)
            && self.agent.as_ref().is_none_or(|agent| ticket.agent.as_ref() == Some(agent))
            && title.is_none_or(|part| ticket.title.to_lowercase().contains(&part))
    }
}

/// Which repos and worktrees are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RepoFilter {
    /// Only base repos, or only worktrees.
    pub kind: Option<RepoKind>,
    /// Only those that stand so.
    pub status: Option<RepoStatus>,
    /// Only worktrees of this one.
    pub base: Option<RepoId>,
    /// Only those whose latest run stands so.
    pub run: Option<RunStatus>,
}

impl RepoFilter {
    fn takes(&self, tree: &Tree) -> bool {
        self.kind.is_none_or(|kind| tree.kind() == kind)
            && self.status.is_none_or(|status| tree.standing() == status)
            && self.base.as_ref().is_none_or(|base| tree.worktree_of().as_ref() == Some(base))
            && self.run.is_none_or(|run| tree.run.as_ref().is_some_and(|r| r.status == run))
    }
}

/// A list whose answers are kept, and which of its pages.
#[derive(PartialEq, Eq, Hash)]
struct ListKey {
    list: List,
    after: Option<String>,
    limit: Option<u32>,
}

#[derive(PartialEq, Eq, Hash)]
enum List {
    Repos(RepoFilter),
    Tickets(RepoId),
}

impl Index {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, ..Self::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.generation += 1;
        state
    }

    /// How often anything in here has changed.
    pub(crate) fn generation(&self) -> u64 {
        self.read().generation
    }

    /// Takes over the manifest's entries; what is known of trees that stay is kept.
    pub(crate) fn set_manifest(&self, manifest: &manifest::Manifest) {
        let mut state = self.write();
        let mut old = std::mem::take(&mut state.trees);
        for entry in manifest.repos() {
            let Ok(id) = entry.id.parse::<RepoId>() else { continue };
            let mut tree = old.remove(&id).unwrap_or_default();
            tree.path = self.root.join(&entry.path);
            tree.entry = Some(entry.clone());
            state.trees.insert(id, tree);
        }
        state.issues = manifest
            .bad_entries()
            .map(|bad| format!("{} (line {}): {}", bad.label, bad.line, bad.message))
            .collect();
    }

    /// Takes over what an earlier process of the hub had read.
    pub(crate) fn set_files(&self, rows: Vec<TicketFileRow>) {
        let mut state = self.write();
        for row in rows {
            if let Some(tree) = state.trees.get_mut(&row.repo) {
                tree.take_row(row);
            }
        }
        for tree in state.trees.values_mut() {
            tree.check_clashes();
        }
    }

    /// What is wrong with the manifest's entries.
    pub(crate) fn issues(&self) -> Vec<String> {
        self.read().issues.clone()
    }

    /// The ids of all repos and worktrees.
    pub(crate) fn ids(&self) -> Vec<RepoId> {
        self.read().trees.keys().cloned().collect()
    }

    /// The directory of a repo or worktree.
    pub(crate) fn tree_path(&self, repo: &RepoId) -> Option<PathBuf> {
        self.read().trees.get(repo).map(|tree| tree.path.clone())
    }

    /// The manifest's entry of a repo or worktree.
    pub(crate) fn entry(&self, repo: &RepoId) -> Result<manifest::Repo> {
        let state = self.read();
        let tree = state.trees.get(repo).ok_or_else(|| no_repo(repo))?;
        tree.entry.clone().ok_or_else(|| no_repo(repo))
    }

    /// The set-up commands for worktrees of the base repo a tree belongs to.
    pub(crate) fn setup_commands(&self, repo: &RepoId) -> Vec<String> {
        let state = self.read();
        let entry = |id: &RepoId| state.trees.get(id).and_then(|tree| tree.entry.as_ref());
        let Some(own) = entry(repo) else { return Vec::new() };
        let base = match &own.kind {
            manifest::Kind::Base => Some(own),
            manifest::Kind::Worktree { of } => {
                of.as_ref().and_then(|of| of.parse().ok()).and_then(|of: RepoId| entry(&of))
            }
        };
        base.map(|base| base.setup_commands.clone()).unwrap_or_default()
    }

    /// What is known of a tree's files, to read only what has changed.
    pub(crate) fn known(&self, repo: &RepoId) -> Option<Tree> {
        self.read().trees.get(repo).cloned()
    }

    /// Takes over what was read of a tree. Gives what has changed in its tickets.
    pub(crate) fn set_tree(&self, repo: &RepoId, read: Read) -> Vec<Change> {
        let current = self.read().trees.get(repo).is_some_and(|tree| tree.same(&read));
        if current {
            return Vec::new();
        }
        let mut state = self.write();
        state.trees.get_mut(repo).map(|tree| tree.take(repo, read)).unwrap_or_default()
    }

    /// The latest run of a repo.
    pub(crate) fn set_run(&self, row: &RunRow) {
        let brief = RunBrief {
            id: row.id.clone(),
            status: row.flow.state.status(),
            explain: explain(&row.flow, None).line,
        };
        let same =
            self.read().trees.get(&row.repo).is_none_or(|tree| tree.run.as_ref() == Some(&brief));
        if same {
            return;
        }
        if let Some(tree) = self.write().trees.get_mut(&row.repo) {
            // A run that came later is not covered by news of an earlier one.
            if tree.run.as_ref().is_none_or(|run| run.id <= brief.id) {
                tree.run = Some(brief);
            }
        }
    }

    /// One repo or worktree.
    pub(crate) fn repo(&self, repo: &RepoId) -> Result<Repo> {
        let state = self.read();
        state.trees.get(repo).map(|tree| tree.repo(repo)).ok_or_else(|| no_repo(repo))
    }

    /// A page of repos and worktrees, by id.
    pub(crate) fn repos(
        &self,
        filter: &RepoFilter,
        page: &PageQuery,
        reach: &Reach,
    ) -> Result<Page<Repo>> {
        let limit = limit(page)?;
        let state = self.read();
        let after: Option<RepoId> = cursor::read(page)?;
        let all = state
            .trees
            .iter()
            .filter(|(id, _)| after.as_ref().is_none_or(|after| *id > after))
            .filter(|(id, tree)| reach.holds(id, tree.worktree_of().as_ref()))
            .filter(|(_, tree)| filter.takes(tree));
        let items: Vec<Repo> = all.take(limit + 1).map(|(id, tree)| tree.repo(id)).collect();
        Ok(cut(items, limit, |repo| repo.id.to_string()))
    }

    /// The same as it goes over the wire; made once for each state of the index.
    /// With the number of that state.
    pub(crate) fn repos_json(&self, filter: RepoFilter, page: &PageQuery) -> Result<(u64, Bytes)> {
        let make = || self.repos(&filter, page, &Reach::Hub);
        self.kept(List::Repos(filter.clone()), page, make)
    }

    /// All of a repo's tickets in the same way.
    pub(crate) fn tickets_json(&self, repo: &RepoId, page: &PageQuery) -> Result<(u64, Bytes)> {
        let make = || self.tickets(repo, &TicketFilter::default(), page);
        self.kept(List::Tickets(repo.clone()), page, make)
    }

    fn kept<T: serde::Serialize>(
        &self,
        list: List,
        page: &PageQuery,
        make: impl FnOnce() -> Result<Page<T>>,
    ) -> Result<(u64, Bytes)> {
        let generation = self.read().generation;
        let key = ListKey { list, after: page.after.clone(), limit: page.limit };
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_for, bytes)) = answers.get(&key)
            && *made_for == generation
        {
            return Ok((generation, bytes.clone()));
        }
        let bytes = Bytes::from(serde_json::to_vec(&make()?).map_err(Error::internal)?);
        // Only answers for the present state are worth keeping.
        answers.retain(|_, (made_for, _)| *made_for == generation);
        if answers.values().map(|(_, kept)| kept.len()).sum::<usize>() + bytes.len() > KEPT {
            answers.clear();
        }
        answers.insert(key, (generation, bytes.clone()));
        Ok((generation, bytes))
    }

    /// The base repo of a worktree.
    pub(crate) fn base_of(&self, repo: &RepoId) -> Option<RepoId> {
        self.read().trees.get(repo)?.worktree_of()
    }

    /// How many base repos, worktrees and tickets a credential reaches.
    pub(crate) fn totals(&self, reach: &Reach) -> (u64, u64, TicketCounts) {
        let state = self.read();
        let (mut repos, mut worktrees, mut tickets) = (0, 0, TicketCounts::default());
        for (id, tree) in &state.trees {
            if !reach.holds(id, tree.worktree_of().as_ref()) {
                continue;
            }
            match tree.kind() {
                RepoKind::Base => repos += 1,
                RepoKind::Worktree => worktrees += 1,
            }
            let own = tree.counts();
            tickets.total += own.total;
            tickets.done += own.done;
            tickets.invalid += own.invalid;
        }
        (repos, worktrees, tickets)
    }

    /// How many tickets a repo has.
    pub(crate) fn counts(&self, repo: &RepoId) -> TicketCounts {
        self.read().trees.get(repo).map(Tree::counts).unwrap_or_default()
    }

    /// A page of a repo's tickets, in the order of the queue.
    pub(crate) fn tickets(
        &self,
        repo: &RepoId,
        filter: &TicketFilter,
        page: &PageQuery,
    ) -> Result<Page<Ticket>> {
        let limit = limit(page)?;
        let after: Option<String> = cursor::read(page)?;
        let all = self.read();
        let tree = all.trees.get(repo).ok_or_else(|| no_repo(repo))?;
        let tickets = tree.tickets_after(after.as_deref());
        let wanted = tickets.filter(|ticket| filter.takes(ticket));
        let items: Vec<Ticket> = wanted.take(limit + 1).cloned().collect();
        Ok(cut(items, limit, tree::cursor))
    }

    /// A page of all tickets of the hub, by repo and queue.
    pub(crate) fn all_tickets(
        &self,
        filter: &TicketFilter,
        page: &PageQuery,
        reach: &Reach,
    ) -> Result<Page<Ticket>> {
        let limit = limit(page)?;
        let after: Option<String> = cursor::read(page)?;
        let all = self.read();
        let (after_repo, after_ticket) = match after.as_deref().map(|a| a.split_once('|')) {
            Some(Some((repo, ticket))) => (Some(repo), Some(ticket)),
            Some(None) => return Err(cursor::unknown()),
            None => (None, None),
        };
        let trees = all
            .trees
            .iter()
            .filter(|(id, _)| after_repo.is_none_or(|after| id.as_str() >= after))
            .filter(|(id, tree)| reach.holds(id, tree.worktree_of().as_ref()));
        let tickets = trees.flat_map(|(id, tree)| {
            tree.tickets_after(after_ticket.filter(|_| after_repo == Some(id.as_str())))
        });
        let wanted = tickets.filter(|ticket| filter.takes(ticket));
        let items: Vec<Ticket> = wanted.take(limit + 1).cloned().collect();
        Ok(cut(items, limit, |ticket| format!("{}|{}", ticket.repo, tree::cursor(ticket))))
    }

    /// A ticket by its number or id.
    pub(crate) fn ticket(&self, repo: &RepoId, key: &str) -> Result<Ticket> {
        let state = self.read();
        let tree = state.trees.get(repo).ok_or_else(|| no_repo(repo))?;
        let number = key.parse::<u64>().ok();
        let mut found = tree.tickets_after(None).filter(|ticket| {
            ticket.id.as_str() == key
                || ticket.file == key
                || number.is_some_and(|n| ticket.number == Some(n))
        });
        let Some(ticket) = found.next() else {
            return Err(Error::not_found(format!("ticket `{key}` in {repo}")));
        };
        if let Some(other) = found.next() {
            let detail =
                format!("`{key}` is both {} and {}; name the file.", ticket.file, other.file);
            return Err(Error::new(car_api::Code::TicketsInvalid, detail));
        }
        Ok(ticket.clone())
    }
}

fn no_repo(repo: &RepoId) -> Error {
    Error::not_found(format!("repo `{repo}` in this hub; `car hub repos` lists them"))
}

/// The page size asked for.
pub(crate) fn limit(page: &PageQuery) -> Result<usize> {
    match page.limit.unwrap_or(PAGE) {
        limit @ 1..=MAX_PAGE => Ok(usize::try_from(limit).unwrap_or(1)),
        other => Err(Error::bad_request(format!("`limit` is 1 to {MAX_PAGE}, not {other}."))),
    }
}

/// How many entries are read for a page of that size: one more tells whether another page follows.
pub(crate) fn more(limit: usize) -> u32 {
    u32::try_from(limit + 1).unwrap_or(u32::MAX)
}

/// A page of a list that is there as a whole, in the order of its keys.
pub(crate) fn page_of<T, K: Ord + std::str::FromStr + ToString>(
    all: impl IntoIterator<Item = T>,
    page: &PageQuery,
    key: impl Fn(&T) -> K,
) -> Result<Page<T>> {
    let limit = limit(page)?;
    let after: Option<K> = cursor::read(page)?;
    let rest = all.into_iter().filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
    Ok(cut(rest.take(limit + 1).collect(), limit, |item| key(item).to_string()))
}

/// Cuts a list that was read one entry too far.
pub(crate) fn cut<T>(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| cursor::seal(&cursor(last)));
    Page { items, next }
}

/// Whether a directory has what a repo of the hub has.
pub(crate) fn status_of(path: &Path) -> RepoStatus {
    if !path.is_dir() {
        RepoStatus::Missing
    } else if path.join(car_files::CAR_DIR).join(car_files::tickets::TICKETS_DIR).is_dir() {
        RepoStatus::Ready
    } else {
        RepoStatus::Uninitialized
    }
}
