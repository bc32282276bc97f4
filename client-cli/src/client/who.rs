//! Which hub an answer came from.

use reqwest::header::HeaderMap;

use super::Client;
use crate::ClientError;

/// The version of this client.
const OWN: &str = env!("CARGO_PKG_VERSION");

/// What an answer says of the hub it came from; nothing when the hub did not take the token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Who {
    instance: Option<String>,
    version: Option<String>,
}

impl Who {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let field = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            instance: field("car-hub-instance").map(str::to_owned),
            version: field("car-hub-version").map(str::to_owned),
        }
    }

    /// Whether it is the hub the client expects.
    pub(crate) fn check(&self, client: &Client) -> Result<(), ClientError> {
        match (&client.expected, &self.instance) {
            (Some(expected), Some(found)) if expected != found => Err(ClientError::OtherHub {
                url: client.url().to_owned(),
                expected: expected.clone(),
                found: found.clone(),
            }),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Why an answer cannot be read.
    pub(crate) fn unreadable(self, url: &str, detail: String) -> ClientError {
        let url = url.to_owned();
        match self.version.filter(|hub| newer(hub, OWN)) {
            Some(hub) => ClientError::Newer { url, hub, own: OWN, detail },
            None => ClientError::Protocol { url, detail },
        }
    }
}

/// Whether version `a` comes after `b`; what is no version comes after nothing.
fn newer(a: &str, b: &str) -> bool {
    let parts = |text: &str| -> Option<Vec<u64>> {
        let core = text.split(['-', '+']).next()?;
        core.split('.').map(|part| part.parse().ok()).collect()
    };
    matches!((parts(a), parts(b)), (Some(a), Some(b)) if a > b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(newer("0.10.0", "0.9.3") && newer("1.0.0", "0.99.0"));
        assert!(!newer("0.9.3", "0.9.3") && !newer("0.9.2", "0.9.3") && !newer("x", "0.1.0"));
        assert!(!newer("0.9.3-rc.1", "0.9.3"));
    }
}
