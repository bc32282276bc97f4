//! The project manager: its documents, what it is shown of the hub, and what keeps it from harm.

mod docs;

use car_api::PageQuery;
use car_engine::pma::packet::{Facts, packet};
use car_files::seed;

use crate::{
    Hub, RepoFilter, Result,
    hub::{Inner, blocking},
};

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
