//! Which hub is meant: by address, by the name of a context, by the directory one is in, or the
//! hub of this machine that was started last.

pub mod contexts;
#[cfg(test)]
mod tests;

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::credentials::{self, Credentials};

/// What the caller said about the hub, and where the caller is.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// `--hub` or `CAR_HUB_URL`: an URL, the name of a context, or a hub's root directory.
    pub hub: Option<String>,
    /// The token to use, when the caller brought one.
    pub token: Option<String>,
    /// A directory inside the hub that is meant, when the caller named one.
    pub path: Option<PathBuf>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The user's configuration directory.
    pub config_dir: Option<PathBuf>,
}

/// The hub to talk to.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// Its address.
    pub url: String,
    /// The secret to show it, if there is one.
    pub token: Option<String>,
    /// Its socket, when it is on this machine and has one of this user's.
    pub socket: Option<PathBuf>,
    /// Its root directory, when it is on this machine.
    pub root: Option<PathBuf>,
    /// Its instance, where that is known.
    pub instance: Option<String>,
    /// How it was found.
    pub source: Source,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("url", &self.url)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("socket", &self.socket)
            .field("root", &self.root)
            .field("instance", &self.instance)
            .field("source", &self.source)
            .finish()
    }
}

/// How a hub was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The caller gave its URL.
    Address,
    /// A named context.
    Context(String),
    /// The caller is, or pointed, inside its root.
    Directory,
    /// It is the hub of this machine that was started last.
    LastStarted,
}

/// Why no hub was found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is a hub's root, but no hub is serving it.
    #[error("no hub is running at {}", root.display())]
    NotRunning {
        /// The root.
        root: PathBuf,
    },
    /// Nothing points to a hub.
    #[error("no hub was found: this directory is in none, and no context is chosen")]
    NoHub,
    /// `--hub` is neither an URL nor a directory nor a known context.
    #[error("`{0}` is neither an URL, nor a hub's directory, nor a context")]
    NoSuchContext(String),
    /// A file that says where hubs are cannot be used.
    #[error("{0}")]
    File(#[from] io::Error),
}

/// Finds the hub.
///
/// # Errors
/// See [`FindError`].
pub fn find(wanted: &Wanted) -> Result<Found, FindError> {
    if let Some(hub) = &wanted.hub {
        return named(hub, wanted);
    }
    if let Some(path) = &wanted.path {
        let path = wanted.cwd.join(path);
        let root = root_above(&path)
            .ok_or_else(|| FindError::NoSuchContext(path.display().to_string()))?;
        return at_root(root, wanted);
    }
    if let Some(name) = contexts::load(wanted.config_dir.as_deref())?.current {
        return context(&name, wanted);
    }
    if let Some(root) = root_above(&wanted.cwd) {
        return at_root(root, wanted);
    }
    last_started(wanted)
}

/// The closest directory at or above `path` that is a hub's root.
#[must_use]
pub fn root_above(path: &Path) -> Option<PathBuf> {
    // A path that does not exist (yet) still lies somewhere.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    path.ancestors()
        .find(|dir| dir.join(".codex-autorunner/manifest.yml").is_file())
        .map(Path::to_path_buf)
}

fn named(hub: &str, wanted: &Wanted) -> Result<Found, FindError> {
    if hub.contains("://") {
        return Ok(Found {
            url: hub.trim_end_matches('/').to_owned(),
            token: own_or(wanted, || known_token(hub, wanted))?,
            socket: None,
            root: None,
            instance: None,
            source: Source::Address,
        });
    }
    if contexts::load(wanted.config_dir.as_deref())?.contexts.contains_key(hub) {
        return context(hub, wanted);
    }
    // A name that is neither may not be taken for a directory of the hub one is in.
    let dir = Some(wanted.cwd.join(hub)).filter(|dir| dir.is_dir());
    match dir.and_then(|dir| root_above(&dir)) {
        Some(root) => at_root(root, wanted),
        None => Err(FindError::NoSuchContext(hub.to_owned())),
    }
}

fn context(name: &str, wanted: &Wanted) -> Result<Found, FindError> {
    let all = contexts::load(wanted.config_dir.as_deref())?;
    let context =
        all.contexts.get(name).ok_or_else(|| FindError::NoSuchContext(name.to_owned()))?;
    Ok(Found {
        url: context.url.clone(),
        token: wanted.token.clone().or_else(|| context.token.clone()),
        socket: None,
        root: None,
        instance: context.instance.clone(),
        source: Source::Context(name.to_owned()),
    })
}

/// `<root>/.codex-autorunner/hub_endpoint.json`, which a hub keeps there while it serves.
#[derive(Deserialize)]
struct Endpoint {
    url: String,
    #[serde(default)]
    socket: Option<PathBuf>,
    instance: String,
}

/// The instance of the hub that serves a root of this machine.
#[must_use]
pub fn instance_at(root: &Path) -> Option<String> {
    endpoint(root).ok().flatten().map(|endpoint| endpoint.instance)
}

fn endpoint(root: &Path) -> io::Result<Option<Endpoint>> {
    let path = root.join(".codex-autorunner/hub_endpoint.json");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {e}", path.display())))
}

fn at_root(root: PathBuf, wanted: &Wanted) -> Result<Found, FindError> {
    let Some(endpoint) = endpoint(&root)? else { return Err(FindError::NotRunning { root }) };
    let token = own_or(wanted, || {
        let all = load_credentials(wanted)?;
        // The endpoint file lies in a directory others may have filled. It gets the token only of
        // the hub the user started in this very directory, and only at an address of this machine
        // or the one that hub itself had noted.
        Ok(all
            .hubs
            .get(&endpoint.instance)
            .filter(|hub| same_dir(&hub.root, &root))
            .filter(|hub| hub.url == endpoint.url || is_loopback(&endpoint.url))
            .map(|hub| hub.token.clone()))
    })?;
    Ok(Found {
        url: endpoint.url,
        token,
        socket: endpoint.socket.filter(|socket| is_own_socket(socket)),
        root: Some(root),
        instance: Some(endpoint.instance),
        source: Source::Directory,
    })
}

fn last_started(wanted: &Wanted) -> Result<Found, FindError> {
    let all = load_credentials(wanted)?;
    let (_, hub) = all.newest().ok_or(FindError::NoHub)?;
    let found = at_root(hub.root.clone(), wanted)?;
    Ok(Found { source: Source::LastStarted, ..found })
}

fn own_or(
    wanted: &Wanted,
    stored: impl FnOnce() -> Result<Option<String>, FindError>,
) -> Result<Option<String>, FindError> {
    match &wanted.token {
        Some(token) => Ok(Some(token.clone())),
        None => stored(),
    }
}

/// The token kept for exactly this address.
fn known_token(url: &str, wanted: &Wanted) -> Result<Option<String>, FindError> {
    let url = url.trim_end_matches('/');
    let contexts = contexts::load(wanted.config_dir.as_deref())?;
    if let Some(context) = contexts.contexts.values().find(|c| c.url == url) {
        return Ok(context.token.clone());
    }
    let all = load_credentials(wanted)?;
    Ok(all.hubs.values().find(|hub| hub.url == url).map(|hub| hub.token.clone()))
}

fn load_credentials(wanted: &Wanted) -> Result<Credentials, FindError> {
    match &wanted.config_dir {
        Some(dir) => Ok(credentials::load(dir)?),
        None => Ok(Credentials::default()),
    }
}

fn same_dir(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    real(a) == real(b)
}

/// Whether this is a socket that this user made: the file that names it may be somebody else's.
fn is_own_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| {
        file.file_type().is_socket() && file.uid() == rustix::process::geteuid().as_raw()
    })
}

fn is_loopback(url: &str) -> bool {
    reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).is_some_and(
        |host| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        },
    )
}
