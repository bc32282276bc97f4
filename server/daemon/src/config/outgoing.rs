//! What leaves the hub: how long its events are kept, and how webhooks are sent.

use car_hub::{EventsConfig, WebhooksConfig};
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

/// `webhooks:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Seconds an attempt may take.
    pub timeout_s: u64,
    /// Milliseconds after the first attempt that failed; each further delay is four times as long.
    pub retry_first_ms: u64,
    /// Attempts after which a delivery is given up.
    pub max_attempts: u32,
    /// Seconds without a delivery that arrives after which a webhook is turned off.
    pub disable_after_s: u64,
}

impl Default for Webhooks {
    fn default() -> Self {
        let WebhooksConfig { retry_first_ms, max_attempts, disable_after_s } =
            WebhooksConfig::default();
        Self { timeout_s: 15, retry_first_ms, max_attempts, disable_after_s }
    }
}

impl Webhooks {
    /// As the hub takes it.
    #[must_use]
    pub fn for_hub(&self) -> WebhooksConfig {
        WebhooksConfig {
            retry_first_ms: self.retry_first_ms,
            max_attempts: self.max_attempts,
            disable_after_s: self.disable_after_s,
        }
    }

    /// As the sender takes it.
    #[must_use]
    pub fn for_push(&self) -> car_push::Config {
        car_push::Config { timeout_s: self.timeout_s }
    }
}
