//! The bundled demo agent: it speaks Codex's protocol, so only the command differs.

use serde::{Deserialize, Serialize};

use crate::codex::{self, Codex};

/// Settings of the demo agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The program that plays the agent, with its first arguments: the hub's own binary and the
    /// word `demo-agent`. The demo agent is not offered when this is empty.
    pub command: Vec<String>,
    /// Variables the agent is given besides those of every agent.
    pub env: std::collections::BTreeMap<String, String>,
    /// Names of the hub's own variables it is given when they are set.
    pub pass_env: Vec<String>,
}

/// The demo agent as an adapter.
#[must_use]
pub fn demo(config: &Config) -> Codex {
    Codex::named(
        "demo",
        "Demo agent (bundled, scripted, no model)",
        "It is part of the hub's own binary: check `agents.demo.command`.",
        &codex::Config {
            command: config.command.clone(),
            env: config.env.clone(),
            pass_env: config
                .pass_env
                .iter()
                .cloned()
                .chain(["DEMO_AGENT_LOG", "DEMO_AGENT_HOME"].map(str::to_owned))
                .collect(),
            overrides: Vec::new(),
            ..codex::Config::default()
        },
    )
}
