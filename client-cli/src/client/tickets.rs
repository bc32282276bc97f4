//! Tickets of a queue. A ticket is named by its number or its id.

use car_api::{
    Page, PageQuery, RepoId,
    job::Job,
    ticket::{
        LintReport, Ticket, TicketCreate, TicketDone, TicketLint, TicketMove, TicketPatch,
        TicketState, TicketText, TicketUpdate,
    },
};

use super::Client;
use crate::ClientError;

/// Which tickets are wanted.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// Only those that stand so.
    pub state: Option<TicketState>,
    /// Only those this agent, or `user`, works.
    pub agent: Option<String>,
    /// Only those with this in their title, whatever the case.
    pub title: Option<String>,
}

impl From<Option<TicketState>> for TicketFilter {
    fn from(state: Option<TicketState>) -> Self {
        Self { state, ..Self::default() }
    }
}

impl Client {
    /// The queue of one repo or worktree, in order.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn ticket_list(
        &self,
        repo: &RepoId,
        filter: impl Into<TicketFilter>,
        page: &PageQuery,
    ) -> Result<Page<Ticket>, ClientError> {
        let filter = filter.into();
        self.get("ticket_list", &["repos", repo.as_str(), "tickets"])
            .query("state", filter.state)
            .query("agent", filter.agent.as_ref())
            .query("title", filter.title.as_ref())
            .page(page)
            .json()
            .await
    }

    /// The tickets of all queues.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn ticket_list_all(
        &self,
        filter: impl Into<TicketFilter>,
        page: &PageQuery,
    ) -> Result<Page<Ticket>, ClientError> {
        let filter = filter.into();
        self.get("ticket_list_all", &["tickets"])
            .query("state", filter.state)
            .query("agent", filter.agent.as_ref())
            .query("title", filter.title.as_ref())
            .page(page)
            .json()
            .await
    }

    /// Writes a new ticket.
    ///
    /// # Errors
    /// `bad_request`, `tickets_invalid`.
    pub async fn ticket_create(
        &self,
        repo: &RepoId,
        body: &TicketCreate,
    ) -> Result<TicketText, ClientError> {
        self.post("ticket_create", &["repos", repo.as_str(), "tickets"]).body(body).json().await
    }

    /// One ticket with its text.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn ticket_get(&self, repo: &RepoId, ticket: &str) -> Result<TicketText, ClientError> {
        self.get("ticket_get", &["repos", repo.as_str(), "tickets", ticket]).json().await
    }

    /// Replaces a ticket's text if it is still the version of `if_match` (`*` = whatever is there).
    ///
    /// # Errors
    /// `stale` with the present text; `tickets_invalid` for a text with errors.
    pub async fn ticket_update(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: &TicketUpdate,
        if_match: Option<&str>,
    ) -> Result<TicketText, ClientError> {
        self.put("ticket_update", &["repos", repo.as_str(), "tickets", ticket])
            .if_match(if_match)
            .body(body)
            .json()
            .await
    }

    /// Changes fields of a ticket; what is absent stays, and so does the rest of the file.
    ///
    /// # Errors
    /// `stale` with the present text; `not_found`, `bad_request`.
    pub async fn ticket_patch(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: &TicketPatch,
        if_match: Option<&str>,
    ) -> Result<TicketText, ClientError> {
        self.patch("ticket_patch", &["repos", repo.as_str(), "tickets", ticket])
            .if_match(if_match)
            .merge(body)
            .json()
            .await
    }

    /// Begins to run the commands that prove a ticket, on the tree as it is.
    ///
    /// # Errors
    /// `unprocessable` when there are none, or the ticket has errors; `run_active` while a run works
    /// in this tree.
    pub async fn ticket_verify(&self, repo: &RepoId, ticket: &str) -> Result<Job, ClientError> {
        self.post("ticket_verify", &["repos", repo.as_str(), "tickets", ticket, "verify"])
            .json()
            .await
    }

    /// Marks a ticket done or not done.
    ///
    /// # Errors
    /// `not_found`, `stale`, `tickets_invalid`.
    pub async fn ticket_done(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: &TicketDone,
        if_match: Option<&str>,
    ) -> Result<TicketText, ClientError> {
        self.post("ticket_done", &["repos", repo.as_str(), "tickets", ticket, "done"])
            .if_match(if_match)
            .body(body)
            .json()
            .await
    }

    /// Gives a ticket another number; the rest makes room. Answers with the queue.
    ///
    /// # Errors
    /// `not_found`, `bad_request`.
    pub async fn ticket_move(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: &TicketMove,
    ) -> Result<Page<Ticket>, ClientError> {
        self.post("ticket_move", &["repos", repo.as_str(), "tickets", ticket, "move"])
            .body(body)
            .json()
            .await
    }

    /// Closes the gaps in a queue's numbers. Answers with the queue.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn ticket_renumber(&self, repo: &RepoId) -> Result<Page<Ticket>, ClientError> {
        self.post("ticket_renumber", &["repos", repo.as_str(), "tickets", "renumber"]).json().await
    }

    /// Checks a queue, and mends what can be mended safely when asked to.
    ///
    /// # Errors
    /// `not_found`. Findings are no error.
    pub async fn ticket_lint(
        &self,
        repo: &RepoId,
        body: &TicketLint,
    ) -> Result<LintReport, ClientError> {
        self.post("ticket_lint", &["repos", repo.as_str(), "tickets", "lint"])
            .body(body)
            .json()
            .await
    }
}
