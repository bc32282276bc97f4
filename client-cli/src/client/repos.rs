//! Repos of the hub.

use car_api::{
    Page, PageQuery, RepoId,
    job::Job,
    repo::{
        Repo, RepoClone, RepoCreate, RepoGit, RepoKind, RepoPatch, RepoRemove, RepoStatus, Setup,
        SetupUpdate,
    },
    run::RunStatus,
    worktree::RemovalReport,
};

use super::Client;
use crate::ClientError;

/// Which repos and worktrees are wanted.
#[derive(Debug, Clone, Default)]
pub struct RepoFilter {
    /// Only base repos, or only worktrees.
    pub kind: Option<RepoKind>,
    /// Only those that stand so.
    pub status: Option<RepoStatus>,
    /// Only worktrees of this one.
    pub base: Option<RepoId>,
    /// Only those whose latest run stands so.
    pub run: Option<RunStatus>,
}

impl From<Option<RepoKind>> for RepoFilter {
    fn from(kind: Option<RepoKind>) -> Self {
        Self { kind, ..Self::default() }
    }
}

impl Client {
    /// Repos and worktrees.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn repo_list(
        &self,
        filter: impl Into<RepoFilter>,
        page: &PageQuery,
    ) -> Result<Page<Repo>, ClientError> {
        let filter = filter.into();
        self.get("repo_list", &["repos"])
            .query("kind", filter.kind)
            .query("status", filter.status)
            .query("base", filter.base.as_ref())
            .query("run", filter.run)
            .page(page)
            .json()
            .await
    }

    /// Changes what is set of a repo; what is absent stays.
    ///
    /// # Errors
    /// `not_found`, `bad_request`.
    pub async fn repo_update(&self, repo: &RepoId, body: &RepoPatch) -> Result<Repo, ClientError> {
        self.patch("repo_update", &["repos", repo.as_str()]).merge(body).json().await
    }

    /// Makes a new git repo below the hub's root.
    ///
    /// # Errors
    /// `already_exists` when the id or the directory is taken.
    pub async fn repo_create(&self, body: &RepoCreate) -> Result<Repo, ClientError> {
        self.post("repo_create", &["repos"]).body(body).json().await
    }

    /// Begins to clone a repo; the job says how it goes.
    ///
    /// # Errors
    /// `already_exists` when the id or the directory is taken.
    pub async fn repo_clone(&self, body: &RepoClone) -> Result<Job, ClientError> {
        self.post("repo_clone", &["repos", "clone"]).body(body).json().await
    }

    /// One repo or worktree.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn repo_get(&self, repo: &RepoId) -> Result<Repo, ClientError> {
        self.get("repo_get", &["repos", repo.as_str()]).json().await
    }

    /// How a repo or worktree stands in git.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn repo_git(&self, repo: &RepoId) -> Result<RepoGit, ClientError> {
        self.get("repo_git", &["repos", repo.as_str(), "git"]).json().await
    }

    /// Writes what a repo needs for its queue (`.codex-autorunner/`).
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn repo_init(&self, repo: &RepoId) -> Result<Repo, ClientError> {
        self.post("repo_init", &["repos", repo.as_str(), "init"]).json().await
    }

    /// Begins to bring a repo or worktree up to what its remote has.
    ///
    /// # Errors
    /// `run_active` while a run of this tree is not over. What stands in the way is the job's problem.
    pub async fn repo_sync(&self, repo: &RepoId) -> Result<Job, ClientError> {
        self.post("repo_sync", &["repos", repo.as_str(), "sync"]).json().await
    }

    /// The commands that prepare a new worktree of this repo.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn repo_setup_get(&self, repo: &RepoId) -> Result<Setup, ClientError> {
        self.get("repo_setup_get", &["repos", repo.as_str(), "setup"]).json().await
    }

    /// Replaces the commands that prepare a new worktree of this repo, if they are still the version
    /// of `if_match` (`*` = whatever is there).
    ///
    /// # Errors
    /// `stale` with the present commands; `not_found`, `storage`.
    pub async fn repo_setup_update(
        &self,
        repo: &RepoId,
        body: &SetupUpdate,
        if_match: Option<&str>,
    ) -> Result<Setup, ClientError> {
        self.put("repo_setup_update", &["repos", repo.as_str(), "setup"])
            .if_match(if_match)
            .body(body)
            .json()
            .await
    }

    /// Takes a repo out of the hub.
    ///
    /// # Errors
    /// `would_lose_work` when it holds work that exists nowhere else.
    pub async fn repo_remove(
        &self,
        repo: &RepoId,
        body: &RepoRemove,
    ) -> Result<RemovalReport, ClientError> {
        self.post("repo_remove", &["repos", repo.as_str(), "remove"]).body(body).json().await
    }
}
