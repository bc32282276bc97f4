//! The sockets the hub listens on.

use std::{
    ffi::OsString,
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

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

/// Opens the sockets, unless some were given. A loopback address means both loopbacks; an address
/// others can reach is refused unless a proxy stands before it and the names it is reached under
/// were given.
pub(crate) async fn open(
    server: &Server,
    given: Vec<std::net::TcpListener>,
) -> Result<Listening, Error> {
    if !given.is_empty() {
        return adopt(server, given);
    }
    if !server.host.is_loopback() {
        if server.allowed_hosts.is_empty() || !server.behind_proxy {
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
        let open = server.behind_proxy && !server.allowed_hosts.is_empty();
        if !ip.is_loopback() && !open {
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

/// Longest path a socket can have (`sun_path`), with its end.
const PATH_MAX: usize = 107;

/// A socket in the file system: for programs of this user, out of reach of browsers and of
/// everybody else. It is removed when this is dropped.
pub(crate) struct Local {
    pub(crate) path: PathBuf,
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens the socket in the file system. The hub's lock is held, so what is there is left over.
pub(crate) fn local(root: &Path, instance: &str) -> io::Result<(UnixListener, Local)> {
    let path = local_path(root, instance, std::env::var_os("XDG_RUNTIME_DIR"));
    if path.as_os_str().len() > PATH_MAX {
        return Err(io::Error::other(format!("{} is too long for a socket", path.display())));
    }
    if let Some(dir) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path)?;
    let local = Local { path };
    fs::set_permissions(&local.path, fs::Permissions::from_mode(0o600))?;
    Ok((listener, local))
}

/// Where the socket is: in the user's runtime directory, or in the hub's root.
fn local_path(root: &Path, instance: &str, runtime: Option<OsString>) -> PathBuf {
    match runtime.map(PathBuf::from).filter(|dir| dir.is_absolute() && dir.is_dir()) {
        Some(runtime) => {
            let id: String = instance.chars().take(12).collect();
            runtime.join("car").join(format!("hub-{id}.sock"))
        }
        None => root.join(car_files::CAR_DIR).join("socket").join("hub.sock"),
    }
}
