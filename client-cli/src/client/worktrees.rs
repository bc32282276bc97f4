//! Worktrees, and what is kept of removed ones.

use car_api::{
    Page, PageQuery, RepoId, SalvageId,
    job::Job,
    repo::Repo,
    worktree::{RemovalReport, Salvage, WorktreeCleanup, WorktreeCreate},
};

use super::Client;
use crate::ClientError;

impl Client {
    /// Worktrees, of one base repo or of all.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn worktree_list(
        &self,
        base: Option<&RepoId>,
        page: &PageQuery,
    ) -> Result<Page<Repo>, ClientError> {
        self.get("worktree_list", &["worktrees"]).query("base", base).page(page).json().await
    }

    /// Begins to create a worktree; the job says how it goes.
    ///
    /// # Errors
    /// `already_exists`, `git_state`.
    pub async fn worktree_create(&self, body: &WorktreeCreate) -> Result<Job, ClientError> {
        self.post("worktree_create", &["worktrees"]).body(body).json().await
    }

    /// Removes a worktree, or says what that would lose.
    ///
    /// # Errors
    /// `would_lose_work` when it holds work that exists nowhere else.
    pub async fn worktree_cleanup(
        &self,
        repo: &RepoId,
        body: &WorktreeCleanup,
    ) -> Result<RemovalReport, ClientError> {
        self.post("worktree_cleanup", &["worktrees", repo.as_str(), "cleanup"])
            .body(body)
            .json()
            .await
    }

    /// What is kept of removed worktrees and repos.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn salvage_list(&self, page: &PageQuery) -> Result<Page<Salvage>, ClientError> {
        self.salvage_list_of(None, page).await
    }

    /// What is kept of one removed worktree or repo, or of all.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn salvage_list_of(
        &self,
        repo: Option<&RepoId>,
        page: &PageQuery,
    ) -> Result<Page<Salvage>, ClientError> {
        self.get("salvage_list", &["salvages"]).query("repo", repo).page(page).json().await
    }

    /// Brings a removed worktree or repo back.
    ///
    /// # Errors
    /// `not_found`, `already_exists`, `git_failed`.
    pub async fn salvage_restore(&self, salvage: &SalvageId) -> Result<Repo, ClientError> {
        self.post("salvage_restore", &["salvages", salvage.as_str(), "restore"]).json().await
    }
}
