//! `git status` as data.

use std::path::{Path, PathBuf};

use crate::error::GitError;
use crate::layout::{Operation, path_of, small_file};
use crate::{Git, Oid};

/// The state of a working tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The branch HEAD names, also when it has no commit yet; `None` when detached.
    pub branch: Option<String>,
    /// The commit HEAD points at; `None` before the first commit.
    pub head: Option<Oid>,
    /// HEAD names a commit instead of a branch.
    pub detached: bool,
    /// The branch this one follows, such as `origin/main`.
    pub upstream: Option<String>,
    /// Commits the upstream does not have; `None` without a present upstream.
    pub ahead: Option<u32>,
    /// Commits only the upstream has.
    pub behind: Option<u32>,
    /// Everything that differs, untracked files one by one.
    pub entries: Vec<Entry>,
    /// An operation begun and not ended.
    pub op_in_progress: Option<Operation>,
    /// `index.lock` exists: a git command is writing, or one died.
    pub index_locked: bool,
}

/// One path that differs between HEAD, the index and the working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A tracked path.
    Changed {
        /// Relative to the root.
        path: PathBuf,
        /// Index against HEAD.
        staged: Change,
        /// Working tree against index.
        unstaged: Change,
        /// Present when the path is a submodule.
        submodule: Option<SubmoduleState>,
    },
    /// A rename or copy recorded in the index. [`Git::status`] asks for none; other output may.
    Renamed {
        /// The new path.
        path: PathBuf,
        /// The old path.
        from: PathBuf,
        /// Index against HEAD.
        staged: Change,
        /// Working tree against index.
        unstaged: Change,
    },
    /// A path with a merge conflict.
    Unmerged {
        /// Relative to the root.
        path: PathBuf,
    },
    /// Not tracked and not ignored. A trailing slash marks a nested repository.
    Untracked {
        /// Relative to the root.
        path: PathBuf,
    },
    /// Ignored; a directory is given once, with a trailing slash.
    Ignored {
        /// Relative to the root.
        path: PathBuf,
    },
}

/// How one side of a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// No difference.
    Unchanged,
    /// Other content or mode.
    Modified,
    /// File, symlink or submodule became another of these.
    TypeChanged,
    /// New.
    Added,
    /// Gone.
    Deleted,
    /// Moved here.
    Renamed,
    /// Copied here.
    Copied,
}

/// How a submodule differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubmoduleState {
    /// Its HEAD is another commit than recorded.
    pub commit_changed: bool,
    /// It has changed tracked files.
    pub modified: bool,
    /// It has untracked files.
    pub untracked: bool,
}

impl Entry {
    /// The path, relative to the root of the working tree.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Changed { path, .. }
            | Self::Renamed { path, .. }
            | Self::Unmerged { path }
            | Self::Untracked { path }
            | Self::Ignored { path } => path,
        }
    }

    /// Whether this is untracked content that is a repository of its own.
    #[must_use]
    pub fn is_nested_repo(&self) -> bool {
        matches!(self, Self::Untracked { path } if ends_with_slash(path))
    }
}

impl Status {
    /// Nothing staged, changed, conflicting or untracked. Ignored files do not count; an operation
    /// in progress does.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.op_in_progress.is_none()
            && self.entries.iter().all(|e| matches!(e, Entry::Ignored { .. }))
    }

    /// The same status without the paths under `prefix` (relative to the root).
    #[must_use]
    pub fn excluding(mut self, prefix: impl AsRef<Path>) -> Self {
        self.entries.retain(|e| !e.path().starts_with(prefix.as_ref()));
        self
    }

    /// HEAD names a branch that has no commit yet.
    #[must_use]
    pub fn is_unborn(&self) -> bool {
        self.head.is_none()
    }
}

impl Git {
    /// The state of the working tree, from one process (and one for each submodule in use).
    ///
    /// # Errors
    /// [`GitError::NotFound`], [`GitError::NotARepo`], and what git reports.
    pub async fn status(&self) -> Result<Status, GitError> {
        self.status_with("--ignored=no").await
    }

    /// As [`Git::status`], and ignored paths too; a wholly ignored directory is listed once.
    ///
    /// # Errors
    /// As [`Git::status`].
    pub async fn status_with_ignored(&self) -> Result<Status, GitError> {
        self.status_with("--ignored=matching").await
    }

    async fn status_with(&self, ignored: &str) -> Result<Status, GitError> {
        let layout = self.layout()?;
        let args = [
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=all",
            "--ahead-behind",
            "--no-renames",
            "--ignore-submodules=dirty",
            ignored,
        ];
        let output = self.read(args).run().await?;
        let mut status = parse_status(&output.stdout)
            .map_err(|what| GitError::unreadable("git status", what))?;
        status.op_in_progress = layout.operation();
        status.index_locked = layout.git_dir.join("index.lock").exists();
        for path in self.submodule_paths() {
            let below = self.beside(self.path().join(&path));
            // A submodule that cannot be asked must neither hide the state of everything else nor
            // pass for clean.
            let found = Box::pin(below.status()).await;
            let (modified, untracked) = found.map_or((true, false), |s| s.dirt());
            status.note_submodule(path, modified, untracked);
        }
        Ok(status)
    }

    /// Submodules of `.gitmodules` that are checked out. Starts no process.
    pub(crate) fn submodule_paths(&self) -> Vec<PathBuf> {
        let text = small_file(&self.path().join(".gitmodules")).unwrap_or_default();
        text.split(|b| *b == b'\n')
            .filter_map(|line| line.trim_ascii().strip_prefix(b"path"))
            .filter_map(|rest| rest.trim_ascii().strip_prefix(b"="))
            .map(|value| path_of(value.trim_ascii()))
            .filter(|path| {
                let inside =
                    path.components().all(|c| matches!(c, std::path::Component::Normal(_)));
                inside && self.path().join(path).join(".git").exists()
            })
            .collect()
    }
}

impl Status {
    /// Whether anything but untracked files differs, and whether there are untracked files.
    fn dirt(&self) -> (bool, bool) {
        let is_untracked = |e: &Entry| matches!(e, Entry::Untracked { .. });
        let modified = self.op_in_progress.is_some() || !self.entries.iter().all(is_untracked);
        (modified, self.entries.iter().any(is_untracked))
    }

    fn note_submodule(&mut self, at: PathBuf, modified: bool, untracked: bool) {
        if !untracked && !modified {
            return;
        }
        for entry in &mut self.entries {
            if let Entry::Changed { path, submodule: Some(state), .. } = entry
                && *path == at
            {
                (state.modified, state.untracked) = (modified, untracked);
                return;
            }
        }
        self.entries.push(Entry::Changed {
            path: at,
            staged: Change::Unchanged,
            unstaged: Change::Modified,
            submodule: Some(SubmoduleState { commit_changed: false, modified, untracked }),
        });
    }
}

/// Reads the output of `git status --porcelain=v2 --branch -z`; the format is described in
/// git-status(1), "Porcelain Format Version 2". Unknown header lines are skipped.
///
/// # Errors
/// A sentence about the first record that cannot be read.
pub fn parse_status(bytes: &[u8]) -> Result<Status, String> {
    let mut status = Status::default();
    let mut records = bytes.split(|b| *b == 0);
    while let Some(record) = records.next() {
        let bad = || format!("status record {:?}", String::from_utf8_lossy(record));
        match record {
            [] => {}
            [b'#', b' ', header @ ..] => read_header(header, &mut status),
            [b'1', b' ', rest @ ..] => {
                let (fields, path) = fields::<7>(rest).ok_or_else(bad)?;
                let (staged, unstaged) = changes(fields[0]).ok_or_else(bad)?;
                let submodule = submodule(fields[1]).ok_or_else(bad)?;
                status.entries.push(Entry::Changed {
                    path: path_of(path),
                    staged,
                    unstaged,
                    submodule,
                });
            }
            [b'2', b' ', rest @ ..] => {
                let (fields, path) = fields::<8>(rest).ok_or_else(bad)?;
                let (staged, unstaged) = changes(fields[0]).ok_or_else(bad)?;
                let from = path_of(records.next().ok_or_else(bad)?);
                status.entries.push(Entry::Renamed { path: path_of(path), from, staged, unstaged });
            }
            [b'u', b' ', rest @ ..] => {
                let (_, path) = fields::<9>(rest).ok_or_else(bad)?;
                status.entries.push(Entry::Unmerged { path: path_of(path) });
            }
            [b'?', b' ', path @ ..] => {
                status.entries.push(Entry::Untracked { path: path_of(path) })
            }
            [b'!', b' ', path @ ..] => status.entries.push(Entry::Ignored { path: path_of(path) }),
            _ => return Err(bad()),
        }
    }
    Ok(status)
}

fn read_header(header: &[u8], status: &mut Status) {
    let text = String::from_utf8_lossy(header);
    let Some((key, value)) = text.split_once(' ') else { return };
    match key {
        "branch.oid" => status.head = Oid::parse(value),
        "branch.head" if value == "(detached)" => status.detached = true,
        "branch.head" => status.branch = Some(value.to_owned()),
        "branch.upstream" => status.upstream = Some(value.to_owned()),
        "branch.ab" => {
            let mut counts = value.split(' ');
            status.ahead = counts.next().and_then(|n| n.strip_prefix('+')?.parse().ok());
            status.behind = counts.next().and_then(|n| n.strip_prefix('-')?.parse().ok());
        }
        _ => {}
    }
}

/// Splits off `N` space-separated fields; the rest is the path, which may hold spaces.
fn fields<const N: usize>(record: &[u8]) -> Option<([&[u8]; N], &[u8])> {
    let mut parts = record.splitn(N + 1, |b| *b == b' ');
    let mut fields = [[].as_slice(); N];
    for field in &mut fields {
        *field = parts.next()?;
    }
    let path = parts.next()?;
    (!path.is_empty()).then_some((fields, path))
}

fn changes(xy: &[u8]) -> Option<(Change, Change)> {
    match xy {
        [x, y] => Some((change(*x)?, change(*y)?)),
        _ => None,
    }
}

fn change(letter: u8) -> Option<Change> {
    Some(match letter {
        b'.' => Change::Unchanged,
        b'M' => Change::Modified,
        b'T' => Change::TypeChanged,
        b'A' => Change::Added,
        b'D' => Change::Deleted,
        b'R' => Change::Renamed,
        b'C' => Change::Copied,
        _ => return None,
    })
}

fn submodule(field: &[u8]) -> Option<Option<SubmoduleState>> {
    match field {
        [b'N', ..] => Some(None),
        [b'S', c, m, u] => Some(Some(SubmoduleState {
            commit_changed: *c == b'C',
            modified: *m == b'M',
            untracked: *u == b'U',
        })),
        _ => None,
    }
}

pub(crate) fn ends_with_slash(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().ends_with(b"/")
}

#[cfg(test)]
mod tests;
