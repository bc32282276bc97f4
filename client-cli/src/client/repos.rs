//! Repos of the hub.

use car_api::{
    Page, PageQuery, RepoId,
    job::Job,
    repo::{Repo, RepoClone, RepoCreate, RepoKind, RepoRemove, SetupUpdate},
    worktree::RemovalReport,
};

use super::Client;
use crate::ClientError;

impl Client {
    /// Repos and worktrees.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn repo_list(
        &self,
        kind: Option<RepoKind>,
        page: &PageQuery,
    ) -> Result<Page<Repo>, ClientError> {
        self.get("repo_list", &["repos"]).query("kind", kind).page(page).json().await
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

    /// Writes what a repo needs for its queue (`.codex-autorunner/`).
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn repo_init(&self, repo: &RepoId) -> Result<Repo, ClientError> {
        self.post("repo_init", &["repos", repo.as_str(), "init"]).json().await
    }

    /// The commands that prepare a new worktree of this repo.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn repo_setup_get(&self, repo: &RepoId) -> Result<SetupUpdate, ClientError> {
        self.get("repo_setup_get", &["repos", repo.as_str(), "setup"]).json().await
    }

    /// Replaces the commands that prepare a new worktree of this repo.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn repo_setup_update(
        &self,
        repo: &RepoId,
        body: &SetupUpdate,
    ) -> Result<SetupUpdate, ClientError> {
        self.put("repo_setup_update", &["repos", repo.as_str(), "setup"]).body(body).json().await
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
