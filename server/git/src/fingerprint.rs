//! A short text that changes whenever the working tree does.

use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::GitError;
use crate::status::Entry;
use crate::{Git, Status};

/// Files above this size are known by size and modification time instead of content.
const WHOLE: u64 = 8 << 20;

impl Git {
    /// A hash over HEAD, the status and the content of every changed and untracked file. Starts no
    /// process. Files over 8 MiB count by size and modification time.
    ///
    /// # Errors
    /// Only when the reading task dies; unreadable and vanished files are part of the fingerprint.
    pub async fn fingerprint(&self, status: &Status) -> Result<String, GitError> {
        let (root, status) = (self.path().to_owned(), status.clone());
        tokio::task::spawn_blocking(move || fingerprint(&root, &status))
            .await
            .map_err(|e| GitError::unreadable("fingerprint", e.to_string()))
    }
}

fn fingerprint(root: &Path, status: &Status) -> String {
    let mut hash = Sha256::new();
    let head = status.head.as_ref().map_or("unborn", |h| h.as_str());
    hash.update(head);
    hash.update([0]);
    hash.update(status.branch.as_deref().unwrap_or_default());
    hash.update([0]);
    hash.update(status.op_in_progress.map_or("", |o| o.name()));
    for entry in &status.entries {
        hash.update([0, 1]);
        // The debug form names the kind, both sides and the submodule state.
        hash.update(format!("{entry:?}"));
        hash.update(entry.path().as_os_str().as_bytes());
        hash.update([0]);
        if !matches!(entry, Entry::Ignored { .. }) {
            content(&root.join(entry.path()), &mut hash);
        }
    }
    hex(&hash.finalize())
}

fn content(path: &Path, hash: &mut Sha256) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        hash.update(b"gone");
        return;
    };
    hash.update(meta.mode().to_le_bytes());
    if meta.is_symlink() {
        hash.update(fs::read_link(path).unwrap_or_default().as_os_str().as_bytes());
    } else if meta.is_file() && meta.len() <= WHOLE {
        match read_up_to(path, WHOLE) {
            Ok(bytes) => hash.update(Sha256::digest(bytes)),
            Err(_) => hash.update(b"unreadable"),
        }
    } else if meta.is_file() {
        hash.update(meta.len().to_le_bytes());
        hash.update(meta.mtime().to_le_bytes());
        hash.update(meta.mtime_nsec().to_le_bytes());
    } else if meta.is_dir() {
        // A nested repository: where its HEAD stands.
        let nested = Git::at(path);
        if let Ok(layout) = nested.layout() {
            for file in ["HEAD", "logs/HEAD", "index"] {
                let bytes = read_up_to(&layout.git_dir.join(file), WHOLE).unwrap_or_default();
                hash.update(Sha256::digest(bytes));
            }
        }
    }
}

pub(crate) fn read_up_to(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}
