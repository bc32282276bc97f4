//! WebSockets that follow the hub's log.

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, Utf8Bytes, client::IntoClientRequest, http::header::AUTHORIZATION},
};

use crate::{Outcome, http::Target};

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Follows the log with this query.
    pub(crate) async fn open(target: &Target, query: &str) -> Outcome<Self> {
        let url = format!("ws://{}/api/v1/events?{query}", target.authority);
        let mut request = url.into_client_request()?;
        let token = target.token.as_deref().unwrap_or_default();
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse()?);
        Ok(Self(connect_async(request).await?.0))
    }

    /// The next message; nothing when the hub is silent for ever.
    pub(crate) async fn next(&mut self) -> Outcome<Utf8Bytes> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => return Err(format!("the hub ended it: {other}").into()),
                Some(Err(error)) => return Err(error.into()),
                None => return Err("the hub ended it".into()),
            }
        }
    }

    /// Reads until the hub says that everything was sent.
    pub(crate) async fn catch_up(&mut self) -> Outcome<()> {
        while !self.next().await?.starts_with(r#"{"type":"caught_up""#) {}
        Ok(())
    }
}

/// What stands between a mark and the next quote.
pub(crate) fn field<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark)?.1.split('"').next()
}
