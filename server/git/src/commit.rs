//! Making commits.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::GitError;
use crate::status::Entry;
use crate::{Git, Oid};

/// Who a commit is by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Shown name.
    pub name: String,
    /// Mail address.
    pub email: String,
}

impl Git {
    /// Commits everything that is not ignored, as a checkpoint. `None` when there was nothing to
    /// commit. Nested repositories are left alone: adding one would record a link to commits that
    /// nobody else has.
    ///
    /// # Errors
    /// [`GitError::Refused`] while a merge, rebase or the like is in progress, because adding
    /// would mark its conflicts as solved; what git reports, for example a missing identity.
    pub async fn commit_all(&self, message: &str) -> Result<Option<Oid>, GitError> {
        let status = self.status().await?;
        if let Some(operation) = status.op_in_progress {
            return Err(GitError::refused(format!(
                "a {0} is in progress; finish it or run `git {0} --abort` first",
                operation.name()
            )));
        }
        let paths: Vec<PathBuf> = status
            .entries
            .iter()
            .filter(|e| !e.is_nested_repo() && !matches!(e, Entry::Ignored { .. }))
            .map(|e| e.path().to_owned())
            .collect();
        if status.entries.iter().any(|e| matches!(e, Entry::Unmerged { .. })) {
            return Err(GitError::refused(
                "there are unsolved conflicts; solve them and `git add` the files first",
            ));
        }
        if paths.is_empty() {
            return Ok(None);
        }
        self.add_and_commit(&paths, message).await
    }

    /// Adds exactly these paths (deletions too) and commits the index. `None` when that leaves
    /// nothing to commit.
    ///
    /// # Errors
    /// What git reports.
    pub async fn add_and_commit(
        &self,
        paths: &[impl AsRef<Path>],
        message: &str,
    ) -> Result<Option<Oid>, GitError> {
        let before = self.head().await?;
        if !paths.is_empty() {
            let mut list = Vec::new();
            for path in paths {
                list.extend_from_slice(path.as_ref().as_os_str().as_bytes());
                list.push(0);
            }
            self.refuse_unapproved_filters(&list).await?;
            let add = ["add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"];
            self.write(add).input(list).run().await?;
        }
        let commit = || {
            let args = [
                "commit",
                "--quiet",
                "--no-verify",
                "--no-gpg-sign",
                "--no-status",
                "--no-post-rewrite",
                "--cleanup=whitespace",
                "--file=-",
            ];
            self.write(args).input(message.as_bytes().to_vec())
        };
        // Exit code 1 with nothing on stderr is git's "nothing to commit".
        match (commit().run().await, self.fallback_identity()) {
            (Ok(_), _) => {}
            (Err(GitError::Failed { code: Some(1), stderr, .. }), _) if stderr.is_empty() => {
                return Ok(None);
            }
            (Err(GitError::Failed { stderr, .. }), Some(identity)) if no_identity(&stderr) => {
                commit()
                    .set("user.name", OsString::from(&identity.name))
                    .set("user.email", OsString::from(&identity.email))
                    .run()
                    .await?;
            }
            (Err(error), _) => return Err(error),
        }
        let after = self.head().await?;
        Ok(after.filter(|oid| Some(oid) != before.as_ref()))
    }

    /// Adding a file without the filter its attributes ask for would store other content than the
    /// repository expects, such as a whole video instead of its LFS pointer. `paths` is
    /// NUL-separated.
    pub(crate) async fn refuse_unapproved_filters(&self, paths: &[u8]) -> Result<(), GitError> {
        let unapproved = self.unapproved_filters().await?;
        if unapproved.is_empty() {
            return Ok(());
        }
        let ask = self.read(["check-attr", "-z", "--stdin", "filter"]).input(paths.to_vec());
        let output = ask.run().await?;
        let fields: Vec<&[u8]> = output.stdout.split(|b| *b == 0).collect();
        for record in fields.chunks_exact(3) {
            let [path, _, filter] = record else { continue };
            if unapproved.contains(*filter) {
                return Err(GitError::refused(format!(
                    "{} is stored through the filter `{}`, which the hub does not run; approve the filter for this repository or commit the file yourself",
                    String::from_utf8_lossy(path),
                    String::from_utf8_lossy(filter)
                )));
            }
        }
        Ok(())
    }
}

fn no_identity(stderr: &str) -> bool {
    stderr.contains("user.useConfigOnly") || stderr.contains("Please tell me who you are")
}
