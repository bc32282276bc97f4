//! Operations on repos.

use car_api::{
    Page, PageQuery, RepoId,
    job::Job,
    repo::{Repo, RepoClone, RepoCreate, RepoKind, RepoRemove, SetupUpdate},
    worktree::RemovalReport,
};

use crate::{Error, Hub, Result};

impl Hub {
    /// repo_list
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_list(&self, kind: Option<RepoKind>, page: PageQuery) -> Result<Page<Repo>> {
        let _ = (kind, page);
        Err(Error::not_found("repo_list"))
    }

    /// repo_list_json
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_list_json(
        &self,
        kind: Option<RepoKind>,
        page: PageQuery,
    ) -> Result<bytes::Bytes> {
        let _ = (kind, page);
        Err(Error::not_found("repo_list_json"))
    }

    /// repo_create
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_create(&self, body: RepoCreate) -> Result<Repo> {
        let _ = (body,);
        Err(Error::not_found("repo_create"))
    }

    /// repo_clone
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_clone(&self, body: RepoClone) -> Result<Job> {
        let _ = (body,);
        Err(Error::not_found("repo_clone"))
    }

    /// repo_get
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_get(&self, repo: &RepoId) -> Result<Repo> {
        let _ = (repo,);
        Err(Error::not_found("repo_get"))
    }

    /// repo_init
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_init(&self, repo: &RepoId) -> Result<Repo> {
        let _ = (repo,);
        Err(Error::not_found("repo_init"))
    }

    /// repo_setup_get
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_setup_get(&self, repo: &RepoId) -> Result<SetupUpdate> {
        let _ = (repo,);
        Err(Error::not_found("repo_setup_get"))
    }

    /// repo_setup_update
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_setup_update(&self, repo: &RepoId, body: SetupUpdate) -> Result<SetupUpdate> {
        let _ = (repo, body);
        Err(Error::not_found("repo_setup_update"))
    }

    /// repo_remove
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_remove(&self, repo: &RepoId, body: RepoRemove) -> Result<RemovalReport> {
        let _ = (repo, body);
        Err(Error::not_found("repo_remove"))
    }
}
