//! The connection loop.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, http::Request};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Limits,
    connections::{Connection, Connections},
    unread::Unread,
};

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

/// Where connections come from.
#[derive(Debug)]
pub enum Listener {
    /// A port.
    Tcp(TcpListener),
    /// A socket in the file system, which no browser and no other user of the machine can reach.
    Unix(UnixListener),
}

/// Serves until `closing` begins and then until the last connection, stream and change under way
/// has ended. Dropping the future cuts what is left.
pub async fn serve(listeners: Vec<Listener>, router: Router, limits: &Limits, closing: Closing) {
    let slots = match limits.connections {
        0 => Semaphore::MAX_PERMITS,
        some => usize::try_from(some).unwrap_or(Semaphore::MAX_PERMITS),
    };
    let service = Service {
        router,
        slots: Arc::new(Semaphore::new(slots)),
        connections: Connections::new(limits.unknown_connections),
        closing: closing.clone(),
    };
    for listener in listeners {
        let (service, token) = (service.clone(), closing.token.clone());
        closing.tasks.spawn(async move {
            token.run_until_cancelled(accept(listener, service)).await;
        });
    }
    closing.token.cancelled().await;
    closing.tasks.close();
    closing.tasks.wait().await;
}

/// What every connection shares.
#[derive(Clone)]
struct Service {
    router: Router,
    slots: Arc<Semaphore>,
    connections: Arc<Connections>,
    closing: Closing,
}

async fn accept(listener: Listener, service: Service) {
    loop {
        let Ok(slot) = service.slots.clone().acquire_owned().await else { return };
        service.connections.room().await;
        let accepted = match &listener {
            Listener::Tcp(listener) => listener.accept().await.map(|(stream, peer)| {
                // Live text is many small writes; each shall be on the wire at once.
                let _ = stream.set_nodelay(true);
                service.spawn(stream, Peer(peer), false, slot);
            }),
            Listener::Unix(listener) => {
                let here = Peer(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
                listener.accept().await.map(|(stream, _)| service.spawn(stream, here, true, slot))
            }
        };
        match accepted {
            Ok(()) => {}
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

impl Service {
    fn spawn<S>(&self, stream: S, peer: Peer, local: bool, slot: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (connection, place, cut) = self.connections.open(local);
        let (router, closing) = (self.router.clone(), self.closing.token.clone());
        self.closing.tasks.spawn(async move {
            let served = serve_connection(stream, peer, router, connection, closing);
            // Dropped in the middle when it has to make room.
            cut.run_until_cancelled(served).await;
            drop((place, slot));
        });
    }
}

async fn serve_connection<S>(
    stream: S,
    peer: Peer,
    router: Router,
    connection: Connection,
    closing: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let ending = closing.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(connection.clone());
        request.extensions_mut().insert(peer);
        router.call(Unread::of(request, &ending))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = closing.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("connection ended: {error}");
    }
}
