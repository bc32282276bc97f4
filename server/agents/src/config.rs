//! What a hub may set about its agents.

use serde::{Deserialize, Serialize};

use crate::{codex, demo};

/// Settings of all agents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Codex.
    pub codex: codex::Config,
    /// The bundled demo agent.
    pub demo: demo::Config,
}
