//! What is said of the program as a whole: its version, and why it ends.

use std::{fmt, io, io::Write, path::PathBuf};

use crate::config::ConfigError;

/// The version as `car-hub version` prints it.
pub(crate) const VERSION_LINE: &str = concat!("car-hub ", env!("CARGO_PKG_VERSION"));

/// Prints a line. A terminal or pipe that is gone is no reason for a hub to end.
pub(crate) fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Why the program cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no hub at or above {}; make one with `car-hub init`", .0.display())]
    NoHub(PathBuf),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "{host} can be reached by others, and the hub speaks no TLS: put a proxy before it that \
         does, say `--behind-proxy` (`server.behind_proxy: true`) and name the hosts the hub is \
         reached under in `server.allowed_hosts`; or listen on 127.0.0.1 and use `tailscale serve`"
    )]
    OpenHost { host: std::net::IpAddr },
    #[error(
        "`tailscale funnel` opens this hub to the internet as {}: turn it off (`tailscale funnel \
         reset`), or say `server.public: true` if that is meant",
        .names.join(", ")
    )]
    Funnel { names: Vec<String> },
    #[error("cannot listen on {at}: {error}{hint}")]
    Listen { at: std::net::SocketAddr, error: io::Error, hint: String },
    #[error("{what}: {error}")]
    File { what: String, error: io::Error },
    #[error("{}", with_cause(.0))]
    Hub(#[from] car_hub::Error),
    #[error("{0}")]
    Sample(String),
}

impl Error {
    /// A file operation failed; `what` says which.
    pub(crate) fn file(what: impl Into<String>, error: io::Error) -> Self {
        Self::File { what: what.into(), error }
    }
}

/// At the terminal of the hub's owner the cause is not a secret.
fn with_cause(error: &car_hub::Error) -> String {
    match &error.source {
        Some(cause) => format!("{error} ({cause})"),
        None => error.to_string(),
    }
}
