//! Moving a branch on to what its upstream has, and never anything else.

use crate::error::GitError;
use crate::{Git, Oid};

/// What moving on came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forward {
    /// The upstream has nothing that is not here.
    Current,
    /// The branch and its tree moved on.
    Moved {
        /// By how many commits.
        commits: u32,
        /// Where it stands now.
        head: Oid,
    },
    /// The branch follows no branch of a remote.
    NoUpstream,
}

impl Git {
    /// Moves the branch that is checked out, and its working tree, on to its upstream as it was
    /// fetched last. Nothing is merged, rebased or thrown away: changes that are not committed stay
    /// as they are, or stop it.
    ///
    /// # Errors
    /// [`GitError::Refused`] when the two have gone apart, HEAD is detached, something is in
    /// progress, a changed file needs a filter nobody approved, or changes that are not committed
    /// are in the way; what git reports.
    pub async fn fast_forward(&self) -> Result<Forward, GitError> {
        let status = self.status().await?;
        let Some(branch) = status.branch.filter(|_| !status.detached) else {
            return Err(GitError::refused("HEAD is detached; check out a branch first"));
        };
        if let Some(operation) = status.op_in_progress {
            return Err(GitError::refused(format!(
                "a {0} is in progress; finish it or run `git {0} --abort` first",
                operation.name()
            )));
        }
        let Some(upstream) = status.upstream else { return Ok(Forward::NoUpstream) };
        let Some(behind) = status.behind else {
            return Err(GitError::refused(format!(
                "`{branch}` follows `{upstream}`, which is gone; choose another with `git branch --set-upstream-to`"
            )));
        };
        let ahead = status.ahead.unwrap_or(0);
        match (ahead, behind) {
            (_, 0) => return Ok(Forward::Current),
            (0, _) => {}
            (ahead, behind) => {
                return Err(GitError::refused(format!(
                    "`{branch}` and `{upstream}` have gone apart: {ahead} only here, {behind} only there; rebase or merge, then push"
                )));
            }
        }
        let to = self.rev_parse(&format!("refs/remotes/{upstream}^{{commit}}")).await?;
        let changed = self.read(["diff", "--no-ext-diff", "--no-textconv", "--name-only", "-z"]);
        let changed = changed.arg("--no-renames").arg("HEAD").arg(to.as_str()).arg("--");
        let changed = changed.run().await?;
        self.refuse_unapproved_filters(&changed.stdout).await?;
        let merge = self.checkout_call(&[
            "merge",
            "--ff-only",
            "--quiet",
            "--no-stat",
            "--no-autostash",
            "--no-verify-signatures",
            "--no-verify",
        ]);
        match merge.arg(to.as_str()).run().await {
            Ok(_) => Ok(Forward::Moved { commits: behind, head: to }),
            Err(GitError::Failed { stderr, .. }) if stderr.contains("would be overwritten") => {
                let files: Vec<&str> =
                    stderr.lines().filter_map(|line| line.strip_prefix('\t')).collect();
                Err(GitError::refused(format!(
                    "changes that are not committed are in the way: {}; commit them or put them aside first",
                    files.join(", ")
                )))
            }
            Err(error) => Err(error),
        }
    }
}
