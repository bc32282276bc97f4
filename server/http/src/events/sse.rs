//! The stream as server-sent events (WHATWG HTML, 9.2), for `curl` and scripts.

use std::{convert::Infallible, fmt::Write as _};

use axum::{
    body::Body,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use car_api::event::StreamMessage;
use futures_util::stream;

use super::follow::{End, Follow, Piece, message};

/// The endless answer. A client that reads slowly is not read for.
pub(super) fn stream(follow: Follow) -> Response {
    let chunks = stream::unfold(Some(follow), |follow| async move {
        let mut follow = follow?;
        match follow.next().await {
            Ok(pieces) => Some((Ok::<_, Infallible>(chunk(&follow, &pieces)), Some(follow))),
            Err(end) => Some((Ok(last(end)), None)),
        }
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(chunks)).into_response()
}

/// A batch as one chunk of the answer. The JSON of a message has no line ends.
fn chunk(follow: &Follow, pieces: &[Piece]) -> String {
    if pieces.is_empty() {
        return ": still here\n\n".to_owned();
    }
    let size = pieces.iter().map(|piece| piece.text.len() + 40).sum();
    let mut chunk = String::with_capacity(size);
    for piece in pieces {
        if let Some(seq) = piece.seq {
            let _ = writeln!(chunk, "id: {}", follow.cursor_at(seq));
        }
        let _ = write!(chunk, "data: {}\n\n", piece.text.as_str());
    }
    chunk
}

/// What is said before the stream ends; an event source reconnects by itself.
fn last(end: End) -> String {
    match end {
        End::Closing => ": the hub is closing\n\n".to_owned(),
        End::Revoked => ": the token was deleted or ran out\n\n".to_owned(),
        End::Gone(gone) => {
            let piece = message(None, &StreamMessage::Gone { gone });
            format!("event: gone\ndata: {}\n\n", piece.text.as_str())
        }
        End::Failed => ": the hub could not read its log\n\n".to_owned(),
    }
}
