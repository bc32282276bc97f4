//! Bringing back what was salvaged.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::GitError;
use crate::salvage::{BUNDLE, FILES, GIT_DIR, MANIFEST, content_hash};
use crate::{Git, Oid, Removal, SalvageManifest};

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The branch checked out; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// Something the caller should show, such as a branch that has moved on since.
    pub note: Option<String>,
}

impl Git {
    /// Reads and checks a salvage: the manifest and the hash of every archive.
    ///
    /// # Errors
    /// [`GitError::Unreadable`] when it is incomplete or damaged.
    pub fn read_salvage(salvage: &Path) -> Result<SalvageManifest, GitError> {
        let file = salvage.join(MANIFEST);
        let text = fs::read(&file).map_err(GitError::io(format!("reading {}", file.display())))?;
        let manifest: SalvageManifest = serde_json::from_slice(&text)
            .map_err(|e| GitError::unreadable(file.display().to_string(), e.to_string()))?;
        if manifest.version != 1 {
            return Err(GitError::unreadable(
                file.display().to_string(),
                format!("version {} is newer than this program", manifest.version),
            ));
        }
        for archive in &manifest.archives {
            let path = salvage.join(&archive.name);
            let hash =
                content_hash(&path).map_err(GitError::io(format!("reading {}", path.display())))?;
            if hash != archive.sha256 {
                return Err(GitError::unreadable(
                    path.display().to_string(),
                    "it is damaged: its hash is not the recorded one",
                ));
            }
        }
        Ok(manifest)
    }

    /// Makes the salvaged worktree again at the new directory `path`, linked to this repository:
    /// branch, commits, index, operation in progress, changed, untracked and ignored files. A
    /// salvaged repository is made again at `path` as a whole; this one is not looked at then.
    ///
    /// A branch that has moved on since, or is checked out elsewhere, is left alone: the worktree
    /// then stands detached on the salvaged commit, and the note says so.
    ///
    /// # Errors
    /// [`GitError::Refused`] when `path` is in use, a damaged salvage, and what git reports. A
    /// half-made restore is removed; the salvage is never changed.
    pub async fn restore(&self, salvage: &Path, path: &Path) -> Result<Restored, GitError> {
        let dir = salvage.to_owned();
        let manifest = tokio::task::spawn_blocking(move || Self::read_salvage(&dir))
            .await
            .map_err(|e| GitError::unreadable("salvage", e.to_string()))??;
        if fs::symlink_metadata(path).is_ok() {
            return Err(GitError::refused(format!(
                "{} exists already; choose another directory",
                path.display()
            )));
        }
        let done = match manifest.removal {
            Removal::Repo => self.restore_repo(&manifest, salvage, path).await,
            Removal::Worktree | Removal::WorktreeAndBranch => {
                self.restore_worktree(&manifest, salvage, path).await
            }
        };
        if done.is_err() {
            if manifest.removal != Removal::Repo {
                let _ = self.drop_worktree(path).await;
            }
            let _ = fs::remove_dir_all(path);
        }
        done
    }

    async fn restore_repo(
        &self,
        manifest: &SalvageManifest,
        salvage: &Path,
        path: &Path,
    ) -> Result<Restored, GitError> {
        let git_dir = path.join(".git");
        fs::create_dir_all(&git_dir)
            .map_err(GitError::io(format!("creating {}", git_dir.display())))?;
        unpack(salvage.join(GIT_DIR), git_dir, |_| true).await?;
        self.beside(path).fill(manifest, salvage).await?;
        Ok(Restored { branch: manifest.branch.clone().filter(|_| !manifest.detached), note: None })
    }

    async fn restore_worktree(
        &self,
        manifest: &SalvageManifest,
        salvage: &Path,
        path: &Path,
    ) -> Result<Restored, GitError> {
        self.write(["bundle", "unbundle"]).arg(salvage.join(BUNDLE)).run().await?;
        let mut note = None;
        let mut on_branch = false;
        if let (Some(branch), Some(oid)) = (&manifest.branch, &manifest.branch_oid) {
            (on_branch, note) = self.bring_back_branch(branch, oid).await?;
        }
        match &manifest.head {
            Some(head) => {
                let add = ["worktree", "add", "--quiet", "--no-checkout", "--detach", "--"];
                self.write(add).arg(path).arg(head.as_str()).run().await?;
            }
            None => {
                let branch = manifest.branch.as_deref().unwrap_or("restored");
                let add = ["worktree", "add", "--quiet", "--orphan", "-b", branch, "--"];
                self.write(add).arg(path).run().await?;
            }
        }
        let tree = self.beside(path);
        let git_dir = tree.layout()?.git_dir;
        unpack(salvage.join(GIT_DIR), git_dir, belongs_to_worktree).await?;
        if on_branch
            && !manifest.detached
            && manifest.head.is_some()
            && let Some(branch) = &manifest.branch
        {
            tree.write(["symbolic-ref", "HEAD"]).arg(format!("refs/heads/{branch}")).run().await?;
        }
        tree.fill(manifest, salvage).await?;
        self.bring_back_stashes(&manifest.stashes).await?;
        let attached = (on_branch || manifest.head.is_none()) && !manifest.detached;
        Ok(Restored { branch: manifest.branch.clone().filter(|_| attached), note })
    }

    /// True when the branch stands where it stood; otherwise the note says why not.
    async fn bring_back_branch(
        &self,
        branch: &str,
        oid: &Oid,
    ) -> Result<(bool, Option<String>), GitError> {
        let elsewhere =
            self.worktree_list().await?.into_iter().find(|t| t.branch.as_deref() == Some(branch));
        if let Some(tree) = elsewhere {
            let at = tree.path.display();
            return Ok((
                false,
                Some(format!(
                    "branch `{branch}` is checked out at {at}, so HEAD is detached at {oid}"
                )),
            ));
        }
        match self.resolve(&format!("refs/heads/{branch}")).await? {
            None => {
                self.write(["update-ref"])
                    .arg(format!("refs/heads/{branch}"))
                    .arg(oid.as_str())
                    .arg("0".repeat(oid.as_str().len()))
                    .run()
                    .await?;
                Ok((true, None))
            }
            Some(now) if now == *oid => Ok((true, None)),
            Some(now) => Ok((
                false,
                Some(format!(
                    "branch `{branch}` has moved on to {now}, so HEAD is detached at {oid}"
                )),
            )),
        }
    }

    /// Stash entries stay in the repository when a worktree goes; those dropped since come back.
    async fn bring_back_stashes(&self, saved: &[(Oid, String)]) -> Result<(), GitError> {
        let present = self.stashes().await?;
        for (oid, message) in saved.iter().rev().filter(|s| !present.contains(s)) {
            self.write(["stash", "store", "--quiet", "-m", message, oid.as_str()]).run().await?;
        }
        Ok(())
    }

    /// Writes the working files: those of the restored index first, then the saved ones over them.
    async fn fill(&self, manifest: &SalvageManifest, salvage: &Path) -> Result<(), GitError> {
        let layout = self.layout()?;
        if layout.git_dir.join("index").exists() {
            self.checkout_call(&["checkout-index", "--all", "--force", "--quiet"]).run().await?;
        }
        for path in &manifest.deleted {
            let full = inside(&layout.root, &path.to_path())?;
            match fs::remove_file(&full) {
                Err(e)
                    if !matches!(
                        e.kind(),
                        std::io::ErrorKind::NotFound
                            | std::io::ErrorKind::NotADirectory
                            | std::io::ErrorKind::IsADirectory
                    ) =>
                {
                    return Err(GitError::io(format!("removing {}", full.display()))(e));
                }
                Ok(()) | Err(_) => remove_empty_parents(&layout.root, &full),
            }
        }
        for file in &manifest.files {
            // A directory or symlink in the way would redirect or stop the saved file.
            let full = inside(&layout.root, &file.path.to_path())?;
            clear_way(&layout.root, &full);
        }
        unpack(salvage.join(FILES), layout.root.clone(), |_| true).await?;
        for file in &manifest.files {
            let full = layout.root.join(file.path.to_path());
            let hash =
                content_hash(&full).map_err(GitError::io(format!("reading {}", full.display())))?;
            if hash != file.sha256 {
                return Err(GitError::unreadable(
                    full.display().to_string(),
                    "the restored content is not the saved one",
                ));
            }
        }
        // Exit code 1: some files differ from the index, which is what was saved.
        self.write(["update-index", "-q", "--refresh"]).run_accepting(&[0, 1]).await?;
        Ok(())
    }
}

/// The new worktree's own links and HEAD stay as git made them; locks and hooks are not revived.
fn belongs_to_worktree(path: &Path) -> bool {
    let first = path.components().next().map(|c| c.as_os_str().to_owned());
    !first.is_some_and(|f| {
        ["gitdir", "commondir", "HEAD", "locked", "hooks", "config.worktree", "index.lock"]
            .iter()
            .any(|n| f == *n)
    })
}

async fn unpack(
    archive: PathBuf,
    into: PathBuf,
    wanted: fn(&Path) -> bool,
) -> Result<(), GitError> {
    let doing = format!("unpacking {}", archive.display());
    let done = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        let mut tar = tar::Archive::new(fs::File::open(archive)?);
        tar.set_preserve_permissions(true);
        tar.set_overwrite(true);
        for entry in tar.entries()? {
            let mut entry = entry?;
            if wanted(&entry.path()?) && !entry.unpack_in(&into)? {
                return Err(std::io::Error::other("the archive holds a path that leads outside"));
            }
        }
        Ok(())
    });
    done.await
        .map_err(|e| GitError::unreadable(&doing, e.to_string()))?
        .map_err(GitError::io(doing))
}

fn inside(root: &Path, path: &Path) -> Result<PathBuf, GitError> {
    if path.components().all(|c| matches!(c, std::path::Component::Normal(_))) {
        Ok(root.join(path))
    } else {
        Err(GitError::unreadable("manifest", format!("path {} leads outside", path.display())))
    }
}

fn clear_way(root: &Path, full: &Path) {
    for parent in full.ancestors().skip(1).take_while(|p| *p != root) {
        if fs::symlink_metadata(parent).is_ok_and(|m| !m.is_dir()) {
            let _ = fs::remove_file(parent);
        }
    }
    // Only goes when empty; a directory with content belongs to other saved or tracked files.
    let _ = fs::remove_file(full).or_else(|_| fs::remove_dir(full));
}

fn remove_empty_parents(root: &Path, full: &Path) {
    for parent in full.ancestors().skip(1).take_while(|p| *p != root) {
        if fs::remove_dir(parent).is_err() {
            break;
        }
    }
}
