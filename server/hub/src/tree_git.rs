//! How a tree stands in git, for people who look at it.

use car_api::{
    RepoId, Timestamp,
    repo::{RepoCommit, RepoGit},
};
use car_files::CAR_DIR;
use car_git::{Commit, Entry, Git, GitError};

use crate::{Hub, Result};

/// Commits that are shown.
const SHOWN: usize = 10;

/// Commits that are counted.
const COUNTED: usize = 1000;

impl Hub {
    /// Asks git how a repo or worktree stands.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_git(&self, repo: &RepoId) -> Result<RepoGit> {
        let git = Git::at(self.inner.tree(repo)?);
        let status = git.status().await?.excluding(CAR_DIR);
        let (against, ahead, behind) = match (&status.upstream, status.ahead) {
            (Some(upstream), Some(ahead)) => (Some(upstream.clone()), Some(ahead), status.behind),
            (Some(_), None) | (None, _) => distance(&git, status.branch.as_deref()).await?,
        };
        let commits = match &status.head {
            Some(_) => git.log("HEAD", SHOWN).await?,
            None => Vec::new(),
        };
        let count = |wanted: fn(&Entry) -> bool| {
            u64::try_from(status.entries.iter().filter(|entry| wanted(entry)).count())
                .unwrap_or(u64::MAX)
        };
        Ok(RepoGit {
            head: status.head.as_ref().map(|head| head.as_str().to_owned()),
            against,
            ahead,
            behind,
            changed: count(|e| matches!(e, Entry::Changed { .. } | Entry::Renamed { .. })),
            untracked: count(|e| matches!(e, Entry::Untracked { .. })),
            conflicts: count(|e| matches!(e, Entry::Unmerged { .. })),
            operation: status.op_in_progress.map(|operation| operation.name().to_owned()),
            commits: commits.into_iter().map(shown).collect(),
            branch: status.branch,
        })
    }
}

/// How far the commit is from the default branch, where there is another one.
async fn distance(
    git: &Git,
    branch: Option<&str>,
) -> std::result::Result<(Option<String>, Option<u32>, Option<u32>), GitError> {
    let nothing = (None, None, None);
    let Some(default) = git.default_branch().await? else { return Ok(nothing) };
    if branch == Some(default.name.as_str()) || git.head().await?.is_none() {
        return Ok(nothing);
    }
    for name in [format!("origin/{}", default.name), default.name] {
        if git.rev_parse(&name).await.is_err() {
            continue;
        }
        let count = async |range: String| {
            let commits = git.log(&range, COUNTED).await?;
            Ok::<_, GitError>(u32::try_from(commits.len()).unwrap_or(u32::MAX))
        };
        let ahead = count(format!("{name}..HEAD")).await?;
        let behind = count(format!("HEAD..{name}")).await?;
        return Ok((Some(name), Some(ahead), Some(behind)));
    }
    Ok(nothing)
}

fn shown(commit: Commit) -> RepoCommit {
    RepoCommit {
        id: commit.oid.as_str().to_owned(),
        subject: commit.subject,
        author: commit.author,
        at: Timestamp::from_secs(commit.at),
    }
}
