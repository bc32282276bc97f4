//! The handle everything goes through, and how a hub is opened and closed.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, RwLock},
};

use car_api::{
    AgentId, EventKind, RepoId, Timestamp, audit::Actor, hub::HubInfo, repo::ScanReport,
};
use car_engine::{agent::Adapter, ticket::KnownAgents};
use car_files::hub_root::{self, HubLock};
use car_store::{Clean, Store, Write};

use crate::{
    Config, Error, Redactor, Result,
    accounts::Accounts,
    backup, clock,
    credentials::{Credentials, Grant, Rights},
    diff::Diffs,
    idempotency::{Claim, Requests},
    inbox::{self, Inbox},
    index::Index,
    jobs::Jobs,
    live::Live,
    outbox::{self, Outbox},
    runner::{self, Runs, Slots},
    spending::Spending,
    templates::Templates,
    terminals::{self, Terminals},
    threads::{self, Lanes},
    watch::Watch,
    webhooks::{self, Webhooks},
};

/// How long what is being written has at the end.
const CLOSE: std::time::Duration = std::time::Duration::from_secs(8);

/// The running hub, and who acts on it through this handle. Cheap to clone; every clone is the same
/// hub.
#[derive(Clone)]
pub struct Hub {
    pub(crate) inner: Arc<Inner>,
    pub(crate) actor: Arc<Actor>,
    pub(crate) rights: Arc<Rights>,
    /// Where the request says it came from, for the audit chain.
    pub(crate) claimed: Option<Arc<str>>,
    /// The request that acts, when it may be sent again.
    pub(crate) claim: Option<Claim>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) index: Index,
    pub(crate) agents: BTreeMap<AgentId, Arc<dyn Adapter>>,
    pub(crate) known_agents: KnownAgents,
    pub(crate) runs: Runs,
    pub(crate) lanes: Lanes,
    pub(crate) slots: Slots,
    pub(crate) accounts: Accounts,
    pub(crate) live: Live,
    pub(crate) spending: Spending,
    pub(crate) jobs: Jobs,
    pub(crate) templates: Templates,
    pub(crate) terminals: Terminals,
    pub(crate) requests: Requests,
    pub(crate) credentials: Credentials,
    /// One look at a tree at a time.
    pub(crate) refreshing: Mutex<HashMap<RepoId, Arc<tokio::sync::Mutex<()>>>>,
    pub(crate) watch: Watch,
    pub(crate) webhooks: Webhooks,
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
    pub(crate) boxes: crate::files::Boxes,
    pub(crate) ears: crate::voice::Ears,
    pub(crate) guards: crate::pma::Guards,
    pub(crate) diffs: Diffs,
    pub(crate) push_key: crate::push::Key,
    /// One change of the manifest at a time.
    pub(crate) manifest: tokio::sync::Mutex<()>,
    pub(crate) detected: Mutex<BTreeMap<AgentId, crate::agents::Detected>>,
    pub(crate) unconfirmed: backup::Unconfirmed,
    instance: String,
    pub(crate) epoch: String,
    pub(crate) started_at: Timestamp,
    lock: Mutex<Option<HubLock>>,
}

impl Hub {
    /// Opens the hub of a root directory: takes its lock, opens its database, takes up its runs.
    ///
    /// # Errors
    /// The root is no hub, another hub holds it, or its files cannot be read.
    pub async fn open(config: Config, agents: Vec<Arc<dyn Adapter>>) -> Result<Self> {
        let started_at = clock::now();
        let root = config.root.clone();
        let (lock, manifest) = blocking(move || {
            let lock = HubLock::acquire(&root, started_at)?;
            let (manifest, _) = hub_root::load_manifest(&root)?;
            Ok((lock, manifest))
        })
        .await?;
        crate::migrate::prepare(&config.root).await?;
        let redactor = config.redactor.clone();
        let clean = Clean::new(move |text| match redactor.redact(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(clean) => Some(clean),
        });
        let file = config.root.join(car_files::CAR_DIR).join("hub.sqlite3");
        let store = Store::open_with(&file, clean).await?;
        let instance = random_fact(&store, "instance", 16).await?;
        // Whoever restores the database puts another one in its place.
        let epoch = random_fact(&store, "epoch", 4).await?;
        let unconfirmed = backup::pending(&store).await?;
        let index = Index::new(config.root.clone());
        index.set_manifest(&manifest);
        index.set_files(store.ticket_files().await?);
        for row in store.latest_runs().await? {
            index.set_run(&row);
        }
        let agents: BTreeMap<AgentId, Arc<dyn Adapter>> =
            agents.into_iter().map(|agent| (agent.id(), agent)).collect();
        let known_agents = KnownAgents::new(agents.keys().map(AgentId::as_str));
        let (watch, changes) = Watch::new();
        let guards = crate::pma::Guards::open(&store).await?;
        let inner = Arc::new(Inner {
            credentials: Credentials::open(&config.root, &store, instance.clone()).await?,
            accounts: Accounts::new(store.accounts().await?),
            slots: Slots::new(config.max_parallel_runs),
            runs: Runs::default(),
            lanes: Lanes::default(),
            live: Live::new(config.redactor.clone()),
            spending: Spending::open(&config.money, &store).await?,
            jobs: Jobs::default(),
            templates: Templates::new(&config.templates),
            terminals: Terminals::default(),
            requests: Requests::default(),
            refreshing: Mutex::default(),
            manifest: tokio::sync::Mutex::new(()),
            detected: Mutex::default(),
            unconfirmed: backup::Unconfirmed(RwLock::new(unconfirmed)),
            lock: Mutex::new(Some(lock)),
            config,
            store,
            index,
            agents,
            known_agents,
            watch,
            webhooks: Webhooks::default(),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            boxes: crate::files::Boxes::default(),
            ears: crate::voice::Ears::default(),
            guards,
            diffs: Diffs::default(),
            push_key: crate::push::Key::new(),
            instance,
            epoch,
            started_at,
        });
        crate::jobs::fail_left(&inner).await?;
        terminals::end_left(&inner).await?;
        inner
            .log(None, EventKind::HubStarted { version: env!("CARGO_PKG_VERSION").to_owned() })
            .await?;
        tokio::spawn(crate::watch::follow(Arc::downgrade(&inner), changes));
        inner.seed_pma().await;
        inner.watch.watch_hub(&inner.config.root);
        inner.look_into_boxes(&None).await;
        let all = Arc::clone(&inner);
        // The index answers from what was known; what changed meanwhile is read beside it.
        tokio::spawn(async move {
            for repo in all.index.ids() {
                all.refresh(&repo).await;
                all.take_up_car_runs(&repo).await;
            }
        });
        if inner.unconfirmed.report().is_none() {
            inner.begin().await?;
        }
        Ok(Self::own(inner))
    }

    /// The hub, acted on by itself.
    pub(crate) fn own(inner: Arc<Inner>) -> Self {
        let (actor, rights) = (Arc::new(Actor::hub()), Arc::new(Rights::all()));
        Self { inner, actor, rights, claimed: None, claim: None }
    }

    /// The same hub, acted on by somebody else.
    #[must_use]
    pub fn acting(&self, grant: &Grant) -> Self {
        let (actor, rights) = (grant.actor.clone(), grant.rights.clone());
        Self {
            inner: self.inner.clone(),
            actor,
            rights,
            claimed: self.claimed.clone(),
            claim: None,
        }
    }

    /// The same, for a request that says where it came from; nobody has checked that.
    #[must_use]
    pub fn coming_from(mut self, claimed: Option<Arc<str>>) -> Self {
        self.claimed = claimed;
        self
    }

    /// What takes secrets out of everything that is kept or sent.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.inner.config.redactor
    }

    /// Who acts through this handle.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Takes no more work: runs finish what they are writing, and begin nothing. Agents live on under
    /// their shims.
    pub async fn rest(&self) {
        self.inner.watch.stop();
        // A terminal does not outlive the hub, and what it ends with is written.
        let ended = terminals::close(&self.inner);
        let rested = async {
            self.inner.runs.close().await;
            self.inner.lanes.close().await;
        };
        futures_util::future::join(ended, rested).await;
    }

    /// Whether whoever writes the database answers.
    ///
    /// # Errors
    /// It is closed.
    pub async fn beat(&self) -> Result<()> {
        self.inner.store.commit(Vec::new()).await?;
        Ok(())
    }

    /// Stops taking work, waits for what is being written, and lets go of the root.
    pub async fn close(&self) {
        self.inner.watch.stop();
        // A disk that is full must not keep the hub from ending: what is not committed has not
        // happened, and is found again at the next start.
        let closed = async {
            terminals::close(&self.inner).await;
            self.inner.runs.close().await;
            self.inner.lanes.close().await;
            tokio::join!(webhooks::stop(&self.inner), outbox::stop(&self.inner));
            self.inner.store.close().await;
        };
        if tokio::time::timeout(CLOSE, closed).await.is_err() {
            tracing::warn!("the hub ends although not everything could be written");
        }
        self.inner.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }

    /// The random id of this hub, made when its database was.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.inner.instance
    }

    /// What this hub is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn hub_get(&self) -> Result<HubInfo> {
        let inner = &self.inner;
        let last_seq = *inner.store.bell().borrow();
        let backup_at = inner.backup_at().await;
        let audit = inner.store.audit_head().await?;
        Ok(HubInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: inner.instance.clone(),
            root: inner.config.root.to_string_lossy().into_owned(),
            started_at: inner.started_at,
            epoch: inner.epoch.clone(),
            last_seq,
            oldest_seq: inner.store.gone() + 1,
            max_parallel_runs: inner.config.max_parallel_runs,
            url: inner.config.url.clone(),
            backup_at,
            restore: inner.unconfirmed.report(),
            audit,
            currency: inner.spending.currency().map(str::to_owned),
        })
    }

    /// Looks for repos and worktrees in the hub's directories.
    ///
    /// # Errors
    /// The root or the manifest cannot be read or written.
    pub async fn hub_scan(&self) -> Result<ScanReport> {
        let report = self.inner.scan().await?;
        let added: Vec<_> = report.added.iter().map(RepoId::as_str).collect();
        self.note(self.act("hub_scan", "").detail(format!("added: {}", added.join(", ")))).await?;
        Ok(report)
    }
}

impl Inner {
    /// Begins to work: ends what an earlier process left, takes up every run, removes what was kept
    /// too long, makes backups. A restored hub does none of it until its report is confirmed.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<()> {
        crate::agents::end_left(self).await;
        inbox::recover(self).await?;
        runner::recover(self).await?;
        threads::recover(self).await?;
        webhooks::recover(self).await?;
        outbox::recover(self).await?;
        self.keep_agent_tokens();
        tokio::spawn(crate::lifecycle::follow(Arc::downgrade(self)));
        tokio::spawn(crate::retention::keep(Arc::downgrade(self)));
        tokio::spawn(backup::keep_making(Arc::downgrade(self)));
        let all = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = crate::worktrees::expire(&all).await {
                tracing::warn!(%error, "what was kept too long could not be removed");
            }
        });
        Ok(())
    }

    /// Appends one event to the log.
    pub(crate) async fn log(&self, repo: Option<&RepoId>, kind: EventKind) -> Result<()> {
        self.log_with(repo, kind, Vec::new()).await
    }

    /// Appends one event to the log, and commits what belongs to it with it.
    pub(crate) async fn log_with(
        &self,
        repo: Option<&RepoId>,
        kind: EventKind,
        mut writes: Vec<Write>,
    ) -> Result<()> {
        let (repo, kind) = (repo.cloned(), Box::new(kind));
        writes.push(Write::Event { at: clock::now(), repo, run: None, thread: None, kind });
        self.store.commit(writes).await?;
        Ok(())
    }

    /// How runs of a tree are worked.
    pub(crate) async fn flow_of(&self, tree: &std::path::Path) -> Result<crate::FlowConfig> {
        let Some(read) = self.config.tree_flow.0.clone() else {
            return Ok(self.config.flow.clone());
        };
        let tree = tree.to_owned();
        blocking(move || read(&tree).map_err(Error::bad_request)).await
    }

    /// The directory of a repo or worktree that is there.
    pub(crate) fn tree(&self, repo: &RepoId) -> Result<std::path::PathBuf> {
        self.index.entry(repo)?;
        let path =
            self.index.tree_path(repo).ok_or_else(|| Error::not_found(format!("repo `{repo}`")))?;
        if path.is_dir() {
            return Ok(path);
        }
        let detail = format!(
            "The directory of {repo} is gone ({}). Put it back, or forget it with `car hub remove {repo}`.",
            path.display()
        );
        Err(Error::new(car_api::Code::NotFound, detail))
    }
}

/// A fact of random bytes that is made when it is not there.
async fn random_fact(store: &Store, name: &'static str, bytes: usize) -> Result<String> {
    if let Some(value) = store.fact(name).await? {
        return Ok(value);
    }
    let value = crate::text::random(bytes)?;
    store.commit(vec![Write::Fact { name, value: value.clone() }]).await?;
    Ok(value)
}

/// Runs file work on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
