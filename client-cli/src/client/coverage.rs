//! A record of the operations that were called, for a test that looks for the others.

use std::{fs::OpenOptions, io::Write, path::PathBuf, sync::OnceLock};

/// Names the file to which every called operation's id is appended, one a line.
pub(super) const VARIABLE: &str = "CAR_CLIENT_COVERAGE";

/// Appends the id to the file, if there is one. A record that cannot be written is left out: the
/// test that reads the file notices.
pub(super) fn record(operation: &str) {
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let Some(path) = FILE.get_or_init(|| std::env::var_os(VARIABLE).map(PathBuf::from)) else {
        return;
    };
    // One write of a short line with O_APPEND: lines of several processes do not mix.
    let line = format!("{operation}\n");
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
        let _ = file.write_all(line.as_bytes());
    }
}
