//! What a service manager is told (sd_notify(3), without its library): that the hub serves, that it
//! stops, and that it is not stuck.

use std::{
    ffi::OsString,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

use car_hub::Hub;

/// How long a manager whose queue is full is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Somebody who wants to know, or nobody.
#[derive(Clone)]
pub(crate) struct Notify {
    to: Option<SocketAddr>,
    /// How long the manager waits for a sign of life.
    watchdog: Option<Duration>,
}

impl Notify {
    /// Whoever the environment names.
    pub(crate) fn from_env() -> Self {
        let to = std::env::var_os("NOTIFY_SOCKET").and_then(|name| address(&name));
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|_| meant).map(Duration::from_micros);
        Self { to, watchdog }
    }

    /// The hub serves.
    pub(crate) fn ready(&self, url: &str) {
        self.send(&format!("READY=1\nSTATUS=serves at {url}"));
    }

    /// The hub takes no more work.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stops; agents live on under their shims");
    }

    /// Gives a sign of life as long as whoever writes the database answers: a hub that cannot write
    /// is of no use, and is started anew.
    pub(crate) async fn keep_alive(self, hub: Hub) {
        let Some(watchdog) = self.watchdog.filter(|_| self.to.is_some()) else { return };
        loop {
            if hub.beat().await.is_ok() {
                self.send("WATCHDOG=1");
            }
            tokio::time::sleep(watchdog / 3).await;
        }
    }

    fn send(&self, message: &str) {
        let Some(to) = &self.to else { return };
        // A manager that does not read must not hold up whoever tells it for long.
        let sent = UnixDatagram::unbound().and_then(|socket| {
            socket.set_write_timeout(Some(PATIENCE))?;
            socket.send_to_addr(message.as_bytes(), to)
        });
        if let Err(error) = sent {
            tracing::warn!("the service manager cannot be told: {error}");
        }
    }
}

/// A path, or after `@` a name without one.
fn address(name: &OsString) -> Option<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name).ok(),
        None => SocketAddr::from_pathname(name).ok(),
    }
}
