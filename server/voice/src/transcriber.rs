//! The request, and what its answer means.

use std::{error::Error, fmt, sync::OnceLock, time::Duration};

use car_hub::{Hearing, Speech, Transcriber, Unheard};
use reqwest::{Client, Response, StatusCode, header::CONTENT_TYPE, redirect::Policy};
use serde::Deserialize;

use crate::{endpoint::Endpoint, form};

/// How much of a refusal's words is kept, in bytes; no more than that is read.
const WORDS: usize = 300;

/// Longest answer that is read, in bytes.
const ANSWER: usize = 1024 * 1024;

/// How long connecting may take, in seconds.
const CONNECT_S: u64 = 10;

/// A service and how it is asked.
#[derive(Clone)]
pub struct Config {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What finds the words there.
    pub model: String,
    /// What it knows the hub by, where it needs that.
    pub key: Option<String>,
    /// Seconds one recording may take, from connecting to the answer's end.
    pub timeout_s: u64,
}

impl fmt::Debug for Config {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("endpoint", &self.endpoint)
            .field("model", &self.model)
            .field("timeout_s", &self.timeout_s)
            .finish_non_exhaustive()
    }
}

/// Asks the service of an OpenAI-compatible endpoint.
#[derive(Debug)]
pub struct Endpoints {
    config: Config,
    client: OnceLock<Result<Client, String>>,
}

/// The one member of the answer that matters.
#[derive(Deserialize)]
struct Said {
    text: String,
}

impl Endpoints {
    /// Takes nothing up before the first recording.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, client: OnceLock::new() }
    }

    /// The client: the system's certificates are read when they are first needed.
    fn client(&self) -> Result<&Client, String> {
        let made = self.client.get_or_init(|| {
            let builder = Client::builder()
                .user_agent(concat!("car-hub/", env!("CARGO_PKG_VERSION")))
                // A redirect would carry key and voice somewhere the hub's owner did not name.
                .redirect(Policy::none())
                .no_proxy()
                .connect_timeout(Duration::from_secs(CONNECT_S))
                .timeout(Duration::from_secs(self.config.timeout_s.max(1)))
                .pool_max_idle_per_host(1);
            let secure = self.config.endpoint.is_secure();
            let builder = if secure { builder } else { builder.tls_certs_only([]) };
            builder.build().map_err(|error| error.to_string())
        });
        made.as_ref().map_err(Clone::clone)
    }

    async fn ask(&self, speech: &Speech) -> Result<String, Unheard> {
        let client = self.client().map_err(Unheard::Away)?;
        let form = form::of(speech, &self.config.model);
        let request = client
            .post(self.config.endpoint.transcriptions())
            .header(CONTENT_TYPE, form.content_type)
            .body(form.body);
        let request = match &self.config.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        if !status.is_success() {
            let beginning = beginning(answer, WORDS).await.unwrap_or_default();
            return Err(Unheard::Refused(refusal(status, &beginning)));
        }
        let body = beginning(answer, ANSWER).await?;
        let said: Said = serde_json::from_slice(&body).map_err(|_| {
            Unheard::Refused(format!(
                "it answered {} without the words, as `text` of a JSON object",
                status.as_u16()
            ))
        })?;
        Ok(said.text)
    }
}

impl Transcriber for Endpoints {
    fn model(&self) -> &str {
        &self.config.model
    }

    fn hear<'a>(&'a self, speech: &'a Speech) -> Hearing<'a> {
        Box::pin(self.ask(speech))
    }
}

/// The first bytes of an answer.
async fn beginning(mut answer: Response, most: usize) -> Result<Vec<u8>, Unheard> {
    let mut bytes = Vec::new();
    while bytes.len() < most {
        let Some(piece) = answer.chunk().await.map_err(away)? else { break };
        bytes.extend(piece.iter().take(most - bytes.len()));
    }
    Ok(bytes)
}

/// What a service said no with, as one line: its number, and its words where it has some.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let hint = if status.is_redirection() { " (redirects are not followed)" } else { "" };
    let text = String::from_utf8_lossy(body);
    // {"error": {"message": …}} is what such services say; cut off, it is no JSON any more.
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = json.as_ref().and_then(|json| {
        let error = json.get("error").unwrap_or(json);
        error.get("message").unwrap_or(error).as_str()
    });
    let words = message.unwrap_or(&text);
    let plain: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    format!("it answered {}{hint}{said}", status.as_u16())
}

/// Why there is no answer: the deepest cause says most. Neither address nor key is in it.
fn away(error: reqwest::Error) -> Unheard {
    if error.is_timeout() {
        return Unheard::Away("it did not answer in time".to_owned());
    }
    let error = error.without_url();
    let mut deepest: &dyn Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    Unheard::Away(deepest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_with_the_words_of_the_service() {
        for (status, body, line) in [
            (401, r#"{"error": {"message": "Wrong\nkey."}}"#, "it answered 401: Wrong key."),
            (413, r#"{"error": "too much"}"#, "it answered 413: too much"),
            (500, "<h1>no</h1>", "it answered 500: <h1>no</h1>"),
            (429, "", "it answered 429"),
            (302, "", "it answered 302 (redirects are not followed)"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(refusal(status, body.as_bytes()), line);
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        let config = Config {
            endpoint: "http://127.0.0.1:1/v1".parse().unwrap(),
            model: "m".to_owned(),
            key: Some("verysecret".to_owned()),
            timeout_s: 1,
        };
        assert!(!format!("{:?}", Endpoints::new(config)).contains("verysecret"));
    }
}
