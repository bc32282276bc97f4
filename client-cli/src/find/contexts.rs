//! `contexts.toml`: hubs by names of the user's own, and which of them is chosen.
//!
//! ```toml
//! current = "box"
//! [contexts.box]
//! url = "https://box.example.net"
//! token = "car_pat_…"
//! ```

use std::{collections::BTreeMap, fmt, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::private_file;

/// Name of the file in the configuration directory.
pub const FILE: &str = "contexts.toml";

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contexts {
    /// The chosen context; none means the hub of the directory one is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// Contexts by name.
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// One hub under a name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Its address.
    pub url: String,
    /// The secret of a personal access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The hub's instance, so that another hub at the same address is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("url", &self.url)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("instance", &self.instance)
            .finish()
    }
}

/// Reads the file of `dir`; a missing file or directory is empty.
///
/// # Errors
/// It cannot be read, is no TOML of this shape, or others may read it.
pub fn load(dir: Option<&Path>) -> io::Result<Contexts> {
    let Some(path) = dir.map(|dir| dir.join(FILE)) else { return Ok(Contexts::default()) };
    let Some(text) = private_file::read(&path)? else { return Ok(Contexts::default()) };
    toml::from_str(&text).map_err(|e| {
        let detail = format!("{} cannot be read: {}", path.display(), e.message());
        io::Error::new(io::ErrorKind::InvalidData, detail)
    })
}

/// Replaces the file of `dir`.
///
/// # Errors
/// It cannot be written.
pub fn save(dir: &Path, contexts: &Contexts) -> io::Result<()> {
    let text = toml::to_string(contexts).map_err(io::Error::other)?;
    private_file::write(&dir.join(FILE), &text)
}
