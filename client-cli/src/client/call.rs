//! One request and its answer.

use std::fmt::Display;

use car_api::{PageQuery, Problem};
use reqwest::{
    Method, RequestBuilder, Url,
    header::{CONTENT_TYPE, IF_MATCH},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Client, coverage, who::Who};
use crate::ClientError;

/// A request that is being put together.
#[must_use = "a call does nothing until it is sent"]
pub(super) struct Call<'a> {
    client: &'a Client,
    operation: &'static str,
    method: Method,
    url: Url,
    body: Option<serde_json::Result<Vec<u8>>>,
    if_match: Option<String>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        client: &'a Client,
        operation: &'static str,
        method: Method,
        url: Url,
    ) -> Self {
        Self { client, operation, method, url, body: None, if_match: None }
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

    pub(super) fn if_match(mut self, etag: Option<&str>) -> Self {
        self.if_match = etag.map(str::to_owned);
        self
    }

    /// Sends it and reads the answer's JSON.
    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let (client, operation) = (self.client, self.operation);
        let (bytes, who) = self.answer().await?;
        serde_json::from_slice(&bytes).map_err(|e| {
            let detail = format!("the answer of {operation} cannot be read ({e})");
            who.unreadable(client.url(), detail)
        })
    }

    /// Sends it; an answer without content is expected.
    pub(super) async fn done(self) -> Result<(), ClientError> {
        self.answer().await.map(|_| ())
    }

    async fn answer(self) -> Result<(Vec<u8>, Who), ClientError> {
        let client = self.client;
        let at = client.url().to_owned();
        coverage::record(self.operation);
        let answer = self.request(&at)?.send().await.map_err(|e| network(&at, &e))?;
        let who = Who::of(answer.headers());
        who.check(client)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|e| network(&at, &e))?;
        if status.is_success() {
            return Ok((body.to_vec(), who));
        }
        Err(refusal(&at, status.as_u16(), &body))
    }

    fn request(self, at: &str) -> Result<RequestBuilder, ClientError> {
        let mut request = self.client.http.request(self.method, self.url);
        if let Some(etag) = self.if_match {
            request = request.header(IF_MATCH, etag);
        }
        if let Some(body) = self.body {
            let body = body.map_err(|e| ClientError::Protocol {
                url: at.to_owned(),
                detail: format!("the request cannot be written ({e})"),
            })?;
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        Ok(request)
    }
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
    if error.is_builder() || error.is_decode() {
        return ClientError::Protocol { url: at.to_owned(), detail };
    }
    ClientError::Unreachable { url: at.to_owned(), detail }
}

/// The deepest cause: "Connection refused" says more than "error sending request".
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
