//! One request and its answer.

use std::{fmt::Display, time::Duration};

use car_api::{Code, Page, PageQuery, Problem};
use reqwest::{
    Method, RequestBuilder, Url,
    header::{CONTENT_TYPE, IF_MATCH},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Client, coverage, who::Who};
use crate::ClientError;

/// How a repetition of a change is told from another one.
const KEY: &str = "Idempotency-Key";

/// Waits between tries of a request whose answer was lost, about ten seconds in all: the hub may
/// be being restarted.
const WAITS: [Duration; 8] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1500),
    Duration::from_millis(2000),
    Duration::from_millis(2500),
    Duration::from_millis(2500),
];

/// The largest page there is.
const WHOLE: u32 = 500;

/// A request that is being put together.
#[must_use = "a call does nothing until it is sent"]
pub(super) struct Call<'a> {
    client: &'a Client,
    operation: &'static str,
    method: Method,
    url: Url,
    body: Option<serde_json::Result<Vec<u8>>>,
    media: &'static str,
    if_match: Option<String>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        client: &'a Client,
        operation: &'static str,
        method: Method,
        url: Url,
    ) -> Self {
        let media = "application/json";
        Self { client, operation, method, url, body: None, media, if_match: None }
    }

    /// Adds a query parameter when it has a value.
    pub(super) fn query(mut self, name: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.url.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    pub(super) fn page(self, page: &PageQuery) -> Self {
        self.query("after", page.after.as_ref()).query("limit", page.limit)
    }

    pub(super) fn body(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::to_vec(body));
        self
    }

    /// A body that says what is to change (RFC 7396).
    pub(super) fn merge(mut self, body: &impl Serialize) -> Self {
        self.media = "application/merge-patch+json";
        self.body(body)
    }

    pub(super) fn if_match(mut self, etag: Option<&str>) -> Self {
        self.if_match = etag.map(str::to_owned);
        self
    }

    /// Sends it and reads the answer's JSON.
    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let (client, operation) = (self.client, self.operation);
        let answer = self.answer().await?;
        parsed(client, operation, answer)
    }

    /// Sends it with a body that is no JSON, and reads the answer's. Once: a body that comes in
    /// pieces cannot be sent again.
    pub(super) async fn upload<T: DeserializeOwned>(
        self,
        kind: &'static str,
        body: reqwest::Body,
    ) -> Result<T, ClientError> {
        let Self { client, operation, method, url, .. } = self;
        coverage::record(operation);
        let request = client.http.request(method, url).header(CONTENT_TYPE, kind).body(body);
        let answer = received(client, request.send().await).await?;
        parsed(client, operation, answer)
    }

    /// Sends it and reads the answer's text.
    pub(super) async fn text(self) -> Result<String, ClientError> {
        self.answer().await.map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends it; an answer without content is expected.
    pub(super) async fn done(self) -> Result<(), ClientError> {
        self.answer().await.map(|_| ())
    }

    /// Sends it for every page of a list, and gives them as one.
    pub(super) async fn all<T: DeserializeOwned>(self) -> Result<Page<T>, ClientError> {
        let Self { client, operation, method, url, .. } = self;
        let mut page = PageQuery { after: None, limit: Some(WHOLE) };
        let mut items = Vec::new();
        loop {
            let call = Self::new(client, operation, method.clone(), url.clone()).page(&page);
            let found: Page<T> = call.json().await?;
            items.extend(found.items);
            match found.next {
                Some(next) => page.after = Some(next),
                None => return Ok(Page { items, next: None }),
            }
        }
    }

    /// Sends it, and again when the answer is lost on the way: a change carries a key, by which the
    /// hub does it once. A hub that was never there is not waited for.
    async fn answer(self) -> Result<(Vec<u8>, Who), ClientError> {
        let client = self.client;
        let at = client.url().to_owned();
        coverage::record(self.operation);
        let body = self.body.transpose().map_err(|e| ClientError::Protocol {
            url: at.clone(),
            detail: format!("the request cannot be written ({e})"),
        })?;
        let mut request = client.http.request(self.method.clone(), self.url);
        if let Some(etag) = self.if_match {
            request = request.header(IF_MATCH, etag);
        }
        if !self.method.is_safe() {
            request = request.header(KEY, car_api::request_key());
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, self.media).body(body);
        }
        // What is only read can be asked for again by whoever wants it; one try more is for a
        // connection that had stood idle too long.
        let tries = if self.method.is_safe() { 1 } else { WAITS.len() };
        let mut waits = WAITS.iter().take(tries);
        let mut sent = false;
        loop {
            let (error, again) = match attempt(client, &request).await {
                Ok(answer) => return Ok(answer),
                Err(Failed::NotSent(error)) => (error, sent),
                Err(Failed::Lost(error)) => (error, true),
                Err(Failed::Refused(error)) => {
                    let busy = error.code() == Some(Code::IdempotencyInFlight);
                    // Somebody may be stopping the hub; what was lost before it is still in doubt.
                    let away = sent && error.code() == Some(Code::Unavailable);
                    (error, busy || away)
                }
            };
            sent |= again;
            match waits.next().filter(|_| again) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Err(error),
            }
        }
    }
}

/// How one try ended without an answer to give.
pub(super) enum Failed {
    /// Nobody was reached.
    NotSent(ClientError),
    /// It may have been done; nobody knows.
    Lost(ClientError),
    /// The hub said no.
    Refused(ClientError),
}

impl From<Failed> for ClientError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::NotSent(error) | Failed::Lost(error) | Failed::Refused(error) => error,
        }
    }
}

async fn attempt(client: &Client, request: &RequestBuilder) -> Result<(Vec<u8>, Who), Failed> {
    let at = client.url();
    let Some(request) = request.try_clone() else {
        let detail = "the request cannot be sent twice".to_owned();
        return Err(Failed::Refused(ClientError::Protocol { url: at.to_owned(), detail }));
    };
    received(client, request.send().await).await
}

/// What came back, read to its end.
async fn received(
    client: &Client,
    sent: reqwest::Result<reqwest::Response>,
) -> Result<(Vec<u8>, Who), Failed> {
    let (answer, who) = begun(client, sent).await?;
    let body = answer.bytes().await.map_err(|e| Failed::Lost(network(client.url(), &e)))?;
    Ok((body.to_vec(), who))
}

/// An answer that says yes, with its content still to come, and who gave it.
pub(super) async fn begun(
    client: &Client,
    sent: reqwest::Result<reqwest::Response>,
) -> Result<(reqwest::Response, Who), Failed> {
    let at = client.url();
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) if error.is_builder() => return Err(Failed::Refused(network(at, &error))),
        Err(error) if error.is_connect() => return Err(Failed::NotSent(network(at, &error))),
        Err(error) => return Err(Failed::Lost(network(at, &error))),
    };
    let who = Who::of(answer.headers());
    who.check(client).map_err(Failed::Refused)?;
    let status = answer.status();
    if status.is_success() {
        return Ok((answer, who));
    }
    let body = answer.bytes().await.map_err(|e| Failed::Lost(network(at, &e)))?;
    Err(Failed::Refused(refusal(at, status.as_u16(), &body)))
}

fn parsed<T: DeserializeOwned>(
    client: &Client,
    operation: &str,
    (bytes, who): (Vec<u8>, Who),
) -> Result<T, ClientError> {
    serde_json::from_slice(&bytes).map_err(|e| {
        let detail = format!("the answer of {operation} cannot be read ({e})");
        who.unreadable(client.url(), detail)
    })
}

/// What an answer that is no success means: the hub's own words when it is a problem.
pub(crate) fn refusal(at: &str, status: u16, body: &[u8]) -> ClientError {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        return ClientError::from(problem);
    }
    let hint = if status == 421 {
        "; the hub does not know this host name (server.allowed_hosts)"
    } else {
        ""
    };
    ClientError::Protocol { url: at.to_owned(), detail: format!("it answered {status}{hint}") }
}

pub(crate) fn network(at: &str, error: &reqwest::Error) -> ClientError {
    let detail = innermost(error);
    if error.is_builder() {
        return ClientError::Protocol { url: at.to_owned(), detail };
    }
    ClientError::Unreachable { url: at.to_owned(), detail }
}

/// The deepest cause: "Connection refused" says more than "error sending request".
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let io = deepest.downcast_ref::<std::io::Error>();
    if io.is_some_and(|error| error.kind() == std::io::ErrorKind::UnexpectedEof) {
        return "the connection was cut".to_owned();
    }
    deepest.to_string()
}
