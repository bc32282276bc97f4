//! A request of the caller's own making, for what has no method here.

use std::str::FromStr;

use reqwest::{
    Method, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

use super::{Client, call};
use crate::ClientError;

/// A request as the caller wants it.
#[derive(Debug, Clone, Default)]
pub struct RawRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Below the hub's address; one without a leading `/` is below `/api/v1/`.
    pub path: String,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// Body, sent as JSON unless a header field says otherwise.
    pub body: Option<Vec<u8>>,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawAnswer {
    /// The status.
    pub status: u16,
    /// Its `content-type`, if it has one.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// Sends a request as it is.
    ///
    /// # Errors
    /// The request cannot be sent as given, nobody answers, or the hub refuses.
    pub async fn raw(&self, request: RawRequest) -> Result<RawAnswer, ClientError> {
        let at = self.url().to_owned();
        let fault = |detail: String| ClientError::Protocol { url: at.clone(), detail };
        let method = Method::from_str(&request.method.to_ascii_uppercase())
            .map_err(|e| fault(format!("`{}` is no method ({e})", request.method)))?;
        let url = self.raw_url(&request.path, &request.query).map_err(&fault)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
        if request.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &request.headers {
            let bad = |e: String| fault(format!("the header field `{name}` cannot be sent ({e})"));
            let name = HeaderName::from_str(name).map_err(|e| bad(e.to_string()))?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|e| bad(e.to_string()))?);
        }
        let mut sent = self.http.request(method, url).headers(headers);
        if let Some(body) = request.body {
            sent = sent.body(body);
        }
        let (answer, _) = call::begun(self, sent.send().await).await?;
        let status = answer.status();
        let content_type =
            answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = answer.bytes().await.map_err(|e| call::network(&at, &e))?;
        Ok(RawAnswer { status: status.as_u16(), content_type, body: body.to_vec() })
    }

    /// An address below this hub's, whatever the path says: a token is for this hub alone.
    fn raw_url(&self, path: &str, query: &[(String, String)]) -> Result<Url, String> {
        let (path, inline) = path.split_once('?').unwrap_or((path, ""));
        let below = match path.strip_prefix('/') {
            Some(path) => path.to_owned(),
            None => format!("api/v1/{path}"),
        };
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/{below}"));
        url.set_query((!inline.is_empty()).then_some(inline));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        if url.origin() != self.base.origin() {
            return Err("the path leads to another server".to_owned());
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_hubs_address() {
        let client = Client::new("http://box:1/car", None).unwrap();
        let url = |path: &str, query: &[(&str, &str)]| {
            let query: Vec<_> =
                query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            client.raw_url(path, &query).unwrap().to_string()
        };
        assert_eq!(url("hub", &[]), "http://box:1/car/api/v1/hub");
        assert_eq!(url("/health/live", &[]), "http://box:1/car/health/live");
        assert_eq!(url("repos?a=b", &[("c", "d e")]), "http://box:1/car/api/v1/repos?a=b&c=d+e");
        assert_eq!(url("//evil/x", &[]), "http://box:1/car//evil/x");
        assert_eq!(url("https://evil/", &[]), "http://box:1/car/api/v1/https://evil/");
    }
}
