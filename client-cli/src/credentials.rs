//! `credentials.toml`: the tokens of the hubs on this machine, written by each hub for its owner.
//!
//! ```toml
//! last = "5f0c…"                 # the hub that was started last
//! [hubs.5f0c…]                   # a hub's instance
//! url = "http://127.0.0.1:4173"
//! root = "/home/me/hub"
//! token = "car_pat_…"
//! ```

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::private_file;

/// Name of the file in the configuration directory.
pub const FILE: &str = "credentials.toml";

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Instance of the hub that was started last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Hubs by instance.
    #[serde(default)]
    pub hubs: BTreeMap<String, Credential>,
}

/// How to talk to one hub of this machine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Where it answered when it was last started.
    pub url: String,
    /// Its root directory, absolute.
    pub root: PathBuf,
    /// The secret of a personal access token.
    pub token: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("url", &self.url)
            .field("root", &self.root)
            .field("token", &"***")
            .finish()
    }
}

impl Credentials {
    /// The hub that was started last, or the only one.
    #[must_use]
    pub fn newest(&self) -> Option<(&str, &Credential)> {
        let last = self.last.as_deref().and_then(|id| self.hubs.get_key_value(id));
        let only = || self.hubs.iter().next().filter(|_| self.hubs.len() == 1);
        last.or_else(only).map(|(id, hub)| (id.as_str(), hub))
    }
}

/// The directory of the user's configuration: `$CAR_CONFIG_DIR`, else `~/.config/car`.
#[must_use]
pub fn config_dir(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("CAR_CONFIG_DIR").or_else(|| set("HOME").map(|home| home.join(".config").join("car")))
}

/// Reads the file of `dir`; a missing one is empty.
///
/// # Errors
/// It cannot be read, is no TOML of this shape, or others may read it.
pub fn load(dir: &Path) -> io::Result<Credentials> {
    let path = dir.join(FILE);
    let Some(text) = private_file::read(&path)? else { return Ok(Credentials::default()) };
    toml::from_str(&text).map_err(|e| {
        let detail = format!("{} cannot be read: {}", path.display(), e.message());
        io::Error::new(io::ErrorKind::InvalidData, detail)
    })
}

/// Keeps one hub's credential. Other hubs' stay; entries of the same root under another instance
/// go, since that hub is no more.
///
/// # Errors
/// The file cannot be read or written.
pub fn store(dir: &Path, instance: &str, credential: Credential) -> io::Result<()> {
    change(dir, |all| {
        all.hubs.retain(|id, hub| id == instance || hub.root != credential.root);
        all.hubs.insert(instance.to_owned(), credential);
    })
}

/// Notes a hub as the one that was started last.
///
/// # Errors
/// The file cannot be read or written.
pub fn started(dir: &Path, instance: &str) -> io::Result<()> {
    change(dir, |all| all.last = Some(instance.to_owned()))
}

fn change(dir: &Path, change: impl FnOnce(&mut Credentials)) -> io::Result<()> {
    let mut all = load(dir)?;
    change(&mut all);
    let text = toml::to_string(&all).map_err(io::Error::other)?;
    private_file::write(&dir.join(FILE), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(root: &str) -> Credential {
        Credential {
            url: "http://127.0.0.1:4173".to_owned(),
            root: PathBuf::from(root),
            token: "car_pat_secret".to_owned(),
        }
    }

    #[test]
    fn each_hub_has_one_entry_and_the_last_started_is_known() {
        let dir = tempfile::tempdir().unwrap();
        store(dir.path(), "aaa", hub("/one")).unwrap();
        store(dir.path(), "bbb", hub("/two")).unwrap();
        store(dir.path(), "ccc", hub("/one")).unwrap();
        started(dir.path(), "bbb").unwrap();
        // A token that is made again while its hub serves starts nothing.
        store(dir.path(), "ccc", hub("/one")).unwrap();
        let all = load(dir.path()).unwrap();
        assert_eq!(all.hubs.keys().collect::<Vec<_>>(), ["bbb", "ccc"]);
        assert_eq!(all.newest().map(|(id, _)| id), Some("bbb"));
        assert!(!format!("{all:?}").contains("secret"));
    }

    #[test]
    fn several_hubs_without_a_last_one_are_no_answer() {
        let hubs = |ids: &[&str]| Credentials {
            last: None,
            hubs: ids.iter().map(|id| ((*id).to_owned(), hub(id))).collect(),
        };
        assert_eq!(hubs(&["a"]).newest().map(|(id, _)| id.to_owned()).as_deref(), Some("a"));
        assert_eq!(hubs(&["a", "b"]).newest(), None);
        assert_eq!(hubs(&[]).newest(), None);
    }

    #[test]
    fn the_configuration_directory_can_be_set() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).into())
        };
        assert_eq!(config_dir(env(&[("CAR_CONFIG_DIR", "/c"), ("HOME", "/h")])), Some("/c".into()));
        assert_eq!(
            config_dir(env(&[("CAR_CONFIG_DIR", ""), ("HOME", "/h")])),
            Some("/h/.config/car".into())
        );
        assert_eq!(config_dir(env(&[])), None);
    }
}
