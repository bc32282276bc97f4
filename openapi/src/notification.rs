//! Notifications: one word to the outside for each thing that needs a person, and what became of it
//! on each way out.

use crate::{
    ChannelId, DeviceId, InboxItemId, NotificationId, RepoId, RunId, ThreadId, Timestamp,
    inbox::InboxAction, wire, words,
};

wire! {
    /// One word to the outside.
    pub struct Notification {
        /// Its id.
        pub id: NotificationId,
        /// What makes it one: another with the same key is never made.
        pub dedupe_key: String,
        /// Why it is sent.
        pub kind: NotificationKind,
        /// Short.
        pub title: String,
        /// One line.
        pub line: String,
        /// What can be done about it, as the inbox item has it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub actions: Vec<InboxAction>,
        /// The inbox item it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub item: Option<InboxItemId>,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub repo: Option<RepoId>,
        /// In which run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<RunId>,
        /// In which thread.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub thread: Option<ThreadId>,
        /// When it was made.
        pub created_at: Timestamp,
        /// When somebody saw it, on whichever way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub seen_at: Option<Timestamp>,
        /// When what it asked for was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub acted_at: Option<Timestamp>,
        /// What became of it on each way out.
        pub deliveries: Vec<NotificationDelivery>,
    }
}

words! {
    /// Why a notification is sent.
    pub enum NotificationKind {
        /// Something waits for a person.
        Attention = "attention",
        /// A run is done.
        Completed = "completed",
        /// A run or an answer failed.
        Failed = "failed",
        /// A person asked for a trial.
        Test = "test",
    }
}

wire! {
    /// A notification on one way out.
    pub struct NotificationDelivery {
        /// The way.
        pub channel: ChannelId,
        /// What kind of way.
        pub channel_kind: ChannelKind,
        /// How it stands.
        pub status: NotificationStatus,
        /// How often it was tried.
        pub attempts: u32,
        /// What went wrong last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_error: Option<String>,
        /// When it was last tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_attempt_at: Option<Timestamp>,
        /// When it is tried next, while it is pending.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub next_attempt_at: Option<Timestamp>,
        /// When it was taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub delivered_at: Option<Timestamp>,
    }
}

words! {
    /// How a notification stands on one way out.
    pub enum NotificationStatus {
        /// It has not arrived yet.
        Pending = "pending",
        /// It was taken.
        Delivered = "delivered",
        /// It was given up, and the inbox says so.
        Failed = "failed",
        /// What it was about was resolved before it left.
        Obsolete = "obsolete",
    }
}

words! {
    /// What kind of way out a channel is.
    pub enum ChannelKind {
        /// A signed POST to an address.
        Webhook = "webhook",
        /// Web push to a paired device.
        WebPush = "web_push",
    }
}

wire! {
    /// One way out.
    pub struct NotificationChannel {
        /// Its id.
        pub id: ChannelId,
        /// What kind of way.
        pub kind: ChannelKind,
        /// What its owner calls it.
        pub name: String,
        /// Where to, without anything secret.
        pub target: String,
        /// The device it pushes to; the channel goes when the device is removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub device: Option<DeviceId>,
        /// Which notifications; all when empty.
        pub kinds: Vec<NotificationKind>,
        /// Whether it is used.
        pub enabled: bool,
        /// Hours in which nothing is sent, if there are any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub quiet: Option<QuietHours>,
        /// Since when nothing has arrived although it was tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub failing_since: Option<Timestamp>,
        /// When it was made.
        pub created_at: Timestamp,
    }
}

wire! {
    /// Hours of every day in which a channel is left alone; what comes then is sent at their end.
    pub struct QuietHours {
        /// First minute of the day, 0 to 1439.
        #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1439))]
        pub from_minute: u16,
        /// Minute of the day it ends at, 0 to 1439; before `from_minute`, the next day's.
        #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1439))]
        pub to_minute: u16,
        /// Minutes by which the clock of the place is ahead of UTC, -720 to 840.
        #[cfg_attr(feature = "schema", schema(minimum = -720, maximum = 840))]
        pub utc_offset_minutes: i16,
    }
}

wire! {
    /// Body of `channel_create`, for a webhook.
    #[serde(deny_unknown_fields)]
    pub struct ChannelCreate {
        /// What its owner calls it.
        #[cfg_attr(feature = "schema", schema(max_length = 200))]
        pub name: String,
        /// Where to: an `http` or `https` address.
        pub url: String,
        /// Which notifications; all when empty.
        #[serde(default)]
        pub kinds: Vec<NotificationKind>,
        /// Hours in which nothing is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub quiet: Option<QuietHours>,
    }
}

wire! {
    /// A channel with its new secret; the only time the secret is shown.
    pub struct ChannelSecret {
        /// The channel.
        pub channel: NotificationChannel,
        /// The secret it is signed with: `whsec_` and the key in base64.
        pub secret: String,
    }
}

wire! {
    /// Body of `channel_update`, a JSON merge patch: what is absent stays.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct ChannelUpdate {
        /// What its owner calls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(max_length = 200))]
        pub name: Option<String>,
        /// Which notifications; all when empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub kinds: Option<Vec<NotificationKind>>,
        /// Whether it is used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub enabled: Option<bool>,
        /// Hours in which nothing is sent; `null` for none.
        #[serde(
            default,
            deserialize_with = "crate::merge::named",
            skip_serializing_if = "Option::is_none"
        )]
        pub quiet: Option<Option<QuietHours>>,
    }
}

wire! {
    /// What a channel is sent, as JSON. However often it is sent, the bytes and the id are the same:
    /// a webhook carries the id in its header `webhook-id` too.
    pub struct NotificationPayload {
        /// `notification`.
        pub r#type: String,
        /// When it was made.
        pub timestamp: Timestamp,
        /// What it says.
        pub data: NotificationData,
    }
}

wire! {
    /// What a notification says.
    pub struct NotificationData {
        /// Its id.
        pub id: NotificationId,
        /// Why it is sent.
        pub kind: NotificationKind,
        /// Short.
        pub title: String,
        /// One line.
        pub line: String,
        /// What can be done about it with `inbox_act`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub actions: Vec<InboxAction>,
        /// The inbox item it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub item: Option<InboxItemId>,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub repo: Option<RepoId>,
        /// In which run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<RunId>,
        /// In which thread.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub thread: Option<ThreadId>,
    }
}
