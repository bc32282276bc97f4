//! What of the hub's own environment others may have.

use std::env;

/// What every program needs to work as if its user had started it. Nothing here is a secret.
const SHARED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TZ",
    "TERM",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "GOPATH",
    "JAVA_HOME",
    "NVM_DIR",
    "VIRTUAL_ENV",
];

/// The variables that are set, of those every agent and verification command may have and of
/// `more`.
pub(crate) fn shared(more: impl IntoIterator<Item = String>) -> Vec<(String, String)> {
    let names = SHARED.iter().map(|&name| name.to_owned()).chain(more);
    names.filter_map(|name| env::var(&name).ok().map(|value| (name, value))).collect()
}
