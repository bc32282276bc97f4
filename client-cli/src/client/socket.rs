//! WebSockets of the hub.

use std::{io, time::Duration};

use reqwest::Url;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_tls,
    tungstenite::{
        Error as WsError,
        client::IntoClientRequest,
        http::{HeaderMap, HeaderValue, header::AUTHORIZATION},
    },
};

use super::{Client, Who, innermost, refusal};
use crate::ClientError;

const CONNECT: Duration = Duration::from_secs(10);

/// A WebSocket over whatever leads to the hub.
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<Box<dyn Line>>>;

/// Bytes in both directions.
pub(crate) trait Line: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Line for T {}

impl Client {
    /// Opens the WebSocket at an address of the API; with it come the headers of the answer.
    pub(crate) async fn socket(&self, mut url: Url) -> Result<(Socket, HeaderMap), ClientError> {
        // The scheme was checked to be http or https, for which this cannot fail.
        let _ = url.set_scheme(if url.scheme() == "https" { "wss" } else { "ws" });
        let at = self.url();
        let fault = |detail| ClientError::Protocol { url: at.to_owned(), detail };
        let mut request = url.as_str().into_client_request().map_err(|e| fault(innermost(&e)))?;
        if let Some(token) = self.token() {
            let value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|e| fault(e.to_string()))?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let unreachable = |detail| ClientError::Unreachable { url: at.to_owned(), detail };
        let opened = async { client_async_tls(request, self.line(&url).await?).await };
        match timeout(CONNECT, opened).await {
            Err(_) => Err(unreachable("no answer within 10 s".to_owned())),
            Ok(Ok((socket, answer))) => {
                Who::of(answer.headers()).check(self)?;
                Ok((socket, answer.headers().clone()))
            }
            Ok(Err(WsError::Http(answer))) => {
                let status = answer.status().as_u16();
                Err(refusal(at, status, answer.body().as_deref().unwrap_or_default()))
            }
            Ok(Err(error)) => Err(unreachable(innermost(&error))),
        }
    }

    /// A connection to the hub: to its socket, or to the host and port of its address.
    async fn line(&self, url: &Url) -> io::Result<Box<dyn Line>> {
        if let Some(path) = &self.socket {
            return Ok(Box::new(UnixStream::connect(path).await?));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().unwrap_or_default();
        Ok(Box::new(TcpStream::connect((host, port)).await?))
    }
}
