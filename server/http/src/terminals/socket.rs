//! A terminal over a WebSocket.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Response,
};
use car_api::terminal::{TerminalMessage, TerminalOrder};
use car_hub::{Seen, Viewer};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    App,
    caller::Caller,
    sockets::{CloseCode, FRAME_MAX, MESSAGE_MAX, SLOW, close},
};

/// How often a sign of life is asked for, and how long a client may be silent.
const HEARTBEAT: Duration = Duration::from_secs(20);
const SILENT: Duration = HEARTBEAT.saturating_mul(3);

/// Why it ends, for the one who looks.
struct End(CloseCode, String);

impl End {
    fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        Self(code, reason.into())
    }
}

/// One socket of one who looks.
struct Attached {
    viewer: Viewer,
    caller: Caller,
    input: Option<mpsc::Sender<Bytes>>,
    /// What was typed and the shell has no room for yet; no more is read from the client until then.
    typed: Option<Bytes>,
    revoked: watch::Receiver<u64>,
    closing: CancellationToken,
    heard: Instant,
}

/// Answers the upgrade and serves until either side ends it.
pub(super) fn open(
    upgrade: WebSocketUpgrade,
    app: &App,
    caller: Caller,
    viewer: Viewer,
) -> Response {
    let under_way = app.closing.tasks.token();
    let attached = Attached {
        input: viewer.input(),
        viewer,
        caller,
        typed: None,
        revoked: app.hub.revocations(),
        closing: app.closing.token.clone(),
        heard: Instant::now(),
    };
    upgrade.max_frame_size(FRAME_MAX).max_message_size(MESSAGE_MAX).on_upgrade(
        async move |mut socket| {
            if let Err(End(code, reason)) = attached.serve(&mut socket).await {
                close(socket, code, reason).await;
            }
            drop(under_way);
        },
    )
}

impl Attached {
    /// Until the client is gone, or the hub has a reason to say good-bye.
    async fn serve(mut self, socket: &mut WebSocket) -> Result<(), End> {
        let (terminal, from) = self.viewer.begin().await.map_err(failed)?;
        let terminal = Box::new(terminal);
        self.tell(socket, text(&TerminalMessage::Attached { terminal, from })).await?;
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.closing.cancelled() => {
                    return Err(End::new(CloseCode::Restarting, "the hub is restarting"));
                }
                _ = self.revoked.changed() => self.check_caller()?,
                _ = heartbeat.tick() => {
                    self.check_caller()?;
                    // While it waits for the shell nothing is read from the client.
                    if self.typed.is_none() && self.heard.elapsed() > SILENT {
                        return Ok(());
                    }
                    self.tell(socket, Message::Ping(Bytes::new())).await?;
                }
                seen = self.viewer.next() => {
                    let message = match seen.map_err(failed)? {
                        Seen::Output(bytes) => Message::Binary(bytes),
                        Seen::CaughtUp(at) => text(&TerminalMessage::CaughtUp { at }),
                        Seen::Resized { cols, rows } => {
                            text(&TerminalMessage::Resized { cols, rows })
                        }
                        Seen::Behind(at) => {
                            let reason = format!("what follows is no longer kept; from={at}");
                            return Err(End::new(CloseCode::TooSlow, reason));
                        }
                        Seen::Ended(terminal) => {
                            let last = text(&TerminalMessage::Ended { terminal });
                            self.tell(socket, last).await?;
                            return Err(End::new(CloseCode::Done, "the terminal has ended"));
                        }
                    };
                    self.tell(socket, message).await?;
                }
                said = socket.recv(), if self.typed.is_none() => {
                    self.heard = Instant::now();
                    match said {
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                        Some(Ok(Message::Binary(typed))) => self.typed = Some(typed),
                        Some(Ok(Message::Text(order))) => self.order(&order)?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    }
                }
                () = take(self.input.as_ref(), &mut self.typed) => {}
            }
        }
    }

    async fn tell(&self, socket: &mut WebSocket, message: Message) -> Result<(), End> {
        match timeout(SLOW, socket.send(message)).await {
            // When the client is gone, the next look finds it so.
            Ok(Ok(()) | Err(_)) => Ok(()),
            Err(_) => {
                let reason = format!("read too slowly; go on with from={}", self.viewer.at());
                Err(End::new(CloseCode::TooSlow, reason))
            }
        }
    }

    fn order(&mut self, text: &str) -> Result<(), End> {
        let order = serde_json::from_str(text)
            .map_err(|error| End::new(CloseCode::TooMuch, format!("no order: {error}")))?;
        match order {
            TerminalOrder::Resize { cols, rows } => self
                .viewer
                .resize(cols, rows)
                .map_err(|error| End::new(CloseCode::TooMuch, error.detail)),
        }
    }

    fn check_caller(&self) -> Result<(), End> {
        if self.caller.stands() {
            return Ok(());
        }
        Err(End::new(CloseCode::Revoked, "the credential was ended or ran out"))
    }
}

/// Hands on what was typed once there is room; for ever when nothing was.
async fn take(input: Option<&mpsc::Sender<Bytes>>, typed: &mut Option<Bytes>) {
    if typed.is_none() {
        return std::future::pending().await;
    }
    // What is typed into a shell that has ended goes nowhere.
    let room = match input {
        Some(input) => input.reserve().await.ok(),
        None => None,
    };
    if let (Some(bytes), Some(room)) = (typed.take(), room) {
        room.send(bytes);
    }
}

fn text(message: &TerminalMessage) -> Message {
    Message::Text(serde_json::to_string(message).unwrap_or_default().into())
}

fn failed(error: car_hub::Error) -> End {
    tracing::error!(code = %error.code, source = ?error.source, "a terminal cannot be shown");
    let mut reason = error.detail;
    // As long as a close frame can carry.
    reason.truncate(reason.floor_char_boundary(120));
    End(CloseCode::Internal, reason)
}
