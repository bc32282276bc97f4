//! Bringing a repo or worktree up to what its remote has.

use car_api::{
    Code, RepoId,
    job::{Job, JobKind, JobResult},
};
use car_git::{Forward, Git};

use crate::{
    Error, Hub, Result,
    jobs::{self, Outcome},
};

impl Hub {
    /// Fetches what the remote has, and moves the branch that is checked out on to its upstream, as
    /// a job. Nothing is merged and nothing is thrown away: what cannot simply move on is left as
    /// it is, with the reason.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_sync(&self, repo: &RepoId) -> Result<Job> {
        self.inner.unconfirmed.refuse()?;
        let tree = self.inner.tree(repo)?;
        // Nothing starts in this tree meanwhile.
        let alone = self.inner.runs.start_alone(repo).await;
        self.inner.no_run(repo).await?;
        let (inner, id) = (std::sync::Arc::clone(&self.inner), repo.clone());
        let act = self.act("repo_sync", repo);
        jobs::start(self, JobKind::Sync, Some(repo.clone()), act, move |reporter| async move {
            let _alone = alone;
            let git = Git::at(&tree);
            let status = git.status().await?;
            let remote = status.upstream.as_deref().and_then(|name| name.split_once('/'));
            let remote = remote.map_or("origin", |(remote, _)| remote).to_owned();
            if git.remote_url(&remote).await?.is_none() {
                let detail = format!(
                    "{id} has no remote `{remote}`; add one with `git remote add {remote} URL`."
                );
                return Err(Error::new(Code::GitState, detail));
            }
            reporter.at(&format!("fetching {remote}"), None, None);
            git.fetch(&remote, reporter.git_progress(), reporter.cancel.clone()).await?;
            reporter.not_cancelled()?;
            let note = match git.fast_forward().await? {
                Forward::Current => "up to date".to_owned(),
                Forward::Moved { commits: 1, head } => format!("1 commit on, to {}", head.short()),
                Forward::Moved { commits, head } => {
                    format!("{commits} commits on, to {}", head.short())
                }
                Forward::NoUpstream => format!(
                    "fetched; {} follows no branch of {remote} and stays",
                    status.branch.as_deref().unwrap_or("this tree")
                ),
            };
            inner.refresh(&id).await;
            let result = JobResult::Repo { repo: Box::new(inner.index.repo(&id)?) };
            Ok(Outcome { result: Some(result), note: Some(note) })
        })
        .await
    }
}
