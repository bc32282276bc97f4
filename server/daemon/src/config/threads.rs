//! Conversations outside runs.

use car_api::{AgentId, agent::ApprovalPolicy};
use car_hub::ThreadsConfig;
use serde::{Deserialize, Serialize};

/// `threads:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Threads {
    /// Who answers in a thread that names nobody; `hub.default_agent` when absent.
    pub agent: Option<AgentId>,
    /// How much an agent may do without asking.
    #[serde(deserialize_with = "super::approval_mode")]
    pub approval_mode: ApprovalPolicy,
    /// Seconds an agent's process is kept when its thread has nothing to do.
    pub idle_s: u64,
    /// Messages of one thread that may wait.
    pub queue_max: u32,
}

impl Default for Threads {
    fn default() -> Self {
        let ThreadsConfig { agent, approvals, idle_s, queue_max } = ThreadsConfig::default();
        Self { agent, approval_mode: approvals, idle_s, queue_max }
    }
}

impl Threads {
    /// As the hub takes it.
    #[must_use]
    pub fn for_hub(&self) -> ThreadsConfig {
        ThreadsConfig {
            agent: self.agent.clone(),
            approvals: self.approval_mode,
            idle_s: self.idle_s,
            queue_max: self.queue_max,
        }
    }
}
