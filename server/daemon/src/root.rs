//! Where the hub is.

use std::path::{Path, PathBuf};

use crate::program::Error;

/// The hub's root: the directory that was named, or the nearest root at or above the working
/// directory.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, Error> {
    let start = absolute(named.unwrap_or(Path::new(".")))?;
    let found = match named {
        Some(_) => car_files::hub_root::find(&start).filter(|found| *found == start),
        None => car_files::hub_root::find(&start),
    };
    found.ok_or(Error::NoHub(start))
}

/// The path with links resolved, so that one hub has one name.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    path.canonicalize().map_err(|error| Error::file(path.display().to_string(), error))
}
