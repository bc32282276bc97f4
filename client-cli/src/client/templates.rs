//! Templates of tickets, and the sources they are from.

use car_api::{
    Page, PageQuery, RepoId, TemplateSourceId,
    job::Job,
    template::{
        Template, TemplateApply, TemplateSource, TemplateSourceCreate, TemplateSourceSync,
        TemplateSourceTrust, TemplateText, TemplateTrusted, TemplateUntrusted,
    },
    ticket::TicketText,
};

use super::Client;
use crate::ClientError;

/// Which templates are wanted.
#[derive(Debug, Clone, Default)]
pub struct TemplateFilter {
    /// Only of this source.
    pub source: Option<TemplateSourceId>,
    /// Only those with all these words in their name, title or summary.
    pub q: Option<String>,
}

impl Client {
    /// The sources of templates, by id.
    ///
    /// # Errors
    /// `turned_off`.
    pub async fn template_source_list(
        &self,
        page: &PageQuery,
    ) -> Result<Page<TemplateSource>, ClientError> {
        self.get("template_source_list", &["templates", "sources"]).page(page).json().await
    }

    /// Adds a source; it has no templates before it is fetched.
    ///
    /// # Errors
    /// `already_exists`; `unprocessable` for an address git is not asked for.
    pub async fn template_source_create(
        &self,
        body: &TemplateSourceCreate,
    ) -> Result<TemplateSource, ClientError> {
        self.post("template_source_create", &["templates", "sources"]).body(body).json().await
    }

    /// Removes a source.
    ///
    /// # Errors
    /// `not_found`; `illegal_transition` while it is being fetched.
    pub async fn template_source_delete(&self, id: &TemplateSourceId) -> Result<(), ClientError> {
        self.delete("template_source_delete", &["templates", "sources", id.as_str()]).done().await
    }

    /// Fetches a source.
    ///
    /// # Errors
    /// `not_found`; `illegal_transition` while it is being fetched.
    pub async fn template_source_sync(
        &self,
        id: &TemplateSourceId,
        body: &TemplateSourceSync,
    ) -> Result<Job, ClientError> {
        let path = ["templates", "sources", id.as_str(), "sync"];
        self.post("template_source_sync", &path).body(body).json().await
    }

    /// Trusts all templates of a source as they are in a commit.
    ///
    /// # Errors
    /// `not_found`; `stale` for another commit than the present one.
    pub async fn template_source_trust(
        &self,
        id: &TemplateSourceId,
        body: &TemplateSourceTrust,
    ) -> Result<TemplateSource, ClientError> {
        let path = ["templates", "sources", id.as_str(), "trust"];
        self.post("template_source_trust", &path).body(body).json().await
    }

    /// Trusts nothing of a source any more.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn template_source_untrust(
        &self,
        id: &TemplateSourceId,
    ) -> Result<TemplateSource, ClientError> {
        let path = ["templates", "sources", id.as_str(), "untrust"];
        self.post("template_source_untrust", &path).json().await
    }

    /// Templates, by name.
    ///
    /// # Errors
    /// `not_found` for a source there is not.
    pub async fn template_list(
        &self,
        filter: &TemplateFilter,
        page: &PageQuery,
    ) -> Result<Page<Template>, ClientError> {
        self.get("template_list", &["templates"])
            .query("source", filter.source.as_ref())
            .query("q", filter.q.as_ref())
            .page(page)
            .json()
            .await
    }

    /// A template with its text, by its name `source:path[@ref]`.
    ///
    /// # Errors
    /// `not_found`; `unprocessable` for what is no name.
    pub async fn template_get(&self, template: &str) -> Result<TemplateText, ClientError> {
        self.get("template_get", &["templates", "text"])
            .query("template", Some(template))
            .json()
            .await
    }

    /// Trusts a template as it was looked at.
    ///
    /// # Errors
    /// `not_found`; `stale` for another version than the present one.
    pub async fn template_trust(&self, body: &TemplateTrusted) -> Result<Template, ClientError> {
        self.post("template_trust", &["templates", "trust"]).body(body).json().await
    }

    /// Trusts a template no longer.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn template_untrust(
        &self,
        body: &TemplateUntrusted,
    ) -> Result<Template, ClientError> {
        self.post("template_untrust", &["templates", "untrust"]).body(body).json().await
    }

    /// Makes a ticket of a template.
    ///
    /// # Errors
    /// `precondition_required` for one that is not trusted, without `accept_sha256`; `forbidden` for
    /// an agent that asks for such a one.
    pub async fn template_apply(
        &self,
        repo: &RepoId,
        body: &TemplateApply,
    ) -> Result<TicketText, ClientError> {
        let path = ["repos", repo.as_str(), "tickets", "from-template"];
        self.post("template_apply", &path).body(body).json().await
    }
}
