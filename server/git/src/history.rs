//! Questions about commits.

use crate::error::GitError;
use crate::{Git, Oid};

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub oid: Oid,
    /// Its parents, in order.
    pub parents: Vec<Oid>,
    /// Author's name.
    pub author: String,
    /// Author's mail address.
    pub email: String,
    /// Committer time, seconds since the epoch.
    pub at: i64,
    /// First line of the message.
    pub subject: String,
}

impl Git {
    /// The commit HEAD stands on; `None` before the first commit. Usually starts no process.
    ///
    /// # Errors
    /// [`GitError::NotFound`], [`GitError::NotARepo`], and what git reports.
    pub async fn head(&self) -> Result<Option<Oid>, GitError> {
        match self.layout()?.head_from_files() {
            Some(oid) => Ok(Some(oid)),
            // No commit yet, a packed branch, or refs kept in another format.
            None => self.resolve("HEAD^{commit}").await,
        }
    }

    /// The tree of the commit HEAD stands on: what a verdict on committed content holds for.
    ///
    /// # Errors
    /// As [`Git::head`]; `None` before the first commit.
    pub async fn tree_hash(&self) -> Result<Option<Oid>, GitError> {
        self.resolve("HEAD^{tree}").await
    }

    /// What `rev` names.
    ///
    /// # Errors
    /// [`GitError::Refused`] when it names nothing here.
    pub async fn rev_parse(&self, rev: &str) -> Result<Oid, GitError> {
        let found = self.resolve(rev).await?;
        found.ok_or_else(|| {
            GitError::refused(format!(
                "`{rev}` names nothing in {}; check the spelling or fetch",
                self.path().display()
            ))
        })
    }

    /// What `rev` names, or `None`.
    pub(crate) async fn resolve(&self, rev: &str) -> Result<Option<Oid>, GitError> {
        if rev.contains(['\0', '\n']) {
            return Ok(None);
        }
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", rev];
        let output = match self.read(args).run_accepting(&[0, 1]).await {
            Ok(output) => output,
            // An ambiguous or impossible name ends with 128; so does a broken repository, which
            // the message then tells.
            Err(GitError::Failed { code: Some(128), stderr, .. })
                if stderr.contains("Needed a single revision")
                    || stderr.contains("bad revision") =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        Ok(if output.code == 0 { Oid::parse(&output.text()) } else { None })
    }

    /// The best common ancestor, or `None` when the histories are unrelated.
    ///
    /// # Errors
    /// What git reports, for example an unknown name.
    pub async fn merge_base(&self, one: &str, other: &str) -> Result<Option<Oid>, GitError> {
        let output = self
            .read(["merge-base", "--end-of-options", one, other])
            .run_accepting(&[0, 1])
            .await?;
        Ok(Oid::parse(&output.text()))
    }

    /// Commits of `range` (`main..HEAD`, `HEAD` …), newest first, at most `limit`.
    ///
    /// # Errors
    /// What git reports, for example an unknown name.
    pub async fn log(&self, range: &str, limit: usize) -> Result<Vec<Commit>, GitError> {
        let args = [
            "log",
            "-z",
            "--no-show-signature",
            "--no-mailmap",
            "--no-notes",
            "--encoding=UTF-8",
            "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%ct%x00%s",
        ];
        let output = self
            .read(args)
            .arg(format!("--max-count={limit}"))
            .arg("--end-of-options")
            .arg(range)
            .arg("--")
            .run()
            .await?;
        parse_log(&output.stdout)
            .ok_or_else(|| GitError::unreadable("git log", "a record has missing fields"))
    }
}

fn parse_log(bytes: &[u8]) -> Option<Vec<Commit>> {
    let Some(bytes) = bytes.strip_suffix(b"\0") else { return bytes.is_empty().then(Vec::new) };
    let fields: Vec<&[u8]> = bytes.split(|b| *b == 0).collect();
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    fields
        .chunks(6)
        .map(|record| {
            let [oid, parents, author, email, at, subject] = record else { return None };
            Some(Commit {
                oid: Oid::parse_bytes(oid)?,
                parents: parents.split(|b| *b == b' ').filter_map(Oid::parse_bytes).collect(),
                author: text(author),
                email: text(email),
                at: text(at).parse().ok()?,
                subject: text(subject),
            })
        })
        .collect()
}
