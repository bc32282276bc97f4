//! The token with which the hub's owner reaches it on this machine.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use car_api::Timestamp;
use car_client::credentials::{self, Credential};
use car_hub::{Hub, Presented};

use crate::{config::Secret, program::Error, serve::now};

/// What failed when the file was not written.
const UNKEPT: &str = "the hub's token cannot be kept";

/// How long the token holds.
const DAYS: u32 = 366;

/// A token that holds for less than this is replaced, in milliseconds: thirty days, since a hub
/// may run that long.
const RENEW_MS: i64 = 30 * 24 * 3600 * 1000;

/// Sees to it that `credentials.toml` has a token of this hub that is valid.
pub(crate) async fn ensure(
    hub: &Hub,
    instance: &str,
    root: &Path,
    url: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let dir = dir()?;
    refuse_shared(&dir)?;
    let failed = |error| Error::file(UNKEPT, error);
    let known = credentials::load(&dir).map_err(failed)?.hubs.remove(instance);
    let secret = match known.map(|known| Secret::new(known.token)) {
        Some(secret) if still_good(hub, &secret, now) => secret,
        Some(_) | None => {
            Secret::new(hub.token_create_for_owner("this machine", DAYS).await?.secret)
        }
    };
    if let Ok(grant) = hub.authenticate(Presented::Bearer(secret.expose())) {
        hub.is_owners(&grant);
    }
    let credential = Credential {
        url: url.to_owned(),
        root: root.to_owned(),
        token: secret.expose().to_owned(),
    };
    credentials::store(&dir, instance, credential).map_err(failed)
}

/// Notes this hub as the one that was started last: `car` takes it where no other is meant.
pub(crate) fn started(instance: &str) -> Result<(), Error> {
    let dir = dir()?;
    credentials::started(&dir, instance).map_err(|error| Error::file(UNKEPT, error))
}

/// Has the owner's token made again whenever it was ended while the hub serves: whoever sits at the
/// machine is never locked out of it.
pub(crate) async fn keep(hub: Hub, instance: String, root: PathBuf, url: String) {
    let mut revocations = hub.revocations();
    while revocations.changed().await.is_ok() {
        if let Err(error) = ensure(&hub, &instance, &root, &url, now()).await {
            tracing::warn!(%error, "the owner's token was not made again");
        }
    }
}

/// Where the token is kept.
fn dir() -> Result<PathBuf, Error> {
    credentials::config_dir(|name| std::env::var_os(name)).ok_or_else(|| {
        let error = io::Error::other("neither CAR_CONFIG_DIR nor HOME is set");
        Error::file("there is no place for the hub's token", error)
    })
}

fn still_good(hub: &Hub, secret: &Secret, now: Timestamp) -> bool {
    hub.authenticate(Presented::Bearer(secret.expose()))
        .is_ok_and(|token| token.expires_at.is_none_or(|end| end.millis_since(now) > RENEW_MS))
}

/// Refuses a directory others can look into; the file itself is checked when it is read.
fn refuse_shared(dir: &Path) -> Result<(), Error> {
    let Ok(meta) = fs::metadata(dir) else { return Ok(()) };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let detail =
        format!("others can look into it (mode {mode:o}); run: chmod 700 '{}'", dir.display());
    Err(Error::file(dir.display().to_string(), io::Error::other(detail)))
}
