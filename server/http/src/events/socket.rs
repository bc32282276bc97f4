//! The stream over a WebSocket (RFC 6455).

use std::time::Duration;

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    response::Response,
};
use tokio::time::{Instant, timeout};

use super::follow::{End, Follow, HEARTBEAT, Step};
use crate::Closing;

/// Largest frame and message a client may send; none is needed, so these are generous.
const FRAME_MAX: usize = 64 * 1024;
const MESSAGE_MAX: usize = 256 * 1024;

/// How long a client may take to read one message before it counts as too slow.
const SLOW: Duration = Duration::from_secs(20);

/// How long the farewell may take to be sent.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long the client has to answer it; a restart does not wait for clients that do not listen.
const ANSWER: Duration = Duration::from_secs(1);

/// How long a client may be silent; it is asked for a sign of life at every heartbeat.
const SILENT: Duration = HEARTBEAT.saturating_mul(3);

/// Why the hub closes the socket, in numbers a client can act on.
#[derive(Debug, Clone, Copy)]
enum CloseCode {
    Restarting = 1012,
    Internal = 1011,
    Revoked = 4401,
    TooSlow = 4408,
    CursorTooOld = 4410,
}

/// Answers the upgrade and serves the stream until either side ends it.
pub(super) fn open(upgrade: WebSocketUpgrade, closing: Closing, follow: Follow) -> Response {
    // `on_upgrade` makes a task of its own; the token keeps the service open until it has ended.
    let under_way = closing.tasks.token();
    upgrade.max_frame_size(FRAME_MAX).max_message_size(MESSAGE_MAX).on_upgrade(
        async move |socket| {
            serve(socket, follow).await;
            drop(under_way);
        },
    )
}

async fn serve(mut socket: WebSocket, mut follow: Follow) {
    let mut heard = Instant::now();
    loop {
        let step = tokio::select! {
            step = follow.next() => step,
            said = socket.recv() => match said {
                // Pings are answered by the library; nothing a client says changes the stream.
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {
                    heard = Instant::now();
                    continue;
                }
            },
        };
        let message = match step {
            Ok(Step::Message(message)) => {
                Message::text(serde_json::to_string(&message).unwrap_or_default())
            }
            Ok(Step::Heartbeat) if heard.elapsed() > SILENT => return,
            Ok(Step::Heartbeat) => Message::Ping(Default::default()),
            Err(end) => {
                let (code, reason) = farewell(&end, follow.cursor());
                return close(socket, code, reason).await;
            }
        };
        match timeout(SLOW, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                let reason = format!("read too slowly; go on with after={}", follow.cursor());
                return close(socket, CloseCode::TooSlow, reason).await;
            }
        }
    }
}

fn farewell(end: &End, cursor: i64) -> (CloseCode, String) {
    match end {
        End::Closing => {
            (CloseCode::Restarting, format!("the hub is restarting; go on with after={cursor}"))
        }
        End::Revoked => (CloseCode::Revoked, "the token was deleted or ran out".to_owned()),
        End::TooOld(_) => {
            (CloseCode::CursorTooOld, "the cursor is too old; start from the snapshot".to_owned())
        }
        End::Failed(_) => (CloseCode::Internal, "the hub could not read its log".to_owned()),
    }
}

async fn close(mut socket: WebSocket, code: CloseCode, reason: String) {
    let frame = CloseFrame { code: code as u16, reason: reason.into() };
    let sent = timeout(FAREWELL, socket.send(Message::Close(Some(frame)))).await;
    if matches!(sent, Ok(Ok(()))) {
        // The client's own close frame, or the end of its connection.
        let _ = timeout(ANSWER, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}
