//! A copy of somebody's repository that is read and never checked out.
//!
//! What the other side has is kept under names of its own (`refs/remote/`); one commit is held by
//! [`Mirror::pin`], so that it stays readable whatever the other side does to its branches.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::GitError;
use crate::layout::path_of;
use crate::network::{check_url, watch};
use crate::patch::read_patch;
use crate::progress::Progress;
use crate::worktree::check_branch_name;
use crate::{Git, Oid, Patch};

/// Bytes of a tree's listing that are read.
const LISTING: usize = 4 << 20;
/// Bytes of a difference that are read.
const DIFFERENCE: usize = 2 << 20;
/// The name that holds the pinned commit.
const PIN: &str = "refs/car/pin";

/// A repository without a working tree that is a copy of another.
#[derive(Debug, Clone)]
pub struct Mirror {
    git: Git,
}

/// How much a fetch may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes that may be received.
    pub bytes: u64,
    /// How long it may take.
    pub time: Duration,
}

/// One entry of a commit's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Where it is, as the tree has it.
    pub path: PathBuf,
    /// What it is.
    pub kind: TreeFileKind,
    /// The name of its content; of the commit for a submodule.
    pub oid: Oid,
    /// Bytes of its content; 0 for a submodule.
    pub size: u64,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeFileKind {
    /// A file.
    File,
    /// A symbolic link.
    Symlink,
    /// Another repository's commit.
    Submodule,
}

impl Mirror {
    /// The mirror at `path`, which need not be there yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { git: Git::bare(path) }
    }

    /// Takes the user's global configuration from this home directory instead of the process's own.
    #[must_use]
    pub fn with_home(self, home: impl Into<PathBuf>) -> Self {
        Self { git: self.git.with_home(home) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.git.path()
    }

    /// Makes it, empty, where it is not there yet.
    ///
    /// # Errors
    /// What git or the file system reports.
    pub async fn make(&self) -> Result<(), GitError> {
        let path = self.path();
        if path.join("HEAD").is_file() {
            return Ok(());
        }
        std::fs::create_dir_all(path)
            .map_err(GitError::io(format!("creating {}", path.display())))?;
        let args = ["init", "--quiet", "--bare", "--template=", "--initial-branch=none"];
        self.git.write(args).outside().run().await?;
        Ok(())
    }

    /// Fetches all branches and tags of `url`, with their history.
    ///
    /// # Errors
    /// [`GitError::Refused`] for an address git could be talked into executing something with, and
    /// for more bytes than allowed; [`GitError::Timeout`], [`GitError::Cancelled`]; what git reports.
    pub async fn fetch(
        &self,
        url: &str,
        limits: FetchLimits,
        mut progress: impl FnMut(Progress),
        cancel: CancellationToken,
    ) -> Result<(), GitError> {
        check_url(url)?;
        let args = [
            "fetch",
            "--progress",
            "--prune",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            "--upload-pack=git-upload-pack",
            "--",
            url,
            "+refs/heads/*:refs/remote/heads/*",
            "+refs/tags/*:refs/remote/tags/*",
        ];
        let stop = cancel.child_token();
        let mut call = self.git.network(args).cancelled_by(stop.clone());
        // One file that grows, with a counter beside it, instead of many small ones.
        call = call.set("fetch.unpackLimit", "1");
        call.limit_time(limits.time);
        let counting = watch(|step: Progress| {
            if step.received_bytes.is_some_and(|bytes| bytes > limits.bytes) {
                stop.cancel();
            }
            progress(step);
        });
        let fetched = call.run_watched(&[0], counting).await;
        let too_much = || {
            GitError::refused(format!(
                "the repository has more than {} MiB of history; name a smaller one",
                limits.bytes >> 20
            ))
        };
        match fetched {
            Err(GitError::Cancelled { .. }) if !cancel.is_cancelled() => return Err(too_much()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        if self.bytes() > limits.bytes {
            // What earlier fetches brought and nothing names any more.
            self.git.write(["gc", "--quiet", "--prune=now"]).run().await?;
        }
        // Also what arrived faster than git counts.
        if self.bytes() > limits.bytes { Err(too_much()) } else { Ok(()) }
    }

    /// Bytes of everything that was fetched.
    fn bytes(&self) -> u64 {
        let packs = std::fs::read_dir(self.path().join("objects/pack")).into_iter().flatten();
        packs.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
    }

    /// The commit of a branch, a tag, or a full commit name of what was fetched.
    ///
    /// # Errors
    /// What git reports. `None` where there is no such thing.
    pub async fn commit_of(&self, reference: &str) -> Result<Option<Oid>, GitError> {
        let mut names = Vec::new();
        if Oid::parse(reference).is_some() {
            names.push(reference.to_owned());
        }
        if check_branch_name(reference).is_ok() {
            names.push(format!("refs/remote/heads/{reference}"));
            names.push(format!("refs/remote/tags/{reference}"));
        }
        for name in names {
            if let Some(found) = self.git.resolve(&format!("{name}^{{commit}}")).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether `later` has `earlier` in its history.
    ///
    /// # Errors
    /// What git reports, for example an unknown commit.
    pub async fn follows(&self, later: &Oid, earlier: &Oid) -> Result<bool, GitError> {
        let args = ["merge-base", "--is-ancestor", earlier.as_str(), later.as_str()];
        Ok(self.git.read(args).run_accepting(&[0, 1]).await?.code == 0)
    }

    /// Holds a commit, in place of the one before.
    ///
    /// # Errors
    /// What git reports.
    pub async fn pin(&self, commit: &Oid) -> Result<(), GitError> {
        self.git.write(["update-ref", PIN, commit.as_str()]).run().await?;
        Ok(())
    }

    /// Everything in a commit's tree that is no directory.
    ///
    /// # Errors
    /// What git reports; [`GitError::TooMuchOutput`] for a tree of some ten thousand entries.
    pub async fn files(&self, commit: &Oid) -> Result<Vec<TreeFile>, GitError> {
        let args = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit.as_str()];
        let output = self.git.read(args).truncated_at(LISTING).run().await?;
        if output.truncated {
            return Err(GitError::refused(
                "the repository has more files than are looked through; name a smaller one",
            ));
        }
        parse_tree(&output.stdout).ok_or_else(|| {
            GitError::unreadable("git ls-tree", "an entry has another form than expected")
        })
    }

    /// The contents of these blobs, in their order.
    ///
    /// # Errors
    /// What git reports; [`GitError::TooMuchOutput`] for more than `limit` bytes.
    pub async fn blobs(&self, blobs: &[Oid], limit: usize) -> Result<Vec<Vec<u8>>, GitError> {
        if blobs.is_empty() {
            return Ok(Vec::new());
        }
        let names: String = blobs.iter().map(|oid| format!("{oid}\n")).collect();
        let call = self.git.read(["cat-file", "--batch"]).input(names.into_bytes());
        let output = call.truncated_at(limit + blobs.len() * 128).run().await?;
        parse_blobs(&output.stdout, blobs)
            .ok_or_else(|| GitError::unreadable("git cat-file", "a file is missing or too large"))
    }

    /// The difference between two texts; no lines when there is none.
    ///
    /// # Errors
    /// What git reports.
    pub async fn difference(&self, before: &[u8], after: &[u8]) -> Result<Patch, GitError> {
        let (before, after) = (self.keep(before).await?, self.keep(after).await?);
        let args = [
            "diff",
            "--patch",
            "--unified=3",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--text",
            before.as_str(),
            after.as_str(),
        ];
        let output = self.git.read(args).truncated_at(DIFFERENCE).run().await?;
        Ok(read_patch(&output.stdout, output.truncated).unwrap_or_default())
    }

    async fn keep(&self, bytes: &[u8]) -> Result<Oid, GitError> {
        let call = self.git.write(["hash-object", "-w", "--stdin", "--no-filters"]);
        let name = call.input(bytes.to_vec()).run().await?.text();
        Oid::parse(&name).ok_or_else(|| GitError::unreadable("git hash-object", name))
    }
}

/// Reads `git ls-tree -r -z -l`.
fn parse_tree(bytes: &[u8]) -> Option<Vec<TreeFile>> {
    let entries = bytes.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    entries.map(parse_entry).collect()
}

fn parse_entry(entry: &[u8]) -> Option<TreeFile> {
    let tab = entry.iter().position(|byte| *byte == b'\t')?;
    let (head, path) = (entry.get(..tab)?, entry.get(tab + 1..)?);
    let mut words = head.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (mode, _, oid, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let kind = match mode {
        b"120000" => TreeFileKind::Symlink,
        b"160000" => TreeFileKind::Submodule,
        _ => TreeFileKind::File,
    };
    Some(TreeFile {
        path: path_of(path),
        kind,
        oid: Oid::parse_bytes(oid)?,
        size: std::str::from_utf8(size).ok()?.parse().unwrap_or(0),
    })
}

/// Reads `git cat-file --batch`: of each a line `<name> <type> <size>`, the content, a line end.
fn parse_blobs(bytes: &[u8], wanted: &[Oid]) -> Option<Vec<Vec<u8>>> {
    let mut rest = bytes;
    let mut all = Vec::with_capacity(wanted.len());
    for oid in wanted {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(rest.get(..end)?).ok()?;
        let size =
            head.strip_prefix(oid.as_str())?.strip_prefix(" blob ")?.parse::<usize>().ok()?;
        rest = rest.get(end + 1..)?;
        all.push(rest.get(..size)?.to_vec());
        rest = rest.get(size + 1..)?;
    }
    Some(all)
}
