//! Letting a browser or another machine in without carrying secrets by hand.
//!
//! A browser is invited: somebody with `admin` opens a code, the browser claims it, the owner says
//! yes. A machine asks: it shows a short code, and somebody with `admin` says yes to that code.

use crate::{
    PairingId, RepoId, Scope, Timestamp, device::Device, token::TokenCreated, wire, words,
};

words! {
    /// What is let in.
    pub enum PairingKind {
        /// A browser, by cookie and proof.
        Device = "device",
        /// Another machine's `car`, by a personal token of its own.
        Token = "token",
    }
}

words! {
    /// How a pairing stands.
    pub enum PairingState {
        /// The code was not claimed yet.
        Open = "open",
        /// Somebody asks; the owner has to decide.
        Waiting = "waiting",
        /// The owner said yes; the other side has not fetched its credential yet.
        Approved = "approved",
        /// The other side has its credential.
        Done = "done",
        /// The owner said no.
        Denied = "denied",
        /// Nobody decided in time, or wrong codes were tried too often.
        Expired = "expired",
    }
}

wire! {
    /// A wish to be let in.
    pub struct Pairing {
        /// Its id.
        pub id: PairingId,
        /// What is let in.
        pub kind: PairingKind,
        /// How it stands.
        pub state: PairingState,
        /// What the other side calls itself; nothing before a code is claimed.
        pub name: Option<String>,
        /// The address the other side called from, as the hub sees it: behind a proxy, the proxy's.
        pub address: Option<String>,
        /// The short code the other side shows, for `token`.
        pub code: Option<String>,
        /// What it will be allowed.
        pub scopes: Vec<Scope>,
        /// The repos it will reach; all of them when empty.
        pub repos: Vec<RepoId>,
        /// When it was opened.
        pub created_at: Timestamp,
        /// Until when it can be decided.
        pub expires_at: Timestamp,
    }
}

wire! {
    /// Body of `pairing_create`: opens a code for one browser.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct PairingCreate {
        /// What the browser may do, at most what the caller may; `read`, `write`, `run` and
        /// `approve` when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(min_items = 1))]
        pub scopes: Option<Vec<Scope>>,
        /// The repos it shall reach, each with its worktrees; all when empty.
        #[serde(default)]
        pub repos: Vec<RepoId>,
    }
}

wire! {
    /// A code that was opened; the only time it is shown.
    pub struct PairingCreated {
        /// The pairing.
        pub pairing: Pairing,
        /// The code, for the fragment of `/pair#…`, which browsers send to no server.
        pub code: String,
        /// The names under which the hub is reached, besides this machine's own.
        pub hosts: Vec<String>,
        /// The path before every address of the hub under these names: empty, or begins with a
        /// slash and ends without one.
        pub base_path: String,
    }
}

wire! {
    /// Body of `pairing_decide`.
    #[serde(deny_unknown_fields)]
    pub struct PairingDecide {
        /// Whether to let it in.
        pub approve: bool,
        /// What it may do, in place of what was asked for.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(min_items = 1))]
        pub scopes: Option<Vec<Scope>>,
        /// The repos it shall reach, in place of what was asked for.
        #[serde(default)]
        pub repos: Option<Vec<RepoId>>,
        /// Days a token works, 1 to 366; 90 when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 366))]
        pub days: Option<u32>,
    }
}

/// Body of `pair_request`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum PairRequest {
    /// A browser claims a code that was opened for it.
    Device {
        /// The code.
        code: String,
        /// What the browser calls itself.
        name: String,
    },
    /// A machine asks for a token of its own.
    Token {
        /// What the machine calls itself.
        name: String,
        /// What it asks to be allowed; `read`, `write`, `run` and `approve` when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(min_items = 1))]
        scopes: Option<Vec<Scope>>,
    },
}

wire! {
    /// What `pair_request` gives: how to ask for the outcome.
    pub struct PairRequested {
        /// The id the owner sees.
        pub pairing: PairingId,
        /// Known to this side only; `pair_finish` asks for it.
        pub secret: String,
        /// What the owner has to type or see, for a machine.
        pub code: Option<String>,
        /// Until when the owner can decide.
        pub expires_at: Timestamp,
    }
}

wire! {
    /// Body of `pair_finish`.
    #[serde(deny_unknown_fields)]
    pub struct PairFinish {
        /// From `pair_request`.
        pub secret: String,
        /// Seconds to wait for a decision, at most 25; at once when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(maximum = 25))]
        pub wait: Option<u32>,
    }
}

/// How a wish to be let in stands, for the one who wishes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum PairOutcome {
    /// Nobody has decided yet; ask again.
    Waiting,
    /// The owner said no.
    Denied,
    /// Nobody decided in time; begin again.
    Expired,
    /// A browser is let in: the cookie came with this answer.
    Device {
        /// What the hub knows of it.
        device: Device,
        /// To be sent as `X-Car-Proof` with every request; shown only now.
        proof: String,
    },
    /// A machine is let in.
    Token {
        /// Its token with the secret, shown only now.
        created: TokenCreated,
        /// The hub's instance.
        instance: String,
    },
}
