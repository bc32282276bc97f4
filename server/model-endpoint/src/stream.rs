//! Server-sent events with pauses and broken ends.

use std::{collections::VecDeque, io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use serde_json::Value;

/// What a stream does next.
#[derive(Debug)]
pub(crate) enum Part {
    Event(Value),
    Pause(f64),
    /// The connection is broken.
    Break,
}

/// The events as the answer's body.
pub(crate) fn response(headers: HeaderMap, parts: Vec<Part>) -> Response {
    let stream = futures_util::stream::unfold(VecDeque::from(parts), |mut parts| async move {
        loop {
            match parts.pop_front()? {
                Part::Pause(seconds) => {
                    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
                    tokio::time::sleep(time).await;
                }
                Part::Event(event) => {
                    let name = event["type"].as_str().unwrap_or_default();
                    let text = format!("event: {name}\ndata: {event}\n\n");
                    return Some((Ok(Bytes::from(text)), parts));
                }
                Part::Break => {
                    // What was written before must be on its way before the connection ends.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    return Some((Err(io::Error::other("broken by the script")), parts));
                }
            }
        }
    });
    let mut response = Response::new(Body::from_stream(stream));
    *response.headers_mut() = headers;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// Headers of a script; those that cannot stand in an answer are left out.
pub(crate) fn headers<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> HeaderMap {
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?)))
        .collect()
}
