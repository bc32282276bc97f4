//! The way out: what carries a message to an address outside the hub.
//!
//! A webhook's POST is one; whatever else shall carry messages out implements the same trait, in an
//! adapter crate that `car-daemon` hands in. When and how often something is sent is decided here,
//! by the ledger; a channel makes one attempt.

use std::{collections::BTreeMap, fmt, pin::Pin, sync::Arc, time::Duration};

use car_api::{Timestamp, notification::ChannelKind};

/// One message on its way out.
#[derive(Clone, PartialEq)]
pub struct Message {
    /// Its id: the same however often it is sent.
    pub id: String,
    /// When this attempt is made.
    pub at: Timestamp,
    /// The address, as [`Channel::check`] took it.
    pub to: String,
    /// Secrets the message is signed with, the present one first.
    pub secrets: Vec<String>,
    /// What is sent.
    pub body: String,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The other side took it.
    Taken {
        /// What it answered, where the channel has such numbers.
        status: Option<u16>,
    },
    /// It did not arrive, or was not taken; it may be another time.
    NotTaken {
        /// What was answered, if anything was.
        status: Option<u16>,
        /// What happened, for people, without address and secrets.
        detail: String,
        /// How long the other side asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The other side wants no more messages.
    Unwanted {
        /// What it answered.
        status: Option<u16>,
        /// What happened, for people.
        detail: String,
    },
}

/// What an attempt means for what is sent that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It arrived.
    Arrived,
    /// It did not; the other side may have asked to be left alone for a while.
    Missed(Option<Duration>),
    /// The other side wants no more.
    Unwanted,
}

impl Sent {
    /// What it means, and what is noted of it: the number that was answered, and what went wrong.
    pub(crate) fn outcome(self) -> (Outcome, Option<u16>, Option<String>) {
        match self {
            Self::Taken { status } => (Outcome::Arrived, status, None),
            Self::NotTaken { status, detail, retry_after } => {
                (Outcome::Missed(retry_after), status, Some(detail))
            }
            Self::Unwanted { status, detail } => (Outcome::Unwanted, status, Some(detail)),
        }
    }
}

/// The attempt that is being made. Dropping it gives it up; the message may have arrived.
pub type Attempt<'a> = Pin<Box<dyn Future<Output = Sent> + Send + 'a>>;

/// Carries messages out of the hub.
pub trait Channel: Send + Sync {
    /// The address as it will be used, or what is wrong with it, for people.
    ///
    /// # Errors
    /// It is no address of this channel.
    fn check(&self, to: &str) -> Result<String, String>;

    /// Makes one attempt, within a time of the channel's own.
    fn send<'a>(&'a self, message: &'a Message) -> Attempt<'a>;
}

/// Where a browser is sent pushes, as its push manager gave it. Whoever has it can send there.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PushAddress {
    /// The push service's address of this browser.
    pub endpoint: String,
    /// The browser's public key in base64url.
    pub p256dh: String,
    /// The browser's secret in base64url.
    pub auth: String,
}

/// The channel of webhooks; without one they wait.
#[derive(Clone, Default)]
pub struct WebhookChannel(pub Option<Arc<dyn Channel>>);

impl fmt::Debug for WebhookChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "WebhookChannel(..)" } else { "WebhookChannel(none)" })
    }
}

/// What carries notifications, by kind of channel; those of a kind that has none wait.
#[derive(Clone, Default)]
pub struct Channels(pub BTreeMap<ChannelKind, Arc<dyn Channel>>);

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
