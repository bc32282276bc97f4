//! Webhooks: events posted to an address of the owner's, signed, tried again until they arrive.

use crate::{DeliveryId, RepoId, RunId, Timestamp, WebhookId, wire, words};

wire! {
    /// An address that events are posted to.
    ///
    /// Each event is one `POST` of a `WebhookPayload`, signed as Standard Webhooks has it:
    /// `webhook-id` stays the same however often the event is sent, `webhook-timestamp` is when it
    /// was sent, `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over
    /// `<id>.<timestamp>.<body>`, once for each secret that is valid. Any 2xx within the time limit
    /// is a delivery; everything else is tried again, later and later; 410 turns the webhook off.
    pub struct Webhook {
        /// Its id.
        pub id: WebhookId,
        /// Where to.
        pub url: String,
        /// What it is for, in its owner's words.
        pub description: String,
        /// Which events.
        pub filter: WebhookFilter,
        /// Whether events are sent.
        pub enabled: bool,
        /// Why the hub turned it off, when it did.
        pub disabled_reason: Option<String>,
        /// Since when nothing has arrived although it was tried.
        pub failing_since: Option<Timestamp>,
        /// Number of the last event that was looked at; those after it are not in the ledger yet.
        pub cursor: i64,
        /// Deliveries that have not arrived yet and are not given up.
        pub pending: u64,
        /// When the secret before the present one stops being valid, if it still is.
        pub old_secret_until: Option<Timestamp>,
        /// When it was made.
        pub created_at: Timestamp,
    }
}

wire! {
    /// Which events a webhook is sent; an empty filter wants all.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct WebhookFilter {
        /// Only of this repo or worktree.
        #[serde(default)]
        pub repo: Option<RepoId>,
        /// Only of this run.
        #[serde(default)]
        pub run: Option<RunId>,
        /// Only of these kinds, by the `kind` word of the event.
        #[serde(default)]
        pub kinds: Vec<String>,
    }
}

wire! {
    /// Body of `webhook_create`.
    #[serde(deny_unknown_fields)]
    pub struct WebhookCreate {
        /// Where to: an `http` or `https` address without user name and fragment.
        pub url: String,
        /// What it is for.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(max_length = 200))]
        pub description: String,
        /// Which events; all when absent.
        #[serde(default)]
        pub filter: WebhookFilter,
    }
}

wire! {
    /// A webhook with a new secret; the only time the secret is shown.
    pub struct WebhookSecret {
        /// The webhook.
        pub webhook: Webhook,
        /// The secret: `whsec_` and the key in base64.
        pub secret: String,
    }
}

wire! {
    /// Body of `webhook_update`; what is absent stays.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct WebhookUpdate {
        /// Where to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub url: Option<String>,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(max_length = 200))]
        pub description: Option<String>,
        /// Which events, from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub filter: Option<WebhookFilter>,
        /// Whether events are sent. Turned on again, it goes on where it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub enabled: Option<bool>,
    }
}

wire! {
    /// What is posted to a webhook.
    pub struct WebhookPayload {
        /// The event's kind; `test` for a test.
        pub r#type: String,
        /// When the event was written.
        pub timestamp: Timestamp,
        /// The event; absent in a test.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub data: Option<crate::Event>,
    }
}

wire! {
    /// One line of the ledger: an event on its way to a webhook.
    pub struct WebhookDelivery {
        /// Its id, which is also sent as `webhook-id`.
        pub id: DeliveryId,
        /// The webhook.
        pub webhook: WebhookId,
        /// The event's number; absent for a test.
        pub seq: Option<i64>,
        /// The event's kind; `test` for a test.
        pub kind: String,
        /// How it stands.
        pub status: DeliveryStatus,
        /// How often it was tried.
        pub attempts: u32,
        /// When it joined the ledger.
        pub created_at: Timestamp,
        /// When it was tried last.
        pub last_attempt_at: Option<Timestamp>,
        /// What the address answered last.
        pub last_status: Option<u16>,
        /// What went wrong last.
        pub last_error: Option<String>,
        /// When it is tried next, while it is pending.
        pub next_attempt_at: Option<Timestamp>,
    }
}

words! {
    /// How a delivery stands.
    pub enum DeliveryStatus {
        /// It has not arrived yet; it is tried, or tried again.
        Pending = "pending",
        /// The address took it.
        Delivered = "delivered",
        /// It was given up; it can be sent again by hand.
        Failed = "failed",
    }
}
