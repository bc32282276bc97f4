//! Operations on the project manager's documents, and the bound of its working set.

use car_api::{
    Code, Page, PageQuery,
    pma::{PmaDoc, PmaDocName, PmaDocUpdate},
};
use car_engine::pma::context;
use car_files::{ContentHash, atomic::WriteIf, pma_docs, seed};

use crate::{
    Error, Hub, Result, clock,
    hub::{Inner, blocking},
    index,
    tickets::condition,
};

/// Characters a document may have.
const MAX_CHARS: usize = 500_000;

/// Bytes after which the log is put aside and begun anew.
const LOG_MAX: usize = 1_000_000;

impl Hub {
    /// A page of the project manager's documents.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_doc_list(&self, page: PageQuery) -> Result<Page<PmaDoc>> {
        let names = index::page_of(PmaDocName::ALL.iter().copied(), &page, |name| *name)?;
        let mut items = Vec::new();
        for name in names.items {
            items.push(self.inner.pma_doc(name).await?);
        }
        Ok(Page { items, next: names.next })
    }

    /// One document; empty when there is none.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_doc_get(&self, name: PmaDocName) -> Result<PmaDoc> {
        self.inner.pma_doc(name).await
    }

    /// Writes a document, on the version that was read.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_doc_update(
        &self,
        name: PmaDocName,
        body: PmaDocUpdate,
        if_match: Option<String>,
    ) -> Result<PmaDoc> {
        let tag = if_match.clone();
        let when = condition(if_match)?;
        if body.content.chars().count() > MAX_CHARS {
            let detail = format!("A document has at most {MAX_CHARS} characters; shorten it.");
            return Err(Error::new(Code::TooLarge, detail));
        }
        let root = self.inner.config.root.clone();
        let (sent, content) = (body.content.clone(), body.content);
        let written = blocking(move || {
            let missing = pma_docs::read(&root, name)?.is_none();
            // A document that is not there reads as an empty one.
            let empty = WriteIf::Hash(ContentHash::of(b""));
            let when = if missing && when == empty { WriteIf::Absent } else { when };
            Ok(pma_docs::write(&root, name, content.as_bytes(), when)?)
        });
        written.await.map_err(|error: Error| error.with_yours(&sent, tag.as_deref()))?;
        self.note(self.act("pma_doc_update", name)).await?;
        self.inner.pma_doc(name).await
    }

    /// Moves the working set into the log, whether it is over its budget or not.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_doc_prune(&self) -> Result<PmaDoc> {
        self.inner.prune_active_context(false).await?;
        self.note(self.act("pma_doc_prune", PmaDocName::ActiveContext)).await?;
        self.inner.pma_doc(PmaDocName::ActiveContext).await
    }
}

impl Inner {
    pub(crate) async fn pma_doc(&self, name: PmaDocName) -> Result<PmaDoc> {
        let root = self.config.root.clone();
        let budget = self.config.pma.active_context_max_lines;
        blocking(move || {
            let (content, etag) = match pma_docs::read(&root, name)? {
                Some(read) => {
                    (String::from_utf8_lossy(&read.bytes).into_owned(), read.hash.to_string())
                }
                None => (String::new(), ContentHash::of(b"").to_string()),
            };
            Ok(PmaDoc {
                name,
                path: pma_docs::path(name).to_string_lossy().into_owned(),
                lines: context::lines(&content),
                line_budget: (name == PmaDocName::ActiveContext).then_some(budget),
                is_default: content == seed::pma_default(name),
                content,
                etag,
            })
        })
        .await
    }

    /// Moves the working set into the log, when it is over its budget or in any case. Whether it
    /// was moved. Whoever writes it at the same moment wins, and it is moved the next time.
    pub(crate) async fn prune_active_context(&self, over_budget_only: bool) -> Result<bool> {
        let root = self.config.root.clone();
        let budget = self.config.pma.active_context_max_lines;
        let at = clock::now();
        let at = at.to_string().get(..19).map_or_else(|| at.to_string(), |text| format!("{text}Z"));
        let pruned = blocking(move || {
            let text = |name| {
                let read = pma_docs::read(&root, name)?;
                let text = read.as_ref().map(|r| String::from_utf8_lossy(&r.bytes).into_owned());
                let when = read.map_or(WriteIf::Absent, |read| WriteIf::Hash(read.hash));
                Ok::<_, Error>((text.unwrap_or_default(), when))
            };
            let (active, active_is) = text(PmaDocName::ActiveContext)?;
            if active.trim().is_empty() || over_budget_only && context::lines(&active) <= budget {
                return Ok(false);
            }
            let (mut log, log_is) = text(PmaDocName::ContextLog)?;
            let mut when = log_is;
            if log.len() > LOG_MAX {
                pma_docs::set_log_aside(&root, &at.replace(':', ""))?;
                (log, when) = (String::new(), WriteIf::Absent);
            }
            let pruned = context::prune(&active, &log, budget, &at);
            // The log first: what is cut short here is in both places, never in none.
            pma_docs::write(&root, PmaDocName::ContextLog, pruned.log.as_bytes(), when)?;
            let bytes = pruned.active.as_bytes();
            pma_docs::write(&root, PmaDocName::ActiveContext, bytes, active_is)?;
            Ok(true)
        });
        pruned.await
    }

    /// The same before a turn: a conflict is somebody's edit and no reason to wait.
    pub(crate) async fn keep_active_context_short(&self) {
        match self.prune_active_context(true).await {
            Ok(true) => tracing::info!("the project manager's working set was pruned into its log"),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "the project manager's working set could not be pruned");
            }
        }
    }
}
