//! What changed between a commit and the working tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::GitError;
use crate::fingerprint::read_up_to;
use crate::layout::path_of;
use crate::status::Entry;
use crate::{Git, Oid, Status};

/// How much changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiffStats {
    /// Number of paths.
    pub files_changed: u64,
    /// Lines added; binary files count none.
    pub insertions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// Each path, in git's order, untracked ones last.
    pub files: Vec<FileStat>,
}

/// How much one path changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// Relative to the root.
    pub path: PathBuf,
    /// Lines added; `None` for a binary file.
    pub insertions: Option<u64>,
    /// Lines removed; `None` for a binary file.
    pub deletions: Option<u64>,
    /// What happened to it.
    pub status: FileChange,
}

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// New since the base and tracked.
    Added,
    /// Other content or mode.
    Modified,
    /// Gone.
    Deleted,
    /// File, symlink or submodule became another of these.
    TypeChanged,
    /// In conflict.
    Unmerged,
    /// Not tracked.
    Untracked,
}

/// A diff as text, cut at a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffText {
    /// Unified diff of tracked files. Bytes that are not UTF-8 are replaced.
    pub text: String,
    /// There was more.
    pub truncated: bool,
}

/// With more paths than this, git is asked about the whole tree instead of each by name.
const NAMED: usize = 200;
/// Untracked files above this size are taken as binary instead of being read.
const READ: u64 = 8 << 20;

impl DiffStats {
    /// Reads `git diff --raw --numstat -z --no-renames`.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        Ok(Self { files: parse_raw_numstat(bytes)?, ..Self::default() }.summed())
    }

    fn summed(mut self) -> Self {
        self.files_changed = self.files.len() as u64;
        self.insertions = self.files.iter().filter_map(|f| f.insertions).sum();
        self.deletions = self.files.iter().filter_map(|f| f.deletions).sum();
        self
    }
}

impl Git {
    /// Counts what changed between `base` (HEAD when not given) and the working tree, untracked
    /// files included. One process, none when `status` is clean and stands on `base`.
    ///
    /// # Errors
    /// What git reports, for example an unknown base.
    pub async fn diff_stats(
        &self,
        base: Option<&Oid>,
        status: &Status,
    ) -> Result<DiffStats, GitError> {
        let base = base.or(status.head.as_ref());
        let mut stats = DiffStats::default();
        let tracked: Vec<&Path> = status
            .entries
            .iter()
            .filter(|e| !matches!(e, Entry::Untracked { .. } | Entry::Ignored { .. }))
            .map(Entry::path)
            .collect();
        if !tracked.is_empty() || base != status.head.as_ref() {
            // Looking at every file again would double what the status has cost already.
            let (to, only) = if tracked.is_empty() {
                (status.head.as_ref(), &[][..])
            } else if base == status.head.as_ref() && tracked.len() <= NAMED {
                (None, tracked.as_slice())
            } else {
                (None, &[][..])
            };
            let args = ["diff", "--raw", "--numstat", "-z", "--no-abbrev"];
            let call = self.diff_call(&args, base, to).await?;
            let output = only.iter().fold(call, |call, path| call.arg(path)).run().await?;
            stats.files = parse_raw_numstat(&output.stdout)
                .map_err(|what| GitError::unreadable("git diff --raw --numstat", what))?;
        }
        let root = self.path().to_owned();
        let untracked: Vec<PathBuf> = status
            .entries
            .iter()
            .filter(|e| matches!(e, Entry::Untracked { .. }))
            .map(|e| e.path().to_owned())
            .collect();
        if !untracked.is_empty() {
            let counted = tokio::task::spawn_blocking(move || {
                untracked.into_iter().map(|path| count_untracked(&root, path)).collect::<Vec<_>>()
            });
            let counted = counted
                .await
                .map_err(|e| GitError::unreadable("untracked files", e.to_string()))?;
            stats.files.extend(counted);
        }
        Ok(stats.summed())
    }

    /// The unified diff between `base` (HEAD when not given) and the tracked files of the working
    /// tree, at most `limit` bytes of it.
    ///
    /// # Errors
    /// What git reports.
    pub async fn diff_text(&self, base: Option<&Oid>, limit: usize) -> Result<DiffText, GitError> {
        let head;
        let base = match base {
            Some(base) => Some(base),
            None => {
                head = self.head().await?;
                head.as_ref()
            }
        };
        let args = ["diff", "--patch", "--src-prefix=a/", "--dst-prefix=b/"];
        let output = self.diff_call(&args, base, None).await?.truncated_at(limit).run().await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(DiffText { text, truncated: output.truncated })
    }

    /// Every path that differs from `base` in any way: committed since, staged, changed, untracked,
    /// or changed while marked to be overlooked (`assume-unchanged`, `skip-worktree`). Sorted.
    ///
    /// # Errors
    /// What git reports, for example an unknown base.
    pub async fn changed_paths(&self, base: &Oid) -> Result<Vec<PathBuf>, GitError> {
        let status = self.status().await?;
        // Entries differ from HEAD or the index even where they equal the base again.
        let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
        for entry in &status.entries {
            paths.insert(entry.path().to_owned());
            if let Entry::Renamed { from, .. } = entry {
                paths.insert(from.clone());
            }
        }
        if status.head.as_ref() != Some(base) {
            let args = ["diff", "--raw", "-z", "--no-abbrev"];
            let output = self.diff_call(&args, Some(base), None).await?.run().await?;
            let files = parse_raw_numstat(&output.stdout)
                .map_err(|what| GitError::unreadable("git diff --raw", what))?;
            paths.extend(files.into_iter().map(|f| f.path));
        }
        paths.extend(self.hidden_changes().await?);
        Ok(paths.into_iter().collect())
    }

    pub(crate) async fn diff_call(
        &self,
        args: &[&str],
        base: Option<&Oid>,
        to: Option<&Oid>,
    ) -> Result<crate::call::Call<'_>, GitError> {
        let base = match base {
            Some(base) => base.to_string(),
            None => self.empty_tree().await?,
        };
        let fixed = [
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-color",
            "--no-relative",
            "--ignore-submodules=dirty",
        ];
        let call = self.read(args.iter().chain(&fixed)).arg(base);
        Ok(to.map(Oid::as_str).into_iter().fold(call, |call, to| call.arg(to)).arg("--"))
    }

    async fn empty_tree(&self) -> Result<String, GitError> {
        Ok(self.read(["hash-object", "-t", "tree", "/dev/null"]).run().await?.text())
    }
}

/// Reads `git diff --raw --numstat -z --no-renames`: raw records start with `:`, counts do not.
fn parse_raw_numstat(bytes: &[u8]) -> Result<Vec<FileStat>, String> {
    let mut files: Vec<FileStat> = Vec::new();
    let mut next = 0;
    let mut records = bytes.split(|b| *b == 0);
    while let Some(record) = records.next() {
        let bad = || format!("record {:?}", String::from_utf8_lossy(record));
        match record {
            [] => {}
            [b':', ..] => {
                let letter =
                    record.split(|b| *b == b' ').nth(4).and_then(|f| f.first()).ok_or_else(bad)?;
                let path = path_of(records.next().filter(|p| !p.is_empty()).ok_or_else(bad)?);
                let status = file_change(*letter).ok_or_else(bad)?;
                let file = FileStat { path, insertions: Some(0), deletions: Some(0), status };
                // A conflicting path has a second record for the working tree's side.
                match files.last_mut() {
                    Some(last) if last.path == file.path => last.status = FileChange::Unmerged,
                    Some(_) | None => files.push(file),
                }
            }
            _ => {
                let mut parts = record.splitn(3, |b| *b == b'\t');
                let (Some(plus), Some(minus), Some(path)) =
                    (parts.next(), parts.next(), parts.next())
                else {
                    return Err(bad());
                };
                let path = path_of(path);
                // Counts come in the order of the raw records.
                let at = files.iter().skip(next).position(|f| f.path == path).map(|at| at + next);
                let Some(file) = at.and_then(|at| files.get_mut(at)) else { continue };
                next = at.unwrap_or(next);
                (file.insertions, file.deletions) = (count(plus), count(minus));
            }
        }
    }
    Ok(files)
}

fn count(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn file_change(letter: u8) -> Option<FileChange> {
    Some(match letter {
        b'A' => FileChange::Added,
        b'D' => FileChange::Deleted,
        b'M' => FileChange::Modified,
        b'T' => FileChange::TypeChanged,
        b'U' => FileChange::Unmerged,
        _ => return None,
    })
}

fn count_untracked(root: &Path, path: PathBuf) -> FileStat {
    let full = root.join(&path);
    let lines = match fs::symlink_metadata(&full) {
        Ok(meta) if meta.is_symlink() => Some(1),
        Ok(meta) if meta.is_file() && meta.len() <= READ => {
            read_up_to(&full, READ).ok().and_then(|bytes| count_lines(&bytes))
        }
        Ok(_) | Err(_) => None,
    };
    FileStat { path, insertions: lines, deletions: lines.map(|_| 0), status: FileChange::Untracked }
}

/// Lines as `git diff --numstat` counts them; `None` for binary, which git takes to be a NUL in the
/// first 8000 bytes.
fn count_lines(bytes: &[u8]) -> Option<u64> {
    if bytes.iter().take(8000).any(|b| *b == 0) {
        return None;
    }
    let ends = bytes.iter().filter(|b| **b == b'\n').count() as u64;
    let open = bytes.last().is_some_and(|b| *b != b'\n');
    Some(ends + u64::from(open))
}

#[cfg(test)]
mod tests;
