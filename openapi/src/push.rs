//! Web push: what the hub says on a device that is asleep, and what is answered from there.

use crate::{
    Timestamp,
    inbox::InboxAction,
    notification::{NotificationKind, QuietHours},
    wire,
};

wire! {
    /// The key a browser subscribes with.
    pub struct PushKey {
        /// The hub's public key (P-256, uncompressed) in base64url.
        pub public_key: String,
    }
}

wire! {
    /// Body of `push_subscribe`: what the browser's push manager gave, and what is wanted.
    #[serde(deny_unknown_fields)]
    pub struct PushSubscribe {
        /// The push service's address of this browser.
        #[cfg_attr(feature = "schema", schema(max_length = 2048))]
        pub endpoint: String,
        /// The browser's public key in base64url.
        #[cfg_attr(feature = "schema", schema(max_length = 100))]
        pub p256dh: String,
        /// The browser's secret in base64url.
        #[cfg_attr(feature = "schema", schema(max_length = 100))]
        pub auth: String,
        /// Which notifications; all when empty.
        #[serde(default)]
        pub kinds: Vec<NotificationKind>,
        /// Hours in which nothing is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub quiet: Option<QuietHours>,
    }
}

wire! {
    /// What a push says: the JSON the browser finds when it has decrypted it.
    pub struct PushPayload {
        /// The notification's id; a later one with the same takes its place.
        pub id: String,
        /// Short.
        pub title: String,
        /// One line.
        pub line: String,
        /// Why.
        pub kind: NotificationKind,
        /// Where it is looked at, below the hub's address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub open: Option<String>,
        /// How many inbox items wait.
        pub open_items: u64,
        /// Lets `push_act` do one of the actions, once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub token: Option<String>,
        /// What can be done from the notification.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub actions: Vec<PushAction>,
    }
}

wire! {
    /// Something that can be done from a notification.
    pub struct PushAction {
        /// What.
        pub action: InboxAction,
        /// What its button says.
        pub title: String,
    }
}

wire! {
    /// Body of `push_act`. It needs no other credential than the token.
    #[serde(deny_unknown_fields)]
    pub struct PushAct {
        /// The token of the push.
        #[cfg_attr(feature = "schema", schema(max_length = 2048))]
        pub token: String,
        /// What to do.
        pub action: InboxAction,
        /// The text, for `reply`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(max_length = 100_000))]
        pub body: Option<String>,
    }
}

wire! {
    /// What came of `push_act`.
    pub struct PushActed {
        /// How many inbox items wait now.
        pub open_items: u64,
        /// When it was done.
        pub at: Timestamp,
    }
}
