//! The handle everything goes through, and how a hub is opened and closed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, RwLock},
};

use car_api::{
    AgentId, EventKind, RepoId, Timestamp, audit::Actor, hub::HubInfo, repo::ScanReport,
};
use car_engine::{agent::Adapter, ticket::KnownAgents};
use car_files::hub_root::{self, HubLock};
use car_store::{Store, Write};

use crate::{
    Config, Error, Result,
    accounts::Accounts,
    clock,
    idempotency::{Claim, Requests},
    index::Index,
    jobs::Jobs,
    live::Live,
    runner::{self, Runs, Slots},
    tokens::Tokens,
    watch::Watch,
};

/// How long what is being written has at the end.
const CLOSE: std::time::Duration = std::time::Duration::from_secs(8);

/// The running hub, and who acts on it through this handle. Cheap to clone; every clone is the same
/// hub.
#[derive(Clone)]
pub struct Hub {
    pub(crate) inner: Arc<Inner>,
    pub(crate) actor: Arc<Actor>,
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
    pub(crate) slots: Slots,
    pub(crate) accounts: Accounts,
    pub(crate) live: Live,
    pub(crate) jobs: Jobs,
    pub(crate) requests: Requests,
    /// One look at a tree at a time.
    pub(crate) refreshing: Mutex<HashMap<RepoId, Arc<tokio::sync::Mutex<()>>>>,
    pub(crate) tokens: RwLock<Tokens>,
    pub(crate) watch: Watch,
    /// One change of the manifest at a time.
    pub(crate) manifest: tokio::sync::Mutex<()>,
    pub(crate) detected: Mutex<BTreeMap<AgentId, crate::agents::Detected>>,
    instance: String,
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
        let store = Store::open(&config.root.join(car_files::CAR_DIR).join("hub.sqlite3")).await?;
        let instance = instance(&store).await?;
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
        let inner = Arc::new(Inner {
            tokens: RwLock::new(Tokens::new(store.tokens().await?)),
            accounts: Accounts::new(store.accounts().await?),
            slots: Slots::new(config.max_parallel_runs),
            runs: Runs::default(),
            live: Live::default(),
            jobs: Jobs::default(),
            requests: Requests::default(),
            refreshing: Mutex::default(),
            manifest: tokio::sync::Mutex::new(()),
            detected: Mutex::default(),
            lock: Mutex::new(Some(lock)),
            config,
            store,
            index,
            agents,
            known_agents,
            watch,
            instance,
            started_at,
        });
        crate::jobs::fail_left(&inner).await?;
        inner
            .log(None, EventKind::HubStarted { version: env!("CARGO_PKG_VERSION").to_owned() })
            .await?;
        crate::agents::end_left(&inner).await;
        runner::recover(&inner).await?;
        tokio::spawn(crate::watch::follow(Arc::downgrade(&inner), changes));
        let hub = Self { inner, actor: Arc::new(Actor::hub()), claim: None };
        let all = hub.clone();
        // The index answers from what was known; what changed meanwhile is read beside it.
        tokio::spawn(async move {
            for repo in all.inner.index.ids() {
                all.inner.refresh(&repo).await;
            }
            if let Err(error) = crate::worktrees::expire(&all.inner).await {
                tracing::warn!(%error, "what was kept too long could not be removed");
            }
        });
        Ok(hub)
    }

    /// The same hub, acted on by somebody else.
    #[must_use]
    pub fn acting(&self, actor: Arc<Actor>) -> Self {
        Self { inner: self.inner.clone(), actor, claim: None }
    }

    /// Who acts through this handle.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Stops taking work, waits for what is being written, and lets go of the root. Agents live on
    /// under their shims.
    pub async fn close(&self) {
        self.inner.watch.stop();
        // A disk that is full must not keep the hub from ending: what is not committed has not
        // happened, and is found again at the next start.
        let closed = async {
            self.inner.runs.close().await;
            self.inner.store.close().await;
        };
        if tokio::time::timeout(CLOSE, closed).await.is_err() {
            tracing::warn!("the hub ends although not everything could be written");
        }
        self.inner.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }

    /// What this hub is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn hub_get(&self) -> Result<HubInfo> {
        let inner = &self.inner;
        Ok(HubInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: inner.instance.clone(),
            root: inner.config.root.to_string_lossy().into_owned(),
            started_at: inner.started_at,
            last_seq: *inner.store.bell().borrow(),
            max_parallel_runs: inner.config.max_parallel_runs,
            url: inner.config.url.clone(),
        })
    }

    /// Looks for repos and worktrees in the hub's directories.
    ///
    /// # Errors
    /// The root or the manifest cannot be read or written.
    pub async fn hub_scan(&self) -> Result<ScanReport> {
        self.inner.scan().await
    }
}

impl Inner {
    /// Appends one event to the log.
    pub(crate) async fn log(&self, repo: Option<&RepoId>, kind: EventKind) -> Result<()> {
        let event =
            Write::Event { at: clock::now(), repo: repo.cloned(), run: None, kind: Box::new(kind) };
        self.store.commit(vec![event]).await?;
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

async fn instance(store: &Store) -> Result<String> {
    if let Some(instance) = store.fact("instance").await? {
        return Ok(instance);
    }
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    let value = crate::text::hex(&bytes);
    store.commit(vec![Write::Fact { name: "instance", value: value.clone() }]).await?;
    Ok(value)
}

/// Runs file work on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
