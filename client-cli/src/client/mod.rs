//! One method per operation of the API; each resource has its file.

mod agents;
mod audit;
mod backups;
mod call;
mod contextspace;
mod coverage;
mod credentials;
mod events;
mod files;
mod hub;
mod inbox;
mod jobs;
mod notifications;
mod pairings;
mod pma;
mod push;
mod raw;
mod repos;
mod runs;
pub(crate) mod socket;
mod templates;
mod terminals;
#[cfg(test)]
mod tests;
mod threads;
mod tickets;
mod tokens;
mod usage;
mod voice;
mod webhooks;
mod who;
mod worktrees;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};

use crate::ClientError;
pub use audit::AuditFilter;
use call::Call;
pub(crate) use call::{innermost, refusal};
pub use events::{EventFilter, EventFrom};
pub use files::{Incoming, Upload};
pub use inbox::InboxFilter;
pub use jobs::JobFilter;
pub use raw::{RawAnswer, RawRequest};
pub use repos::RepoFilter;
pub use runs::RunFilter;
pub use templates::TemplateFilter;
pub use terminals::{TerminalSaid, TerminalSocket};
pub use threads::{MessagePage, ThreadFilter};
pub use tickets::TicketFilter;
pub use usage::UsageCount;
pub(crate) use who::Who;

/// A handle on one hub; clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
    /// The hub's socket in the file system, which is taken in place of its port.
    socket: Option<PathBuf>,
    /// The instance of the hub that is meant, where one is remembered.
    expected: Option<String>,
}

impl std::fmt::Debug for Client {
    /// Without the token: it must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base.as_str())
            .field("token", &self.token.as_ref().map(|_| "***"))
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the hub at `url` (scheme, host and port; a path is kept as a prefix), with the
    /// secret of a personal access token. Sends nothing yet.
    ///
    /// # Errors
    /// `url` is not an http(s) URL, or the token has characters no header can carry.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        Self::at(url, token, None)
    }

    /// The same through the hub's socket in the file system, where it has one: no program but the
    /// user's own can stand there, and what floods the port is not in the way.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn at(url: &str, token: Option<&str>, socket: Option<&Path>) -> Result<Self, ClientError> {
        let fault = |detail: String| ClientError::Protocol { url: url.to_owned(), detail };
        let base = Url::parse(url).map_err(|e| fault(format!("this is not an URL ({e})")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(fault("an URL that begins with http:// or https:// is needed".to_owned()));
        }
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| fault("the token has characters a token cannot have".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("car/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect would carry the request, and for the same host its token, somewhere the
            // caller did not name.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            // Removing a worktree writes a salvage of it first, which takes its time.
            .read_timeout(Duration::from_secs(600));
        if base.scheme() == "http" {
            // Without certificates there is nothing to read from disk: loading the system's takes
            // longer than the whole request to a hub on this machine. Proxies of the environment
            // are for the outside world.
            builder = builder.tls_certs_only([]).no_proxy();
        }
        if let Some(socket) = socket {
            builder = builder.unix_socket(socket.to_owned());
        }
        let http = builder.build().map_err(|e| fault(e.to_string()))?;
        let (token, socket) = (token.map(str::to_owned), socket.map(Path::to_owned));
        Ok(Self { http, base, token, socket, expected: None })
    }

    /// The same, for the hub of this instance only: when another one answers, that is an error.
    #[must_use]
    pub fn expecting(mut self, instance: Option<String>) -> Self {
        self.expected = instance;
        self
    }

    /// The hub's address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The address of a path below `/api/v1`; every segment is percent-encoded.
    pub(crate) fn api_url(&self, segments: &[&str]) -> Url {
        let mut url = self.root_url(&["api", "v1"]);
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    fn root_url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    fn get(&self, operation: &'static str, segments: &[&str]) -> Call<'_> {
        Call::new(self, operation, Method::GET, self.api_url(segments))
    }

    fn post(&self, operation: &'static str, segments: &[&str]) -> Call<'_> {
        Call::new(self, operation, Method::POST, self.api_url(segments))
    }

    fn put(&self, operation: &'static str, segments: &[&str]) -> Call<'_> {
        Call::new(self, operation, Method::PUT, self.api_url(segments))
    }

    fn patch(&self, operation: &'static str, segments: &[&str]) -> Call<'_> {
        Call::new(self, operation, Method::PATCH, self.api_url(segments))
    }

    fn delete(&self, operation: &'static str, segments: &[&str]) -> Call<'_> {
        Call::new(self, operation, Method::DELETE, self.api_url(segments))
    }
}
