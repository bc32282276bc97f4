//! What a hub is opened with.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use car_api::{AgentId, agent::ApprovalPolicy, run::RunOptions, verify::VerifyCommand};

pub use car_engine::pma::safety::Limits as SafetyConfig;

use crate::{Redactor, backup::BackupConfig};

/// What a hub is opened with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The hub's root directory, absolute.
    pub root: PathBuf,
    /// Where the process answers, for people and agents.
    pub url: String,
    /// The program whose `shim` subcommand runs agents; the hub's own binary.
    pub shim_program: PathBuf,
    /// The client's program, for `bin/car` in repos.
    pub client_program: Option<PathBuf>,
    /// Where base repos are, relative to the root.
    pub repos_root: String,
    /// Where worktrees are, relative to the root.
    pub worktrees_root: String,
    /// How many runs may have an agent at once.
    pub max_parallel_runs: u32,
    /// Who works a new ticket that names nobody.
    pub default_agent: AgentId,
    /// When backups are made and how many are kept.
    pub backup: BackupConfig,
    /// How runs are worked.
    pub flow: FlowConfig,
    /// How runs of one tree are worked, where its own files say otherwise.
    pub tree_flow: TreeFlow,
    /// How the project manager works and what keeps it from harm.
    pub pma: PmaConfig,
    /// How threads are worked.
    pub threads: ThreadsConfig,
    /// How long events are kept.
    pub events: EventsConfig,
    /// How webhooks are sent.
    pub webhooks: WebhooksConfig,
    /// What sends them.
    pub webhook_channel: crate::WebhookChannel,
    /// How notifications are sent.
    pub notifications: NotificationsConfig,
    /// What carries them.
    pub channels: crate::Channels,
    /// Variables of the hub's own environment that agents and verification commands inherit,
    /// where set. Everything else stays out.
    pub environment: Vec<(String, String)>,
    /// What takes secrets out of everything that is kept or sent.
    pub redactor: Redactor,
}

/// How long events are kept: until they are older than `keep_days` or `keep_count` newer ones are
/// there, whichever comes first, but never less than an hour and some thousands of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventsConfig {
    /// Days an event is kept.
    pub keep_days: u32,
    /// Events that are kept.
    pub keep_count: u64,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self { keep_days: 30, keep_count: 1_000_000 }
    }
}

/// How the project manager works and what keeps it, and every other thread, from harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PmaConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Largest file of a box, in bytes.
    pub max_upload_bytes: u64,
    /// Characters of one of its documents a prompt holds.
    pub docs_max_chars: u32,
    /// Lines its working set has before it is pruned.
    pub active_context_max_lines: u32,
    /// Lines at the end of its log a prompt holds.
    pub context_log_tail_lines: u32,
    /// Whether its agent may decide on questions of other agents.
    pub may_approve: bool,
    /// When messages are stopped.
    pub safety: SafetyConfig,
}

impl Default for PmaConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            max_upload_bytes: 10_000_000,
            docs_max_chars: 12_000,
            active_context_max_lines: 200,
            context_log_tail_lines: 120,
            may_approve: false,
            safety: SafetyConfig::default(),
        }
    }
}

/// How threads are worked, where a thread does not say otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadsConfig {
    /// Who answers in a thread that names nobody; who works a ticket that names nobody, when absent.
    pub agent: Option<AgentId>,
    /// How much an agent may do without asking.
    pub approvals: ApprovalPolicy,
    /// Seconds an agent's process is kept when its thread has nothing to do.
    pub idle_s: u64,
    /// Messages of one thread that may wait.
    pub queue_max: u32,
}

impl Default for ThreadsConfig {
    fn default() -> Self {
        Self { agent: None, approvals: ApprovalPolicy::Never, idle_s: 600, queue_max: 100 }
    }
}

/// How webhooks are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhooksConfig {
    /// Milliseconds after the first attempt that failed; each further delay is four times as long.
    pub retry_first_ms: u64,
    /// Attempts after which a delivery is given up.
    pub max_attempts: u32,
    /// Seconds without a delivery that arrives after which a webhook is turned off.
    pub disable_after_s: u64,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self { retry_first_ms: 5_000, max_attempts: 12, disable_after_s: 5 * 86_400 }
    }
}

/// How notifications are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotificationsConfig {
    /// Milliseconds after the first attempt that failed; each further delay is four times as long.
    pub retry_first_ms: u64,
    /// Attempts after which a notification is given up on a channel.
    pub max_attempts: u32,
    /// Attempts a minute on a channel at most.
    pub per_minute: u32,
}

impl Default for NotificationsConfig {
    fn default() -> Self {
        Self { retry_first_ms: 5_000, max_attempts: 7, per_minute: 20 }
    }
}

/// Reads how runs of one tree are worked, from the tree's directory; an error is for people.
pub type ReadFlow = dyn Fn(&Path) -> Result<FlowConfig, String> + Send + Sync;

/// How runs of one tree are worked; without a reader as everywhere in the hub.
#[derive(Clone, Default)]
pub struct TreeFlow(pub Option<Arc<ReadFlow>>);

impl fmt::Debug for TreeFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "TreeFlow(..)" } else { "TreeFlow(none)" })
    }
}

/// How runs are worked, where a run or ticket does not say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowConfig {
    /// Limits and choices a run starts with.
    pub options: RunOptions,
    /// Budget of a prompt in bytes.
    pub prompt_max_bytes: usize,
    /// Seconds without a line from the agent after which a turn is interrupted.
    pub turn_idle_timeout_s: u64,
    /// Seconds a turn may take.
    pub turn_timeout_s: u64,
    /// Commands that check a claim of being done where the ticket names none.
    pub verify: Vec<VerifyCommand>,
    /// Whether a command that fails on the run's base commit too lets a ticket pass.
    pub allow_preexisting: bool,
    /// Prompt template in place of the built-in one.
    pub prompt_template: Option<String>,
    /// Seconds a worktree's set-up commands may take.
    pub setup_timeout_s: u64,
}

impl Default for FlowConfig {
    fn default() -> Self {
        Self {
            options: RunOptions::default(),
            prompt_max_bytes: car_engine::prompt::DEFAULT_MAX_BYTES,
            turn_idle_timeout_s: 600,
            turn_timeout_s: 7200,
            verify: Vec::new(),
            allow_preexisting: false,
            prompt_template: None,
            setup_timeout_s: 600,
        }
    }
}
