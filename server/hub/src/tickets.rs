//! Operations on tickets.

use car_api::{
    Page, PageQuery, RepoId,
    ticket::{
        LintReport, Ticket, TicketCreate, TicketDone, TicketLint, TicketMove, TicketState,
        TicketText, TicketUpdate,
    },
};

use crate::{Error, Hub, Result};

impl Hub {
    /// ticket_list
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_list(
        &self,
        repo: &RepoId,
        state: Option<TicketState>,
        page: PageQuery,
    ) -> Result<Page<Ticket>> {
        let _ = (repo, state, page);
        Err(Error::not_found("ticket_list"))
    }

    /// ticket_list_all
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_list_all(
        &self,
        state: Option<TicketState>,
        page: PageQuery,
    ) -> Result<Page<Ticket>> {
        let _ = (state, page);
        Err(Error::not_found("ticket_list_all"))
    }

    /// ticket_create
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_create(&self, repo: &RepoId, body: TicketCreate) -> Result<TicketText> {
        let _ = (repo, body);
        Err(Error::not_found("ticket_create"))
    }

    /// ticket_get
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_get(&self, repo: &RepoId, ticket: &str) -> Result<TicketText> {
        let _ = (repo, ticket);
        Err(Error::not_found("ticket_get"))
    }

    /// ticket_update
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_update(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: TicketUpdate,
        if_match: Option<String>,
    ) -> Result<TicketText> {
        let _ = (repo, ticket, body, if_match);
        Err(Error::not_found("ticket_update"))
    }

    /// ticket_done
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_done(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: TicketDone,
        if_match: Option<String>,
    ) -> Result<TicketText> {
        let _ = (repo, ticket, body, if_match);
        Err(Error::not_found("ticket_done"))
    }

    /// ticket_move
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_move(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: TicketMove,
    ) -> Result<Page<Ticket>> {
        let _ = (repo, ticket, body);
        Err(Error::not_found("ticket_move"))
    }

    /// ticket_renumber
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_renumber(&self, repo: &RepoId) -> Result<Page<Ticket>> {
        let _ = (repo,);
        Err(Error::not_found("ticket_renumber"))
    }

    /// ticket_lint
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_lint(&self, repo: &RepoId, body: TicketLint) -> Result<LintReport> {
        let _ = (repo, body);
        Err(Error::not_found("ticket_lint"))
    }
}
