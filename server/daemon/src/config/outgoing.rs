//! What leaves the hub: how webhooks and notifications are sent.

use car_hub::{NotificationsConfig, WebhooksConfig};
use serde::{Deserialize, Serialize};

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

/// `notifications:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notifications {
    /// Milliseconds after the first attempt that failed; each further delay is four times as long.
    pub retry_first_ms: u64,
    /// Attempts after which a notification is given up on a channel.
    pub max_attempts: u32,
    /// Attempts a minute on a channel at most.
    pub per_minute: u32,
    /// Where a push service may turn to about this hub's pushes: an `https:` or `mailto:` address.
    pub push_contact: String,
    /// Push services (`host` or `host:port`) beside those of the browsers.
    pub push_services: Vec<String>,
}

impl Default for Notifications {
    fn default() -> Self {
        let NotificationsConfig { retry_first_ms, max_attempts, per_minute } =
            NotificationsConfig::default();
        let push_contact = "mailto:car-hub@localhost".to_owned();
        let push_services = Vec::new();
        Self { retry_first_ms, max_attempts, per_minute, push_contact, push_services }
    }
}

impl Notifications {
    /// As the hub takes it.
    #[must_use]
    pub fn for_hub(&self) -> NotificationsConfig {
        NotificationsConfig {
            retry_first_ms: self.retry_first_ms,
            max_attempts: self.max_attempts,
            // None at all would keep everything back for ever.
            per_minute: self.per_minute.max(1),
        }
    }
}
