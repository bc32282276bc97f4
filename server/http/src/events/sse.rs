//! The stream as server-sent events (WHATWG HTML, 9.2), for `curl` and scripts.

use std::convert::Infallible;

use axum::response::{IntoResponse, Response, Sse, sse};
use car_api::event::StreamMessage;
use futures_util::stream;

use super::follow::{End, Follow, Step};

/// The endless answer. A client that reads slowly is not read for.
pub(super) fn stream(follow: Follow) -> Response {
    let events = stream::unfold(Some(follow), |follow| async move {
        let mut follow = follow?;
        match follow.next().await {
            Ok(step) => Some((Ok::<_, Infallible>(event(step)), Some(follow))),
            Err(end) => Some((Ok(last(end)), None)),
        }
    });
    Sse::new(events).into_response()
}

fn event(step: Step) -> sse::Event {
    let message = match step {
        Step::Heartbeat => return sse::Event::default().comment("still here"),
        Step::Message(message) => message,
    };
    let id = match &message {
        StreamMessage::Event { event } => Some(event.seq),
        StreamMessage::CaughtUp { seq } => Some(*seq),
        StreamMessage::Live { .. } => None,
    };
    let data = serde_json::to_string(&message).unwrap_or_default();
    let event = id.map_or_else(sse::Event::default, |id| sse::Event::default().id(id.to_string()));
    event.data(data)
}

/// What is said before the stream ends; an event source reconnects by itself.
fn last(end: End) -> sse::Event {
    match end {
        End::Closing => sse::Event::default().comment("the hub is closing"),
        End::Revoked => sse::Event::default().comment("the token was deleted or ran out"),
        End::TooOld(error) | End::Failed(error) => {
            let data = serde_json::to_string(error.problem()).unwrap_or_default();
            sse::Event::default().event("problem").data(data)
        }
    }
}
