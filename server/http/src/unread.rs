//! What a client still sends after its answer is ready.
//!
//! A connection that is closed with bytes nobody read is reset, and the client, still writing,
//! may lose the answer that says why it was refused. So the rest of a body is taken and thrown
//! away beside the answer, within bounds (RFC 9112, 9.6, asks for it of a server that closes).

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Bytes,
    http::{Request, header::EXPECT},
};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

/// The most that is thrown away of one body, in bytes: what the largest recording may be, and
/// more.
const MOST: u64 = 32 * 1024 * 1024;

/// How long that may take.
const WHOLE: Duration = Duration::from_secs(10);

/// How long nothing may come meanwhile.
const IDLE: Duration = Duration::from_secs(2);

/// A request's body, whose rest is taken when nobody wants it any more.
pub(crate) struct Unread {
    body: Option<Incoming>,
    /// Whether the client waits to be asked before it sends anything (`Expect: 100-continue`).
    waits: bool,
    closing: CancellationToken,
}

impl Unread {
    pub(crate) fn of(request: Request<Incoming>, closing: &CancellationToken) -> Request<Self> {
        let waits = request.headers().contains_key(EXPECT);
        request.map(|body| Self { body: Some(body), waits, closing: closing.clone() })
    }
}

impl Body for Unread {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.waits = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        if self.waits || body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let closing = self.closing.clone();
            runtime.spawn(async move { closing.run_until_cancelled(throw_away(body)).await });
        }
    }
}

async fn throw_away(mut body: Incoming) {
    let end = Instant::now() + WHOLE;
    let mut left = MOST;
    while let Ok(Some(Ok(frame))) = timeout_at(end.min(Instant::now() + IDLE), body.frame()).await {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
