//! Terminals.

use std::path::PathBuf;

use car_hub::TerminalConfig;
use serde::{Deserialize, Serialize};

/// `terminal:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terminal {
    /// Whether people may open shells on this machine from the page or by `car terminal`.
    pub enabled: bool,
    /// How many may be open at once.
    pub max_open: u32,
    /// Seconds after which one is ended.
    pub life_s: u64,
    /// The shell, as an absolute path; `SHELL` of the hub's environment when absent.
    pub shell: Option<PathBuf>,
}

impl Default for Terminal {
    fn default() -> Self {
        let TerminalConfig { enabled, max_open, life_s, shell } = TerminalConfig::default();
        Self { enabled, max_open, life_s, shell }
    }
}

impl Terminal {
    /// As the hub takes it.
    #[must_use]
    pub fn for_hub(&self) -> TerminalConfig {
        TerminalConfig {
            enabled: self.enabled,
            max_open: self.max_open,
            life_s: self.life_s,
            shell: self.shell.clone(),
        }
    }
}
