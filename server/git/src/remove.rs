//! The one door through which worktrees and repositories with work in them are removed.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::error::GitError;
use crate::unsaved::Inventory;
use crate::{Git, LayoutKind, Patterns, Removal, SalvageManifest, Unsaved, UnsavedKind};

/// What to remove and what may be dropped.
#[derive(Debug, Clone)]
pub struct RemoveRequest {
    /// What goes.
    pub removal: Removal,
    /// Ignored paths that can be made again.
    pub regenerable: Patterns,
    /// Kinds of work the caller gives up; everything else stops the removal.
    pub drop: BTreeSet<UnsavedKind>,
    /// A new directory, outside of what is removed, for the salvage.
    pub salvage_to: PathBuf,
}

/// What a removal did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the salvage is the only copy of what was dropped; record where it is"]
pub struct Removed {
    /// What was dropped, all of it salvaged.
    pub dropped: Vec<Unsaved>,
    /// The salvage in `salvage_to`; `None` when there was nothing to save.
    pub salvage: Option<SalvageManifest>,
}

impl Git {
    /// Removes this worktree (and its branch) or repository. Work that exists nowhere else stops
    /// it, unless its kind is named; then it is salvaged first. A dry run is [`Git::unsaved`], which
    /// decides the same way.
    ///
    /// # Errors
    /// [`GitError::WouldLose`] with everything not named; [`GitError::Refused`] when the worktree
    /// is locked or changes while it is being saved; what git reports. Nothing has been removed
    /// then, except when deleting itself fails half-way, after salvage.
    pub async fn remove(&self, request: &RemoveRequest) -> Result<Removed, GitError> {
        let inventory = self.inventory(request.removal, &request.regenerable).await?;
        if inventory.layout.git_dir.join("locked").exists() {
            return Err(GitError::refused(format!(
                "{} is locked; run `git worktree unlock` first",
                self.path().display()
            )));
        }
        self.refuse_shared_branch(&inventory).await?;
        let unsaved = inventory.summary();
        let (dropped, kept): (Vec<_>, Vec<_>) =
            unsaved.into_iter().partition(|u| request.drop.contains(&u.kind));
        if !kept.is_empty() {
            return Err(GitError::WouldLose { unsaved: kept });
        }
        let mut salvage = None;
        if !dropped.is_empty() {
            let before = self.snapshot(&inventory).await?;
            salvage = Some(self.salvage_inventory(&request.salvage_to, &inventory).await?);
            let now = self.inventory(request.removal, &request.regenerable).await?;
            if self.snapshot(&now).await? != before {
                return Err(GitError::refused(format!(
                    "{} changed while it was being saved; stop what runs there and try again",
                    self.path().display()
                )));
            }
        }
        self.delete(&inventory).await?;
        Ok(Removed { dropped, salvage })
    }

    async fn refuse_shared_branch(&self, found: &Inventory) -> Result<(), GitError> {
        let (Removal::WorktreeAndBranch, Some(branch)) = (found.removal, &found.branch) else {
            return Ok(());
        };
        let own = fs::canonicalize(&found.layout.root).unwrap_or_default();
        let trees = self.worktree_list().await?;
        let other = trees.iter().find(|t| t.branch.as_ref() == Some(branch) && t.path != own);
        match other {
            Some(tree) => Err(GitError::refused(format!(
                "branch `{branch}` is checked out at {} too; remove only the worktree",
                tree.path.display()
            ))),
            None => Ok(()),
        }
    }

    /// What must not change between saving and deleting.
    async fn snapshot(&self, found: &Inventory) -> Result<(String, Vec<Unsaved>), GitError> {
        Ok((self.fingerprint(&found.status).await?, found.summary()))
    }

    async fn delete(&self, found: &Inventory) -> Result<(), GitError> {
        match (&found.layout.kind, found.removal) {
            (LayoutKind::Linked { .. }, Removal::Worktree | Removal::WorktreeAndBranch) => {
                // Git must run outside of what it removes; a bare repository's worktrees have no
                // main working tree, so any other worktree serves.
                let base = self.base_of(found).await?;
                base.drop_worktree(&found.layout.root).await?;
                if let (Removal::WorktreeAndBranch, Some(branch), Some(oid)) =
                    (found.removal, &found.branch, &found.branch_oid)
                {
                    base.delete_ref(branch, oid).await?;
                }
                Ok(())
            }
            (LayoutKind::Base | LayoutKind::Separate | LayoutKind::Linked { .. }, _) => {
                // Removing a symlink to the repository would leave the repository.
                let root = fs::canonicalize(&found.layout.root)
                    .map_err(GitError::io(format!("reading {}", found.layout.root.display())))?;
                let doing = format!("removing {}", root.display());
                tokio::task::spawn_blocking(move || fs::remove_dir_all(root))
                    .await
                    .map_err(|e| GitError::unreadable(&doing, e.to_string()))?
                    .map_err(GitError::io(doing))
            }
        }
    }

    async fn base_of(&self, found: &Inventory) -> Result<Self, GitError> {
        if let LayoutKind::Linked { main: Some(main) } = &found.layout.kind {
            return Ok(self.beside(main));
        }
        let others = self.worktree_list().await?;
        let other = others
            .into_iter()
            .find(|t| !t.bare && t.prunable.is_none() && t.path != found.layout.root);
        other.map(|t| self.beside(t.path)).ok_or_else(|| {
            GitError::refused(format!("{} is the last worktree of a bare repository; remove it with `git worktree remove`", self.path().display()))
        })
    }
}
