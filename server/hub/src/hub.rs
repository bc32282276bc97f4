//! The handle everything goes through.

use std::sync::Arc;

use car_api::{
    hub::{HubInfo, HubSnapshot},
    repo::ScanReport,
};
use car_engine::agent::Adapter;

use crate::{Config, Error, Result};

/// The running hub. Cheap to clone; every clone is the same hub.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
}

impl Hub {
    /// Opens the hub of a root directory: takes its lock, opens its database, takes up its runs.
    ///
    /// # Errors
    /// The root is no hub, another hub holds it, or its files cannot be read.
    pub async fn open(config: Config, agents: Vec<Arc<dyn Adapter>>) -> Result<Self> {
        let _ = agents;
        Ok(Self { inner: Arc::new(Inner { config }) })
    }

    /// Stops taking work, waits for what is being written, and lets go of the root. Agents live on
    /// under their shims.
    pub async fn close(&self) {}

    /// Whether the hub serves: its database answers and recovery has begun.
    ///
    /// # Errors
    /// It does not.
    pub async fn ready(&self) -> Result<()> {
        Ok(())
    }

    /// What this hub is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn hub_get(&self) -> Result<HubInfo> {
        let _ = &self.inner.config;
        Err(Error::not_found("hub"))
    }

    /// What wants attention.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn hub_snapshot(&self) -> Result<HubSnapshot> {
        Err(Error::not_found("hub"))
    }

    /// Looks for repos and worktrees in the hub's directories.
    ///
    /// # Errors
    /// The root or the manifest cannot be read or written.
    pub async fn hub_scan(&self) -> Result<ScanReport> {
        Err(Error::not_found("hub"))
    }
}
