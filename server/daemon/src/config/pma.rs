//! `pma:`

use car_api::{AgentId, pma::WakeRule};
use car_hub::{DispatchRule, PmaConfig, SafetyConfig, WakeConfig};
use serde::{Deserialize, Serialize, de::Error as _};

/// `pma:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pma {
    /// Whether there is a project manager.
    pub enabled: bool,
    /// Which agent it is, from its next conversation on; `threads.agent` when absent.
    pub default_agent: Option<AgentId>,
    /// Largest file of a box, in bytes.
    #[serde(deserialize_with = "upload")]
    pub max_upload_bytes: u64,
    /// Characters of one of its documents a prompt holds.
    #[serde(deserialize_with = "chars")]
    pub docs_max_chars: u32,
    /// Lines its working set has before it is pruned into its log.
    #[serde(deserialize_with = "lines")]
    pub active_context_max_lines: u32,
    /// Lines at the end of its log a prompt holds.
    #[serde(deserialize_with = "tail")]
    pub context_log_tail_lines: u32,
    /// Whether its agent may decide on questions of other agents.
    pub may_approve: bool,
    /// Equal messages within the window that are let through.
    #[serde(deserialize_with = "limit")]
    pub duplicates_max: u32,
    /// That window.
    #[serde(deserialize_with = "span")]
    pub duplicate_window_seconds: u32,
    /// Turns a thread may begin within a minute.
    #[serde(deserialize_with = "limit")]
    pub turns_per_minute: u32,
    /// Failures in a row after which a thread's turns are held.
    #[serde(deserialize_with = "limit")]
    pub breaker_failures: u32,
    /// How long they are held.
    #[serde(deserialize_with = "span")]
    pub breaker_cooldown_seconds: u32,
    /// When it is woken by what happens to runs.
    pub wake: Wake,
    /// Whether questions of agents are answered by `dispatch_rules`.
    pub dispatch_interception_enabled: bool,
    /// Questions that need no thought, and their answers.
    pub dispatch_rules: Vec<Rule>,
    /// Seconds it may take over a question before a person is told.
    pub escalate_after_seconds: u32,
}

/// `pma.wake:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wake {
    /// Whether it is woken at all.
    pub enabled: bool,
    /// For what: paused, completed, failed, stopped, dispatch, quota, budget.
    pub on: Vec<WakeRule>,
    /// Seconds between one time and the next at least.
    pub debounce_seconds: u32,
}

impl Default for Wake {
    fn default() -> Self {
        let WakeConfig { enabled, on, debounce_s } = WakeConfig::default();
        Self { enabled, on, debounce_seconds: debounce_s }
    }
}

/// One of `pma.dispatch_rules`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the whole of a question says, whatever the case; `*` stands for any text.
    pub matches: Vec<String>,
    /// The answer.
    pub reply: String,
}

impl Default for Pma {
    fn default() -> Self {
        let PmaConfig {
            enabled,
            default_agent,
            max_upload_bytes,
            docs_max_chars,
            active_context_max_lines,
            context_log_tail_lines,
            may_approve,
            safety,
            wake: _,
            dispatch_interception_enabled,
            dispatch_rules,
            escalate_after_s,
        } = PmaConfig::default();
        let SafetyConfig {
            duplicates_max,
            duplicate_window_seconds,
            turns_per_minute,
            breaker_failures,
            breaker_cooldown_seconds,
        } = safety;
        Self {
            enabled,
            default_agent,
            max_upload_bytes,
            docs_max_chars,
            active_context_max_lines,
            context_log_tail_lines,
            may_approve,
            duplicates_max,
            duplicate_window_seconds,
            turns_per_minute,
            breaker_failures,
            breaker_cooldown_seconds,
            wake: Wake::default(),
            dispatch_interception_enabled,
            dispatch_rules: dispatch_rules
                .into_iter()
                .map(|DispatchRule { matches, reply }| Rule { matches, reply })
                .collect(),
            escalate_after_seconds: escalate_after_s,
        }
    }
}

impl Pma {
    /// As the hub takes it.
    #[must_use]
    pub fn for_hub(&self) -> PmaConfig {
        PmaConfig {
            enabled: self.enabled,
            default_agent: self.default_agent.clone(),
            max_upload_bytes: self.max_upload_bytes,
            docs_max_chars: self.docs_max_chars,
            active_context_max_lines: self.active_context_max_lines,
            context_log_tail_lines: self.context_log_tail_lines,
            may_approve: self.may_approve,
            safety: SafetyConfig {
                duplicates_max: self.duplicates_max,
                duplicate_window_seconds: self.duplicate_window_seconds,
                turns_per_minute: self.turns_per_minute,
                breaker_failures: self.breaker_failures,
                breaker_cooldown_seconds: self.breaker_cooldown_seconds,
            },
            wake: WakeConfig {
                enabled: self.wake.enabled,
                on: self.wake.on.clone(),
                debounce_s: self.wake.debounce_seconds,
            },
            dispatch_interception_enabled: self.dispatch_interception_enabled,
            dispatch_rules: self
                .dispatch_rules
                .iter()
                .map(|Rule { matches, reply }| DispatchRule {
                    matches: matches.clone(),
                    reply: reply.clone(),
                })
                .collect(),
            escalate_after_s: self.escalate_after_seconds,
        }
    }
}

/// A number within bounds.
fn within<'de, D: serde::Deserializer<'de>>(
    from: D,
    least: u64,
    most: u64,
) -> Result<u64, D::Error> {
    let value = u64::deserialize(from)?;
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(D::Error::custom(format!("{value} is not from {least} to {most}")))
}

fn small<'de, D: serde::Deserializer<'de>>(
    from: D,
    least: u64,
    most: u32,
) -> Result<u32, D::Error> {
    let value = within(from, least, u64::from(most))?;
    u32::try_from(value).map_err(D::Error::custom)
}

/// Up to 10 GiB.
fn upload<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    within(from, 1, 10 * 1024 * 1024 * 1024)
}

fn chars<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    small(from, 100, 500_000)
}

fn lines<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    small(from, 10, 10_000)
}

fn tail<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    small(from, 0, 10_000)
}

/// Less than one would let nothing through.
fn limit<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    small(from, 1, 100_000)
}

/// Up to a day.
fn span<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    small(from, 1, 86_400)
}
