//! Making repositories and talking to remotes.

use std::fs;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::Git;
use crate::error::GitError;
use crate::progress::{Lines, Progress, parse_progress};
use crate::worktree::check_branch_name;

/// The branch a repository considers its main one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultBranch {
    /// Short name, such as `main`.
    pub name: String,
    /// How it is known.
    pub source: BranchSource,
}

/// How a default branch is known, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchSource {
    /// `refs/remotes/origin/HEAD`, as recorded by clone.
    OriginHead,
    /// The remote was asked.
    Remote,
    /// A local branch with the usual name.
    Local,
    /// Only HEAD's own branch is there.
    Head,
}

impl Git {
    /// Makes an empty repository here, creating the directory where needed.
    ///
    /// # Errors
    /// [`GitError::Refused`] for a bad branch name or when a repository is here already.
    pub async fn init(&self, branch: &str) -> Result<(), GitError> {
        check_branch_name(branch)?;
        let path = self.path();
        if fs::symlink_metadata(path.join(".git")).is_ok() {
            return Err(GitError::refused(format!(
                "{} holds a git repository already",
                path.display()
            )));
        }
        fs::create_dir_all(path).map_err(GitError::io(format!("creating {}", path.display())))?;
        // Templates may hold hooks; the hub would not run them, but an agent's git would.
        let args = ["init", "--quiet", "--template="];
        self.write(args).arg(format!("--initial-branch={branch}")).outside().run().await?;
        Ok(())
    }

    /// Clones `url` into this directory, which must not exist or be empty. On failure and when
    /// cancelled, what was made is removed again.
    ///
    /// # Errors
    /// [`GitError::Refused`] for an address git could be talked into executing something with, or
    /// a directory with content; [`GitError::Cancelled`]; what git reports.
    pub async fn clone_from(
        &self,
        url: &str,
        progress: impl FnMut(Progress),
        cancel: CancellationToken,
    ) -> Result<(), GitError> {
        check_url(url)?;
        let dest = self.path();
        let existed = match fs::read_dir(dest) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(GitError::refused(format!(
                        "{} is not empty; choose a new directory",
                        dest.display()
                    )));
                }
                true
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
            Err(e) => return Err(GitError::io(format!("reading {}", dest.display()))(e)),
        };
        fs::create_dir_all(dest).map_err(GitError::io(format!("creating {}", dest.display())))?;
        // Also when the caller drops the future.
        let mut half_made = HalfMade { dest, existed, armed: true };
        let args = [
            "clone",
            "--progress",
            "--no-recurse-submodules",
            "--template=",
            "--upload-pack=git-upload-pack",
            "--",
            url,
            ".",
        ];
        let call = self.network(args).outside().cancelled_by(cancel);
        let done = call.run_watched(&[0], watch(progress)).await;
        half_made.armed = done.is_err();
        done.map(|_| ())
    }

    /// Fetches from a configured remote, by its name.
    ///
    /// # Errors
    /// [`GitError::Refused`] for a name that is none; [`GitError::Cancelled`]; what git reports.
    pub async fn fetch(
        &self,
        remote: &str,
        progress: impl FnMut(Progress),
        cancel: CancellationToken,
    ) -> Result<(), GitError> {
        check_remote(remote)?;
        let args = [
            "fetch",
            "--progress",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--upload-pack=git-upload-pack",
            "--",
            remote,
        ];
        self.network(args).cancelled_by(cancel).run_watched(&[0], watch(progress)).await?;
        Ok(())
    }

    /// The address of a remote as configured; `None` when there is no such remote.
    ///
    /// # Errors
    /// What git reports.
    pub async fn remote_url(&self, remote: &str) -> Result<Option<String>, GitError> {
        check_remote(remote)?;
        let call = self.read(["config", "--get"]).arg(format!("remote.{remote}.url"));
        let output = call.run_accepting(&[0, 1]).await?;
        Ok((output.code == 0).then(|| output.text()))
    }

    /// The main branch: what `origin/HEAD` says, else what the remote answers, else `main`,
    /// `master` or the user's `init.defaultBranch` where such a branch exists, else HEAD's branch.
    ///
    /// # Errors
    /// What git reports; an unreachable remote is no error. `None` for a detached HEAD without any
    /// of these.
    pub async fn default_branch(&self) -> Result<Option<DefaultBranch>, GitError> {
        let recorded = self.read(["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"]);
        let recorded = recorded.run_accepting(&[0, 1]).await?.text();
        if let Some(name) = recorded.strip_prefix("refs/remotes/origin/") {
            return Ok(Some(DefaultBranch {
                name: name.to_owned(),
                source: BranchSource::OriginHead,
            }));
        }
        if self.remote_url("origin").await?.is_some()
            && let Some(name) = self.ask_remote().await
        {
            return Ok(Some(DefaultBranch { name, source: BranchSource::Remote }));
        }
        let configured = self.read(["config", "--get", "init.defaultBranch"]);
        let configured = configured.run_accepting(&[0, 1]).await?.text();
        let refs = self
            .read(["for-each-ref", "--format=%(refname:short)", "refs/heads"])
            .run()
            .await?
            .text();
        let wanted = [configured.as_str(), "main", "master"];
        let local =
            wanted.into_iter().find(|name| !name.is_empty() && refs.lines().any(|r| r == *name));
        if let Some(name) = local {
            return Ok(Some(DefaultBranch { name: name.to_owned(), source: BranchSource::Local }));
        }
        let head = self
            .read(["symbolic-ref", "--quiet", "--short", "HEAD"])
            .run_accepting(&[0, 1])
            .await?;
        let name = head.text();
        Ok((head.code == 0).then_some(DefaultBranch { name, source: BranchSource::Head }))
    }

    async fn ask_remote(&self) -> Option<String> {
        let args =
            ["ls-remote", "--symref", "--upload-pack=git-upload-pack", "--", "origin", "HEAD"];
        let mut call = self.network(args);
        call.limit_time(std::time::Duration::from_secs(20));
        let answer = call.run().await.ok()?.text();
        let name = answer
            .lines()
            .find_map(|l| l.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD"))?;
        check_branch_name(name).is_ok().then(|| name.to_owned())
    }
}

/// Refuses addresses that make git start a program (`ext::…` and other `helper::` forms), that it
/// would take as an option, or that hide control characters.
///
/// # Errors
/// [`GitError::Refused`] with the reason.
pub fn check_url(url: &str) -> Result<(), GitError> {
    let refuse = |why: &str| {
        Err(GitError::refused(format!(
            "the address {url:?} {why}; give an https, ssh, git or file address or a path"
        )))
    };
    if url.trim().is_empty() {
        return refuse("is empty");
    }
    if url.chars().any(char::is_control) {
        return refuse("holds control characters");
    }
    let helper_end = url.find("::");
    let helper = helper_end.and_then(|at| url.get(..at));
    if helper.is_some_and(|h| h.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))) {
        return refuse("names a transport helper");
    }
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host =
        host.split_once('@').filter(|(user, _)| !user.contains('/')).map_or(host, |(_, h)| h);
    if url.starts_with('-') || host.starts_with('-') {
        return refuse("begins like an option");
    }
    if let Some((scheme, _)) = url.split_once("://")
        && !["https", "http", "ssh", "git", "file", "git+ssh", "ssh+git"].contains(&scheme)
    {
        return refuse("has a scheme that is not allowed");
    }
    Ok(())
}

fn check_remote(remote: &str) -> Result<(), GitError> {
    let plain = !remote.is_empty()
        && !remote.starts_with('-')
        && !remote.contains("..")
        && remote.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c))
        && !remote.starts_with(['/', '.']);
    if plain {
        Ok(())
    } else {
        Err(GitError::refused(format!("{remote:?} is not the name of a remote")))
    }
}

pub(crate) fn watch(mut progress: impl FnMut(Progress)) -> impl FnMut(&[u8]) {
    let mut lines = Lines::default();
    move |bytes| {
        lines.feed(bytes, |line| {
            if let Some(step) = parse_progress(line) {
                progress(step);
            }
        });
    }
}

/// Removes what a clone left behind unless it was completed.
struct HalfMade<'a> {
    dest: &'a Path,
    existed: bool,
    armed: bool,
}

impl Drop for HalfMade<'_> {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        if self.existed {
            // The directory was the caller's and was empty.
            for entry in fs::read_dir(self.dest).into_iter().flatten().flatten() {
                let path = entry.path();
                let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
            }
        } else {
            let _ = fs::remove_dir_all(self.dest);
        }
    }
}
