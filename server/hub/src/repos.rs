//! Operations on repos.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use car_api::{
    Code, EventKind, Page, PageQuery, RepoId, SalvageId,
    job::{Job, JobKind, JobResult},
    problem::Versioned,
    repo::{Repo, RepoClone, RepoCreate, RepoPatch, RepoRemove, ScanReport, Setup, SetupUpdate},
    worktree::{RemovalReport, Salvage},
};
use car_engine::manifest::{self, Manifest, sanitize_id};
use car_files::{
    CAR_DIR, ContentHash,
    atomic::WriteIf,
    hub_root::{self, FoundKind},
    seed::{SeedOptions, seed},
};
use car_git::{Git, Patterns, Removal, RemoveRequest, UnsavedKind};
use car_store::Write;

use crate::{
    Error, Hub, Reach, Result,
    audit::Act,
    clock, convert,
    hub::{Inner, blocking},
    idempotency::Made,
    inbox::derive,
    index::RepoFilter,
    jobs::{self, Outcome},
    text::is_a_line,
};

/// Ignored files that are made again by building or installing.
const REGENERABLE: [&str; 16] = [
    ".codex-autorunner",
    "target",
    "node_modules",
    "__pycache__",
    "*.pyc",
    ".venv",
    "venv",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    "dist",
    "build",
    ".next",
    ".cache",
    ".gradle",
    ".DS_Store",
];

/// How long what was removed is kept at least, in days.
const KEEP_DAYS: i64 = 30;

impl Hub {
    /// A page of repos and worktrees, by id.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_list(&self, filter: RepoFilter, page: PageQuery) -> Result<Page<Repo>> {
        self.inner.index.repos(&filter, &page, &self.rights.reach)
    }

    /// The same as it goes over the wire, with a word for its version.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_list_json(
        &self,
        filter: RepoFilter,
        page: PageQuery,
    ) -> Result<(String, bytes::Bytes)> {
        if !self.rights.reach.is_hub() {
            let version = self.lists_version();
            let list = self.inner.index.repos(&filter, &page, &self.rights.reach)?;
            let bytes = serde_json::to_vec(&list).map_err(Error::internal)?;
            return Ok((version, bytes.into()));
        }
        let (generation, bytes) = self.inner.index.repos_json(filter, &page)?;
        Ok((self.lists_at(generation), bytes))
    }

    /// A word for the present version of every list of repos, worktrees and tickets: as long as it
    /// stays the same, so do they. Asked for before a list is read.
    #[must_use]
    pub fn lists_version(&self) -> String {
        self.lists_at(self.inner.index.generation())
    }

    /// The index counts from each start of the hub.
    pub(crate) fn lists_at(&self, generation: u64) -> String {
        format!("{:x}-{generation:x}", self.inner.started_at.micros())
    }

    /// Creates a git repository and makes it a repo of the hub.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_create(&self, body: RepoCreate) -> Result<Repo> {
        let id = wanted_id(&body.id)?;
        let path = body.path.clone().unwrap_or_else(|| self.inner.under_repos_root(&id));
        let dir = self.inner.place(&path)?;
        self.inner.not_taken(&id, &path)?;
        let repo: RepoId = id.parse().map_err(|e| Error::bad_request(format!("The id: {e}.")))?;
        // Two who ask for the same one do not make it at once.
        let _alone = self.inner.runs.start_alone(&repo).await;
        self.inner.not_taken(&id, &path)?;
        // A directory that an earlier try of this request made is its own.
        let made = Made::Repo { id: repo };
        let ours = self.begun() == Some(&made);
        if dir.exists() && !dir.is_dir() {
            let detail = format!("{path} is a file. Choose the path of a directory.");
            return Err(Error::new(Code::AlreadyExists, detail));
        }
        if dir.exists() && !body.force && !ours {
            let detail = format!(
                "{path} exists already. Choose another id, or take the directory with --force."
            );
            return Err(Error::new(Code::AlreadyExists, detail));
        }
        self.intend(&made).await?;
        if !dir.join(".git").exists() {
            tokio::fs::create_dir_all(&dir).await.map_err(Error::internal)?;
            Git::at(&dir).init("main").await?;
        }
        let name = (body.id != id).then_some(body.id);
        let act = self.act("repo_create", &id).detail(&path);
        self.inner.register(&id, &path, manifest::Kind::Base, name, vec![act.done()]).await
    }

    /// Clones a repo as a job.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_clone(&self, body: RepoClone) -> Result<Job> {
        self.inner.unconfirmed.refuse()?;
        car_git::check_url(&body.url).map_err(|wrong| Error::bad_request(wrong.to_string()))?;
        let last = body.url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
        let wanted = body.id.clone().unwrap_or_else(|| last.trim_end_matches(".git").to_owned());
        // An address may end without a name; an id that was asked for has one.
        let id = if body.id.is_some() { wanted_id(&wanted)? } else { sanitize_id(&wanted) };
        let path = self.inner.under_repos_root(&id);
        let dir = self.inner.place(&path)?;
        self.inner.not_taken(&id, &path)?;
        if dir.exists() {
            let detail = format!("{path} exists already; choose another id with --id.");
            return Err(Error::new(Code::AlreadyExists, detail));
        }
        let repo: RepoId = id.parse().map_err(|e| Error::bad_request(format!("The id: {e}.")))?;
        let inner = Arc::clone(&self.inner);
        let act = self.act("repo_clone", &repo).detail(without_login(&body.url));
        jobs::start(self, JobKind::Clone, Some(repo), act, move |reporter| async move {
            reporter.say(&format!("cloning {}", without_login(&body.url)));
            let report = reporter.git_progress();
            let cancel = reporter.cancel.clone();
            Git::at(&dir).clone_from(&body.url, report, cancel).await?;
            if let Err(error) = reporter.not_cancelled() {
                // It was asked for in the last moment; nobody knows the clone yet.
                let _ = tokio::fs::remove_dir_all(&dir).await;
                return Err(error);
            }
            reporter.at("registering", None, None);
            let repo = inner.register(&id, &path, manifest::Kind::Base, None, Vec::new()).await?;
            Ok(Outcome { result: Some(JobResult::Repo { repo: Box::new(repo) }), note: None })
        })
        .await
    }

    /// One repo or worktree.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_get(&self, repo: &RepoId) -> Result<Repo> {
        self.inner.index.repo(repo)
    }

    /// Changes what is set of a repo.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_update(&self, repo: &RepoId, body: RepoPatch) -> Result<Repo> {
        self.inner.index.entry(repo)?;
        if let Some(name) = body.name {
            let name = name.map(|name| name.trim().to_owned());
            if name.as_ref().is_some_and(|name| !is_a_line(name, 200)) {
                return Err(Error::bad_request("`name` is one line of 1 to 200 characters."));
            }
            let id = repo.to_string();
            let change = move |manifest: &mut Manifest| {
                if let Some(entry) = manifest.get_mut(&id) {
                    entry.display_name.clone_from(&name);
                }
                Ok(())
            };
            self.inner.change_manifest(change).await?;
            self.note(self.act("repo_update", repo)).await?;
        }
        self.inner.index.repo(repo)
    }

    /// Puts the hub's files into a repo.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_init(&self, repo: &RepoId) -> Result<Repo> {
        let tree = self.inner.tree(repo)?;
        self.inner.seed(tree).await?;
        self.inner.refresh(repo).await;
        self.note(self.act("repo_init", repo)).await?;
        self.inner.index.repo(repo)
    }

    /// The commands that prepare a new worktree of a base repo.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_setup_get(&self, repo: &RepoId) -> Result<Setup> {
        setup(self.inner.index.entry(repo)?.setup_commands)
    }

    /// Sets the commands that prepare a new worktree of a base repo, on the version that was read;
    /// `*` stands for whatever is there.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_setup_update(
        &self,
        repo: &RepoId,
        body: SetupUpdate,
        if_match: &str,
    ) -> Result<Setup> {
        if self.inner.index.entry(repo)?.kind != manifest::Kind::Base {
            let detail = format!("{repo} is a worktree; set the commands of its base repo.");
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        let mut body = body;
        // A blank line between commands is none.
        body.commands.retain(|command| !command.trim().is_empty());
        let (id, commands) = (repo.to_string(), body.commands.clone());
        let (version, yours) = (if_match.to_owned(), setup_text(&body.commands)?);
        let change = move |manifest: &mut Manifest| {
            let Some(entry) = manifest.get_mut(&id) else { return Ok(()) };
            let current = setup(entry.setup_commands.clone())?;
            if version != "*" && version != current.etag {
                let detail = "The commands changed since they were read; carry your change over \
                              to `current` and send it with its `etag`.";
                let mut error = Error::new(Code::Stale, detail);
                let content = setup_text(&current.commands)?;
                error.current = Some(Versioned { content, etag: current.etag });
                error.yours = Some(Versioned { content: yours.clone(), etag: version.clone() });
                return Err(error);
            }
            entry.setup_commands.clone_from(&commands);
            Ok(())
        };
        self.inner.change_manifest(change).await?;
        let act = self.act("repo_setup_update", repo);
        self.note(act.detail(body.commands.join("\n"))).await?;
        setup(body.commands)
    }

    /// Removes a repo from the hub, and its directory if that is wanted.
    ///
    /// # Errors
    /// See the API.
    pub async fn repo_remove(&self, repo: &RepoId, body: RepoRemove) -> Result<RemovalReport> {
        self.inner.unconfirmed.refuse()?;
        if self.inner.index.entry(repo)?.kind != manifest::Kind::Base {
            let detail = format!("{repo} is a worktree; use `car hub worktree cleanup {repo}`.");
            return Err(Error::new(Code::IllegalTransition, detail));
        }
        let page = PageQuery { limit: Some(1), ..PageQuery::default() };
        let of = RepoFilter { base: Some(repo.clone()), ..RepoFilter::default() };
        let trees = self.inner.index.repos(&of, &page, &Reach::Hub)?;
        if let Some(tree) = trees.items.first() {
            let detail = format!("{repo} has worktrees ({} …); clean them up first.", tree.id);
            return Err(Error::new(Code::WouldLoseWork, detail));
        }
        let wish = RemovalWish {
            removal: body.delete_dir.then_some(Removal::Repo),
            drop: body.drop,
            dry_run: body.dry_run,
            act: self.act("repo_remove", repo),
        };
        self.inner.remove(repo, wish).await
    }
}

/// Commands with their version.
fn setup(commands: Vec<String>) -> Result<Setup> {
    let etag = ContentHash::of(setup_text(&commands)?.as_bytes()).to_string();
    Ok(Setup { commands, etag })
}

/// Commands as a request has them.
fn setup_text(commands: &[String]) -> Result<String> {
    let body = SetupUpdate { commands: commands.to_vec() };
    serde_json::to_string(&body).map_err(Error::internal)
}

/// An address without what may be a password in it.
pub(crate) fn without_login(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('@') {
            Some((login, host)) if !login.contains('/') => format!("{scheme}://{host}"),
            Some(_) | None => url.to_owned(),
        },
        None => url.to_owned(),
    }
}

/// What is to be removed.
pub(crate) struct RemovalWish {
    /// What goes from the disk; nothing when only the manifest's entry goes.
    pub(crate) removal: Option<Removal>,
    pub(crate) drop: Vec<String>,
    pub(crate) dry_run: bool,
    /// Who wishes it.
    pub(crate) act: Act,
}

impl Inner {
    fn under_repos_root(&self, id: &str) -> String {
        match self.config.repos_root.as_str() {
            "." | "" => id.to_owned(),
            root => format!("{}/{id}", root.trim_end_matches('/')),
        }
    }

    /// The directory of a path within the hub.
    fn place(&self, path: &str) -> Result<PathBuf> {
        let plain = std::path::Path::new(path)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if path.is_empty() || !plain {
            let detail = format!("`{path}` must be a plain path inside the hub's root.");
            return Err(Error::bad_request(detail));
        }
        Ok(self.config.root.join(path))
    }

    fn not_taken(&self, id: &str, path: &str) -> Result<()> {
        let id: RepoId =
            id.parse().map_err(|e| Error::bad_request(format!("`{id}` cannot be an id: {e}.")))?;
        if self.index.entry(&id).is_ok() {
            let detail = format!("The hub has a repo `{id}` already.");
            return Err(Error::new(Code::AlreadyExists, detail));
        }
        if path.starts_with(&format!("{}/", self.config.worktrees_root)) {
            let detail = format!("{} is for worktrees.", self.config.worktrees_root);
            return Err(Error::bad_request(detail));
        }
        Ok(())
    }

    /// Seeds a tree and adds it to the manifest; `acts` are noted with it.
    pub(crate) async fn register(
        self: &Arc<Self>,
        id: &str,
        path: &str,
        kind: manifest::Kind,
        name: Option<String>,
        acts: Vec<Write>,
    ) -> Result<Repo> {
        let tree = self.config.root.join(path);
        self.seed(tree).await?;
        let mut entry = manifest::Repo::new(id, path, kind);
        if name.is_some() {
            entry.display_name = name;
        }
        let change = move |manifest: &mut Manifest| {
            manifest
                .insert(entry.clone())
                .map_err(|e| Error::new(Code::AlreadyExists, e.to_string()))
        };
        self.change_manifest(change).await?;
        let repo: RepoId = id.parse().map_err(Error::internal)?;
        self.refresh(&repo).await;
        self.take_up_car_runs(&repo).await;
        let added = EventKind::RepoAdded { path: path.to_owned() };
        self.log_with(Some(&repo), added, acts).await?;
        self.index.repo(&repo)
    }

    async fn seed(&self, tree: PathBuf) -> Result<()> {
        let client = self.config.client_program.clone().unwrap_or_else(|| PathBuf::from("car"));
        let options = SeedOptions { client, hub_url: self.config.url.clone() };
        blocking(move || {
            seed(&tree, &options)?;
            Ok(())
        })
        .await
    }

    /// Changes the manifest, on whatever version is there.
    pub(crate) async fn change_manifest(
        &self,
        change: impl Fn(&mut Manifest) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let _one = self.manifest.lock().await;
        let root = self.config.root.clone();
        let manifest = blocking(move || {
            loop {
                let (mut manifest, hash) = hub_root::load_manifest(&root)?;
                change(&mut manifest)?;
                match hub_root::save_manifest(&root, &manifest, WriteIf::Hash(hash)) {
                    Ok(_) => return Ok(manifest),
                    // Somebody else wrote it meanwhile; theirs is kept.
                    Err(car_files::atomic::WriteError::Conflict { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        })
        .await?;
        self.index.set_manifest(&manifest);
        Ok(())
    }

    /// Looks for repos and worktrees, and takes in what is new.
    pub(crate) async fn scan(self: &Arc<Self>) -> Result<ScanReport> {
        let config = &self.config;
        let (root, repos, trees) =
            (config.root.clone(), config.repos_root.clone(), config.worktrees_root.clone());
        let discovery =
            blocking(move || Ok(hub_root::discover(&root, repos.as_ref(), trees.as_ref())?))
                .await?;
        // What somebody wrote into the manifest by hand counts as well.
        let found = discovery.found;
        let added = {
            let found = found.clone();
            let added = Arc::new(std::sync::Mutex::new(Vec::new()));
            let noted = Arc::clone(&added);
            let change = move |manifest: &mut Manifest| {
                let mut new = noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                new.clear();
                *new = add_found(manifest, &found);
                Ok(())
            };
            self.change_manifest(change).await?;
            let added = added.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            added.clone()
        };
        let mut report = ScanReport {
            added: Vec::new(),
            missing: Vec::new(),
            issues: self.index.issues(),
            total: 0,
        };
        for (id, path) in added {
            let tree = self.config.root.join(&path);
            if let Err(error) = self.seed(tree).await {
                report.issues.push(format!("{path}: {error}"));
            }
            if let Ok(repo) = id.parse::<RepoId>() {
                self.log(Some(&repo), EventKind::RepoAdded { path }).await?;
                report.added.push(repo);
            }
        }
        report.issues.extend(
            discovery.skipped.iter().map(|s| format!("{}: {}", s.path.display(), s.reason)),
        );
        let ids = self.index.ids();
        for id in &ids {
            self.refresh(id).await;
            self.take_up_car_runs(id).await;
            if self.index.repo(id).is_ok_and(|r| r.status == car_api::repo::RepoStatus::Missing) {
                report.missing.push(id.clone());
            }
        }
        report.total = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        Ok(report)
    }

    /// Removes a repo or worktree: what would be lost stops it, unless it is named; then it is kept
    /// for a while.
    pub(crate) async fn remove(
        self: &Arc<Self>,
        repo: &RepoId,
        wish: RemovalWish,
    ) -> Result<RemovalReport> {
        // Nothing starts here meanwhile.
        let _alone = self.runs.start_alone(repo).await;
        let entry = self.index.entry(repo)?;
        let tree = self.config.root.join(&entry.path);
        self.no_run(repo).await?;
        let mut report = RemovalReport {
            repo: repo.clone(),
            removed: false,
            unsaved: Vec::new(),
            salvage: None,
            archive: None,
        };
        let mut drop = BTreeSet::new();
        for name in &wish.drop {
            drop.insert(UnsavedKind::from_name(name).ok_or_else(|| {
                let known: Vec<&str> = UnsavedKind::ALL.iter().map(|kind| kind.name()).collect();
                let known = known.join(", ");
                let detail = format!("`{name}` is no kind of work; they are {known}.");
                Error::new(Code::Unprocessable, detail)
            })?);
        }
        if let Some(removal) = wish.removal.filter(|_| tree.exists()) {
            let git = Git::at(&tree);
            let regenerable = Patterns::new(REGENERABLE);
            let unsaved = git.unsaved(removal, &regenerable).await?;
            if wish.dry_run {
                report.unsaved = unsaved.into_iter().map(convert::unsaved_work).collect();
                return Ok(report);
            }
            let kept: Vec<_> = unsaved.into_iter().filter(|u| !drop.contains(&u.kind)).collect();
            if !kept.is_empty() {
                return Err(car_git::GitError::WouldLose { unsaved: kept }.into());
            }
            report.archive = self.archive(repo, &entry).await?;
            let now = clock::now();
            let id = SalvageId::generate();
            let mut salvage = Salvage {
                path: format!("{CAR_DIR}/salvage/{id}"),
                id,
                repo: repo.clone(),
                worktree_of: self.index.repo(repo)?.worktree_of,
                branch: None,
                created_at: now,
                keep_until: now.plus_millis(KEEP_DAYS * 86_400_000),
                bytes: 0,
            };
            // Known before anything goes, so that no crash makes it a directory nobody lists.
            let known = Write::Salvage(Box::new(salvage.clone()));
            self.store.commit(vec![known, wish.act.begun()]).await?;
            self.watch.forget_tree(&tree);
            let salvage_to = self.config.root.join(&salvage.path);
            let request =
                RemoveRequest { removal, regenerable, drop, salvage_to: salvage_to.clone() };
            let removed = git.remove(&request).await;
            let kept = match &removed {
                Ok(removed) => removed.salvage.clone(),
                Err(_) => Git::read_salvage(&salvage_to).ok(),
            };
            let write = match kept {
                Some(kept) => {
                    salvage.branch = kept.branch;
                    salvage.bytes = kept.archives.iter().map(|archive| archive.bytes).sum();
                    report.salvage = Some(salvage.clone());
                    Write::Salvage(Box::new(salvage))
                }
                None => Write::SalvageGone(salvage.id),
            };
            self.store.commit(vec![write]).await?;
            report.unsaved = removed?.dropped.into_iter().map(convert::unsaved_work).collect();
            let left = tree.clone();
            blocking(move || {
                // What git does not know of: the hub's own directory, which was archived.
                let _ = std::fs::remove_dir_all(left.join(CAR_DIR));
                let _ = std::fs::remove_dir(&left);
                Ok(())
            })
            .await?;
        } else if wish.dry_run {
            return Ok(report);
        }
        self.watch.forget_tree(&tree);
        let id = repo.to_string();
        let change = move |manifest: &mut Manifest| {
            manifest.remove(&id);
            Ok(())
        };
        self.change_manifest(change).await?;
        let salvage = report.salvage.as_ref().map(|salvage| salvage.path.clone());
        let act = match &salvage {
            Some(salvage) => wish.act.detail(format!("kept in {salvage}")),
            None => wish.act,
        };
        let mut also = vec![Write::RepoGone(repo.clone()), act.done()];
        also.extend(derive::repo_gone(repo, clock::now()));
        self.log_with(Some(repo), EventKind::RepoRemoved { salvage }, also).await?;
        report.removed = true;
        Ok(report)
    }
}

/// Adds what was found and is not in the manifest; brings parents and branches up to date.
fn add_found(manifest: &mut Manifest, found: &[hub_root::Found]) -> Vec<(String, String)> {
    let mut added = Vec::new();
    let text = |path: &std::path::Path| path.to_str().map(|path| path.replace('\\', "/"));
    // Base repos first, so that worktrees find their parents.
    for pass in [true, false] {
        for item in found {
            if matches!(item.kind, FoundKind::Base) != pass {
                continue;
            }
            let Some(path) = text(&item.path) else { continue };
            let of = match &item.kind {
                FoundKind::Base => None,
                FoundKind::Linked { parent } => {
                    let parent = text(parent).and_then(|path| manifest.at_path(&path));
                    Some(parent.map(|repo| repo.id.clone()))
                }
                FoundKind::Unlinked { parent_name } => {
                    let parent = parent_name.as_deref().and_then(|name| manifest.get(name));
                    Some(parent.map(|repo| repo.id.clone()))
                }
            };
            let kind = match of {
                None => manifest::Kind::Base,
                Some(of) => manifest::Kind::Worktree { of },
            };
            if let Some(known) = manifest.at_path(&path).map(|repo| repo.id.clone()) {
                if let Some(entry) = manifest.get_mut(&known) {
                    entry.branch.clone_from(&item.branch);
                    if matches!(item.kind, FoundKind::Linked { .. }) {
                        entry.kind = kind;
                    }
                }
                continue;
            }
            let name = item.path.file_name().and_then(|name| name.to_str()).unwrap_or(&path);
            let id = manifest.free_id(name);
            let mut entry = manifest::Repo::new(&id, &path, kind);
            if id != name {
                entry.display_name = Some(name.to_owned());
            }
            entry.branch.clone_from(&item.branch);
            if manifest.insert(entry).is_ok() {
                added.push((id, path));
            }
        }
    }
    added
}

/// The id that follows from the one that was asked for.
fn wanted_id(text: &str) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::bad_request("The id is empty."));
    }
    Ok(sanitize_id(text))
}
