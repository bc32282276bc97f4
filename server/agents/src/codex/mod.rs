//! Codex, driven through `codex app-server`: JSON-RPC without the `jsonrpc` member, one message a
//! line, over stdin and stdout.
//!
//! Read in this order: [`Codex`] (what is started), `driver` (what happens when), `outgoing` (what
//! is said to the agent), `proto`, `items`, `questions`, `errors`, `limits` (what its words mean).
//! Facts about the protocol are those of codex-cli 0.169; anything not known is ignored.

mod config;
mod driver;
mod errors;
mod items;
mod limits;
mod outgoing;
mod proto;
mod questions;

use car_api::{AgentId, agent::Capability};
use car_engine::agent::{Adapter, Driver};

pub use config::{Config, QUIET};

/// Codex, or another program that speaks its protocol.
#[derive(Debug, Clone)]
pub struct Codex {
    id: AgentId,
    name: &'static str,
    hint: &'static str,
    config: Config,
}

impl Codex {
    /// Codex itself.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::named(
            "codex",
            "Codex",
            "Install it with `npm install -g @openai/codex`, then log in with `codex login`; \
             or name the program in `agents.codex.command`.",
            config,
        )
    }

    #[expect(clippy::expect_used, reason = "the ids are the literals of this crate")]
    pub(crate) fn named(
        id: &'static str,
        name: &'static str,
        hint: &'static str,
        config: &Config,
    ) -> Self {
        Self { id: id.parse().expect("a literal id"), name, hint, config: config.clone() }
    }
}

impl Adapter for Codex {
    fn id(&self) -> AgentId {
        self.id.clone()
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn capabilities(&self) -> &'static [Capability] {
        Capability::ALL
    }

    fn command(&self) -> Vec<String> {
        let mut command = self.config.command.clone();
        command.push("app-server".to_owned());
        for setting in &self.config.overrides {
            command.extend(["-c".to_owned(), setting.clone()]);
        }
        command
    }

    fn environment(&self) -> Vec<(String, String)> {
        let home = self.config.home.iter().map(|home| ("CODEX_HOME".to_owned(), home.clone()));
        home.chain(self.config.env.clone()).collect()
    }

    fn passed_environment(&self) -> Vec<String> {
        self.config.pass_env.clone()
    }

    fn version_command(&self) -> Vec<String> {
        let mut command = self.config.command.clone();
        command.push("--version".to_owned());
        command
    }

    fn install_hint(&self) -> &'static str {
        self.hint
    }

    fn driver(&self, snapshot: Option<&str>) -> Result<Box<dyn Driver>, String> {
        let driver = driver::CodexDriver::new(self.config.clone(), snapshot)
            .map_err(|e| format!("not a snapshot of the {} driver: {e}", self.id))?;
        Ok(Box::new(driver))
    }
}
