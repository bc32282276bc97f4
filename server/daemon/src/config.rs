//! The sum of what every part of the hub can be told, and where each value came from.
//!
//! Nothing below this crate reads a configuration file or the environment. The order, later ones
//! win: built-ins, `codex-autorunner.yml`, `codex-autorunner.override.yml`,
//! `.codex-autorunner/config.yml`, `CAR_*` variables, flags. Mappings are merged, lists replaced.

mod backup;
mod kept;
mod keys;
mod layer;
mod money;
mod outgoing;
mod pma;
mod repo;
mod secret;
mod server;
mod set;
mod show;
mod templates;
mod terminal;
#[cfg(test)]
mod tests;
mod threads;
mod verify;
mod voice;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    num::NonZeroU64,
    path::{Path, PathBuf},
};

use car_api::{AgentId, agent::ApprovalPolicy, run::RunOptions, verify::VerifyCommand};
use car_hub::FlowConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use backup::Backup;
pub use kept::{Events, Journals};
pub use layer::{ConfigError, Source};
pub use money::{Budget, Decimal, Positive, PriceRow, Prices, for_hub as money_for_hub};
pub use outgoing::{Notifications, Webhooks};
pub use pma::Pma;
pub use repo::RepoConfig;
pub use secret::Secret;
pub use server::{Server, Tailscale};
pub use set::{FILE, set};
pub use templates::{TemplateRepo, Templates};
pub use terminal::Terminal;
pub use threads::Threads;
pub use voice::Voice;

use layer::Layer;
use set::set_all;

/// Everything, with built-ins where nothing was said.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the hub listens.
    pub server: Server,
    /// Who may come through `tailscale serve`.
    pub tailscale: Tailscale,
    /// Where repos are and how many runs work at once.
    pub hub: HubSection,
    /// When backups are made.
    pub backup: Backup,
    /// What a run is started with.
    pub ticket_flow: TicketFlow,
    /// Commands that check a claim of being done, where a ticket names none.
    #[serde(deserialize_with = "verify::commands")]
    pub verify: Vec<VerifyCommand>,
    /// What tokens cost.
    pub prices: Prices,
    /// How much may be used in a day.
    pub budget: Budget,
    /// How the project manager works and what keeps it from harm.
    pub pma: Pma,
    /// How threads are worked.
    pub threads: Threads,
    /// Where templates of tickets come from.
    pub templates: Templates,
    /// Whether people may open terminals, and how many.
    pub terminal: Terminal,
    /// What finds the words of recordings.
    pub voice: Voice,
    /// How long events are kept.
    pub events: Events,
    /// How long journals are kept.
    pub journals: Journals,
    /// How webhooks are sent.
    pub webhooks: Webhooks,
    /// How notifications are sent.
    pub notifications: Notifications,
    /// The agents.
    pub agents: car_agents::Config,
    /// What holds for every repo unless its own `repo.override.yml` says otherwise.
    pub repo_defaults: Map<String, Value>,
}

/// `hub:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubSection {
    /// Directory below the root that is searched for repos.
    pub repos_root: String,
    /// Directory below the root that new worktrees are made in.
    pub worktrees_root: String,
    /// How many runs may have an agent at once; one a processor, at least two, when absent.
    pub max_parallel_runs: Option<u32>,
    /// Who works a new ticket that names nobody.
    pub default_agent: AgentId,
}

impl Default for HubSection {
    #[expect(clippy::expect_used, reason = "the id is a literal")]
    fn default() -> Self {
        Self {
            repos_root: ".".to_owned(),
            worktrees_root: "worktrees".to_owned(),
            max_parallel_runs: None,
            default_agent: "codex".parse().expect("a literal id"),
        }
    }
}

/// `ticket_flow:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TicketFlow {
    /// Turns a run may spend before it pauses.
    pub max_total_turns: u32,
    /// Tokens a run may spend before it pauses; without end when absent.
    pub max_tokens: Option<NonZeroU64>,
    /// What a run may cost before it pauses; without end when absent.
    pub max_cost: Option<Positive>,
    /// Seconds of work a run may spend before it pauses; without end when absent.
    pub max_seconds: Option<NonZeroU64>,
    /// Turns to mend one ticket's frontmatter.
    pub max_lint_retries: u32,
    /// Turns to get one ticket's work committed.
    pub max_commit_retries: u32,
    /// Turns to get one ticket through verification.
    pub max_verify_retries: u32,
    /// Tries after passing errors.
    pub max_network_retries: u32,
    /// Put the previous ticket into the prompt.
    pub include_previous_ticket_context: bool,
    /// How much an agent may do without asking.
    #[serde(deserialize_with = "approval_mode")]
    pub approval_mode: ApprovalPolicy,
    /// Commit a checkpoint after every turn.
    pub auto_commit: bool,
    /// A finished ticket leaves the tree clean.
    pub require_commit: bool,
    /// Largest prompt, in bytes of UTF-8.
    pub prompt_max_bytes: usize,
    /// Seconds without a word of the agent after which a turn is given up.
    pub turn_idle_timeout_s: u64,
    /// Seconds a turn may take.
    pub turn_timeout_s: u64,
    /// Seconds the set-up commands of a worktree may take.
    pub setup_timeout_s: u64,
    /// Whether a ticket passes although a command fails, if that command fails on the run's base
    /// commit too.
    pub allow_preexisting: bool,
}

impl Default for TicketFlow {
    /// The hub's own built-ins.
    fn default() -> Self {
        let flow = FlowConfig::default();
        let options = flow.options;
        Self {
            max_total_turns: options.max_total_turns,
            max_tokens: None,
            max_cost: None,
            max_seconds: None,
            max_lint_retries: options.max_lint_retries,
            max_commit_retries: options.max_commit_retries,
            max_verify_retries: options.max_verify_retries,
            max_network_retries: options.max_network_retries,
            include_previous_ticket_context: options.include_previous_ticket,
            approval_mode: options.approvals,
            auto_commit: options.auto_commit,
            require_commit: options.require_commit,
            prompt_max_bytes: flow.prompt_max_bytes,
            turn_idle_timeout_s: flow.turn_idle_timeout_s,
            turn_timeout_s: flow.turn_timeout_s,
            setup_timeout_s: flow.setup_timeout_s,
            allow_preexisting: flow.allow_preexisting,
        }
    }
}

impl TicketFlow {
    /// As the hub takes it, with the commands that check a claim of being done.
    #[must_use]
    pub fn for_hub(&self, verify: Vec<VerifyCommand>) -> FlowConfig {
        FlowConfig {
            options: RunOptions {
                max_total_turns: self.max_total_turns,
                max_lint_retries: self.max_lint_retries,
                max_commit_retries: self.max_commit_retries,
                max_verify_retries: self.max_verify_retries,
                max_network_retries: self.max_network_retries,
                auto_commit: self.auto_commit,
                require_commit: self.require_commit,
                include_previous_ticket: self.include_previous_ticket_context,
                approvals: self.approval_mode,
                // Budgets are the hub's alone, and change while it runs.
                ..RunOptions::default()
            },
            prompt_max_bytes: self.prompt_max_bytes,
            turn_idle_timeout_s: self.turn_idle_timeout_s,
            turn_timeout_s: self.turn_timeout_s,
            setup_timeout_s: self.setup_timeout_s,
            allow_preexisting: self.allow_preexisting,
            verify,
            ..FlowConfig::default()
        }
    }
}

/// The words of the contract, and the original's `yolo` for asking nothing.
fn approval_mode<'de, D: serde::Deserializer<'de>>(from: D) -> Result<ApprovalPolicy, D::Error> {
    let word = String::deserialize(from)?;
    if word == "yolo" {
        Ok(ApprovalPolicy::Never)
    } else {
        word.parse().map_err(serde::de::Error::custom)
    }
}

/// A configuration with its history.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The hub's root directory, absolute.
    pub root: PathBuf,
    /// What holds.
    pub config: Config,
    /// What was said that has no effect, in sentences.
    pub warnings: Vec<String>,
    /// Where each value that is not a built-in came from, by key.
    sources: BTreeMap<String, Source>,
    /// What holds, as one mapping.
    merged: Value,
}

/// What was said on the command line, by key.
pub type Flags = Vec<(&'static str, Value)>;

/// Reads the configuration of the hub at `root`, with these variables and flags over the files.
///
/// # Errors
/// A file cannot be read or is no YAML, a key is unknown, or a value is not what its key takes.
pub fn load(
    root: &Path,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    flags: Flags,
) -> Result<Loaded, ConfigError> {
    let mut layers = Vec::new();
    for name in layer::FILES {
        layers.extend(Layer::from_file(root, name)?);
    }
    layers.push(Layer::from_variables(variables)?);
    layers.push(Layer::from_flags(flags));

    let mut merged = serde_json::to_value(Config::default()).unwrap_or_default();
    let mut warnings = Vec::new();
    let mut sources = BTreeMap::new();
    for mut layer in layers {
        layer.take_former_names();
        layer.check(keys::KEYS, &[], &mut warnings)?;
        layer.merge_into(&mut merged, &mut sources);
    }
    let config: Config = layer::typed(&merged, &sources)?;
    if let Some(defaults) = merged.get("repo_defaults") {
        repo::check_defaults(defaults, &mut warnings)?;
    }
    warnings.extend(config.templates.warnings());
    warnings.extend(money::warnings(&config.prices, &config.budget, &config.ticket_flow));
    warnings.extend(voice::warnings(&config.voice, root));
    Ok(Loaded { root: root.to_owned(), config, warnings, sources, merged })
}
