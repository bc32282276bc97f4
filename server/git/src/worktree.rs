//! Linked worktrees: list, add, remove, and temporary checkouts of one commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::call::{HALF_MADE, LOOK, met_half_a_worktree};
use crate::error::GitError;
use crate::layout::{path_of, small_file};
use crate::{Git, LayoutKind, Oid};

/// One working tree of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Worktree {
    /// Its root.
    pub path: PathBuf,
    /// The commit it stands on; `None` before the first commit and for a bare repository.
    pub head: Option<Oid>,
    /// The branch checked out, without `refs/heads/`.
    pub branch: Option<String>,
    /// HEAD names a commit instead of a branch.
    pub detached: bool,
    /// The repository has no main working tree; this entry is its directory.
    pub bare: bool,
    /// Protected against removal; the text is the reason given, perhaps empty.
    pub locked: Option<String>,
    /// Its directory is gone or unusable; the text says why.
    pub prunable: Option<String>,
}

/// Where a new branch starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartPoint {
    /// `origin/<default branch>` after trying to fetch it, else HEAD.
    Default,
    /// This revision.
    Rev(String),
}

/// A worktree that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The branch is new; otherwise an existing one was checked out.
    pub created_branch: bool,
    /// The commit it stands on.
    pub start_oid: Oid,
    /// Something the caller should show, such as an unreachable remote.
    pub note: Option<String>,
}

/// What pruning did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Forgotten: their directories were gone and nothing was lost.
    pub pruned: Vec<PathBuf>,
    /// Kept, with the reason.
    pub kept: Vec<(PathBuf, String)>,
}

impl Git {
    /// All working trees of this repository, the main one first.
    ///
    /// # Errors
    /// What git reports.
    pub async fn worktree_list(&self) -> Result<Vec<Worktree>, GitError> {
        let output = self.read(["worktree", "list", "--porcelain", "-z"]).run().await?;
        Ok(parse_worktrees(&output.stdout))
    }

    /// Makes a worktree of this repository at `path` with `branch` checked out.
    ///
    /// An existing branch is taken when it is checked out nowhere else and points at the requested
    /// start, or no start was requested. Otherwise the branch is created without an upstream. No
    /// hook or filter runs.
    ///
    /// # Errors
    /// [`GitError::Refused`] with the way forward: a bad branch name, a path in use, a branch
    /// checked out elsewhere or standing elsewhere, no commit to start from; and what git reports.
    pub async fn worktree_add(
        &self,
        path: &Path,
        branch: &str,
        start: &StartPoint,
    ) -> Result<Added, GitError> {
        self.worktree_add_until(path, branch, start, CancellationToken::new()).await
    }

    /// The same, given up when `cancel` says so: what was made is removed again.
    ///
    /// # Errors
    /// As [`Git::worktree_add`]; [`GitError::Cancelled`].
    pub async fn worktree_add_until(
        &self,
        path: &Path,
        branch: &str,
        start: &StartPoint,
        cancel: CancellationToken,
    ) -> Result<Added, GitError> {
        check_branch_name(branch)?;
        check_free(path)?;
        let refs = self.branch_facts(branch).await?;
        if let Some(elsewhere) = refs.checked_out_at {
            return Err(GitError::refused(format!(
                "branch `{branch}` is checked out at {}; use that worktree, remove it, or choose another branch",
                elsewhere.display()
            )));
        }
        let (start_oid, note) = match (&refs.oid, start) {
            (Some(oid), StartPoint::Default) => (oid.clone(), None),
            (existing, StartPoint::Rev(rev)) => {
                let wanted = self.rev_parse(&format!("{rev}^{{commit}}")).await?;
                match existing {
                    Some(oid) if *oid != wanted => {
                        return Err(GitError::refused(format!(
                            "branch `{branch}` exists at {} but `{rev}` is {}; leave out the start point to use the branch as it is, or choose another name",
                            oid.short(),
                            wanted.short()
                        )));
                    }
                    Some(_) | None => (wanted, None),
                }
            }
            (None, StartPoint::Default) => self.default_start(refs.origin_head).await?,
        };
        let created_branch = refs.oid.is_none();
        let begun = Instant::now();
        loop {
            let made_dir = check_free(path)?;
            let mut add = self.checkout_call(&["worktree", "add", "--quiet"]);
            if created_branch {
                add = add.arg("--no-track").arg("-b").arg(branch).arg("--");
                add = add.arg(path).arg(start_oid.as_str());
            } else {
                add = add.arg("--").arg(path).arg(branch);
            }
            // Once: the branch may be there already when git gives up.
            let Err(error) = add.cancelled_by(cancel.clone()).once().run().await else { break };
            self.undo_add(path, made_dir, created_branch.then_some((branch, &start_oid))).await;
            let half =
                matches!(&error, GitError::Failed { stderr, .. } if met_half_a_worktree(stderr));
            if !half || begun.elapsed() > HALF_MADE {
                return Err(error);
            }
            tokio::time::sleep(LOOK).await;
        }
        let note = match (note, self.beside(path).filters_left_out().await?) {
            (Some(note), Some(filters)) => Some(format!("{note}; {filters}")),
            (note, filters) => note.or(filters),
        };
        Ok(Added { created_branch, start_oid, note })
    }

    /// Checks out `commit` into the new directory `dest`, detached: a tree without leftovers, for
    /// verification. Remove it with [`Git::checkout_remove`].
    ///
    /// # Errors
    /// [`GitError::Refused`] when `dest` is in use; what git reports.
    pub async fn checkout_detached(&self, commit: &Oid, dest: &Path) -> Result<(), GitError> {
        let made_dir = check_free(dest)?;
        let add = self.checkout_call(&["worktree", "add", "--quiet", "--detach", "--"]);
        let done = add.arg(dest).arg(commit.as_str()).run().await;
        if done.is_err() {
            self.undo_add(dest, made_dir, None).await;
        }
        done.map(|_| ())
    }

    /// Removes a checkout made by [`Git::checkout_detached`] with everything in it. A directory
    /// already gone is forgotten.
    ///
    /// # Errors
    /// [`GitError::Refused`] when a branch is checked out there: that is no temporary checkout.
    pub async fn checkout_remove(&self, dest: &Path) -> Result<(), GitError> {
        if let Ok(layout) = self.beside(dest).layout() {
            let head = small_file(&layout.git_dir.join("HEAD")).unwrap_or_default();
            let linked = matches!(layout.kind, LayoutKind::Linked { .. });
            if !linked || head.starts_with(b"ref:") {
                return Err(GitError::refused(format!(
                    "{} is no temporary checkout",
                    dest.display()
                )));
            }
        }
        self.drop_worktree(dest).await
    }

    /// Removes a worktree that holds nothing but committed and ignored files. [`Git::remove`] also
    /// looks at ignored files and commits and can salvage.
    ///
    /// # Errors
    /// [`GitError::Refused`] when it is not clean or is locked; what git reports.
    pub async fn worktree_remove(&self, path: &Path) -> Result<(), GitError> {
        let tree = self.beside(path);
        if !tree.status().await?.is_clean() {
            return Err(GitError::refused(format!(
                "{} has uncommitted changes; commit them or remove it with salvage",
                path.display()
            )));
        }
        self.drop_worktree(path).await
    }

    /// Forgets worktrees whose directories are gone, except those that are locked or whose
    /// detached commits no branch has.
    ///
    /// # Errors
    /// What git reports.
    pub async fn worktree_prune(&self) -> Result<PruneReport, GitError> {
        let mut report = PruneReport::default();
        for tree in self.worktree_list().await? {
            let Some(reason) = &tree.prunable else { continue };
            if tree.path.exists() {
                report.kept.push((
                    tree.path.clone(),
                    format!("its directory still exists ({reason}); run `git worktree repair`"),
                ));
            } else if tree.locked.is_some() {
                report
                    .kept
                    .push((tree.path, "it is locked; run `git worktree unlock` first".to_owned()));
            } else if let Some(head) = tree.head.as_ref().filter(|_| tree.detached)
                && !self
                    .commits_only_at(&[head.to_string()], &["--branches", "--tags", "--remotes"])
                    .await?
                    .is_empty()
            {
                let line =
                    format!("commit {head} is on no branch; run `git branch <name> {head}` first");
                report.kept.push((tree.path, line));
            } else {
                self.drop_worktree(&tree.path).await?;
                report.pruned.push(tree.path);
            }
        }
        Ok(report)
    }

    /// Deletes a branch that stands at `expected`.
    ///
    /// # Errors
    /// [`GitError::Refused`] when it is checked out, stands elsewhere, or has commits that no other
    /// branch, tag or remote-tracking branch has.
    pub async fn branch_delete(&self, branch: &str, expected: &Oid) -> Result<(), GitError> {
        check_branch_name(branch)?;
        let facts = self.branch_facts(branch).await?;
        if let Some(at) = facts.checked_out_at {
            return Err(GitError::refused(format!(
                "branch `{branch}` is checked out at {}",
                at.display()
            )));
        }
        let exclude = format!("--exclude={branch}");
        let only = self
            .commits_only_at(
                &[expected.to_string()],
                &[&exclude, "--branches", "--tags", "--remotes"],
            )
            .await?;
        if !only.is_empty() {
            return Err(GitError::refused(format!(
                "branch `{branch}` has {} commit(s) that exist nowhere else; push it, or remove its worktree with salvage",
                only.len()
            )));
        }
        self.delete_ref(branch, expected).await
    }

    pub(crate) async fn delete_ref(&self, branch: &str, expected: &Oid) -> Result<(), GitError> {
        self.write(["update-ref", "-d"])
            .arg(format!("refs/heads/{branch}"))
            .arg(expected.as_str())
            .run()
            .await?;
        // Its upstream; there may be none.
        let _ =
            self.write(["config", "--remove-section"]).arg(format!("branch.{branch}")).run().await;
        Ok(())
    }

    pub(crate) async fn drop_worktree(&self, path: &Path) -> Result<(), GitError> {
        self.write(["worktree", "remove", "--force", "--"]).arg(path).run().await?;
        Ok(())
    }

    /// A sentence when files of the new tree would have gone through filters. Starts no process.
    async fn filters_left_out(&self) -> Result<Option<String>, GitError> {
        let attributes = small_file(&self.path().join(".gitattributes")).unwrap_or_default();
        let attributes = String::from_utf8_lossy(&attributes).into_owned();
        let filters = self.unapproved_filters().await?;
        let names = filters.iter().map(|name| String::from_utf8_lossy(name).into_owned());
        let used: Vec<String> = names
            .filter(|name| {
                attributes.split_whitespace().any(|a| a.strip_prefix("filter=") == Some(name))
            })
            .collect();
        Ok((!used.is_empty()).then(|| {
            format!("files are as stored: the filter {} was not run, because it is not approved for this repository", used.join(", "))
        }))
    }

    async fn default_start(
        &self,
        origin_head: Option<String>,
    ) -> Result<(Oid, Option<String>), GitError> {
        let name = match origin_head {
            Some(name) => Some(name),
            None if self.remote_url("origin").await?.is_some() => {
                self.default_branch().await?.map(|d| d.name)
            }
            None => None,
        };
        if let Some(name) = name {
            let spec = format!("+refs/heads/{name}:refs/remotes/origin/{name}");
            let args = [
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-recurse-submodules",
                "--no-auto-maintenance",
                "--upload-pack=git-upload-pack",
                "--",
                "origin",
            ];
            let mut fetch = self.network(args).arg(spec);
            fetch.limit_time(Duration::from_secs(60));
            let fetched = fetch.run().await;
            if let Some(oid) =
                self.resolve(&format!("refs/remotes/origin/{name}^{{commit}}")).await?
            {
                let note = fetched.err().map(|e| format!("origin could not be fetched, so it starts from the last known origin/{name}: {e}"));
                return Ok((oid, note));
            }
        }
        match self.head().await? {
            Some(oid) => Ok((
                oid,
                Some(
                    "there is no branch of origin to start from, so it starts from HEAD".to_owned(),
                ),
            )),
            None => Err(GitError::refused(format!(
                "{} has no commit yet, so there is nothing to start from; make a first commit, for example `git commit --allow-empty -m start`",
                self.path().display()
            ))),
        }
    }

    async fn branch_facts(&self, branch: &str) -> Result<BranchFacts, GitError> {
        let own = format!("refs/heads/{branch}");
        let args = [
            "for-each-ref",
            "--format=%(refname)%00%(objectname)%00%(symref)%00%(worktreepath)%00",
        ];
        let output = self.read(args).arg(&own).arg("refs/remotes/origin/HEAD").run().await?;
        let mut facts = BranchFacts::default();
        let fields: Vec<&[u8]> =
            output.stdout.split(|b| *b == 0).map(<[u8]>::trim_ascii_start).collect();
        for record in fields.chunks_exact(4) {
            let [name, oid, symref, at] = record else { continue };
            if *name == own.as_bytes() {
                facts.oid = Oid::parse_bytes(oid);
                facts.checked_out_at = (!at.is_empty()).then(|| path_of(at));
            } else if *name == b"refs/remotes/origin/HEAD" {
                let target = symref.strip_prefix(b"refs/remotes/origin/");
                facts.origin_head = target.map(|t| String::from_utf8_lossy(t).into_owned());
            }
        }
        Ok(facts)
    }

    /// A partial clone needs the network to write files; anything else must not touch it.
    pub(crate) fn checkout_call(&self, args: &[&str]) -> crate::call::Call<'_> {
        let config = self.layout().ok().and_then(|l| small_file(&l.common_dir.join("config")));
        let partial = config.is_some_and(|c| {
            let c = c.to_ascii_lowercase();
            c.windows(8).any(|w| w == b"promisor") || c.windows(12).any(|w| w == b"partialclone")
        });
        if partial { self.network(args) } else { self.write(args) }
    }

    async fn undo_add(&self, path: &Path, made_dir: bool, branch: Option<(&str, &Oid)>) {
        // Best effort: the error of the add itself is what the caller needs to see.
        let registered = self.worktree_list().await.unwrap_or_default();
        let at = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if registered.iter().skip(1).any(|w| w.path == at || w.path == path) {
            let _ = self.drop_worktree(path).await;
        }
        if made_dir {
            let _ = fs::remove_dir_all(path);
        }
        if let Some((branch, oid)) = branch {
            let _ = self.delete_ref(branch, oid).await;
        }
    }
}

#[derive(Default)]
struct BranchFacts {
    oid: Option<Oid>,
    checked_out_at: Option<PathBuf>,
    origin_head: Option<String>,
}

/// True when nothing is there, so that whatever appears is ours.
fn check_free(path: &Path) -> Result<bool, GitError> {
    match fs::read_dir(path).map(Iterator::count) {
        Err(e)
            if e.kind() == std::io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() =>
        {
            Ok(true)
        }
        Ok(0) => Ok(false),
        Ok(_) | Err(_) => Err(GitError::refused(format!(
            "{} exists already; choose another directory",
            path.display()
        ))),
    }
}

/// Checks a branch name by the rules of git-check-ref-format(1) for `--branch`.
///
/// # Errors
/// [`GitError::Refused`] naming the rule.
pub fn check_branch_name(name: &str) -> Result<(), GitError> {
    let refuse = |why: &str| Err(GitError::refused(format!("{name:?} cannot be a branch: {why}")));
    if name.is_empty() || name == "@" || name == "HEAD" {
        return refuse("it is empty or has a meaning of its own");
    }
    if name.starts_with('-') {
        return refuse("it begins with `-`");
    }
    if name.len() > 240 {
        return refuse("it is longer than 240 bytes");
    }
    if name.chars().any(|c| c.is_ascii_control() || " ~^:?*[\\".contains(c)) {
        return refuse("it holds a space, a control character or one of ~^:?*[\\");
    }
    if name.contains("..") || name.contains("@{") || name.contains("//") {
        return refuse("it holds `..`, `@{` or `//`");
    }
    if name.starts_with('/') || name.ends_with('/') || name.ends_with('.') {
        return refuse("it begins or ends with `/`, or ends with `.`");
    }
    if name.split('/').any(|part| part.starts_with('.') || part.ends_with(".lock")) {
        return refuse("a part of it begins with `.` or ends with `.lock`");
    }
    Ok(())
}

/// Reads the output of `git worktree list --porcelain -z` (git-worktree(1)). Unknown attributes are
/// skipped.
#[must_use]
pub fn parse_worktrees(bytes: &[u8]) -> Vec<Worktree> {
    let mut trees: Vec<Worktree> = Vec::new();
    for line in bytes.split(|b| *b == 0) {
        let at = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
        let (key, value) = line.split_at(at);
        let value = value.get(1..).unwrap_or_default();
        let text = || String::from_utf8_lossy(value).into_owned();
        if key == b"worktree" {
            trees.push(Worktree { path: path_of(value), ..Worktree::default() });
            continue;
        }
        let Some(tree) = trees.last_mut() else { continue };
        match key {
            // An unborn branch is shown as all zeros.
            b"HEAD" => {
                tree.head =
                    Oid::parse_bytes(value).filter(|o| o.as_str().bytes().any(|b| b != b'0'))
            }
            b"branch" => tree.branch = Some(text().trim_start_matches("refs/heads/").to_owned()),
            b"detached" => tree.detached = true,
            b"bare" => tree.bare = true,
            b"locked" => tree.locked = Some(text()),
            b"prunable" => tree.prunable = Some(text()),
            _ => {}
        }
    }
    trees
}

#[cfg(test)]
mod tests;
