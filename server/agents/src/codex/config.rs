//! Settings of Codex.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Settings of Codex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The program, with arguments that go before `app-server`.
    pub command: Vec<String>,
    /// Model when a ticket names none; Codex's own choice when absent.
    pub model: Option<String>,
    /// Reasoning effort when a ticket names none.
    pub effort: Option<String>,
    /// How much of its reasoning Codex is asked to sum up: `auto`, `concise`, `detailed`, `none`.
    pub summary: String,
    /// Codex's own directory (`CODEX_HOME`); the user's when absent.
    pub home: Option<String>,
    /// Whether a sandboxed agent may use the network; without sandbox it always may.
    pub network: bool,
    /// Variables the agent is given besides those of every agent.
    pub env: BTreeMap<String, String>,
    /// Names of the hub's own variables the agent is given when they are set.
    pub pass_env: Vec<String>,
    /// Settings given as `-c key=value`, over those of the user's `config.toml`. The value is TOML.
    pub overrides: Vec<String>,
}

/// The settings that keep Codex from talking to anyone but its model, let failures surface instead
/// of waiting for the network without end, and make it report its plan.
pub const QUIET: &[&str] = &[
    "analytics.enabled=false",
    "feedback.enabled=false",
    "check_for_update_on_startup=false",
    "features.unbounded_connection_retries=false",
    "features.plugins=false",
    "features.remote_plugin=false",
    "features.apps=false",
    "features.shell_snapshot=false",
    "tools.update_plan.enabled=true",
];

/// What Codex and its HTTP client read from the environment.
const PASSED: &[&str] = &[
    "CODEX_HOME",
    "CODEX_API_KEY",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

impl Default for Config {
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            command: owned(&["codex"]),
            model: None,
            effort: None,
            summary: "auto".to_owned(),
            home: None,
            network: false,
            env: BTreeMap::new(),
            pass_env: owned(PASSED),
            overrides: owned(QUIET),
        }
    }
}
