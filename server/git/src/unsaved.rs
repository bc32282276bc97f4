//! What a working tree or repository holds that exists nowhere else.

mod commits;
mod index;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::index::IndexEntry;
use crate::error::GitError;
use crate::layout::{Layout, path_of, small_file};
use crate::status::{Change, Entry, ends_with_slash};
use crate::{Git, LayoutKind, Oid, Patterns, Status};

/// What is about to be removed; decides what counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// A linked worktree; its branch stays in the repository.
    Worktree,
    /// A linked worktree and its branch.
    WorktreeAndBranch,
    /// A whole repository with everything in it.
    Repo,
}

/// A kind of work that can be lost. Its name is what a caller gives to drop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnsavedKind {
    /// Changes added to the index.
    Staged,
    /// Changes of tracked files that are not added.
    Unstaged,
    /// Unsolved conflicts.
    Conflict,
    /// Untracked files.
    Untracked,
    /// Untracked repositories inside this one.
    NestedRepo,
    /// Ignored files that are not regenerable.
    Ignored,
    /// Changes of files git was told to overlook.
    Hidden,
    /// Stash entries.
    Stash,
    /// Commits of a branch.
    Unpushed,
    /// Commits of a detached HEAD.
    Detached,
    /// Commits of tags, notes and other refs.
    OtherRef,
    /// A rebase, merge or the like in progress.
    Operation,
    /// Changes or commits in submodules.
    Submodule,
    /// Worktrees linked to this repository.
    LinkedWorktree,
}

impl UnsavedKind {
    /// Every kind, in the order they are reported.
    pub const ALL: [Self; 14] = [
        Self::Staged,
        Self::Unstaged,
        Self::Conflict,
        Self::Untracked,
        Self::NestedRepo,
        Self::Ignored,
        Self::Hidden,
        Self::Stash,
        Self::Unpushed,
        Self::Detached,
        Self::OtherRef,
        Self::Operation,
        Self::Submodule,
        Self::LinkedWorktree,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Unstaged => "unstaged",
            Self::Conflict => "conflict",
            Self::Untracked => "untracked",
            Self::NestedRepo => "nested-repo",
            Self::Ignored => "ignored",
            Self::Hidden => "hidden",
            Self::Stash => "stash",
            Self::Unpushed => "unpushed",
            Self::Detached => "detached",
            Self::OtherRef => "other-ref",
            Self::Operation => "operation",
            Self::Submodule => "submodule",
            Self::LinkedWorktree => "linked-worktree",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// One kind of work that would be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsaved {
    /// What it is.
    pub kind: UnsavedKind,
    /// A line for people, with the count.
    pub line: String,
    /// How many paths, commits or entries.
    pub count: usize,
    /// The first few of them.
    pub sample: Vec<String>,
}

/// How many names a sample holds.
const SAMPLE: usize = 10;
/// Commits are counted up to here.
const COMMITS: usize = 1000;

/// Everything known about what would be lost; [`Unsaved`] is its summary, salvage its reader.
#[derive(Debug)]
pub(crate) struct Inventory {
    pub(crate) layout: Layout,
    pub(crate) removal: Removal,
    pub(crate) status: Status,
    /// The branch that belongs to the tree, also while a rebase has it detached.
    pub(crate) branch: Option<String>,
    pub(crate) branch_oid: Option<Oid>,
    pub(crate) staged_blobs: Vec<Oid>,
    pub(crate) hidden: Vec<PathBuf>,
    pub(crate) ignored: Vec<PathBuf>,
    pub(crate) stashes: Vec<(Oid, String)>,
    pub(crate) submodules: Vec<(PathBuf, Vec<Unsaved>)>,
    unpushed: Vec<String>,
    detached: Vec<String>,
    other_refs: Vec<String>,
    linked: Vec<PathBuf>,
}

impl Git {
    /// Everything that `removal` of this working tree would destroy and that exists nowhere else.
    /// Empty means it can go.
    ///
    /// Ignored paths that match `regenerable` do not count. For a whole repository, a commit counts
    /// as saved when a remote-tracking branch of a configured remote has it, unless that remote is a
    /// local path that is gone.
    ///
    /// # Errors
    /// [`GitError::Refused`] when `removal` does not fit: only linked worktrees are worktrees, only
    /// others are repositories. What git reports.
    pub async fn unsaved(
        &self,
        removal: Removal,
        regenerable: &Patterns,
    ) -> Result<Vec<Unsaved>, GitError> {
        Ok(self.inventory(removal, regenerable).await?.summary())
    }

    pub(crate) async fn inventory(
        &self,
        removal: Removal,
        regenerable: &Patterns,
    ) -> Result<Inventory, GitError> {
        let layout = self.layout()?;
        match (&layout.kind, removal) {
            (LayoutKind::Linked { .. }, Removal::Worktree | Removal::WorktreeAndBranch)
            | (LayoutKind::Base | LayoutKind::Separate, Removal::Repo) => {}
            (LayoutKind::Linked { .. }, Removal::Repo) => {
                return Err(GitError::refused(format!(
                    "{} is a linked worktree; remove it as one",
                    layout.root.display()
                )));
            }
            (
                LayoutKind::Base | LayoutKind::Separate,
                Removal::Worktree | Removal::WorktreeAndBranch,
            ) => {
                return Err(GitError::refused(format!(
                    "{} is a repository of its own, not a linked worktree",
                    layout.root.display()
                )));
            }
        }
        let mut status = self.status_with_ignored().await?;
        let ignored = split_ignored(&layout.root, &mut status, regenerable);
        let index = self.index_entries().await?;
        let branch = status.branch.clone().or_else(|| rebased_branch(&layout));
        let branch_oid = match &branch {
            Some(name) => self.resolve(&format!("refs/heads/{name}^{{commit}}")).await?,
            None => None,
        };
        let mut found = Inventory {
            removal,
            branch,
            branch_oid,
            staged_blobs: self.staged_blobs(&index, &status).await?,
            hidden: self.hidden_among(&index, &layout).await?,
            ignored,
            stashes: Vec::new(),
            submodules: self.unsaved_submodules(&index, regenerable).await?,
            unpushed: Vec::new(),
            detached: Vec::new(),
            other_refs: Vec::new(),
            linked: Vec::new(),
            layout,
            status,
        };
        self.find_commits(&mut found).await?;
        Ok(found)
    }

    async fn unsaved_submodules(
        &self,
        index: &[IndexEntry],
        regenerable: &Patterns,
    ) -> Result<Vec<(PathBuf, Vec<Unsaved>)>, GitError> {
        let mut all = Vec::new();
        for entry in index.iter().filter(|e| e.is_submodule()) {
            let path = path_of(&entry.path);
            let below = self.beside(self.path().join(&path));
            if !below.path().join(".git").exists() {
                continue;
            }
            let unsaved = Box::pin(below.unsaved(Removal::Repo, regenerable)).await?;
            if !unsaved.is_empty() {
                all.push((path, unsaved));
            }
        }
        Ok(all)
    }
}

impl Inventory {
    pub(crate) fn summary(&self) -> Vec<Unsaved> {
        let changed = |want: fn(Change, Change) -> bool| {
            let paths = self.status.entries.iter().filter(move |e| match e {
                // What differs inside a submodule is the submodule's own to report.
                Entry::Changed { staged, unstaged, submodule, .. } => {
                    submodule.is_none_or(|s| s.commit_changed || *staged != Change::Unchanged)
                        && want(*staged, *unstaged)
                }
                Entry::Renamed { staged, unstaged, .. } => want(*staged, *unstaged),
                Entry::Unmerged { .. } | Entry::Untracked { .. } | Entry::Ignored { .. } => false,
            });
            paths.map(|e| shown(e.path())).collect::<Vec<_>>()
        };
        let of = |want: fn(&Entry) -> bool| {
            self.status
                .entries
                .iter()
                .filter(|e| want(e))
                .map(|e| shown(e.path()))
                .collect::<Vec<_>>()
        };
        let paths = |list: &[PathBuf]| list.iter().map(|p| shown(p)).collect::<Vec<_>>();
        let submodules = self.submodules.iter().map(|(path, what)| {
            let lines: Vec<&str> = what.iter().map(|u| u.line.as_str()).collect();
            format!("{}: {}", shown(path), lines.join(", "))
        });
        let operation = self.status.op_in_progress.map(|o| o.name().to_owned());
        let stashes = self.stashes.iter().map(|(_, line)| line.clone());
        UnsavedKind::ALL
            .into_iter()
            .map(|kind| match kind {
                UnsavedKind::Staged => (
                    kind,
                    "path(s) staged but not committed",
                    changed(|s, _| s != Change::Unchanged),
                ),
                UnsavedKind::Unstaged => {
                    (kind, "path(s) changed but not staged", changed(|_, u| u != Change::Unchanged))
                }
                UnsavedKind::Conflict => {
                    (kind, "path(s) in conflict", of(|e| matches!(e, Entry::Unmerged { .. })))
                }
                UnsavedKind::Untracked => (
                    kind,
                    "untracked file(s)",
                    of(|e| matches!(e, Entry::Untracked { .. }) && !e.is_nested_repo()),
                ),
                UnsavedKind::NestedRepo => {
                    (kind, "untracked repositor(ies) inside", of(Entry::is_nested_repo))
                }
                UnsavedKind::Ignored => {
                    (kind, "ignored file(s) that cannot be made again", paths(&self.ignored))
                }
                UnsavedKind::Hidden => {
                    (kind, "file(s) changed while marked to be overlooked", paths(&self.hidden))
                }
                UnsavedKind::Stash => (kind, "stash entr(ies)", stashes.clone().collect()),
                UnsavedKind::Unpushed => {
                    (kind, "commit(s) on no other branch", self.unpushed.clone())
                }
                UnsavedKind::Detached => {
                    (kind, "commit(s) on no branch at all", self.detached.clone())
                }
                UnsavedKind::OtherRef => {
                    (kind, "commit(s) only tags, notes or other refs have", self.other_refs.clone())
                }
                UnsavedKind::Operation => {
                    (kind, "operation in progress", operation.clone().into_iter().collect())
                }
                UnsavedKind::Submodule => {
                    (kind, "submodule(s) with work of their own", submodules.clone().collect())
                }
                UnsavedKind::LinkedWorktree => (kind, "linked worktree(s)", paths(&self.linked)),
            })
            .filter(|(_, _, items)| !items.is_empty())
            .map(|(kind, what, items)| {
                let count = items.len();
                let more =
                    if kind_counts_commits(kind) && count >= COMMITS { "at least " } else { "" };
                let first = items.first().map_or("", String::as_str);
                let rest = if count > 1 { ", …" } else { "" };
                let line = format!("{more}{count} {what} ({first}{rest})");
                Unsaved { kind, line, count, sample: items.into_iter().take(SAMPLE).collect() }
            })
            .collect()
    }
}

fn kind_counts_commits(kind: UnsavedKind) -> bool {
    matches!(kind, UnsavedKind::Unpushed | UnsavedKind::Detached | UnsavedKind::OtherRef)
}

/// Takes the ignored entries out of the status and returns those that count, with wholly ignored
/// directories searched for regenerable parts.
fn split_ignored(root: &Path, status: &mut Status, regenerable: &Patterns) -> Vec<PathBuf> {
    let mut ignored = Vec::new();
    status.entries.retain(|entry| {
        let Entry::Ignored { path } = entry else { return true };
        if regenerable.matches(path) {
        } else if ends_with_slash(path) {
            walk(root, path, regenerable, &mut ignored);
        } else {
            ignored.push(path.clone());
        }
        false
    });
    ignored.sort();
    ignored
}

/// Every file below `dir`. A directory that cannot be read stands for itself, so that what it
/// holds is not taken for nothing.
pub(crate) fn walk(root: &Path, dir: &Path, skip: &Patterns, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(root.join(dir)) else {
        into.push(dir.to_owned());
        return;
    };
    for entry in entries.flatten() {
        let path = dir.join(entry.file_name());
        if skip.matches(&path) {
            continue;
        }
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            walk(root, &path, skip, into);
        } else {
            into.push(path);
        }
    }
}

fn rebased_branch(layout: &Layout) -> Option<String> {
    let name = ["rebase-merge/head-name", "rebase-apply/head-name"]
        .into_iter()
        .find_map(|file| small_file(&layout.git_dir.join(file)))?;
    let name = String::from_utf8_lossy(&name).trim().to_owned();
    name.strip_prefix("refs/heads/").map(str::to_owned)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
