//! The stream over a WebSocket (RFC 6455).

use std::time::Duration;

use axum::{
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Response,
};
use car_api::event::StreamMessage;
use futures_util::SinkExt;
use tokio::time::{Instant, timeout};

use super::follow::{End, Follow, HEARTBEAT, Piece, message};
use crate::{
    Closing,
    sockets::{CloseCode, FAREWELL, FRAME_MAX, MESSAGE_MAX, SLOW, close},
};

/// How many messages a client may send within a second.
const MESSAGES_MAX: u32 = 50;

/// What a connection reads at a time, and gathers before it writes. The library would take 128 KiB
/// for each.
const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 16 * 1024;

/// How long a client may be silent; it is asked for a sign of life at every heartbeat.
const SILENT: Duration = HEARTBEAT.saturating_mul(3);

/// Answers the upgrade and serves the stream until either side ends it.
pub(super) fn open(upgrade: WebSocketUpgrade, closing: Closing, follow: Follow) -> Response {
    // `on_upgrade` makes a task of its own; the token keeps the service open until it has ended.
    let under_way = closing.tasks.token();
    upgrade
        .max_frame_size(FRAME_MAX)
        .max_message_size(MESSAGE_MAX)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .on_upgrade(async move |socket| {
            serve(socket, follow).await;
            drop(under_way);
        })
}

async fn serve(mut socket: WebSocket, mut follow: Follow) {
    let mut client = Client::new();
    loop {
        let next = tokio::select! {
            next = follow.next() => next,
            said = socket.recv() => match said {
                // Pings are answered by the library; nothing a client says changes the stream.
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {
                    if client.may_say_more() {
                        continue;
                    }
                    let reason = "more than 50 messages in a second".to_owned();
                    return close(socket, CloseCode::TooMuch, reason).await;
                }
            },
        };
        let pieces = match next {
            Ok(pieces) => pieces,
            Err(end) => return farewell(socket, end, follow.cursor()).await,
        };
        if client.heard.elapsed() > SILENT {
            return;
        }
        let ping = client.is_to_be_pinged();
        match timeout(SLOW, send(&mut socket, pieces, ping)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                let reason = format!("read too slowly; go on with after={}", follow.cursor());
                return close(socket, CloseCode::TooSlow, reason).await;
            }
        }
    }
}

/// All of a batch at once: one write to the connection, not one a message.
async fn send(socket: &mut WebSocket, pieces: Vec<Piece>, ping: bool) -> Result<(), axum::Error> {
    for piece in pieces {
        socket.feed(Message::Text(piece.text)).await?;
    }
    if ping {
        socket.feed(Message::Ping(Default::default())).await?;
    }
    socket.flush().await
}

/// What is known of the other side.
struct Client {
    heard: Instant,
    pinged: Instant,
    /// The present second, and how many messages came within it.
    second: Instant,
    messages: u32,
}

impl Client {
    fn new() -> Self {
        let now = Instant::now();
        Self { heard: now, pinged: now, second: now, messages: 0 }
    }

    /// Notes a message; whether it is not one too many.
    fn may_say_more(&mut self) -> bool {
        self.heard = Instant::now();
        if self.second.elapsed() >= Duration::from_secs(1) {
            (self.second, self.messages) = (self.heard, 0);
        }
        self.messages += 1;
        self.messages <= MESSAGES_MAX
    }

    /// Whether it is time to ask for a sign of life, also when there is much to send: a client
    /// that is gone must not be taken for one that only listens.
    fn is_to_be_pinged(&mut self) -> bool {
        let due = self.pinged.elapsed() >= HEARTBEAT.mul_f32(0.9);
        if due {
            self.pinged = Instant::now();
        }
        due
    }
}

async fn farewell(mut socket: WebSocket, end: End, cursor: String) {
    match end {
        End::Closing => {
            let reason = format!("the hub is restarting; go on with after={cursor}");
            close(socket, CloseCode::Restarting, reason).await;
        }
        End::Revoked => {
            close(socket, CloseCode::Revoked, "the token was deleted or ran out".to_owned()).await;
        }
        End::Gone(gone) => {
            let reason = format!("the cursor is of no use; start from {}", gone.snapshot);
            let piece = message(None, &StreamMessage::Gone { gone });
            if let Ok(Ok(())) = timeout(FAREWELL, send(&mut socket, vec![piece], false)).await {
                close(socket, CloseCode::CursorTooOld, reason).await;
            }
        }
        End::Failed => {
            close(socket, CloseCode::Internal, "the hub could not read its log".to_owned()).await;
        }
    }
}
