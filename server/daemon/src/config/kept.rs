//! What is kept for a time only: events, and journals of ended agents.

use car_hub::{EventsConfig, JournalsConfig};
use serde::{Deserialize, Serialize};

/// `events:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// Days an event is kept.
    pub keep_days: u32,
    /// Events that are kept. An hour and 10,000 of them are kept in any case.
    pub keep_count: u64,
}

impl Default for Events {
    fn default() -> Self {
        let EventsConfig { keep_days, keep_count } = EventsConfig::default();
        Self { keep_days, keep_count }
    }
}

impl Events {
    /// As the hub takes it.
    #[must_use]
    pub fn for_hub(&self) -> EventsConfig {
        EventsConfig { keep_days: self.keep_days, keep_count: self.keep_count }
    }
}

/// `journals:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Journals {
    /// Days the journal of an agent that has ended is kept; of a run, after the run has ended.
    pub keep_days: u32,
}

impl Default for Journals {
    fn default() -> Self {
        let JournalsConfig { keep_days } = JournalsConfig::default();
        Self { keep_days }
    }
}

impl Journals {
    /// As the hub takes it.
    #[must_use]
    pub fn for_hub(&self) -> JournalsConfig {
        JournalsConfig { keep_days: self.keep_days }
    }
}
