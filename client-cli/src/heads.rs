//! `audit-heads.toml`: the end of each hub's audit chain as this machine saw it last. A hub whose
//! chain ends before it, or has another line in its place, had its history changed.
//!
//! ```toml
//! [heads.5f0c…]                  # a hub's instance
//! seq = 1204
//! hash = "9e1b…"
//! ```

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use car_api::audit::AuditHead;
use serde::{Deserialize, Serialize};

use crate::private_file;

/// Name of the file in the state directory.
const FILE: &str = "audit-heads.toml";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Heads {
    #[serde(default)]
    heads: BTreeMap<String, AuditHead>,
}

/// Where it is kept: `$CAR_CONFIG_DIR`, `$XDG_STATE_HOME/car` or `~/.local/state/car`.
#[must_use]
pub fn state_dir(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("CAR_CONFIG_DIR")
        .or_else(|| set("XDG_STATE_HOME").map(|dir| dir.join("car")))
        .or_else(|| set("HOME").map(|dir| dir.join(".local/state/car")))
}

/// The head that was kept of a hub.
///
/// # Errors
/// The file cannot be read.
pub fn kept(dir: &Path, instance: &str) -> io::Result<Option<AuditHead>> {
    Ok(load(dir)?.heads.remove(instance))
}

/// Keeps a head of a hub in place of the one before.
///
/// # Errors
/// The file cannot be written.
pub fn keep(dir: &Path, instance: &str, head: &AuditHead) -> io::Result<()> {
    let mut all = load(dir)?;
    if all.heads.get(instance) == Some(head) {
        return Ok(());
    }
    all.heads.insert(instance.to_owned(), head.clone());
    let text = toml::to_string(&all).map_err(io::Error::other)?;
    private_file::write(&dir.join(FILE), &text)
}

fn load(dir: &Path) -> io::Result<Heads> {
    match private_file::read(&dir.join(FILE))? {
        Some(text) => toml::from_str(&text).map_err(io::Error::other),
        None => Ok(Heads::default()),
    }
}

/// What must be wrong with a chain when `kept` was its end before, it ends with `now`, and `there`
/// is what it has in the place of `kept`; a chain can only grow.
#[must_use]
pub fn contradiction(
    kept: &AuditHead,
    there: Option<&AuditHead>,
    now: &AuditHead,
) -> Option<String> {
    match there {
        Some(there) if there == kept => None,
        Some(_) => Some(format!("line {} of its audit chain is another one than before", kept.seq)),
        None => Some(format!(
            "its audit chain ends with line {}, and line {} was seen before",
            now.seq, kept.seq
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_only_grows() {
        let head = |seq, hash: &str| AuditHead { seq, hash: hash.to_owned() };
        let kept_one = head(5, "a");
        let now = head(7, "b");
        assert_eq!(contradiction(&kept_one, Some(&head(5, "a")), &now), None);
        assert!(contradiction(&kept_one, Some(&head(5, "b")), &now).is_some());
        assert!(contradiction(&kept_one, None, &head(4, "a")).is_some());

        let dir = tempfile::tempdir().unwrap();
        assert_eq!(kept(dir.path(), "hub").unwrap(), None);
        keep(dir.path(), "hub", &kept_one).unwrap();
        keep(dir.path(), "other", &head(1, "c")).unwrap();
        assert_eq!(kept(dir.path(), "hub").unwrap(), Some(kept_one));
    }
}
