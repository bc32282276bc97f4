//! What a hub is opened with.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use car_api::{
    AgentId, TemplateSourceId, agent::ApprovalPolicy, budget::BudgetLimits, pma::WakeRule,
    run::RunOptions, verify::VerifyCommand,
};

pub use car_engine::pma::safety::Limits as SafetyConfig;
use car_engine::pma::wake::{DispatchRule, default_rules};

use crate::{JournalsConfig, Redactor, backup::BackupConfig};

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
    /// What looks at the files all this came from.
    pub check: ConfigCheck,
    /// What tokens cost and how much may be used.
    pub money: MoneyConfig,
    /// How threads are worked.
    pub threads: ThreadsConfig,
    /// Where templates of tickets come from.
    pub templates: TemplatesConfig,
    /// Whether people may open terminals, and how many.
    pub terminal: TerminalConfig,
    /// What finds the words of recordings.
    pub voice: crate::VoiceConfig,
    /// How long events are kept.
    pub events: EventsConfig,
    /// How long journals are kept.
    pub journals: JournalsConfig,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PmaConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Which agent it is, from its next conversation on; as for other threads when absent.
    pub default_agent: Option<AgentId>,
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
    /// When it is woken.
    pub wake: WakeConfig,
    /// Whether questions of agents are answered by `dispatch_rules`.
    pub dispatch_interception_enabled: bool,
    /// Questions that need no thought, and their answers.
    pub dispatch_rules: Vec<DispatchRule>,
    /// Seconds it may take over a question before a person is told.
    pub escalate_after_s: u32,
}

/// When the project manager is woken by what happens to runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WakeConfig {
    /// Whether it is. It costs turns nobody asked for, so it is off until somebody turns it on.
    pub enabled: bool,
    /// For what.
    pub on: Vec<WakeRule>,
    /// Seconds between one time and the next at least; what comes meanwhile is told together.
    pub debounce_s: u32,
}

impl Default for WakeConfig {
    fn default() -> Self {
        Self { enabled: false, on: WakeRule::ALL.to_vec(), debounce_s: 300 }
    }
}

impl Default for PmaConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            default_agent: None,
            max_upload_bytes: 10_000_000,
            docs_max_chars: 12_000,
            active_context_max_lines: 200,
            context_log_tail_lines: 120,
            may_approve: false,
            safety: SafetyConfig::default(),
            wake: WakeConfig::default(),
            dispatch_interception_enabled: false,
            dispatch_rules: default_rules(),
            escalate_after_s: 600,
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

/// Where templates of tickets come from.
#[derive(Debug, Clone, Default)]
pub struct TemplatesConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// The sources, as they were when the hub was opened. Of two with one id the first counts.
    pub sources: Vec<TemplateSourceConfig>,
    /// Where other sources are kept.
    pub keep: KeepTemplates,
}

/// A git repository that templates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSourceConfig {
    /// What its templates are named by.
    pub id: TemplateSourceId,
    /// Where it is fetched from, as git takes it.
    pub url: String,
    /// Whether what it has when it is first fetched is trusted.
    pub trusted: bool,
    /// Branch, tag or commit.
    pub default_ref: String,
}

/// Keeps sources so that the next start has them; an error is for people.
pub type WriteTemplates = dyn Fn(&[TemplateSourceConfig]) -> Result<(), String> + Send + Sync;

/// What keeps sources; without it they cannot be changed.
#[derive(Clone, Default)]
pub struct KeepTemplates(pub Option<Arc<WriteTemplates>>);

impl fmt::Debug for KeepTemplates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "KeepTemplates(..)" } else { "KeepTemplates(none)" })
    }
}

/// Whether people may open terminals on the hub's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalConfig {
    /// Whether they may. A terminal is a shell with all the rights of the hub's user.
    pub enabled: bool,
    /// How many may be open at once.
    pub max_open: u32,
    /// Seconds after which one is ended.
    pub life_s: u64,
    /// The shell; that of the hub's environment when absent.
    pub shell: Option<PathBuf>,
}

impl Default for TerminalConfig {
    fn default() -> Self {
        Self { enabled: false, max_open: 8, life_s: 8 * 3600, shell: None }
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

/// What tokens cost and how much may be used.
#[derive(Debug, Clone, Default)]
pub struct MoneyConfig {
    /// The word for the hub's money; there is one when there are prices.
    pub currency: Option<String>,
    /// What tokens cost; the first that fits decides.
    pub prices: Vec<car_engine::price::Price>,
    /// How much may be used, as it was when the hub was opened.
    pub limits: BudgetLimits,
    /// How many seconds the clocks by which a day begins are ahead of UTC.
    pub utc_offset_s: i64,
    /// Where other limits are kept.
    pub keep: KeepBudgets,
}

/// Reads the files the next start would read: what has no effect there, in sentences; an error is
/// why it could not start.
pub type CheckFiles = dyn Fn() -> Result<Vec<String>, String> + Send + Sync;

/// What looks at the configuration as it is now; without it nobody does.
#[derive(Clone, Default)]
pub struct ConfigCheck(pub Option<Arc<CheckFiles>>);

impl fmt::Debug for ConfigCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ConfigCheck(..)" } else { "ConfigCheck(none)" })
    }
}

/// Keeps limits so that the next start has them; an error is for people.
pub type WriteBudgets = dyn Fn(&BudgetLimits) -> Result<(), String> + Send + Sync;

/// What keeps limits; without it they cannot be changed.
#[derive(Clone, Default)]
pub struct KeepBudgets(pub Option<Arc<WriteBudgets>>);

impl fmt::Debug for KeepBudgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "KeepBudgets(..)" } else { "KeepBudgets(none)" })
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
