//! The index: staged content, and changes hidden by marks.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::error::GitError;
use crate::layout::{Layout, path_of};
use crate::status::{Change, Entry};
use crate::{Git, Oid, Status};

impl Git {
    /// Files changed while marked `assume-unchanged` or `skip-worktree`: status does not show them.
    ///
    /// # Errors
    /// What git reports.
    pub async fn hidden_changes(&self) -> Result<Vec<PathBuf>, GitError> {
        let index = self.index_entries().await?;
        self.hidden_among(&index, &self.layout()?).await
    }

    pub(super) async fn hidden_among(
        &self,
        index: &[IndexEntry],
        layout: &Layout,
    ) -> Result<Vec<PathBuf>, GitError> {
        // Paths a sparse checkout leaves out are marked too; they are not on disk.
        let marked: Vec<&IndexEntry> = index
            .iter()
            .filter(|e| {
                e.overlooked() && fs::symlink_metadata(layout.root.join(path_of(&e.path))).is_ok()
            })
            .collect();
        if marked.is_empty() {
            return Ok(Vec::new());
        }
        let dir = tempfile::tempdir().map_err(GitError::io("making a temporary directory"))?;
        let copy = dir.path().join("index");
        fs::copy(layout.git_dir.join("index"), &copy).map_err(GitError::io("copying the index"))?;
        // Entries put in anew carry no marks and no times, so that git compares contents. Clearing
        // the marks alone would trust the times, and the copy is too new for git to distrust them.
        let list: Vec<u8> = marked.iter().flat_map(|e| e.index_info()).collect();
        let renew = self.read(["update-index", "-z", "--index-info"]).input(list);
        renew.env("GIT_INDEX_FILE", &copy).run().await?;
        let refresh = self.read(["update-index", "-q", "--refresh"]).env("GIT_INDEX_FILE", &copy);
        refresh.run_accepting(&[0, 1]).await?;
        let args =
            ["diff-files", "--name-only", "-z", "--no-ext-diff", "--ignore-submodules=dirty"];
        let output = self.read(args).env("GIT_INDEX_FILE", &copy).run().await?;
        let marked: BTreeSet<&[u8]> = marked.iter().map(|e| e.path.as_slice()).collect();
        Ok(output.stdout.split(|b| *b == 0).filter(|p| marked.contains(p)).map(path_of).collect())
    }

    pub(super) async fn index_entries(&self) -> Result<Vec<IndexEntry>, GitError> {
        let output = self.read(["ls-files", "-s", "-v", "-z"]).run().await?;
        let records = output.stdout.split(|b| *b == 0).filter(|r| !r.is_empty());
        let entries: Option<Vec<_>> = records.map(IndexEntry::parse).collect();
        entries.ok_or_else(|| GitError::unreadable("git ls-files", "an entry has missing fields"))
    }

    /// Blobs the index names and HEAD does not: content that only `git add` has stored.
    pub(super) async fn staged_blobs(
        &self,
        index: &[IndexEntry],
        status: &Status,
    ) -> Result<Vec<Oid>, GitError> {
        let staged = status.entries.iter().any(|e| {
            matches!(e, Entry::Unmerged { .. })
                || matches!(e, Entry::Changed { staged, .. } | Entry::Renamed { staged, .. } if *staged != Change::Unchanged)
        });
        if !staged {
            return Ok(Vec::new());
        }
        let mut blobs: BTreeSet<Oid> =
            index.iter().filter(|e| !e.is_submodule()).map(|e| e.oid.clone()).collect();
        if let Some(head) = &status.head {
            let tree =
                self.read(["ls-tree", "-r", "-z", "--full-tree", head.as_str()]).run().await?;
            for record in tree.stdout.split(|b| *b == 0) {
                let oid =
                    record.split(|b| *b == b' ' || *b == b'\t').nth(2).and_then(Oid::parse_bytes);
                if let Some(oid) = oid {
                    blobs.remove(&oid);
                }
            }
        }
        let list: Vec<u8> = blobs.iter().flat_map(|o| format!("{o}\n").into_bytes()).collect();
        if list.is_empty() {
            return Ok(Vec::new());
        }
        // An entry made by `git add --intent-to-add` names a blob that was never stored.
        let check = self
            .read(["cat-file", "--batch-check=%(objectname) %(objecttype)"])
            .input(list)
            .run()
            .await?
            .text();
        Ok(check.lines().filter_map(|l| Oid::parse(l.strip_suffix(" blob")?)).collect())
    }
}

/// One entry of the index with the marks `git ls-files -v` shows.
#[derive(Debug)]
pub(super) struct IndexEntry {
    tag: u8,
    mode: Vec<u8>,
    oid: Oid,
    pub(super) path: Vec<u8>,
}

impl IndexEntry {
    /// Reads `H 100644 <oid> 0\t<path>`.
    fn parse(record: &[u8]) -> Option<Self> {
        let tab = record.iter().position(|b| *b == b'\t')?;
        let mut fields = record.get(..tab)?.split(|b| *b == b' ');
        let tag = *fields.next()?.first()?;
        let mode = fields.next()?.to_vec();
        let oid = Oid::parse_bytes(fields.next()?)?;
        Some(Self { tag, mode, oid, path: record.get(tab + 1..)?.to_vec() })
    }

    /// The form `git update-index --index-info` reads.
    fn index_info(&self) -> Vec<u8> {
        let mut record = self.mode.clone();
        record.extend_from_slice(format!(" {} 0\t", self.oid).as_bytes());
        record.extend_from_slice(&self.path);
        record.push(0);
        record
    }

    /// Lower case marks assume-unchanged, `S` skip-worktree.
    fn overlooked(&self) -> bool {
        self.tag.is_ascii_lowercase() || self.tag == b'S'
    }

    pub(super) fn is_submodule(&self) -> bool {
        self.mode == b"160000"
    }
}
