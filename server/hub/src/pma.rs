//! The project manager: its documents, what it is shown of the hub, and what keeps it from harm.

mod docs;
mod guard;
mod told;

use car_api::{PageQuery, pma::PmaInfo};
use car_engine::pma::packet::{Facts, packet};
use car_files::seed;

use crate::{
    Error, Hub, RepoFilter, Result,
    hub::{Inner, blocking},
    threads,
};

pub(crate) use guard::Guards;

/// Repos that are looked at for a packet: all it could name, and one more.
const REPOS: u32 = 500;

impl Inner {
    /// Puts what the project manager works from into the hub's root, as far as it is missing.
    pub(crate) async fn seed_pma(&self) {
        if !self.config.pma.enabled {
            return;
        }
        let root = self.config.root.clone();
        let options = self
            .config
            .client_program
            .clone()
            .map(|client| seed::SeedOptions { client, hub_url: self.config.url.clone() });
        let seeded = blocking(move || Ok(seed::seed_pma(&root, options.as_ref())?)).await;
        if let Err(error) = seeded {
            tracing::warn!(%error, "the documents of the project manager could not be written");
        }
    }
}

impl Hub {
    /// How the project manager stands.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_get(&self) -> Result<PmaInfo> {
        let inner = &self.inner;
        let thread = inner.store.pma_thread().await?;
        let thread = thread.ok_or_else(|| Error::not_found("thread of the project manager yet"))?;
        let busy = inner.store.busy_threads().await?;
        let lanes = busy.iter().filter(|row| !row.lane.is_at_rest());
        let (safety, thread) = (inner.guard_of(&thread.id), thread.id);
        Ok(PmaInfo {
            enabled: inner.config.pma.enabled,
            thread,
            safety,
            lanes: lanes.map(|row| threads::lane(row, inner)).collect(),
        })
    }

    /// Closes the circuit breakers: what is held goes on.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_breaker_reset(&self) -> Result<PmaInfo> {
        let reset = self.inner.reset_guards();
        let (threads, mut writes): (Vec<_>, Vec<_>) = reset.into_iter().unzip();
        writes.push(self.act("pma_breaker_reset", "").done());
        self.inner.store.commit(writes).await?;
        for thread in threads {
            threads::release(&self.inner, &thread).await;
        }
        self.pma_get().await
    }

    /// What the project manager is shown of the hub.
    ///
    /// # Errors
    /// See the API.
    pub async fn pma_packet(&self) -> Result<String> {
        let snapshot = self.hub_snapshot().await?;
        let page = PageQuery { after: None, limit: Some(REPOS) };
        let repos = self.repo_list(RepoFilter::default(), page).await?.items;
        let files = self.file_list(&None, None, PageQuery::default()).await?.items;
        Ok(packet(&Facts { snapshot: &snapshot, repos: &repos, files: &files }))
    }
}
