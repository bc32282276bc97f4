//! The sockets the hub listens on.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use listenfd::ListenFd;
use tokio::net::TcpListener;

use crate::{config::Server, program::Error};

/// How often a free port is looked for that is free for IPv6 too.
const TRIES: u32 = 16;

/// Listeners, all on one port.
pub(crate) struct Listening {
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) port: u16,
    /// Where clients on this machine find the hub.
    pub(crate) url: String,
}

/// Sockets a service manager opened before this program began (systemd.socket(5)): clients that
/// come while the hub is restarted wait in them. To be asked for once, before there are threads.
pub(crate) fn given() -> Result<Vec<std::net::TcpListener>, Error> {
    let mut given = ListenFd::from_env();
    let taken = (0..given.len()).map(|place| given.take_tcp_listener(place));
    let taken: io::Result<Vec<_>> = taken.collect();
    let failed = |error| Error::file("a socket of the service manager", error);
    let sockets: Vec<_> = taken.map_err(failed)?.into_iter().flatten().collect();
    for socket in &sockets {
        socket.set_nonblocking(true).map_err(failed)?;
    }
    Ok(sockets)
}

/// Opens the sockets, unless some were given. A loopback address means both loopbacks; an address others can reach is
/// refused unless the names it is reached under were given.
pub(crate) async fn open(
    server: &Server,
    given: Vec<std::net::TcpListener>,
) -> Result<Listening, Error> {
    if !given.is_empty() {
        return adopt(server, given);
    }
    if !server.host.is_loopback() {
        if server.allowed_hosts.is_empty() {
            return Err(Error::OpenHost { host: server.host });
        }
        let listener = bind(SocketAddr::new(server.host, server.port)).await?;
        return listening(vec![listener], server.host);
    }
    let mut tries = if server.port == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        let first = bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), server.port)).await?;
        let port = first.local_addr().map_err(|error| Error::file("the socket", error))?.port();
        let second = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port);
        match TcpListener::bind(second).await {
            Ok(second) => return listening(vec![first, second], server.host),
            Err(error) if has_no_ipv6(&error) => return listening(vec![first], server.host),
            Err(error) if tries == 0 => return Err(refused(second, error)),
            Err(_) => {}
        }
    }
}

/// The sockets that were given take the place of the configured address, under the same rule.
fn adopt(server: &Server, given: Vec<std::net::TcpListener>) -> Result<Listening, Error> {
    let failed = |error| Error::file("a socket of the service manager", error);
    let listeners: io::Result<Vec<_>> = given.into_iter().map(TcpListener::from_std).collect();
    let listeners = listeners.map_err(failed)?;
    let mut host = server.host;
    for (place, listener) in listeners.iter().enumerate() {
        let ip = listener.local_addr().map_err(failed)?.ip();
        if !ip.is_loopback() && server.allowed_hosts.is_empty() {
            return Err(Error::OpenHost { host: ip });
        }
        host = if place == 0 { ip } else { host };
    }
    listening(listeners, host)
}

fn listening(listeners: Vec<TcpListener>, host: IpAddr) -> Result<Listening, Error> {
    let unknown = |error| Error::file("the socket", error);
    let port = listeners.first().map(TcpListener::local_addr).transpose().map_err(unknown)?;
    let port = port.map_or(0, |address| address.port());
    let host = if host.is_unspecified() || host.is_loopback() {
        IpAddr::from(Ipv4Addr::LOCALHOST)
    } else {
        host
    };
    Ok(Listening { listeners, port, url: format!("http://{}", SocketAddr::new(host, port)) })
}

async fn bind(at: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(at).await.map_err(|error| refused(at, error))
}

fn refused(at: SocketAddr, error: io::Error) -> Error {
    let taken = error.kind() == io::ErrorKind::AddrInUse;
    let hint = if taken {
        "; another program, or another hub, has this port: choose one with `--port`"
    } else {
        ""
    };
    let hint = hint.to_owned();
    Error::Listen { at, error, hint }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, Unsupported};
    // EAFNOSUPPORT has no kind of its own.
    [AddrNotAvailable, Unsupported].contains(&error.kind()) || error.raw_os_error() == Some(97)
}
