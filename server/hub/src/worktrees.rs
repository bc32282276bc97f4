//! Operations on worktrees.

use car_api::{
    Page, PageQuery, RepoId, SalvageId,
    job::Job,
    repo::Repo,
    worktree::{RemovalReport, Salvage, WorktreeCleanup, WorktreeCreate},
};

use crate::{Error, Hub, Result};

impl Hub {
    /// worktree_list
    ///
    /// # Errors
    /// See the API.
    pub async fn worktree_list(&self, base: Option<RepoId>, page: PageQuery) -> Result<Page<Repo>> {
        let _ = (base, page);
        Err(Error::not_found("worktree_list"))
    }

    /// worktree_create
    ///
    /// # Errors
    /// See the API.
    pub async fn worktree_create(&self, body: WorktreeCreate) -> Result<Job> {
        let _ = (body,);
        Err(Error::not_found("worktree_create"))
    }

    /// worktree_cleanup
    ///
    /// # Errors
    /// See the API.
    pub async fn worktree_cleanup(
        &self,
        repo: &RepoId,
        body: WorktreeCleanup,
    ) -> Result<RemovalReport> {
        let _ = (repo, body);
        Err(Error::not_found("worktree_cleanup"))
    }

    /// salvage_list
    ///
    /// # Errors
    /// See the API.
    pub async fn salvage_list(&self, page: PageQuery) -> Result<Page<Salvage>> {
        let _ = (page,);
        Err(Error::not_found("salvage_list"))
    }

    /// salvage_restore
    ///
    /// # Errors
    /// See the API.
    pub async fn salvage_restore(&self, salvage: &SalvageId) -> Result<Repo> {
        let _ = (salvage,);
        Err(Error::not_found("salvage_restore"))
    }
}
