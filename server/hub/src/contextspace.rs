//! Operations on contextspace documents.

use car_api::{
    Page, PageQuery, RepoId,
    context::{ContextDoc, ContextName, ContextUpdate},
};
use car_files::{ContentHash, atomic::WriteIf, contextspace};

use crate::{Error, Hub, Result, hub::blocking, index, tickets::condition};

impl Hub {
    /// A page of the documents of a repo.
    ///
    /// # Errors
    /// See the API.
    pub async fn context_list(&self, repo: &RepoId, page: PageQuery) -> Result<Page<ContextDoc>> {
        let names = index::page_of(ContextName::ALL.iter().copied(), &page, |name| *name)?;
        let mut items = Vec::new();
        for name in names.items {
            items.push(self.context_get(repo, name).await?);
        }
        Ok(Page { items, next: names.next })
    }

    /// One document; empty when there is none yet.
    ///
    /// # Errors
    /// See the API.
    pub async fn context_get(&self, repo: &RepoId, name: ContextName) -> Result<ContextDoc> {
        let tree = self.inner.tree(repo)?;
        blocking(move || {
            let (content, etag) = match contextspace::read(&tree, name)? {
                Some(content) => {
                    (String::from_utf8_lossy(&content.bytes).into_owned(), content.hash.to_string())
                }
                None => (String::new(), ContentHash::of(b"").to_string()),
            };
            Ok(ContextDoc { name, content, etag })
        })
        .await
    }

    /// Writes a document, on the version that was read.
    ///
    /// # Errors
    /// See the API.
    pub async fn context_update(
        &self,
        repo: &RepoId,
        name: ContextName,
        body: ContextUpdate,
        if_match: Option<String>,
    ) -> Result<ContextDoc> {
        let tree = self.inner.tree(repo)?;
        let tag = if_match.clone();
        let when = condition(if_match)?;
        let max = usize::try_from(contextspace::MAX_DOC_BYTES).unwrap_or(usize::MAX);
        if body.content.len() > max {
            return Err(Error::new(
                car_api::Code::TooLarge,
                format!("A document has at most {max} bytes."),
            ));
        }
        let (sent, version) = (body.content.clone(), tag);
        let written = blocking(move || {
            let missing = contextspace::read(&tree, name)?.is_none();
            // A document that is not there reads as an empty one.
            let empty = WriteIf::Hash(ContentHash::of(b""));
            let when = if missing && when == empty { WriteIf::Absent } else { when };
            let hash = contextspace::write(&tree, name, body.content.as_bytes(), when)?;
            Ok(ContextDoc { name, content: body.content, etag: hash.to_string() })
        });
        let doc =
            written.await.map_err(|error: Error| error.with_yours(&sent, version.as_deref()))?;
        self.note(self.act("context_update", format!("{repo}/{name}"))).await?;
        Ok(doc)
    }
}
