//! The hub root: the directory that holds the repositories, and `.codex-autorunner/` with the
//! manifest, the configuration, the lock and the address of the running hub.

mod discover;
mod endpoint;
mod hub_lock;

pub use discover::{Discovery, Found, FoundKind, Skipped, discover};
pub use endpoint::{Endpoint, read_endpoint, remove_endpoint, write_endpoint};
pub use hub_lock::{Holder, HubLock, LockError, holder, is_held};

use crate::atomic::{self, WriteError, WriteIf};
use crate::beneath::Dir;
use crate::error::{FileError, Reason, if_found};
use crate::{CAR_DIR, ContentHash};
use car_engine::manifest::{Manifest, ManifestError};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The manifest's name within [`CAR_DIR`].
pub const MANIFEST: &str = "manifest.yml";
/// The configuration's name within [`CAR_DIR`].
pub const CONFIG: &str = "config.yml";

/// A manifest of a thousand entries has about 200 kB.
const MANIFEST_CAP: u64 = 16 * 1024 * 1024;

/// Why the manifest could not be read. It must not be written over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The text is not a manifest.
    #[error("{path}: {error}", path = path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: ManifestError,
    },
}

/// Makes `root` a hub root. What is there already stays as it is. Returns the names of the files
/// that were made.
///
/// # Errors
/// [`WriteError`] when a file cannot be made.
pub fn init(root: &Path) -> Result<Vec<&'static str>, WriteError> {
    let dir = Dir::open(root)?.create_beneath(Path::new(CAR_DIR))?;
    let manifest = Manifest::default().to_yaml();
    let files = [
        (".gitignore", "*", 0o666),
        (MANIFEST, manifest.as_str(), 0o666),
        // It may hold names of secrets, so it is the owner's alone, as in CAR 2.
        (CONFIG, "version: 2\nmode: hub\n", 0o600),
    ];
    let mut made = Vec::new();
    for (name, text, mode) in files {
        if if_found(dir.stat(OsStr::new(name)))?.is_some() {
            continue;
        }
        match atomic::write_with_mode(
            &dir,
            OsStr::new(name),
            text.as_bytes(),
            WriteIf::Absent,
            mode,
        ) {
            Ok(_) => made.push(name),
            // Another process was initialising at the same moment.
            Err(WriteError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}

/// The nearest hub root at or above `start`.
#[must_use]
pub fn find(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|dir| is_hub_root(dir)).map(Path::to_owned)
}

/// Whether a directory is a hub root: repositories have a `.codex-autorunner` too, but no manifest.
fn is_hub_root(dir: &Path) -> bool {
    let car = Dir::open(dir).and_then(|dir| dir.open_beneath(Path::new(CAR_DIR)));
    car.is_ok_and(|car| car.stat(OsStr::new(MANIFEST)).is_ok())
}

/// Reads the manifest and its version.
///
/// # Errors
/// [`LoadError`] when it cannot be read as a whole.
pub fn load_manifest(root: &Path) -> Result<(Manifest, ContentHash), LoadError> {
    let dir = Dir::open(root)?.open_beneath(Path::new(CAR_DIR))?;
    let content = dir.read(OsStr::new(MANIFEST), MANIFEST_CAP)?;
    let path = dir.path_of(OsStr::new(MANIFEST));
    let text = String::from_utf8(content.bytes).map_err(|_| {
        FileError::new(&path, Reason::Malformed("the manifest is not UTF-8".to_owned()))
    })?;
    let manifest = Manifest::parse(&text).map_err(|error| LoadError::Manifest { path, error })?;
    Ok((manifest, content.hash))
}

/// Writes the manifest if it still has the version it was read with.
///
/// # Errors
/// [`WriteError::Conflict`] when it was changed meanwhile: load it again and repeat the change.
pub fn save_manifest(
    root: &Path,
    manifest: &Manifest,
    when: WriteIf,
) -> Result<ContentHash, WriteError> {
    let dir = Dir::open(root)?.create_beneath(Path::new(CAR_DIR))?;
    atomic::write(&dir, OsStr::new(MANIFEST), manifest.to_yaml().as_bytes(), when)
}
