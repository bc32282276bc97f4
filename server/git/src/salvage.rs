//! Saving everything that a removal would destroy, before it does.
//!
//! A salvage directory holds `manifest.json` (written last: without it the salvage is not
//! complete), `files.tar` (working files that differ from HEAD, untracked and ignored ones),
//! `git-dir.tar` (index, HEAD, operation state; for a whole repository everything) and, for a
//! linked worktree, `commits.bundle` (its commits and staged content).

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::GitError;
use crate::fingerprint::hex;
use crate::status::{Entry, ends_with_slash};
use crate::unsaved::{Inventory, walk};
use crate::{Git, Oid, Patterns, Removal, Unsaved};

/// What a salvage holds; the content of its `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalvageManifest {
    /// Version of this format, 1.
    pub version: u32,
    /// Seconds since the epoch.
    pub made_at: u64,
    /// What was to be removed.
    pub removal: Removal,
    /// Where it stood.
    pub root: SavedPath,
    /// The branch it was on.
    pub branch: Option<String>,
    /// Where that branch stood.
    pub branch_oid: Option<Oid>,
    /// HEAD named a commit instead of a branch.
    pub detached: bool,
    /// The commit HEAD stood on; none before the first commit.
    pub head: Option<Oid>,
    /// Stash entries made on that branch, newest first, with their messages.
    pub stashes: Vec<(Oid, String)>,
    /// What would have been lost.
    pub unsaved: Vec<Unsaved>,
    /// Files of this directory with their hashes.
    pub archives: Vec<Archive>,
    /// The working files in `files.tar`.
    pub files: Vec<SavedFile>,
    /// Tracked paths that were gone from the working tree.
    pub deleted: Vec<SavedPath>,
    /// Paths that could not be saved because they are sockets, pipes or devices.
    pub skipped: Vec<SavedPath>,
}

/// One archive of a salvage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// File name inside the salvage directory.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

/// One saved working file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// Relative to the root.
    pub path: SavedPath,
    /// SHA-256 of its content, or of the target of a symlink, in hex.
    pub sha256: String,
}

/// A path as JSON can hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPath {
    /// For people; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The exact bytes in hex, where `text` cannot hold them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

impl SavedPath {
    pub(crate) fn new(path: &Path) -> Self {
        let bytes = path.as_os_str().as_bytes();
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: text.to_owned(), hex: None },
            Err(_) => Self { text: path.to_string_lossy().into_owned(), hex: Some(hex(bytes)) },
        }
    }

    /// The exact path.
    #[must_use]
    pub fn to_path(&self) -> PathBuf {
        let Some(hex) = &self.hex else { return PathBuf::from(&self.text) };
        let digits = hex.as_bytes().chunks(2);
        let bytes =
            digits.filter_map(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        PathBuf::from(std::ffi::OsString::from_vec(bytes.collect()))
    }
}

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const FILES: &str = "files.tar";
pub(crate) const GIT_DIR: &str = "git-dir.tar";
pub(crate) const BUNDLE: &str = "commits.bundle";

impl Git {
    /// Saves everything `removal` would destroy into the new directory `dest`. The working tree and
    /// the index are not touched.
    ///
    /// # Errors
    /// As [`Git::unsaved`]; [`GitError::Refused`] when `dest` holds something; [`GitError::Io`]
    /// when it cannot be written. Without a manifest in `dest` nothing counts as saved.
    pub async fn salvage(
        &self,
        dest: &Path,
        removal: Removal,
        regenerable: &Patterns,
    ) -> Result<SalvageManifest, GitError> {
        let inventory = self.inventory(removal, regenerable).await?;
        self.salvage_inventory(dest, &inventory).await
    }

    pub(crate) async fn salvage_inventory(
        &self,
        dest: &Path,
        inventory: &Inventory,
    ) -> Result<SalvageManifest, GitError> {
        fs::create_dir_all(dest).map_err(GitError::io(format!("creating {}", dest.display())))?;
        let dest =
            fs::canonicalize(dest).map_err(GitError::io(format!("reading {}", dest.display())))?;
        let taken = fs::read_dir(&dest)
            .map_err(GitError::io(format!("reading {}", dest.display())))?
            .next()
            .is_some();
        if taken {
            return Err(GitError::refused(format!(
                "{} is not empty; salvage into a new directory",
                dest.display()
            )));
        }
        if dest.starts_with(fs::canonicalize(&inventory.layout.root).unwrap_or_default()) {
            return Err(GitError::refused(format!(
                "{} lies inside what is to be removed; salvage somewhere else",
                dest.display()
            )));
        }
        let mut names = vec![FILES, GIT_DIR];
        if inventory.removal != Removal::Repo {
            self.bundle(&dest.join(BUNDLE), inventory).await?;
            names.push(BUNDLE);
        }
        let (root, git_dir) = (inventory.layout.root.clone(), inventory.layout.git_dir.clone());
        let (wanted, deleted) = working_paths(inventory);
        let target = dest.clone();
        let written = tokio::task::spawn_blocking(move || -> std::io::Result<_> {
            let saved = write_files(&root, &wanted, &target.join(FILES))?;
            write_git_dir(&git_dir, &target.join(GIT_DIR))?;
            let archives =
                names.iter().map(|name| describe(&target, name)).collect::<Result<Vec<_>, _>>()?;
            Ok((saved, archives))
        });
        let written = written.await.map_err(|e| GitError::unreadable("salvage", e.to_string()))?;
        let ((files, skipped), archives) =
            written.map_err(GitError::io(format!("saving into {}", dest.display())))?;
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let manifest = SalvageManifest {
            version: 1,
            made_at: now.as_secs(),
            removal: inventory.removal,
            root: SavedPath::new(&inventory.layout.root),
            branch: inventory.branch.clone(),
            branch_oid: inventory.branch_oid.clone(),
            detached: inventory.status.detached,
            head: inventory.status.head.clone(),
            stashes: inventory.stashes.clone(),
            unsaved: inventory.summary(),
            archives,
            files,
            deleted: deleted.iter().map(|p| SavedPath::new(p)).collect(),
            skipped: skipped.iter().map(|p| SavedPath::new(p)).collect(),
        };
        write_manifest(&dest, &manifest)
            .map_err(GitError::io(format!("writing the manifest in {}", dest.display())))?;
        Ok(manifest)
    }

    /// Bundles the commits of the worktree and the blobs only its index names. What a
    /// remote-tracking branch has is left out: the repository, which stays, has it too.
    async fn bundle(&self, file: &Path, inventory: &Inventory) -> Result<(), GitError> {
        let mut tips: BTreeSet<Oid> = BTreeSet::new();
        tips.extend(inventory.status.head.clone());
        tips.extend(inventory.branch_oid.clone());
        tips.extend(inventory.stashes.iter().map(|(oid, _)| oid.clone()));
        tips.extend(self.commits_among(inventory.layout.operation_oids()).await?);
        let own = [
            "for-each-ref",
            "--format=%(objectname) %(objecttype)",
            "refs/bisect",
            "refs/worktree",
            "refs/rewritten",
        ];
        let own = self.read(own).run().await?.text();
        tips.extend(own.lines().filter_map(|l| Oid::parse(l.strip_suffix(" commit")?)));
        // Always a new object, so that the bundle is never empty, which git refuses to write.
        tips.insert(self.keep_commit(&inventory.staged_blobs).await?);

        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let prefix = format!("refs/car-salvage/{nanos}-{}", std::process::id());
        let refs: Vec<(String, &Oid)> =
            tips.iter().enumerate().map(|(n, oid)| (format!("{prefix}/{n}"), oid)).collect();
        let create: String =
            refs.iter().map(|(name, oid)| format!("create {name} {oid}\n")).collect();
        self.write(["update-ref", "--stdin"]).input(create.into_bytes()).run().await?;
        let list: String = refs.iter().map(|(name, _)| format!("{name}\n")).collect();
        let list = format!("{list}--not\n--remotes\n");
        let made = self
            .write(["bundle", "create", "--quiet"])
            .arg(file)
            .arg("--stdin")
            .input(list.into_bytes())
            .run()
            .await;
        let delete: String =
            refs.iter().map(|(name, oid)| format!("delete {name} {oid}\n")).collect();
        let deleted = self.write(["update-ref", "--stdin"]).input(delete.into_bytes()).run().await;
        made?;
        deleted?;
        Ok(())
    }

    async fn commits_among(&self, oids: Vec<Oid>) -> Result<Vec<Oid>, GitError> {
        if oids.is_empty() {
            return Ok(oids);
        }
        let list: String = oids.iter().map(|o| format!("{o}\n")).collect();
        let check = self
            .read(["cat-file", "--batch-check=%(objectname) %(objecttype)"])
            .input(list.into_bytes())
            .run()
            .await?
            .text();
        Ok(check.lines().filter_map(|l| Oid::parse(l.strip_suffix(" commit")?)).collect())
    }

    /// A commit without parents whose tree lists the given blobs by number.
    async fn keep_commit(&self, blobs: &[Oid]) -> Result<Oid, GitError> {
        let list: String =
            blobs.iter().enumerate().map(|(n, oid)| format!("100644 blob {oid}\t{n}\n")).collect();
        // An empty input would leave stdin closed, which mktree takes for the empty tree too.
        let tree = self.write(["mktree"]).input(list.into_bytes()).run().await?.text();
        let commit = self
            .write(["commit-tree", "-m", "Content that was staged but not committed"])
            .arg(&tree)
            .env("GIT_AUTHOR_NAME", "hub")
            .env("GIT_AUTHOR_EMAIL", "hub@localhost")
            .env("GIT_COMMITTER_NAME", "hub")
            .env("GIT_COMMITTER_EMAIL", "hub@localhost");
        let text = commit.run().await?.text();
        Oid::parse(&text).ok_or_else(|| GitError::unreadable("git commit-tree", text))
    }
}

/// Paths to save and tracked paths that are gone.
fn working_paths(inventory: &Inventory) -> (BTreeSet<PathBuf>, Vec<PathBuf>) {
    let root = &inventory.layout.root;
    let mut wanted = BTreeSet::new();
    let mut deleted = Vec::new();
    let mut whole = Vec::new();
    for entry in &inventory.status.entries {
        let path = entry.path();
        let Ok(meta) = fs::symlink_metadata(root.join(path)) else {
            deleted.push(path.to_owned());
            continue;
        };
        if !meta.is_dir() {
            wanted.insert(path.to_owned());
        } else if ends_with_slash(path)
            || matches!(entry, Entry::Changed { submodule: Some(_), .. })
        {
            whole.push(path.to_owned());
        } else {
            // A tracked file became a directory; its files are entries of their own.
            deleted.push(path.to_owned());
        }
    }
    whole.extend(inventory.submodules.iter().map(|(path, _)| path.clone()));
    for dir in whole {
        let mut files = Vec::new();
        walk(root, &dir, &Patterns::default(), &mut files);
        // Without the trailing slash that marks nested repositories.
        wanted.extend(files);
    }
    wanted.extend(inventory.hidden.iter().chain(&inventory.ignored).cloned());
    (wanted, deleted)
}

type Saved = (Vec<SavedFile>, Vec<PathBuf>);

fn write_files(root: &Path, wanted: &BTreeSet<PathBuf>, to: &Path) -> std::io::Result<Saved> {
    let mut tar = builder(to)?;
    let (mut files, mut skipped) = (Vec::new(), Vec::new());
    for path in wanted {
        let full = root.join(path);
        let meta = fs::symlink_metadata(&full)?;
        if !meta.is_file() && !meta.is_symlink() {
            skipped.push(path.clone());
            continue;
        }
        let sha256 = content_hash(&full)?;
        append(&mut tar, &full, path)?;
        files.push(SavedFile { path: SavedPath::new(path), sha256 });
    }
    finish(tar)?;
    Ok((files, skipped))
}

fn write_git_dir(git_dir: &Path, to: &Path) -> std::io::Result<()> {
    let mut tar = builder(to)?;
    append_tree(&mut tar, git_dir, Path::new(""))?;
    finish(tar)
}

fn append_tree(tar: &mut tar::Builder<fs::File>, from: &Path, below: &Path) -> std::io::Result<()> {
    let mut entries = fs::read_dir(from.join(below))?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            tar.append_dir(&path, entry.path())?;
            append_tree(tar, from, &path)?;
        } else if (kind.is_file() || kind.is_symlink()) && path != Path::new("index.lock") {
            append(tar, &entry.path(), &path)?;
        }
    }
    Ok(())
}

fn builder(to: &Path) -> std::io::Result<tar::Builder<fs::File>> {
    let mut tar = tar::Builder::new(fs::File::create_new(to)?);
    tar.follow_symlinks(false);
    Ok(tar)
}

fn append(tar: &mut tar::Builder<fs::File>, full: &Path, name: &Path) -> std::io::Result<()> {
    tar.append_path_with_name(full, name)
}

fn finish(tar: tar::Builder<fs::File>) -> std::io::Result<()> {
    tar.into_inner()?.sync_all()
}

/// SHA-256 of a file's content or a symlink's target.
pub(crate) fn content_hash(path: &Path) -> std::io::Result<String> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Ok(hex(&Sha256::digest(fs::read_link(path)?.as_os_str().as_bytes())));
    }
    let mut file = fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(buffer.get(..n).unwrap_or_default()),
        }
    }
}

fn describe(dir: &Path, name: &str) -> std::io::Result<Archive> {
    let path = dir.join(name);
    fs::File::open(&path)?.sync_all()?;
    Ok(Archive {
        name: name.to_owned(),
        bytes: fs::metadata(&path)?.len(),
        sha256: content_hash(&path)?,
    })
}

fn write_manifest(dir: &Path, manifest: &SalvageManifest) -> std::io::Result<()> {
    let text = serde_json::to_vec_pretty(manifest).map_err(std::io::Error::other)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(&text)?;
    file.as_file().sync_all()?;
    file.persist(dir.join(MANIFEST)).map_err(|e| e.error)?;
    fs::File::open(dir)?.sync_all()
}
