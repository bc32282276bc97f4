//! Templates of tickets: their sources, what is in them, and what of it is trusted.
//!
//! The hub's configuration names the sources; the database says which commit of each is looked at
//! and which files, by their hash, somebody trusts; the files themselves are read from a mirror that
//! nothing is ever checked out of. What is in a commit is read once and kept in memory.

mod apply;
mod catalog;
mod sync;

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use car_api::{
    Code, EventKind, Page, PageQuery, TemplateSourceId,
    audit::ActorKind,
    diff::DiffLine,
    job::Job,
    template::{
        Template, TemplateSource, TemplateSourceCreate, TemplateSourceSync, TemplateSourceTrust,
        TemplateText, TemplateTrust, TemplateTrusted, TemplateUntrusted,
    },
};
use car_engine::{template::TemplateRef, ticket::read_template};
use car_git::{Mirror, Oid};
use car_store::{TemplateSourceRow, TemplateTrustRow, Write};

use crate::{
    Error, Hub, Result, TemplateSourceConfig, TemplatesConfig,
    audit::Act,
    clock, diff,
    hub::{Inner, blocking},
    index,
    repos::without_login,
    text::is_a_line,
};
use catalog::{Catalog, Entry};

/// Sources a hub has at most.
const MOST: usize = 50;

/// What the hub knows of templates.
#[derive(Default)]
pub(crate) struct Templates {
    sources: RwLock<Vec<TemplateSourceConfig>>,
    catalogs: Mutex<HashMap<TemplateSourceId, Arc<Catalog>>>,
    /// Sources that are being fetched.
    fetching: Arc<Mutex<BTreeSet<TemplateSourceId>>>,
    /// One change of the sources at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Templates {
    pub(crate) fn new(config: &TemplatesConfig) -> Self {
        let mut sources: Vec<TemplateSourceConfig> = Vec::new();
        for source in &config.sources {
            if !sources.iter().any(|known| known.id == source.id) {
                sources.push(source.clone());
            }
        }
        Self { sources: RwLock::new(sources), ..Self::default() }
    }

    fn sources(&self) -> Vec<TemplateSourceConfig> {
        let mut sources = self.sources.read().unwrap_or_else(PoisonError::into_inner).clone();
        sources.sort_by(|a, b| a.id.cmp(&b.id));
        sources
    }

    fn source(&self, id: &TemplateSourceId) -> Result<TemplateSourceConfig> {
        let found = self.sources().into_iter().find(|source| source.id == *id);
        found.ok_or_else(|| Error::not_found(format!("source of templates `{id}`")))
    }

    fn set(&self, sources: Vec<TemplateSourceConfig>) {
        *self.sources.write().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    fn catalogs(&self) -> std::sync::MutexGuard<'_, HashMap<TemplateSourceId, Arc<Catalog>>> {
        self.catalogs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks a source as being fetched, until the guard goes.
    fn fetch(&self, id: &TemplateSourceId) -> Result<Fetching> {
        let mut all = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.insert(id.clone()) {
            let detail = format!("{id} is being fetched right now; wait for that to end.");
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        Ok(Fetching { id: id.clone(), all: Arc::clone(&self.fetching) })
    }
}

/// A source that is being fetched.
struct Fetching {
    id: TemplateSourceId,
    all: Arc<Mutex<BTreeSet<TemplateSourceId>>>,
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Which templates are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFilter {
    /// Only of this source.
    pub source: Option<TemplateSourceId>,
    /// Only those that have all these words in their name, title or summary, whatever the case.
    pub q: Option<String>,
}

/// The files that are trusted, of all sources.
struct Trusts(HashMap<(TemplateSourceId, String), Vec<String>>);

impl Trusts {
    fn of(&self, source: &TemplateSourceId, path: &str, sha256: &str) -> TemplateTrust {
        match self.0.get(&(source.clone(), path.to_owned())) {
            None => TemplateTrust::Untrusted,
            Some(known) if known.iter().any(|one| one == sha256) => TemplateTrust::Trusted,
            Some(_) => TemplateTrust::Changed,
        }
    }
}

/// A template that was found, with its bytes.
struct Found {
    source: TemplateSourceConfig,
    row: TemplateSourceRow,
    /// The branch, tag or commit it was asked of.
    at: String,
    commit: Oid,
    entry: Entry,
    bytes: Vec<u8>,
    trust: TemplateTrust,
}

impl Found {
    fn template(&self) -> Template {
        self.entry.template(&self.source.id, self.trust)
    }
}

impl Hub {
    /// The sources of templates, by id.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_source_list(&self, page: PageQuery) -> Result<Page<TemplateSource>> {
        self.inner.templates_on()?;
        let trusts = self.inner.trusts().await?;
        let rows = self.inner.store.template_sources().await?;
        let mut all = Vec::new();
        for source in self.inner.templates.sources() {
            let row = rows.iter().find(|row| is_of(row, &source)).cloned();
            all.push(self.inner.template_source(&source, row, &trusts).await);
        }
        index::page_of(all, &page, |source| source.id.clone())
    }

    /// Adds a source. It has no templates before it is fetched.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_source_create(
        &self,
        body: TemplateSourceCreate,
    ) -> Result<TemplateSource> {
        self.inner.templates_on()?;
        let url = body.url.trim().to_owned();
        if url.chars().count() > 2000 {
            return Err(Error::bad_request("`url` has 2000 characters at most."));
        }
        let unusable = |detail: String| Error::new(Code::Unprocessable, detail);
        car_git::check_url(&url).map_err(|wrong| unusable(format!("`url`: {wrong}")))?;
        if without_login(&url) != url && url.starts_with("http") {
            let detail = "The address holds a login, which would stand in the hub's configuration. \
                          Leave it out and give it to git on the hub's machine (credential.helper).";
            return Err(Error::new(Code::Unprocessable, detail));
        }
        let default_ref = body.default_ref.unwrap_or_else(|| "main".to_owned());
        if !is_a_line(&default_ref, 240) || car_git::check_branch_name(&default_ref).is_err() {
            return Err(unusable(
                "`default_ref` is a branch, a tag or a full commit name.".to_owned(),
            ));
        }
        let source =
            TemplateSourceConfig { id: body.id.clone(), url, trusted: body.trusted, default_ref };
        let added = source.clone();
        self.inner
            .change_templates(move |sources| {
                if sources.iter().any(|known| known.id == added.id) {
                    let detail = format!("There is a source `{}` already.", added.id);
                    return Err(Error::new(Code::AlreadyExists, detail));
                }
                if sources.len() >= MOST {
                    let detail = format!("A hub has {MOST} sources of templates at most.");
                    return Err(Error::new(Code::Unprocessable, detail));
                }
                sources.push(added);
                Ok(())
            })
            .await?;
        let act = self.act("template_source_create", &body.id).detail(without_login(&source.url));
        self.templates_changed(&body.id, Vec::new(), act).await?;
        self.inner.source_now(&source).await
    }

    /// Removes a source, with its mirror and what was trusted of it.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_source_delete(&self, id: &TemplateSourceId) -> Result<()> {
        self.inner.unconfirmed.refuse()?;
        self.inner.templates_on()?;
        self.inner.templates.source(id)?;
        let _alone = self.inner.templates.fetch(id)?;
        let gone = id.clone();
        self.inner
            .change_templates(move |sources| {
                sources.retain(|source| source.id != gone);
                Ok(())
            })
            .await?;
        self.inner.templates.catalogs().remove(id);
        let mirror = self.inner.mirror_dir(id);
        blocking(move || {
            // A mirror that stays behind is fetched anew before it is read again.
            let _ = std::fs::remove_dir_all(mirror);
            Ok(())
        })
        .await?;
        let act = self.act("template_source_delete", id);
        self.templates_changed(id, vec![Write::TemplateSourceGone(id.clone())], act).await
    }

    /// Fetches a source as a job, and goes on to the commit its branch has by now.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_source_sync(
        &self,
        id: &TemplateSourceId,
        body: TemplateSourceSync,
    ) -> Result<Job> {
        self.inner.unconfirmed.refuse()?;
        self.inner.templates_on()?;
        let source = self.inner.templates.source(id)?;
        let alone = self.inner.templates.fetch(id)?;
        sync::start(self, source, body.rewritten, alone).await
    }

    /// Trusts all templates of a source as they are in a commit.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_source_trust(
        &self,
        id: &TemplateSourceId,
        body: TemplateSourceTrust,
    ) -> Result<TemplateSource> {
        self.a_person_trusts()?;
        let source = self.inner.templates.source(id)?;
        let row = self.inner.fetched(&source).await?;
        if row.pinned != body.commit {
            let detail = format!(
                "{id} is at {} by now; look at it again before you trust it.",
                short(&row.pinned)
            );
            return Err(Error::new(Code::Stale, detail));
        }
        let catalog = self.inner.catalog(&source, &row).await?;
        let trusts = self.inner.trusts().await?;
        let unknown =
            |entry: &&Entry| trusts.of(id, &entry.path, &entry.sha256) != TemplateTrust::Trusted;
        let new: Vec<&Entry> = catalog.entries.iter().filter(unknown).collect();
        let writes = self.inner.trust_in(id, &new).await?;
        let detail = format!("{} templates at {}", new.len(), short(&row.pinned));
        let act = self.act("template_source_trust", id).detail(detail);
        self.templates_changed(id, writes, act).await?;
        self.inner.source_now(&source).await
    }

    /// Trusts nothing of a source any more.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_source_untrust(&self, id: &TemplateSourceId) -> Result<TemplateSource> {
        self.a_person_trusts()?;
        let mut source = self.inner.templates.source(id)?;
        if source.trusted {
            let wary = id.clone();
            self.inner
                .change_templates(move |sources| {
                    for source in sources.iter_mut().filter(|source| source.id == wary) {
                        source.trusted = false;
                    }
                    Ok(())
                })
                .await?;
            source.trusted = false;
        }
        let gone = Write::TemplateUntrust { source: id.clone(), path: None };
        self.templates_changed(id, vec![gone], self.act("template_source_untrust", id)).await?;
        self.inner.source_now(&source).await
    }

    /// The templates of all sources, by name.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_list(
        &self,
        filter: TemplateFilter,
        page: PageQuery,
    ) -> Result<Page<Template>> {
        self.inner.templates_on()?;
        if let Some(source) = &filter.source {
            self.inner.templates.source(source)?;
        }
        let words = filter.q.unwrap_or_default().to_lowercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        let trusts = self.inner.trusts().await?;
        let rows = self.inner.store.template_sources().await?;
        let mut all = Vec::new();
        for source in self.inner.templates.sources() {
            if filter.source.as_ref().is_some_and(|wanted| *wanted != source.id) {
                continue;
            }
            let Some(row) = rows.iter().find(|row| is_of(row, &source)) else { continue };
            // The list of the sources says what is wrong with a mirror that cannot be read.
            let Ok(catalog) = self.inner.catalog(&source, row).await else { continue };
            let wanted = catalog.entries.iter().filter(|entry| entry.has(&source.id, &words));
            all.extend(wanted.map(|entry| {
                let trust = trusts.of(&source.id, &entry.path, &entry.sha256);
                entry.template(&source.id, trust)
            }));
        }
        all.sort_by(|a, b| a.template.cmp(&b.template));
        index::page_of(all, &page, |template| template.template.clone())
    }

    /// A template with its text, and how it differs from what was trusted.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_get(&self, template: &str) -> Result<TemplateText> {
        let found = self.inner.template_found(template).await?;
        let changes = match found.trust {
            TemplateTrust::Changed => self.inner.changes(&found).await?,
            TemplateTrust::Trusted | TemplateTrust::Untrusted => None,
        };
        let text = read_template(&found.bytes).unwrap_or_default();
        Ok(TemplateText {
            template: found.template(),
            commit: found.commit.to_string(),
            fetched_at: found.row.fetched_at,
            trouble: found.row.trouble.clone(),
            content: String::from_utf8_lossy(&found.bytes).into_owned(),
            body: text.body,
            goal: text.goal,
            context: text.context.into_iter().map(|entry| entry.path).collect(),
            changes,
        })
    }

    /// Trusts a template as it was looked at.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_trust(&self, body: TemplateTrusted) -> Result<Template> {
        self.a_person_trusts()?;
        let mut found = self.inner.template_found(&body.template).await?;
        found.is_what_was_seen(&body.sha256)?;
        let id = found.source.id.clone();
        let row = TemplateTrustRow {
            source: id.clone(),
            path: found.entry.path.clone(),
            sha256: found.entry.sha256.clone(),
            content: String::from_utf8_lossy(&found.bytes).into_owned(),
            trusted_at: clock::now(),
        };
        let act = self.act("template_trust", format!("{id}:{}", found.entry.path));
        let act = act.detail(format!("sha256 {}", found.entry.sha256));
        self.templates_changed(&id, vec![Write::TemplateTrust(Box::new(row))], act).await?;
        found.trust = TemplateTrust::Trusted;
        Ok(found.template())
    }

    /// Trusts a template no longer.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_untrust(&self, body: TemplateUntrusted) -> Result<Template> {
        self.a_person_trusts()?;
        let mut found = self.inner.template_found(&body.template).await?;
        let (id, path) = (found.source.id.clone(), found.entry.path.clone());
        let act = self.act("template_untrust", format!("{id}:{path}"));
        let gone = Write::TemplateUntrust { source: id.clone(), path: Some(path) };
        self.templates_changed(&id, vec![gone], act).await?;
        found.trust = TemplateTrust::Untrusted;
        Ok(found.template())
    }

    /// Whether nobody looks at what this caller does.
    fn is_unattended(&self) -> bool {
        match self.actor.kind {
            ActorKind::Agent | ActorKind::Pma => true,
            ActorKind::Hub | ActorKind::Token | ActorKind::Device => false,
        }
    }

    /// Trust is a person's.
    fn a_person_trusts(&self) -> Result<()> {
        self.inner.templates_on()?;
        if self.is_unattended() {
            let detail = "What is trusted is for a person to say, not for an agent.";
            return Err(Error::new(Code::Forbidden, detail));
        }
        Ok(())
    }

    /// Commits a change of a source with its event and the line of the audit chain.
    async fn templates_changed(
        &self,
        id: &TemplateSourceId,
        mut writes: Vec<Write>,
        act: Act,
    ) -> Result<()> {
        writes.push(act.done());
        let kind = EventKind::TemplatesChanged { source: id.clone() };
        self.inner.log_with(None, kind, writes).await
    }
}

impl Found {
    /// Refuses another version than the one somebody looked at.
    fn is_what_was_seen(&self, sha256: &str) -> Result<()> {
        if self.entry.sha256.eq_ignore_ascii_case(sha256.trim()) {
            return Ok(());
        }
        let detail = format!(
            "{}:{} is another version than the one that was looked at; its SHA-256 is {}. Look at \
             it again.",
            self.source.id, self.entry.path, self.entry.sha256
        );
        Err(Error::new(Code::Stale, detail))
    }
}

impl Inner {
    fn templates_on(&self) -> Result<()> {
        if self.config.templates.enabled {
            return Ok(());
        }
        let detail = "Templates are turned off here (`templates.enabled`); the owner turns them on \
                      at the hub's machine.";
        Err(Error::new(Code::TurnedOff, detail))
    }

    fn mirror_dir(&self, id: &TemplateSourceId) -> PathBuf {
        let dir = self.config.root.join(car_files::CAR_DIR);
        dir.join("templates/mirrors").join(format!("{id}.git"))
    }

    fn mirror(&self, id: &TemplateSourceId) -> Mirror {
        Mirror::at(self.mirror_dir(id))
    }

    /// Changes the sources in the hub's own file and, when that is done, here.
    async fn change_templates(
        &self,
        change: impl FnOnce(&mut Vec<TemplateSourceConfig>) -> Result<()>,
    ) -> Result<()> {
        let _alone = self.templates.changing.lock().await;
        let Some(keep) = self.config.templates.keep.0.clone() else {
            let detail = "This hub has no place to keep other sources of templates.";
            return Err(Error::new(Code::Unprocessable, detail));
        };
        let mut sources = self.templates.sources();
        change(&mut sources)?;
        let kept = sources.clone();
        blocking(move || keep(&kept).map_err(|detail| Error::new(Code::Unprocessable, detail)))
            .await?;
        self.templates.set(sources);
        Ok(())
    }

    /// What is known of a source that was fetched.
    async fn fetched(&self, source: &TemplateSourceConfig) -> Result<TemplateSourceRow> {
        let rows = self.store.template_sources().await?;
        rows.into_iter().find(|row| is_of(row, source)).ok_or_else(|| {
            let detail = format!(
                "{} was not fetched yet; `car templates sources sync {}` does it.",
                source.id, source.id
            );
            Error::new(Code::NotFound, detail)
        })
    }

    async fn trusts(&self) -> Result<Trusts> {
        let mut all: HashMap<_, Vec<String>> = HashMap::new();
        for row in self.store.template_trusts().await? {
            all.entry((row.source, row.path)).or_default().push(row.sha256);
        }
        Ok(Trusts(all))
    }

    /// What is in the pinned commit of a source.
    async fn catalog(
        &self,
        source: &TemplateSourceConfig,
        row: &TemplateSourceRow,
    ) -> Result<Arc<Catalog>> {
        let kept = self.templates.catalogs().get(&source.id).cloned();
        if let Some(kept) = &kept
            && kept.commit.as_str() == row.pinned
        {
            return Ok(Arc::clone(kept));
        }
        let commit = Oid::parse(&row.pinned)
            .ok_or_else(|| Error::internal(format!("{} is no commit", row.pinned)))?;
        let read = catalog::read(&self.mirror(&source.id), &commit, kept.as_deref()).await;
        let catalog = Arc::new(read.map_err(|error| {
            let detail = format!(
                "The copy of {} cannot be read; fetch it again with `car templates sources sync {}`.",
                source.id, source.id
            );
            Error::new(Code::Unavailable, detail).with_source(error)
        })?);
        self.templates.catalogs().insert(source.id.clone(), Arc::clone(&catalog));
        Ok(catalog)
    }

    /// A source as it goes over the wire.
    async fn template_source(
        &self,
        source: &TemplateSourceConfig,
        row: Option<TemplateSourceRow>,
        trusts: &Trusts,
    ) -> TemplateSource {
        let mut shown = TemplateSource {
            id: source.id.clone(),
            url: without_login(&source.url),
            default_ref: source.default_ref.clone(),
            trusted: source.trusted,
            commit: None,
            rewritten: None,
            fetched_at: None,
            trouble: None,
            templates: 0,
            untrusted: 0,
            skipped: Vec::new(),
        };
        let Some(row) = row else { return shown };
        match self.catalog(source, &row).await {
            Ok(catalog) => {
                let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
                let unknown = catalog.entries.iter().filter(|entry| {
                    trusts.of(&source.id, &entry.path, &entry.sha256) != TemplateTrust::Trusted
                });
                shown.untrusted = count(unknown.count());
                shown.templates = count(catalog.entries.len());
                shown.skipped.clone_from(&catalog.skipped);
                shown.trouble = row.trouble;
            }
            Err(error) => shown.trouble = Some(error.detail),
        }
        shown.commit = Some(row.pinned);
        shown.rewritten = row.rewritten;
        shown.fetched_at = Some(row.fetched_at);
        shown
    }

    /// The same, as everything stands.
    async fn source_now(&self, source: &TemplateSourceConfig) -> Result<TemplateSource> {
        let trusts = self.trusts().await?;
        let rows = self.store.template_sources().await?;
        let row = rows.into_iter().find(|row| is_of(row, source));
        Ok(self.template_source(source, row, &trusts).await)
    }

    /// Finds a template by its name: in the pinned commit, or where the name says.
    async fn template_found(&self, name: &str) -> Result<Found> {
        self.templates_on()?;
        let name: TemplateRef = name
            .trim()
            .parse()
            .map_err(|wrong| Error::new(Code::Unprocessable, format!("`template`: {wrong}.")))?;
        let source = self.templates.source(&name.source)?;
        let row = self.fetched(&source).await?;
        let mirror = self.mirror(&source.id);
        let missing = || Error::not_found(format!("template `{name}`"));
        let (commit, entry) = match &name.at {
            None => {
                let catalog = self.catalog(&source, &row).await?;
                let entry = catalog.entries.iter().find(|entry| entry.path == name.path);
                (catalog.commit.clone(), entry.cloned().ok_or_else(missing)?)
            }
            Some(at) => {
                let commit = mirror.commit_of(at).await?.ok_or_else(missing)?;
                let catalog = catalog::read_one(&mirror, &commit, &name.path).await?;
                (commit, catalog.ok_or_else(missing)?)
            }
        };
        let blob = Oid::parse(&entry.blob).ok_or_else(missing)?;
        let bytes = mirror.blobs(&[blob], catalog::LARGEST).await?.pop().ok_or_else(missing)?;
        let trust = self.trusts().await?.of(&source.id, &entry.path, &entry.sha256);
        let at = name.at.unwrap_or_else(|| source.default_ref.clone());
        Ok(Found { source, row, at, commit, entry, bytes, trust })
    }

    /// How a template differs from the version that was trusted last.
    async fn changes(&self, found: &Found) -> Result<Option<Vec<DiffLine>>> {
        let last = self.store.template_trusted_last(&found.source.id, &found.entry.path).await?;
        let Some(last) = last else { return Ok(None) };
        let mirror = self.mirror(&found.source.id);
        let patch = mirror.difference(last.content.as_bytes(), &found.bytes).await?;
        Ok(Some(patch.lines.iter().map(diff::line_view).collect()))
    }

    /// What makes these templates of a source trusted as they are.
    async fn trust_in(&self, id: &TemplateSourceId, entries: &[&Entry]) -> Result<Vec<Write>> {
        let blobs: Vec<Oid> = entries.iter().filter_map(|entry| Oid::parse(&entry.blob)).collect();
        let texts = self.mirror(id).blobs(&blobs, catalog::ALL).await?;
        let trusted_at = clock::now();
        let rows = entries.iter().zip(texts).map(|(entry, bytes)| TemplateTrustRow {
            source: id.clone(),
            path: entry.path.clone(),
            sha256: entry.sha256.clone(),
            content: String::from_utf8_lossy(&bytes).into_owned(),
            trusted_at,
        });
        Ok(rows.map(|row| Write::TemplateTrust(Box::new(row))).collect())
    }
}

/// Whether what is known is of this source as it is configured now.
fn is_of(row: &TemplateSourceRow, source: &TemplateSourceConfig) -> bool {
    row.id == source.id && row.url == source.url
}

/// Enough of a commit's name for people.
fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
