//! Shells on the hub's machine.

use car_api::{
    Code, Page, PageQuery, Problem, TerminalId,
    terminal::{Terminal, TerminalCreate, TerminalMessage, TerminalOrder},
};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{Client, coverage, innermost, socket::Socket};
use crate::ClientError;

impl Client {
    /// Terminals, newest first.
    ///
    /// # Errors
    /// `turned_off`.
    pub async fn terminal_list(&self, page: &PageQuery) -> Result<Page<Terminal>, ClientError> {
        self.get("terminal_list", &["terminals"]).page(page).json().await
    }

    /// Opens a terminal.
    ///
    /// # Errors
    /// `turned_off`, `busy`.
    pub async fn terminal_create(&self, body: &TerminalCreate) -> Result<Terminal, ClientError> {
        self.post("terminal_create", &["terminals"]).body(body).json().await
    }

    /// One terminal.
    ///
    /// # Errors
    /// `not_found`, `turned_off`.
    pub async fn terminal_get(&self, id: &TerminalId) -> Result<Terminal, ClientError> {
        self.get("terminal_get", &["terminals", id.as_str()]).json().await
    }

    /// Ends a terminal and whatever was started in it.
    ///
    /// # Errors
    /// `not_found`, `illegal_transition` when it has ended.
    pub async fn terminal_end(&self, id: &TerminalId) -> Result<Terminal, ClientError> {
        self.delete("terminal_end", &["terminals", id.as_str()]).json().await
    }

    /// Looks at a terminal, from a place in what its shell wrote or from somewhat before the end.
    ///
    /// # Errors
    /// `not_found`, `turned_off`; the hub does not answer.
    pub async fn terminal_attach(
        &self,
        id: &TerminalId,
        from: Option<u64>,
    ) -> Result<TerminalSocket, ClientError> {
        coverage::record("terminal_attach");
        let mut url = self.api_url(&["terminals", id.as_str(), "attach"]);
        if let Some(from) = from {
            url.query_pairs_mut().append_pair("from", &from.to_string());
        }
        let (socket, _) = self.socket(url).await?;
        Ok(TerminalSocket { client: self.clone(), socket, at: from.unwrap_or_default() })
    }
}

/// What a terminal says.
#[derive(Debug, Clone, PartialEq)]
pub enum TerminalSaid {
    /// What the shell wrote.
    Output(Bytes),
    /// Something about the terminal.
    Message(TerminalMessage),
    /// The hub closed the connection.
    Closed {
        /// Its number: 1000 when the terminal has ended, 1012 when the hub restarts, 4408 when
        /// this side read too slowly.
        code: u16,
        /// In words.
        reason: String,
    },
}

/// A terminal one looks at.
pub struct TerminalSocket {
    client: Client,
    socket: Socket,
    at: u64,
}

impl TerminalSocket {
    /// The place of the next byte: where to go on after a cut.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next thing it says. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The connection was lost; `unauthenticated` when the credential was ended.
    pub async fn next(&mut self) -> Result<TerminalSaid, ClientError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    self.at += bytes.len() as u64;
                    return Ok(TerminalSaid::Output(bytes));
                }
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(&text).map_err(|error| {
                        self.fault(format!("it says what is not known: {error}"))
                    })?;
                    if let TerminalMessage::Attached { from, .. } = &message {
                        self.at = *from;
                    }
                    return Ok(TerminalSaid::Message(message));
                }
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                        (u16::from(frame.code), frame.reason.to_string())
                    });
                    if code == 4401 {
                        return Err(Problem::new(Code::Unauthenticated, reason).into());
                    }
                    return Ok(TerminalSaid::Closed { code, reason });
                }
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(self.lost(innermost(&error))),
                None => return Err(self.lost("the connection ended".to_owned())),
            }
        }
    }

    /// Types something.
    ///
    /// # Errors
    /// The connection was lost.
    pub async fn send(&mut self, typed: impl Into<Bytes>) -> Result<(), ClientError> {
        let sent = self.socket.send(Message::Binary(typed.into())).await;
        sent.map_err(|error| self.lost(innermost(&error)))
    }

    /// Makes it another size, for everybody.
    ///
    /// # Errors
    /// The connection was lost.
    pub async fn resize(&mut self, cols: u16, rows: u16) -> Result<(), ClientError> {
        let order = serde_json::to_string(&TerminalOrder::Resize { cols, rows });
        let order = order.map_err(|error| self.fault(error.to_string()))?;
        let sent = self.socket.send(Message::Text(order.into())).await;
        sent.map_err(|error| self.lost(innermost(&error)))
    }

    fn fault(&self, detail: String) -> ClientError {
        ClientError::Protocol { url: self.client.url().to_owned(), detail }
    }

    fn lost(&self, detail: String) -> ClientError {
        ClientError::Unreachable { url: self.client.url().to_owned(), detail }
    }
}
