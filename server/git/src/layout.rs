//! Where a working tree keeps its repository, read from files: no process, nothing executed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::GitError;
use crate::{Git, oid::Oid};

/// Where the parts of a repository lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The root of the working tree.
    pub root: PathBuf,
    /// Holds HEAD and the index of this working tree.
    pub git_dir: PathBuf,
    /// Holds objects, branches and configuration; shared by all worktrees of a repository.
    pub common_dir: PathBuf,
    /// What sort of working tree this is.
    pub kind: LayoutKind,
}

/// What sort of working tree a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutKind {
    /// The repository lives in this directory's `.git`.
    Base,
    /// A linked worktree of another directory's repository.
    Linked {
        /// The main working tree; `None` when the repository is bare or lies elsewhere.
        main: Option<PathBuf>,
    },
    /// `.git` is a file that names a repository of its own: a submodule or `--separate-git-dir`.
    Separate,
}

/// An operation that was begun and is neither finished nor aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `git rebase`.
    Rebase,
    /// `git am`.
    ApplyMailbox,
    /// `git merge`.
    Merge,
    /// `git cherry-pick`.
    CherryPick,
    /// `git revert`.
    Revert,
    /// `git bisect`.
    Bisect,
}

impl Operation {
    /// The name of the git command, which also continues or aborts it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rebase => "rebase",
            Self::ApplyMailbox => "am",
            Self::Merge => "merge",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
            Self::Bisect => "bisect",
        }
    }
}

impl Git {
    /// Reads where the repository of this working tree lies. Starts no process.
    ///
    /// # Errors
    /// [`GitError::NotFound`], [`GitError::NotARepo`] (also for a directory *inside* a working
    /// tree: only roots are accepted), or a broken `.git` file.
    pub fn layout(&self) -> Result<Layout, GitError> {
        let root = self.path();
        if fs::symlink_metadata(root).is_err() {
            return Err(GitError::NotFound { path: root.to_owned() });
        }
        let not_a_repo = || GitError::NotARepo { path: root.to_owned() };
        let dot_git = root.join(".git");
        let meta = fs::metadata(&dot_git).map_err(|_| not_a_repo())?;
        if meta.is_dir() {
            let common = read_link_file(&dot_git.join("commondir"), &dot_git);
            return Ok(Layout {
                root: root.to_owned(),
                common_dir: common.unwrap_or_else(|| dot_git.clone()),
                git_dir: dot_git,
                kind: LayoutKind::Base,
            });
        }
        let text = small_file(&dot_git).ok_or_else(not_a_repo)?;
        let target = text.strip_prefix(b"gitdir:").ok_or_else(not_a_repo)?;
        let git_dir = normal(&root.join(path_of(target.trim_ascii())));
        if !git_dir.is_dir() {
            return Err(GitError::refused(format!(
                "{} points at {}, which is gone; run `git worktree repair` in the repository it belongs to",
                dot_git.display(),
                git_dir.display()
            )));
        }
        match read_link_file(&git_dir.join("commondir"), &git_dir) {
            Some(common_dir) => {
                let main = (common_dir.file_name().is_some_and(|n| n == ".git"))
                    .then(|| common_dir.parent().map(Path::to_owned))
                    .flatten();
                let kind = LayoutKind::Linked { main };
                Ok(Layout { root: root.to_owned(), git_dir, common_dir, kind })
            }
            None => Ok(Layout {
                root: root.to_owned(),
                common_dir: git_dir.clone(),
                git_dir,
                kind: LayoutKind::Separate,
            }),
        }
    }

    /// The directory that holds objects and branches. Starts no process.
    ///
    /// # Errors
    /// As [`Git::layout`].
    pub fn common_dir(&self) -> Result<PathBuf, GitError> {
        Ok(self.layout()?.common_dir)
    }

    /// The main working tree this one is linked to; `None` when it is no linked worktree, or when
    /// its repository has no main working tree (bare). Starts no process.
    ///
    /// # Errors
    /// As [`Git::layout`].
    pub fn main_worktree(&self) -> Result<Option<PathBuf>, GitError> {
        Ok(match self.layout()?.kind {
            LayoutKind::Linked { main } => main,
            LayoutKind::Base | LayoutKind::Separate => None,
        })
    }
}

impl Layout {
    /// The operation in progress, from the marker files git leaves (gitrepository-layout(5)).
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        let has = |name: &str| self.git_dir.join(name).exists();
        if has("rebase-merge") || (has("rebase-apply") && !has("rebase-apply/applying")) {
            Some(Operation::Rebase)
        } else if has("rebase-apply") {
            Some(Operation::ApplyMailbox)
        } else if has("MERGE_HEAD") {
            Some(Operation::Merge)
        } else if has("CHERRY_PICK_HEAD") {
            Some(Operation::CherryPick)
        } else if has("REVERT_HEAD") {
            Some(Operation::Revert)
        } else if has("sequencer/todo") {
            // Between two picks of a longer series neither head file exists.
            let todo = small_file(&self.git_dir.join("sequencer/todo")).unwrap_or_default();
            Some(if todo.starts_with(b"revert") {
                Operation::Revert
            } else {
                Operation::CherryPick
            })
        } else if has("BISECT_LOG") {
            Some(Operation::Bisect)
        } else {
            None
        }
    }

    /// The commit HEAD stands on, where one or two small files tell it.
    pub(crate) fn head_from_files(&self) -> Option<Oid> {
        let head = small_file(&self.git_dir.join("HEAD"))?;
        match head.trim_ascii().strip_prefix(b"ref: ") {
            None => Oid::parse_bytes(head.trim_ascii()),
            Some(name) if name.starts_with(b"refs/heads/") => {
                let file = small_file(&self.common_dir.join(path_of(name)))?;
                Oid::parse_bytes(file.trim_ascii())
            }
            Some(_) => None,
        }
    }

    /// Every object name mentioned by the state files of an operation in progress: commits that
    /// continuing or aborting it will need.
    pub(crate) fn operation_oids(&self) -> Vec<Oid> {
        const FILES: [&str; 18] = [
            "MERGE_HEAD",
            "CHERRY_PICK_HEAD",
            "REVERT_HEAD",
            "REBASE_HEAD",
            "ORIG_HEAD",
            "AUTO_MERGE",
            "MERGE_AUTOSTASH",
            "BISECT_LOG",
            "BISECT_EXPECTED_REV",
            "rebase-merge/orig-head",
            "rebase-merge/onto",
            "rebase-merge/stopped-sha",
            "rebase-merge/autostash",
            "rebase-merge/amend",
            "rebase-apply/orig-head",
            "rebase-apply/onto",
            "sequencer/head",
            "sequencer/abort-safety",
        ];
        if self.operation().is_none() {
            return Vec::new();
        }
        let mut oids: Vec<Oid> = FILES
            .iter()
            .filter_map(|name| small_file(&self.git_dir.join(name)))
            .flat_map(|text| {
                text.split(|b| !b.is_ascii_hexdigit())
                    .filter_map(Oid::parse_bytes)
                    .collect::<Vec<_>>()
            })
            .collect();
        oids.sort();
        oids.dedup();
        oids
    }
}

/// The files read here are one line long; anything bigger is not what it claims to be.
const SMALL: u64 = 1 << 20;

pub(crate) fn small_file(path: &Path) -> Option<Vec<u8>> {
    let meta = fs::metadata(path).ok()?;
    (meta.is_file() && meta.len() <= SMALL).then(|| fs::read(path).ok()).flatten()
}

fn read_link_file(file: &Path, relative_to: &Path) -> Option<PathBuf> {
    let text = small_file(file)?;
    Some(normal(&relative_to.join(path_of(text.trim_ascii()))))
}

pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

fn normal(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
