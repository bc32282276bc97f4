//! Operations on agents.

use car_api::{
    AgentId, Page,
    agent::{Agent, Model},
};

use crate::{Error, Hub, Result};

impl Hub {
    /// agent_list
    ///
    /// # Errors
    /// See the API.
    pub async fn agent_list(&self) -> Result<Page<Agent>> {
        Err(Error::not_found("agent_list"))
    }

    /// agent_models
    ///
    /// # Errors
    /// See the API.
    pub async fn agent_models(&self, agent: &AgentId) -> Result<Page<Model>> {
        let _ = (agent,);
        Err(Error::not_found("agent_models"))
    }
}
