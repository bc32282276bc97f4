//! Agents of the registry.

use car_api::{
    AgentId, Page,
    agent::{Agent, Model},
};

use super::Client;
use crate::ClientError;

impl Client {
    /// The agents the hub can drive, and whether they can be used now.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn agent_list(&self) -> Result<Page<Agent>, ClientError> {
        self.get("agent_list", &["agents"]).all().await
    }

    /// The models an agent offers.
    ///
    /// # Errors
    /// `not_found`, `agent_unavailable`.
    pub async fn agent_models(&self, agent: &AgentId) -> Result<Page<Model>, ClientError> {
        self.get("agent_models", &["agents", agent.as_str(), "models"]).all().await
    }
}
