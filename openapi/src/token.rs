//! Personal access tokens, and what is exchanged for them.

use crate::{RepoId, RunId, Scope, TerminalId, ThreadId, Timestamp, TokenId, audit::Actor, wire};

wire! {
    /// A personal access token, without its secret.
    pub struct Token {
        /// Its id.
        pub id: TokenId,
        /// What it is for, in its owner's words.
        pub name: String,
        /// What it allows.
        pub scopes: Vec<Scope>,
        /// The repos it reaches, each with its worktrees; all of them when empty.
        pub repos: Vec<RepoId>,
        /// The one run it reaches.
        pub run: Option<RunId>,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it stops working.
        pub expires_at: Option<Timestamp>,
        /// When it was last used, to the minute.
        pub last_used_at: Option<Timestamp>,
    }
}

wire! {
    /// Body of `token_create`.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct TokenCreate {
        /// What it is for.
        #[cfg_attr(feature = "schema", schema(max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"))]
        pub name: String,
        /// What it shall allow, at most what the caller may; `read`, `write`, `run` and `approve`
        /// when absent. `terminal` is given only by the owner's own token on the hub's machine.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(min_items = 1))]
        pub scopes: Option<Vec<Scope>>,
        /// The repos it shall reach, each with its worktrees; all when empty.
        #[serde(default)]
        pub repos: Vec<RepoId>,
        /// The one run it shall reach.
        #[serde(default)]
        pub run: Option<RunId>,
        /// Days until it stops working, 1 to 366; 90 when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 366))]
        pub days: Option<u32>,
    }
}

wire! {
    /// A new token; the only time its secret is shown.
    pub struct TokenCreated {
        /// The token.
        pub token: Token,
        /// The secret, for `Authorization: Bearer`.
        pub secret: String,
    }
}

wire! {
    /// What `token_delete_others` did.
    pub struct LoggedOut {
        /// How many tokens stopped working.
        pub tokens: u64,
        /// How many browsers have to pair again.
        pub devices: u64,
    }
}

wire! {
    /// Body of `token_exchange`.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct TokenExchange {
        /// What the short-lived token shall allow; all the caller may when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(min_items = 1))]
        pub scopes: Option<Vec<Scope>>,
    }
}

wire! {
    /// A token that soon runs out by itself; it is kept nowhere.
    pub struct AccessToken {
        /// The secret, for `Authorization: Bearer`.
        pub secret: String,
        /// What it allows.
        pub scopes: Vec<Scope>,
        /// When it stops working.
        pub expires_at: Timestamp,
    }
}

wire! {
    /// The credential a request came with.
    pub struct Credential {
        /// Who acts with it.
        pub actor: Actor,
        /// What it allows.
        pub scopes: Vec<Scope>,
        /// The repos it reaches, each with its worktrees; all of them when empty.
        pub repos: Vec<RepoId>,
        /// The one run it reaches.
        pub run: Option<RunId>,
        /// When it stops working.
        pub expires_at: Option<Timestamp>,
    }
}

wire! {
    /// Body of `ws_ticket_create`: what the socket shall follow, as in `event_list`, or the terminal
    /// it shall open.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct WsTicketCreate {
        /// Only of this repo or worktree.
        #[serde(default)]
        pub repo: Option<RepoId>,
        /// Only of this run.
        #[serde(default)]
        pub run: Option<RunId>,
        /// Only of this thread.
        #[serde(default)]
        pub thread: Option<ThreadId>,
        /// Only of these kinds, separated by commas.
        #[serde(default)]
        pub kind: Option<String>,
        /// Instead of all these: for `terminal_attach` of this terminal.
        #[serde(default)]
        pub terminal: Option<TerminalId>,
    }
}

wire! {
    /// Opens one WebSocket, once.
    pub struct WsTicket {
        /// Sent as a second protocol beside `car.v1` in `Sec-WebSocket-Protocol`.
        pub protocol: String,
        /// Until when it can be used.
        pub expires_at: Timestamp,
    }
}
