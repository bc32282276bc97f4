//! Finding repositories and worktrees on disk.
//!
//! The rules are CAR's: the immediate children of the repositories' directory and of the
//! worktrees' directory that contain `.git`. What a linked worktree belongs to is read from git's
//! own files, because a directory's name can mislead.

use crate::error::FileError;
use car_engine::manifest::split_worktree_name;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Discovery {
    /// Repositories and worktrees, in the order of their paths.
    pub found: Vec<Found>,
    /// Directories with a `.git` that were left out, and why.
    pub skipped: Vec<Skipped>,
}

/// A repository or worktree on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Relative to the hub root.
    pub path: PathBuf,
    /// What it is.
    pub kind: FoundKind,
    /// The branch that is checked out; `None` when detached or unreadable.
    pub branch: Option<String>,
}

/// What a directory with `.git` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundKind {
    /// A repository.
    Base,
    /// A worktree that git has linked to the repository at this path, relative to the hub root
    /// when it lies in it.
    Linked {
        /// The repository's directory.
        parent: PathBuf,
    },
    /// A directory among the worktrees that git does not link. The name suggests a repository,
    /// if it suggests anything.
    Unlinked {
        /// What stands before the first `--`.
        parent_name: Option<String>,
    },
}

/// A directory that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Relative to the hub root.
    pub path: PathBuf,
    /// Why, in a sentence.
    pub reason: String,
}

/// Looks for repositories below `repos_root` and `worktrees_root`, both inside `root`.
///
/// # Errors
/// [`FileError`] when `repos_root` cannot be read. A missing `worktrees_root` is no error.
pub fn discover(
    root: &Path,
    repos_root: &Path,
    worktrees_root: &Path,
) -> Result<Discovery, FileError> {
    let root = fs::canonicalize(root).map_err(|e| FileError::io(root, &e))?;
    let (repos_root, worktrees_root) = (root.join(repos_root), root.join(worktrees_root));
    let mut candidates = children(&repos_root)?;
    match children(&worktrees_root) {
        Ok(more) => candidates.extend(more),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    // Real directories come first, so that of a directory and a symlink to it the former counts.
    candidates.sort_by_key(|path| (path.is_symlink(), path.clone()));
    candidates.dedup();
    let mut discovery = Discovery::default();
    let mut seen = HashSet::new();
    for path in candidates {
        let relative = path.strip_prefix(&root).unwrap_or(&path).to_owned();
        match look(&root, &path, &worktrees_root, &mut seen) {
            Ok(None) => {}
            Ok(Some((kind, branch))) => {
                discovery.found.push(Found { path: relative, kind, branch });
            }
            Err(reason) => discovery.skipped.push(Skipped { path: relative, reason }),
        }
    }
    discovery.found.sort_by(|a, b| a.path.cmp(&b.path));
    discovery.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(discovery)
}

/// What a directory is; `None` when it has no `.git`, the reason when it is left out.
fn look(
    root: &Path,
    path: &Path,
    worktrees_root: &Path,
    seen: &mut HashSet<(u64, u64)>,
) -> Result<Option<(FoundKind, Option<String>)>, String> {
    if path.join(".git").symlink_metadata().is_err() {
        return Ok(None);
    }
    let real = fs::canonicalize(path).map_err(|e| format!("it cannot be read: {e}"))?;
    if !real.starts_with(root) {
        return Err("the symlink leads out of the hub root".to_owned());
    }
    let meta = fs::metadata(&real).map_err(|e| format!("it cannot be read: {e}"))?;
    if !seen.insert((meta.dev(), meta.ino())) {
        return Err("it is the same directory as another one".to_owned());
    }
    let git = GitDir::of(&real);
    let branch = git.as_ref().and_then(GitDir::branch);
    let kind = match git.and_then(|git| git.parent) {
        Some(parent) => {
            let parent = parent.strip_prefix(root).map(Path::to_owned).unwrap_or(parent);
            FoundKind::Linked { parent }
        }
        None if path.parent() == Some(worktrees_root) => {
            let name = path.file_name().map(OsStr::to_string_lossy);
            let split = name.as_deref().and_then(split_worktree_name);
            FoundKind::Unlinked { parent_name: split.map(|(base, _)| base.to_owned()) }
        }
        None => FoundKind::Base,
    };
    Ok(Some((kind, branch)))
}

/// Git's directory for a working tree.
struct GitDir {
    path: PathBuf,
    /// The repository's working tree, for a linked worktree.
    parent: Option<PathBuf>,
}

impl GitDir {
    fn of(tree: &Path) -> Option<Self> {
        let git = tree.join(".git");
        if git.is_dir() {
            return Some(Self { path: git, parent: None });
        }
        // A linked worktree, or a submodule, has a file "gitdir: <path>" instead.
        let text = small_text(&git)?;
        let path = fs::canonicalize(tree.join(text.strip_prefix("gitdir:")?.trim())).ok()?;
        // Only a linked worktree has this file; it leads to the repository's own directory.
        let parent = small_text(&path.join("commondir"))
            .and_then(|common| fs::canonicalize(path.join(common.trim())).ok())
            .and_then(|common| match common.file_name() {
                Some(name) if name == ".git" => common.parent().map(Path::to_owned),
                // A bare repository has no working tree; it is its own directory.
                Some(_) | None => Some(common),
            });
        Some(Self { path, parent })
    }

    fn branch(&self) -> Option<String> {
        let head = small_text(&self.path.join("HEAD"))?;
        Some(head.trim().strip_prefix("ref: refs/heads/")?.to_owned())
    }
}

/// A file of git, if it is a plain file of a few kilobytes.
fn small_text(path: &Path) -> Option<String> {
    let content =
        crate::beneath::read_file(path.parent()?, Path::new(path.file_name()?), 64 * 1024);
    String::from_utf8(content.ok()?.bytes).ok()
}

fn children(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    let fail = |e: std::io::Error| FileError::io(dir, &e);
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        paths.push(entry.map_err(fail)?.path());
    }
    Ok(paths)
}
