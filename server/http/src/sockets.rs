//! What all WebSockets have in common (RFC 6455).

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::time::timeout;

/// Largest frame and message a client may send.
pub(crate) const FRAME_MAX: usize = 64 * 1024;
pub(crate) const MESSAGE_MAX: usize = 256 * 1024;

/// How long a client may take to read what it was sent before it counts as too slow.
pub(crate) const SLOW: Duration = Duration::from_secs(10);

/// How long the farewell may take to be sent.
pub(crate) const FAREWELL: Duration = Duration::from_secs(3);

/// How long the client has to answer it; a restart does not wait for clients that do not listen.
const ANSWER: Duration = Duration::from_secs(1);

/// Why the hub closes a socket, in numbers a client can act on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CloseCode {
    Done = 1000,
    TooMuch = 1008,
    Internal = 1011,
    Restarting = 1012,
    Revoked = 4401,
    TooSlow = 4408,
    CursorTooOld = 4410,
}

/// Says why, and waits a moment for the other side to have heard.
pub(crate) async fn close(mut socket: WebSocket, code: CloseCode, reason: String) {
    let frame = CloseFrame { code: code as u16, reason: reason.into() };
    let sent = timeout(FAREWELL, socket.send(Message::Close(Some(frame)))).await;
    if matches!(sent, Ok(Ok(()))) {
        // The client's own close frame, or the end of its connection.
        let _ = timeout(ANSWER, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}
