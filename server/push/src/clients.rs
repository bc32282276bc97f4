//! The HTTP clients messages leave by.

use std::{error::Error, sync::OnceLock, time::Duration};

use reqwest::{Client, redirect::Policy};

/// One client for each scheme. Connections are kept open for a while, as to a receiver that gets
/// many.
#[derive(Debug)]
pub(crate) struct Clients {
    timeout_s: u64,
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

impl Clients {
    /// Nothing is taken up before the first message.
    pub(crate) fn new(timeout_s: u64) -> Self {
        Self { timeout_s, plain: OnceLock::new(), secure: OnceLock::new() }
    }

    /// The client for a scheme: the system's certificates are read when they are first needed.
    pub(crate) fn of(&self, scheme: &str) -> Result<&Client, String> {
        let secure = scheme == "https";
        let cell = if secure { &self.secure } else { &self.plain };
        let made = cell.get_or_init(|| {
            let builder = Client::builder()
                .user_agent(concat!("car-hub/", env!("CARGO_PKG_VERSION")))
                // A redirect would carry a signed message somewhere its owner did not name.
                .redirect(Policy::none())
                .no_proxy()
                .timeout(Duration::from_secs(self.timeout_s.max(1)))
                .pool_idle_timeout(Duration::from_secs(30))
                .pool_max_idle_per_host(2);
            let builder = if secure { builder } else { builder.tls_certs_only([]) };
            builder.build().map_err(|error| error.to_string())
        });
        made.as_ref().map_err(Clone::clone)
    }
}

/// The deepest cause: "Connection refused" says more than "error sending request".
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
