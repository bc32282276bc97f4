//! `car-hub serve`: from configuration to a hub that answers, and down again.

use std::{
    fs, io,
    net::TcpListener,
    num::NonZero,
    path::Path,
    process::ExitCode,
    sync::Arc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use car_api::{Timestamp, notification::ChannelKind};
use car_files::hub_root::{self, Endpoint};
use car_http::{App, Closing, Hosts, Listener};
use car_hub::{Hub, Redactor};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use crate::{
    config::{Loaded, Secret},
    credential, environment,
    listen::{self, Listening},
    log,
    notify::Notify,
    program::{Error, say},
    restore, tailscale,
};

/// How long requests and streams have to end once the hub was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long the hub has to let go of its files after that; ten seconds in all.
const CLOSE: Duration = Duration::from_secs(4);

/// Exit status of a program ended by a second signal.
const INTERRUPTED: u8 = 130;

/// Serves until a signal.
pub(crate) fn run(loaded: &Loaded) -> Result<ExitCode, Error> {
    let redactor = redactor(loaded);
    log::to_stderr(&redactor);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let given = listen::given()?;
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let served = Served::start(loaded, given, redactor).await?;
        say(format_args!("car-hub ready: {}", served.url));
        if let Some(report) = served.hub.unconfirmed() {
            for line in restore::lines(&report) {
                say(line);
            }
        }
        signals.next().await;
        Ok(served.end(signals).await)
    })
}

/// A runtime that is small when idle: few threads, and those that block go when they are not used.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_stack_size(1024 * 1024)
        .thread_keep_alive(Duration::from_secs(5))
        .enable_all()
        .build()
        .map_err(|error| Error::file("the runtime", error))
}

/// A hub that answers.
pub(crate) struct Served {
    pub(crate) hub: Hub,
    pub(crate) url: String,
    /// The port it listens on.
    pub(crate) port: u16,
    root: std::path::PathBuf,
    closing: Closing,
    serving: tokio::task::JoinHandle<()>,
    notify: Notify,
    beating: tokio::task::JoinHandle<()>,
    /// Keeps the owner's token good.
    owner: tokio::task::JoinHandle<()>,
    /// Removes the socket in the file system in the end.
    _local: Option<listen::Local>,
}

impl Served {
    /// Opens the hub, its sockets, and what clients on this machine need to find it.
    pub(crate) async fn start(
        loaded: &Loaded,
        given: Vec<TcpListener>,
        redactor: Redactor,
    ) -> Result<Self, Error> {
        let Listening { listeners, port, url } = listen::open(&loaded.config.server, given)
            .await
            .map_err(|error| served_by(loaded, error))?;
        if let Some(served) = tailscale_of(port).await
            && !loaded.config.server.public
            && !served.funnelled.is_empty()
        {
            return Err(Error::Funnel { names: served.funnelled });
        }
        let agents = car_agents::registry(&agents(loaded)?);
        let hub = Hub::open(for_hub(loaded, &url, redactor)?, agents).await?;
        let instance = hub.hub_get().await?.instance;
        let hosts = Hosts::new(port, loaded.config.server.allowed_hosts.iter().cloned());
        let closing = Closing::new();
        let config = for_http(loaded);
        let limits = config.limits.clone();
        let router = car_http::router(App::new(hub.clone(), hosts, config, closing.clone()));
        let mut all: Vec<_> = listeners.into_iter().map(Listener::Tcp).collect();
        let local = match listen::local(&loaded.root, &instance) {
            Ok((listener, local)) => {
                all.push(Listener::Unix(listener));
                Some(local)
            }
            Err(error) => {
                tracing::warn!("there is no socket in the file system: {error}");
                None
            }
        };
        credential::ensure(&hub, &instance, &loaded.root, &url, now()).await?;
        credential::started(&instance)?;
        let owner = tokio::spawn(credential::keep(
            hub.clone(),
            instance.clone(),
            loaded.root.clone(),
            url.clone(),
        ));
        let serving = {
            let closing = closing.clone();
            tokio::spawn(async move { car_http::serve(all, router, &limits, closing).await })
        };
        let endpoint = Endpoint {
            url: url.clone(),
            socket: local.as_ref().map(|local| local.path.clone()),
            instance,
            pid: std::process::id(),
            started_at: now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        hub_root::write_endpoint(&loaded.root, &endpoint).map_err(|error| {
            Error::file("hub_endpoint.json cannot be written", io::Error::other(error.to_string()))
        })?;
        tracing::info!(url, root = %loaded.root.display(), "hub serves");
        let notify = Notify::from_env();
        notify.ready(&url);
        let beating = tokio::spawn(notify.clone().keep_alive(hub.clone()));
        let root = loaded.root.clone();
        Ok(Self { hub, url, port, root, closing, serving, notify, beating, owner, _local: local })
    }

    /// Ends in order; a further signal ends it at once.
    pub(crate) async fn end(self, mut signals: Signals) -> ExitCode {
        tokio::select! {
            () = self.stop() => ExitCode::SUCCESS,
            () = signals.next() => ExitCode::from(INTERRUPTED),
        }
    }

    async fn stop(self) {
        tracing::info!("hub stops; agents live on under their shims");
        self.notify.stopping();
        // First of all clients on this machine must no longer find it.
        if let Err(error) = hub_root::remove_endpoint(&self.root) {
            tracing::warn!("hub_endpoint.json cannot be removed: {error}");
        }
        self.owner.abort();
        self.closing.begin();
        let mut serving = self.serving;
        // Meanwhile no run begins anything new.
        let ended = async {
            let _ = tokio::join!(&mut serving, self.hub.rest());
        };
        if timeout(GRACE, ended).await.is_err() {
            tracing::warn!("requests were cut: they did not end in time");
            serving.abort();
        }
        if timeout(CLOSE, self.hub.close()).await.is_err() {
            tracing::warn!("the hub did not let go of its files in time");
        }
        self.beating.abort();
    }
}

/// The signals that ask the program to end.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, Error> {
        let on = |kind| signal(kind).map_err(|error| Error::file("signals", error));
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    /// The next of them.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What `tailscale serve` does with the port, asked beside everything else.
async fn tailscale_of(port: u16) -> Option<tailscale::Served> {
    tokio::task::spawn_blocking(move || tailscale::served(port)).await.ok().flatten()
}

fn for_http(loaded: &Loaded) -> car_http::Config {
    let server = &loaded.config.server;
    car_http::Config {
        base_path: server.base_path.clone(),
        public: server.public,
        allowed_logins: loaded.config.tailscale.allowed_logins.clone(),
        limits: server.limits.clone(),
    }
}

/// What takes secrets out of texts; it knows the values agents are given.
pub(crate) fn redactor(loaded: &Loaded) -> Redactor {
    let redactor = Redactor::new();
    let agents = &loaded.config.agents;
    let passed = agents.codex.pass_env.iter().chain(&agents.demo.pass_env);
    for value in passed.filter_map(|name| std::env::var(name).ok()) {
        redactor.learn([value.as_str()]);
    }
    // Settings are given there as well; what looks like a place is one.
    let given = agents.codex.env.values().chain(agents.demo.env.values());
    redactor.learn(given.map(String::as_str).filter(|value| !value.starts_with(['/', '~', '.'])));
    redactor.learn(voice_key(loaded).iter().map(Secret::expose));
    redactor
}

/// The key of what finds words; a warning has said why, when there is none although one was named.
fn voice_key(loaded: &Loaded) -> Option<Secret> {
    loaded.config.voice.key(&loaded.root).ok().flatten()
}

fn for_hub(loaded: &Loaded, url: &str, redactor: Redactor) -> Result<car_hub::Config, Error> {
    let config = &loaded.config;
    let codex = config.agents.codex.pass_env.iter();
    let passed = codex.chain(&config.agents.demo.pass_env).cloned();
    let webhooks: Arc<dyn car_hub::Channel> =
        Arc::new(car_push::Webhooks::new(config.webhooks.for_push()));
    let pushes: Arc<dyn car_hub::Channel> = Arc::new(car_push::WebPushes::new(
        config.webhooks.for_push().timeout_s,
        config.notifications.push_contact.clone(),
        config.notifications.push_services.clone(),
    ));
    let ways = [(ChannelKind::Webhook, Arc::clone(&webhooks)), (ChannelKind::WebPush, pushes)];
    let demo = ["DEMO_AGENT_LOG", "DEMO_AGENT_HOME"].map(str::to_owned);
    Ok(car_hub::Config {
        root: loaded.root.clone(),
        url: url.to_owned(),
        shim_program: own_program()?,
        client_program: client_program(),
        repos_root: config.hub.repos_root.clone(),
        worktrees_root: config.hub.worktrees_root.clone(),
        max_parallel_runs: config.hub.max_parallel_runs.unwrap_or_else(one_a_processor),
        default_agent: config.hub.default_agent.clone(),
        backup: config.backup.for_hub(&loaded.root),
        flow: config.ticket_flow.for_hub(config.verify.clone()),
        tree_flow: tree_flow(loaded),
        check: check(loaded),
        money: money(loaded),
        threads: config.threads.for_hub(),
        templates: templates(loaded),
        terminal: config.terminal.for_hub(),
        voice: config.voice.for_hub(voice_key(loaded)),
        events: config.events.for_hub(),
        journals: config.journals.for_hub(),
        pma: config.pma.for_hub(),
        webhooks: config.webhooks.for_hub(),
        webhook_channel: car_hub::WebhookChannel(Some(Arc::clone(&webhooks))),
        notifications: config.notifications.for_hub(),
        channels: car_hub::Channels(ways.into()),
        environment: environment::shared(passed.chain(demo)),
        redactor,
    })
}

/// Where a hub's or a repo's own prompt template is, relative to its directory.
const TEMPLATE: &str = ".codex-autorunner/prompt.md.j2";

/// What a tree's own files say about its runs, over what the hub's say.
fn tree_flow(loaded: &Loaded) -> car_hub::TreeFlow {
    let loaded = loaded.clone();
    let read = move |tree: &Path| {
        let (own, _) = loaded.for_repo(tree).map_err(|error| error.to_string())?;
        let mut flow = own.ticket_flow.for_hub(own.verify);
        let template = |dir: &Path| fs::read_to_string(dir.join(TEMPLATE)).ok();
        flow.prompt_template = template(tree).or_else(|| template(&loaded.root));
        Ok(flow)
    };
    car_hub::TreeFlow(Some(Arc::new(read)))
}

/// Reads the configuration again, as the next start will but for its flags.
fn check(loaded: &Loaded) -> car_hub::ConfigCheck {
    let root = loaded.root.clone();
    let read = move || {
        let found = crate::config::load(&root, std::env::vars_os(), Vec::new());
        found.map(|loaded| loaded.warnings).map_err(|error| error.to_string())
    };
    car_hub::ConfigCheck(Some(Arc::new(read)))
}

/// What tokens cost and how much may be used, kept in the hub's own file.
fn money(loaded: &Loaded) -> car_hub::MoneyConfig {
    let config = &loaded.config;
    let keeps = loaded.clone();
    let keep = move |limits: &car_api::budget::BudgetLimits| {
        keeps.keep_budgets(limits).map_err(|error| error.to_string())
    };
    car_hub::MoneyConfig {
        keep: car_hub::KeepBudgets(Some(Arc::new(keep))),
        ..crate::config::money_for_hub(&config.prices, &config.budget, &config.ticket_flow)
    }
}

/// Where templates come from, kept in the hub's own file.
fn templates(loaded: &Loaded) -> car_hub::TemplatesConfig {
    let keeps = loaded.clone();
    let keep = move |sources: &[car_hub::TemplateSourceConfig]| {
        keeps.keep_templates(sources).map_err(|error| error.to_string())
    };
    car_hub::TemplatesConfig {
        keep: car_hub::KeepTemplates(Some(Arc::new(keep))),
        ..loaded.config.templates.for_hub()
    }
}

/// The agents' settings, with this program as the demo agent unless another one was named.
pub(crate) fn agents(loaded: &Loaded) -> Result<car_agents::Config, Error> {
    let mut agents = loaded.config.agents.clone();
    if agents.demo.command.is_empty() {
        let program = own_program()?.to_string_lossy().into_owned();
        agents.demo.command = vec![program, "demo-agent".to_owned()];
    }
    // Its conversations belong to this hub, so that another one begins anew.
    let home = loaded.root.join(car_files::CAR_DIR).join("demo-agent");
    if std::env::var_os("DEMO_AGENT_HOME").is_none() {
        let home = home.to_string_lossy().into_owned();
        agents.demo.env.entry("DEMO_AGENT_HOME".to_owned()).or_insert(home);
    }
    Ok(agents)
}

fn own_program() -> Result<std::path::PathBuf, Error> {
    std::env::current_exe().map_err(|error| Error::file("the hub's own program", error))
}

/// `car` is installed beside `car-hub`.
fn client_program() -> Option<std::path::PathBuf> {
    let beside = std::env::current_exe().ok()?.with_file_name("car");
    beside.is_file().then_some(beside)
}

fn one_a_processor() -> u32 {
    let processors = thread::available_parallelism().map_or(2, NonZero::get);
    u32::try_from(processors.max(2)).unwrap_or(2)
}

/// When the port is taken because this very hub is served already, says so.
fn served_by(loaded: &Loaded, error: Error) -> Error {
    let running = hub_root::read_endpoint(&loaded.root).ok().flatten();
    match (error, running) {
        (Error::Listen { at, error, .. }, Some(running)) if is_alive(running.pid) => {
            let hint = format!(
                "; this hub is served already at {} by process {}",
                running.url, running.pid
            );
            Error::Listen { at, error, hint }
        }
        (error, _) => error,
    }
}

fn is_alive(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
