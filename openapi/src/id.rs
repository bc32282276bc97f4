//! Typed identifiers: a turn's id cannot be passed where a run's is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    // The pattern is a token tree: a `literal` fragment reaches utoipa's derive wrapped.
    ($(#[$doc:meta])* $name:ident, $pattern:tt, $check:expr, $expected:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = $pattern))]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(s: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(s) { Ok(Self(s.to_owned())) } else { Err(InvalidId { expected: $expected }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(s: String) -> Result<Self, InvalidId> {
                s.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident = $prefix:literal, $pattern:tt) => {
        text_id!($(#[$doc])* $name, $pattern, |s| {
            s.strip_prefix(concat!($prefix, "_")).is_some_and(|rest| {
                (1..=64).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
            })
        }, concat!("an identifier that starts with `", $prefix, "_`"));

        impl $name {
            /// A new identifier; ids made later sort later (UUID version 7).
            #[must_use]
            pub fn generate() -> Self {
                Self(format!(concat!($prefix, "_{}"), uuid::Uuid::now_v7().simple()))
            }
        }
    };
}

prefixed_id! {
    /// One pass of the ticket flow over the queue of one working tree.
    RunId = "run", "^run_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// One prompt to one agent and its answer.
    TurnId = "trn", "^trn_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// One agent process under its shim; several turns and threads may use it.
    SessionId = "ses", "^ses_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// A question of an agent that waits for a yes or a no.
    ApprovalId = "apr", "^apr_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// One long operation with progress, such as a clone.
    JobId = "job", "^job_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// A personal access token (the identifier, never the secret).
    TokenId = "tok", "^tok_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// A browser that was paired.
    DeviceId = "dev", "^dev_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// A wish to be let in that an owner of the hub decides on.
    PairingId = "pair", "^pair_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// A key the hub signs short-lived tokens with.
    KeyId = "key", "^key_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// What was kept of a removed worktree or repo so that it can be restored.
    SalvageId = "slv", "^slv_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// An address that events are posted to.
    WebhookId = "whk", "^whk_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// One event on its way to a webhook.
    DeliveryId = "msg", "^msg_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// A conversation with an agent outside any run.
    ThreadId = "thr", "^thr_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// One message of a thread and its answer.
    MessageId = "mes", "^mes_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// One thing that waits for a person.
    InboxItemId = "inb", "^inb_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// One word to the outside.
    NotificationId = "ntf", "^ntf_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// One way out for notifications.
    ChannelId = "chn", "^chn_[0-9A-Za-z]{1,64}$"
}
prefixed_id! {
    /// A shell on the hub's machine.
    TerminalId = "term", "^term_[0-9A-Za-z]{1,64}$"
}

text_id! {
    /// A repo or worktree of the hub: its id in the manifest, such as `demo--feature-one`.
    RepoId,
    "^(?:[0-9A-Za-z_-][0-9A-Za-z._-]{0,199}|[.][0-9A-Za-z_-][0-9A-Za-z._-]{0,198}|[.][.][0-9A-Za-z._-]{1,198})$",
    |s| (1..=200).contains(&s.len())
        && s != "." && s != ".."
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
    "a repo id of letters, digits, `.`, `_` and `-`"
}

text_id! {
    /// A git repository that ticket templates come from: its short name, such as `team`.
    TemplateSourceId,
    "^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$",
    |s| (1..=64).contains(&s.len())
        && s.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
    "a source's id: letters, digits, `.`, `_` and `-`, at most 64, not beginning with a mark"
}

text_id! {
    /// A thread: its id, or `pma` for the project manager's.
    ThreadKey,
    "^(?:pma|thr_[0-9A-Za-z]{1,64})$",
    |s| s == "pma" || s.parse::<ThreadId>().is_ok(),
    "a thread's id, or `pma`"
}

impl ThreadKey {
    /// The project manager's.
    #[must_use]
    pub fn pma() -> Self {
        Self("pma".to_owned())
    }
}

text_id! {
    /// A ticket: its `ticket_id`, or one derived from its path when the file has none.
    TicketId,
    "^[0-9A-Za-z._-]{6,128}$",
    |s| (6..=128).contains(&s.len())
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
    "a ticket id of 6 to 128 letters, digits, `.`, `_` and `-`"
}

text_id! {
    /// An agent of the registry, such as `codex`; `user` stands for a person.
    AgentId,
    "^[a-z0-9_-]{1,64}$",
    |s| (1..=64).contains(&s.len())
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b)),
    "an agent id of lower-case letters, digits, `-` and `_`"
}

text_id! {
    /// The name of a file in a box: one part of a path, not hidden, without control characters.
    BoxFileName,
    "^[^./\\u0000-\\u001f\\u007f-\\u009f][^/\\u0000-\\u001f\\u007f-\\u009f]{0,119}$",
    |s| (1..=120).contains(&s.chars().count())
        && !s.starts_with('.')
        && !s.chars().any(|c| c == '/' || c.is_control()),
    "a file's name of at most 120 characters, not hidden, without `/`"
}

/// A new word for an `Idempotency-Key`.
#[must_use]
pub fn request_key() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The text is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId {
    expected: &'static str,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for InvalidId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_by_kind() {
        assert!(RunId::generate().as_str().parse::<RunId>().is_ok());
        assert!(RunId::generate().as_str().parse::<TurnId>().is_err());
        for bad in ["", "run_", "run_a/b", "run_a\n", "RUN_1"] {
            assert!(bad.parse::<RunId>().is_err(), "{bad:?}");
        }
        assert!("demo--feat-Two.x".parse::<RepoId>().is_ok());
        for bad in ["", ".", "..", "a/b", "ä"] {
            assert!(bad.parse::<RepoId>().is_err(), "{bad:?}");
        }
    }
}
