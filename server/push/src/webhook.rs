//! Webhooks: a signed `POST` (Standard Webhooks).

use car_hub::{Attempt, Channel, Message, Sent};
use reqwest::{Url, header::CONTENT_TYPE};

use crate::{
    answer,
    clients::{Clients, innermost},
    sign,
};

/// The longest address.
const URL_MAX: usize = 2048;

/// What this crate can be told by configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Seconds an attempt may take, from connecting to the answer's end.
    pub timeout_s: u64,
}

/// The sender of webhooks.
#[derive(Debug)]
pub struct Webhooks {
    clients: Clients,
}

impl Webhooks {
    /// A sender. It takes nothing up before the first message.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { clients: Clients::new(config.timeout_s) }
    }

    async fn post(&self, message: &Message) -> Sent {
        let failed = |detail: String| Sent::NotTaken { status: None, detail, retry_after: None };
        let Ok(url) = Url::parse(&message.to) else {
            return failed("the address cannot be read".to_owned());
        };
        let client = match self.clients.of(url.scheme()) {
            Ok(client) => client,
            Err(detail) => return failed(detail),
        };
        let seconds = message.at.micros().div_euclid(1_000_000);
        let signature = sign::signatures(&message.secrets, &message.id, seconds, &message.body);
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
            .body(message.body.clone());
        match request.send().await {
            Ok(answer) => answer::read(answer).await,
            // An address may hold a secret of its own.
            Err(error) => failed(innermost(&error.without_url())),
        }
    }
}

impl Channel for Webhooks {
    fn check(&self, to: &str) -> Result<String, String> {
        if to.len() > URL_MAX {
            return Err(format!("an address has {URL_MAX} bytes at most."));
        }
        let url = Url::parse(to).map_err(|error| format!("this is no URL ({error})."))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("an address begins with http:// or https:// and a host.".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("user name and password have no place in it; use the signature.".to_owned());
        }
        if url.fragment().is_some() {
            return Err("the part after `#` would not be sent.".to_owned());
        }
        Ok(url.into())
    }

    fn send<'a>(&'a self, message: &'a Message) -> Attempt<'a> {
        Box::pin(self.post(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        let webhooks = Webhooks::new(Config { timeout_s: 1 });
        for good in ["http://127.0.0.1:9/a?b=c", "https://example.org/", "http://[::1]/x"] {
            assert_eq!(webhooks.check(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "example.org/hook",
            "ftp://example.org/",
            "file:///etc/passwd",
            "http://",
            "http://user@example.org/",
            "http://:secret@example.org/",
            "https://example.org/#part",
            &format!("https://example.org/{}", "x".repeat(URL_MAX)),
        ] {
            assert!(webhooks.check(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_said_of_a_failure_has_no_address() {
        let webhooks = Webhooks::new(Config { timeout_s: 1 });
        // Nobody listens on a port that was just given back.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to = format!("http://{}/secret-path", listener.local_addr().unwrap());
        drop(listener);
        let message = Message {
            id: "msg_1".to_owned(),
            at: car_api::Timestamp::from_secs(0),
            to,
            secrets: Vec::new(),
            body: "{}".to_owned(),
        };
        let Sent::NotTaken { status: None, detail, .. } = webhooks.send(&message).await else {
            panic!("nobody is there")
        };
        assert!(detail.contains("refused") && !detail.contains("secret-path"), "{detail}");
        assert!(!format!("{message:?}").contains("secret-path"));
    }
}
