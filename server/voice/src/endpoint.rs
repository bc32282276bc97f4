//! The address of a service.

use std::{fmt, net::IpAddr, str::FromStr};

use reqwest::Url;

/// The longest address.
const URL_MAX: usize = 2048;

/// Where a service is: `https://host/v1`, to which the path of each operation is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Where recordings are sent.
    pub(crate) fn transcriptions(&self) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/audio/transcriptions", self.0.path().trim_end_matches('/')));
        url
    }

    /// Whether it is asked through TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is on this machine, so that what is sent there is on no network.
    #[must_use]
    pub fn is_here(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl FromStr for Endpoint {
    type Err = String;

    /// An `http` or `https` address without user, query or fragment.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > URL_MAX {
            return Err(format!("an address has {URL_MAX} bytes at most"));
        }
        let url = Url::parse(text).map_err(|error| format!("this is no URL ({error})"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("an address begins with http:// or https:// and a host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a key has no place in the address; name it by `voice.key_env` or \
                        `voice.key_file`"
                .to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(
                "the address ends with its path, as in https://api.openai.com/v1".to_owned()
            );
        }
        Ok(Self(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_service_and_nothing_more() {
        for (text, asked, here) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/audio/transcriptions", false),
            ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/audio/transcriptions", true),
            ("http://localhost:8000", "http://localhost:8000/audio/transcriptions", true),
            ("http://[::1]:8000/v1", "http://[::1]:8000/v1/audio/transcriptions", true),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.transcriptions().as_str(), asked);
            assert_eq!(endpoint.is_here(), here, "{text}");
        }
        for bad in [
            "",
            "api.openai.com/v1",
            "ftp://example.org/",
            "file:///etc/passwd",
            "http://",
            "https://key@example.org/v1",
            "https://:key@example.org/v1",
            "https://example.org/v1?key=1",
            "https://example.org/v1#part",
            &format!("https://example.org/{}", "x".repeat(URL_MAX)),
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
