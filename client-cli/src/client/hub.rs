//! The hub itself.

use car_api::doctor::DoctorReport;
use car_api::hub::{HubInfo, HubSnapshot, Readiness};
use car_api::repo::ScanReport;
use reqwest::Method;

use super::{Call, Client};
use crate::ClientError;

impl Client {
    /// Whether a hub's process answers; needs no token.
    ///
    /// # Errors
    /// Nobody answers, or not as a hub does.
    pub async fn health_live(&self) -> Result<(), ClientError> {
        let url = self.root_url(&["health", "live"]);
        Call::new(self, "health_live", Method::GET, url).done().await
    }

    /// Whether the hub is ready for work.
    ///
    /// # Errors
    /// `unavailable` while it starts or shuts down.
    pub async fn health_ready(&self) -> Result<Readiness, ClientError> {
        let url = self.root_url(&["health", "ready"]);
        Call::new(self, "health_ready", Method::GET, url).json().await
    }

    /// Numbers about the hub, in the text format of Prometheus.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn metrics_get(&self) -> Result<String, ClientError> {
        Call::new(self, "metrics_get", Method::GET, self.root_url(&["metrics"])).text().await
    }

    /// The document of the API as a page.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn docs_get(&self) -> Result<String, ClientError> {
        self.get("docs_get", &["docs"]).text().await
    }

    /// The style sheet of that page.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn docs_style(&self) -> Result<String, ClientError> {
        self.get("docs_style", &["docs", "style.css"]).text().await
    }

    /// What this hub is.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn hub_get(&self) -> Result<HubInfo, ClientError> {
        self.get("hub_get", &["hub"]).json().await
    }

    /// What wants attention, in one small document.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn hub_snapshot(&self) -> Result<HubSnapshot, ClientError> {
        self.get("hub_snapshot", &["hub", "snapshot"]).json().await
    }

    /// What could keep the hub from working, as the hub finds it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn hub_doctor(&self) -> Result<DoctorReport, ClientError> {
        self.get("hub_doctor", &["hub", "doctor"]).json().await
    }

    /// Looks for repos and worktrees in the hub's directories.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn hub_scan(&self) -> Result<ScanReport, ClientError> {
        self.post("hub_scan", &["hub", "scan"]).json().await
    }

    /// The OpenAPI document of this hub.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn openapi_get(&self) -> Result<serde_json::Value, ClientError> {
        self.get("openapi_get", &["openapi.json"]).json().await
    }
}
