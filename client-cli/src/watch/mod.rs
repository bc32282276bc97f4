//! The hub's events as they come, over a WebSocket, resumed by cursor after any cut: every event
//! that matches is delivered once, in order, however often the connection is lost.

mod backoff;
mod cursor;
#[cfg(test)]
mod tests;

use std::time::Duration;

use car_api::{
    Code, Event, Problem,
    event::{EventCursor, Gone, LiveFrame, StreamMessage},
};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::tungstenite::{Bytes, Message, protocol::CloseFrame};

use crate::{
    Client, ClientError, EventFilter,
    client::{innermost, socket::Socket},
};
pub use backoff::Backoff;
pub use cursor::{Cursor, Verdict};

/// After this long without a word the hub is asked for a sign of life. The question also finds out
/// when the line is there again but the hub's end of it is not, as after a restart of the hub.
const QUIET: Duration = Duration::from_secs(4);
/// A line without a sign of life for this long is dead although nobody said so.
const SILENCE: Duration = Duration::from_secs(12);

/// What a watcher is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// An entry of the log.
    Event(Box<Event>),
    /// Text that is not in the log yet. Such frames may be missed.
    Live(LiveFrame),
    /// Everything up to this number that matches was delivered; what follows is new.
    CaughtUp {
        /// Number of the newest entry.
        seq: i64,
    },
    /// The connection was lost; it is taken up again after the delay.
    Lost {
        /// What happened.
        reason: String,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// The connection is there again.
    Back,
}

/// A subscription to the hub's events.
pub struct Watch {
    client: Client,
    filter: EventFilter,
    cursor: Cursor,
    backoff: Backoff,
    socket: Option<Socket>,
    resume_at: Option<Instant>,
    /// When the hub last gave a sign of life.
    heard: Instant,
    /// When it was last asked for one.
    asked: Instant,
    /// Cursor at which a hole was seen; a second hole at the same place is the log's own.
    hole: Option<i64>,
    connected_once: bool,
}

impl Client {
    /// Follows the events after the one numbered `after`. Connects at the first `next`.
    #[must_use]
    pub fn watch(&self, after: i64, filter: EventFilter) -> Watch {
        self.watch_from(after.into(), filter)
    }

    /// The same from a cursor that may say which log it is of: should the hub's database be
    /// restored meanwhile, that is an error and not a gap.
    #[must_use]
    pub fn watch_from(&self, after: EventCursor, filter: EventFilter) -> Watch {
        Watch {
            client: self.clone(),
            cursor: Cursor::new(after, !filter.is_empty()),
            filter,
            backoff: Backoff::default(),
            socket: None,
            resume_at: None,
            heard: Instant::now(),
            asked: Instant::now(),
            hole: None,
            connected_once: false,
        }
    }
}

impl Watch {
    /// The place up to which everything was delivered: where another watch would go on.
    #[must_use]
    pub fn cursor(&self) -> &EventCursor {
        self.cursor.at()
    }

    /// The next thing there is to tell. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Errors no repetition can mend: the first connection fails, the credential is refused, or
    /// the log does not reach back to the cursor. After an error the watch is of no more use.
    pub async fn next(&mut self) -> Result<Update, ClientError> {
        loop {
            let Some(socket) = &mut self.socket else {
                if let Some(update) = self.connect().await? {
                    return Ok(update);
                }
                continue;
            };
            let quiet_until = self.heard.max(self.asked) + QUIET;
            let message = timeout_at(quiet_until, socket.next()).await;
            if message.is_ok() {
                self.heard = Instant::now();
            }
            match message {
                Err(_) if self.heard.elapsed() >= SILENCE => {
                    return Ok(self.lost("the hub fell silent".to_owned()));
                }
                Err(_) => {
                    self.asked = Instant::now();
                    let ping = Message::Ping(Bytes::new());
                    // A full buffer is no reason to wait: the silence goes on.
                    if let Ok(Err(e)) = timeout(QUIET, socket.send(ping)).await {
                        return Ok(self.lost(innermost(&e)));
                    }
                }
                Ok(None) => return Ok(self.lost("the connection ended".to_owned())),
                Ok(Some(Err(e))) => return Ok(self.lost(innermost(&e))),
                Ok(Some(Ok(Message::Close(frame)))) => return self.closed(frame.as_ref()),
                Ok(Some(Ok(Message::Text(text)))) => {
                    if let Some(update) = self.message(&text)? {
                        return Ok(update);
                    }
                }
                // Pings are answered by the library; the contract has no binary messages.
                Ok(Some(Ok(
                    Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_),
                ))) => {}
            }
        }
    }

    async fn connect(&mut self) -> Result<Option<Update>, ClientError> {
        if let Some(at) = self.resume_at {
            sleep_until(at).await;
        }
        match self.open().await {
            Ok((socket, epoch)) => {
                self.cursor.is_of(&epoch);
                self.socket = Some(socket);
                self.heard = Instant::now();
                self.resume_at = None;
                let again = std::mem::replace(&mut self.connected_once, true);
                Ok(again.then_some(Update::Back))
            }
            Err(error) if self.connected_once && error.may_pass() => {
                Ok(Some(self.lost(error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// A connection, and the epoch of the log behind it.
    async fn open(&self) -> Result<(Socket, String), ClientError> {
        let url = self.client.event_socket_url(self.cursor.at(), &self.filter);
        let (socket, headers) = self.client.socket(url).await?;
        let epoch = headers.get("car-epoch").and_then(|text| text.to_str().ok());
        Ok((socket, epoch.unwrap_or_default().to_owned()))
    }

    /// What a text message says, if the caller has to know.
    fn message(&mut self, text: &str) -> Result<Option<Update>, ClientError> {
        let message: StreamMessage = serde_json::from_str(text).map_err(|e| {
            let detail = format!("a message of the event stream cannot be read ({e})");
            ClientError::Protocol { url: self.client.url().to_owned(), detail }
        })?;
        let verdict = self.cursor.accept(&message);
        match verdict {
            Verdict::Repeat => return Ok(None),
            Verdict::Hole => return self.hole().map(Some),
            Verdict::Deliver => self.backoff = Backoff::default(),
        }
        Ok(Some(match message {
            StreamMessage::Event { event } => Update::Event(event),
            StreamMessage::Live { frame } => Update::Live(frame),
            StreamMessage::CaughtUp { seq, .. } => Update::CaughtUp { seq },
            StreamMessage::Gone { gone } => {
                self.socket = None;
                return Err(too_old(gone));
            }
        }))
    }

    fn hole(&mut self) -> Result<Update, ClientError> {
        let after = self.cursor.at().seq;
        if self.hole.replace(after) == Some(after) {
            let detail = format!("its log has no entry {}", after.saturating_add(1));
            return Err(ClientError::Protocol { url: self.client.url().to_owned(), detail });
        }
        Ok(self.lost("an event was missing; asking for it again".to_owned()))
    }

    /// The close codes of the event stream: 4401 the credential is no longer valid, 4408 this
    /// reader was too slow, 4410 the log does not reach back to the cursor.
    fn closed(&mut self, frame: Option<&CloseFrame>) -> Result<Update, ClientError> {
        self.socket = None;
        let code = frame.map_or(1005, |f| u16::from(f.code));
        let said = frame.map(|f| f.reason.to_string()).filter(|text| !text.is_empty());
        let refused = |code, otherwise: &str| {
            Err(Problem::new(code, said.clone().unwrap_or_else(|| otherwise.to_owned())).into())
        };
        match code {
            4401 => refused(Code::Unauthenticated, "the token is no longer valid"),
            4410 => refused(Code::CursorTooOld, "the log does not reach back that far"),
            _ => Ok(self.lost(said.unwrap_or_else(|| format!("the hub closed it ({code})")))),
        }
    }

    fn lost(&mut self, reason: String) -> Update {
        self.socket = None;
        let retry_in = self.backoff.next_delay();
        self.resume_at = Some(Instant::now() + retry_in);
        Update::Lost { reason, retry_in }
    }
}

/// The log cannot be followed from the cursor.
fn too_old(gone: Gone) -> ClientError {
    let Gone { reason, oldest, newest, .. } = &gone;
    let detail = format!(
        "The log cannot be followed from there ({reason}); it has the events {oldest} to {newest}. \
         Start anew from the snapshot."
    );
    let mut problem = Problem::new(Code::CursorTooOld, detail);
    problem.gone = Some(Box::new(gone));
    problem.into()
}
