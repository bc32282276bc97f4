//! The connection loop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many connections are open at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 1024;

/// How long a client may take to send a request's head, and how long an unused connection stays.
const HEAD: Duration = Duration::from_secs(10);

/// How much of a request's head is kept before the rest is refused, in bytes; what was read in one
/// go with the last of it still passes.
const HEAD_MAX: usize = 32 * 1024;

/// How long accepting rests when the process has no file descriptors left.
const REST: Duration = Duration::from_millis(100);

/// Where a connection comes from: the other end, or the proxy before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Says to all connections and streams of one service that it is time to end, and knows which of
/// them have not ended yet.
#[derive(Debug, Clone, Default)]
pub struct Closing {
    pub(crate) token: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Closing {
    /// A service that is not closing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to close: no connection is accepted any more, requests under way are answered,
    /// streams end.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Whether it has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.token.is_cancelled()
    }
}

/// Serves until `closing` begins and then until the last connection, stream and change under way
/// has ended. Dropping the future cuts what is left.
pub async fn serve(listeners: Vec<TcpListener>, router: Router, closing: Closing) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    for listener in listeners {
        let (router, closing_too, slots) = (router.clone(), closing.clone(), slots.clone());
        closing.tasks.spawn(async move {
            closing_too
                .token
                .clone()
                .run_until_cancelled(accept(listener, router, closing_too, slots))
                .await
        });
    }
    closing.token.cancelled().await;
    closing.tasks.close();
    closing.tasks.wait().await;
}

async fn accept(listener: TcpListener, router: Router, closing: Closing, slots: Arc<Semaphore>) {
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let router = router.clone().layer(axum::Extension(Peer(peer)));
                let connection = connection(stream, router, closing.token.clone());
                closing.tasks.spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!("no connection could be accepted: {error}");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionReset, Interrupted].contains(&error.kind())
}

async fn connection(stream: TcpStream, router: Router, closing: CancellationToken) {
    // Live text is many small writes; each shall be on the wire at once.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("connection ended: {error}");
    }
}
