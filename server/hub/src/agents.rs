//! Operations on agents: what is installed here, and what it offers.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
    time::Duration,
};

use car_api::{
    AgentId, Code, Page, PageQuery,
    agent::{Agent, Availability, Model},
};
use car_engine::{
    agent::{Adapter, AgentEvent, Wish},
    detect::{self, VersionRun},
};
use car_files::CAR_DIR;
use car_git::{Git, LayoutKind};

use crate::{
    Error, Hub, Result, clock,
    desk::probe::{self, Probe},
    environment,
    hub::Inner,
    index,
};

/// How long an agent has to answer a question about itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was found of an agent, and when.
#[derive(Debug, Clone)]
pub(crate) struct Detected {
    at: car_api::Timestamp,
    availability: Availability,
    version: Option<String>,
    account: Option<String>,
    models: Vec<Model>,
}

/// How long what was found is good for, in ms.
const FRESH_MS: i64 = 60_000;

impl Hub {
    /// The agents of the registry and what was found of them.
    ///
    /// # Errors
    /// See the API.
    pub async fn agent_list(&self, page: PageQuery) -> Result<Page<Agent>> {
        let adapters = index::page_of(self.inner.agents.values(), &page, |adapter| adapter.id())?;
        let mut items = Vec::new();
        for adapter in adapters.items {
            let found = self.inner.detect(adapter).await;
            let ready = found.availability == Availability::Ready;
            items.push(Agent {
                id: adapter.id(),
                name: adapter.name().to_owned(),
                availability: found.availability,
                version: found.version,
                command: adapter.command(),
                account: found.account,
                hint: (!ready).then(|| adapter.install_hint().to_owned()),
                capabilities: adapter.capabilities().to_vec(),
            });
        }
        Ok(Page { items, next: adapters.next })
    }

    /// The models an agent offers.
    ///
    /// # Errors
    /// See the API.
    pub async fn agent_models(&self, agent: &AgentId, page: PageQuery) -> Result<Page<Model>> {
        let adapter = self.inner.agents.get(agent);
        let adapter = adapter.ok_or_else(|| Error::not_found(format!("agent `{agent}`")))?;
        let found = self.inner.detect(adapter).await;
        if found.availability == Availability::NotInstalled {
            let hint = adapter.install_hint();
            return Err(Error::new(
                Code::AgentUnavailable,
                format!("{agent} is not installed. {hint}"),
            ));
        }
        let placed = found.models.into_iter().zip(1_u32..);
        let page = index::page_of(placed, &page, |(_, place)| *place)?;
        let items = page.items.into_iter().map(|(model, _)| model).collect();
        Ok(Page { items, next: page.next })
    }
}

impl Inner {
    async fn detect(self: &Arc<Self>, adapter: &Arc<dyn Adapter>) -> Detected {
        let now = clock::now();
        {
            let detected = self.detected.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = detected.get(&adapter.id())
                && now.millis_since(found.at) < FRESH_MS
            {
                return found.clone();
            }
        }
        let found = self.ask(adapter, now).await;
        let mut detected = self.detected.lock().unwrap_or_else(PoisonError::into_inner);
        detected.insert(adapter.id(), found.clone());
        found
    }

    async fn ask(self: &Arc<Self>, adapter: &Arc<dyn Adapter>, at: car_api::Timestamp) -> Detected {
        let printed = version(adapter).await;
        let run = match &printed {
            Printed::Nothing => VersionRun::NotFound,
            Printed::Failure => VersionRun::Failed,
            Printed::Text(text) => VersionRun::Printed(text),
        };
        let events = match &printed {
            Printed::Text(_) => self.probe(adapter).await,
            Printed::Nothing | Printed::Failure => Ok(Vec::new()),
        };
        let (events, answered) = match events {
            Ok(events) => (events, true),
            Err(error) => {
                tracing::info!(agent = %adapter.id(), %error, "an agent did not answer as expected");
                (Vec::new(), false)
            }
        };
        let found = detect::found(run, &events);
        let models = events.into_iter().find_map(|event| {
            if let AgentEvent::Models { models } = event { Some(models) } else { None }
        });
        Detected {
            at,
            availability: if answered { found.availability } else { Availability::Broken },
            version: found.version,
            account: found.account,
            models: models.unwrap_or_default(),
        }
    }

    /// Asks an agent for its account and its models.
    async fn probe(self: &Arc<Self>, adapter: &Arc<dyn Adapter>) -> Result<Vec<AgentEvent>> {
        let place = format!("probe-{}", clock::now().micros());
        let dir: PathBuf = self.config.root.join(CAR_DIR).join("tmp").join(place);
        let environment = environment::for_agent(&self.config, None, adapter.as_ref());
        let probe =
            Probe { adapter, program: &self.config.shim_program, dir: dir.clone(), environment };
        let wish = Wish { turn: None, interrupt: false, decisions: &[], models: true };
        let events = probe::ask(probe, &wish, PATIENCE, |events| {
            events.iter().any(|event| matches!(event, AgentEvent::Models { .. }))
        })
        .await;
        let _ = tokio::fs::remove_dir_all(&dir).await;
        events
    }
}

/// Ends probes, and removes checkouts, that an earlier process of the hub left behind.
pub(crate) async fn end_left(hub: &Arc<Inner>) {
    let tmp = hub.config.root.join(CAR_DIR).join("tmp");
    let Ok(mut entries) = tokio::fs::read_dir(&tmp).await else { return };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let session = entry.path().join("session");
        if session.is_dir() {
            // Nobody listens when it has ended by itself.
            let _ = car_shim::stop(&session, Some(Duration::from_secs(2))).await;
        }
        forget_checkout(&entry.path()).await;
        if let Err(error) = tokio::fs::remove_dir_all(entry.path()).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %entry.path().display(), %error, "a leftover could not be removed");
        }
    }
}

/// The repository a checkout is of keeps a note of it, which goes with it.
async fn forget_checkout(place: &Path) {
    let git = Git::at(place);
    if git.layout().is_ok_and(|layout| matches!(layout.kind, LayoutKind::Linked { .. }))
        && let Err(error) = git.checkout_remove(place).await
    {
        tracing::warn!(path = %place.display(), %error, "a checkout could not be removed");
    }
}

/// What came of an agent's version command.
enum Printed {
    /// The program is not there.
    Nothing,
    /// It ended with an error, or did not end.
    Failure,
    /// It printed this.
    Text(String),
}

async fn version(adapter: &Arc<dyn Adapter>) -> Printed {
    let command = adapter.version_command();
    let Some((program, arguments)) = command.split_first() else { return Printed::Nothing };
    let mut process = tokio::process::Command::new(program);
    process.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(PATIENCE, process.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            Printed::Text(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Err(_)) => Printed::Nothing,
        Ok(Ok(_)) | Err(_) => Printed::Failure,
    }
}
