//! Commits and stash entries that exist nowhere else.

use std::collections::BTreeSet;
use std::path::Path;

use super::{COMMITS, Inventory, Removal};
use crate::error::GitError;
use crate::{Git, Oid};

impl Git {
    pub(super) async fn find_commits(&self, found: &mut Inventory) -> Result<(), GitError> {
        let heads: Vec<String> = found.status.head.iter().map(Oid::to_string).collect();
        match found.removal {
            Removal::Worktree | Removal::WorktreeAndBranch => {
                if found.status.detached {
                    let known = ["--branches", "--tags", "--remotes"];
                    found.detached = self.commits_only_at(&heads, &known).await?;
                }
                let (Removal::WorktreeAndBranch, Some(branch), Some(oid)) =
                    (found.removal, &found.branch, &found.branch_oid)
                else {
                    return Ok(());
                };
                let exclude = format!("--exclude={branch}");
                let known = [exclude.as_str(), "--branches", "--tags", "--remotes"];
                found.unpushed = self.commits_only_at(&[oid.to_string()], &known).await?;
                let on = [format!("WIP on {branch}:"), format!("On {branch}:")];
                let mut stashes = self.stashes().await?;
                stashes.retain(|(_, line)| on.iter().any(|prefix| line.starts_with(prefix)));
                found.stashes = stashes;
            }
            Removal::Repo => {
                let remotes = self.living_remotes().await?;
                let known: Vec<&str> = remotes.iter().map(String::as_str).collect();
                found.unpushed = self.commits_only_at(&["--branches".to_owned()], &known).await?;
                let known_here: Vec<&str> = known.iter().copied().chain(["--branches"]).collect();
                if found.status.detached {
                    found.detached = self.commits_only_at(&heads, &known_here).await?;
                }
                let mut others = vec!["--tags".to_owned()];
                others.extend(self.unusual_refs().await?);
                found.other_refs = self.commits_only_at(&others, &known_here).await?;
                found.stashes = self.stashes().await?;
                let trees = self.worktree_list().await?;
                found.linked = trees.into_iter().skip(1).map(|t| t.path).collect();
            }
        }
        Ok(())
    }

    /// Commits reachable from `tips` and not from `known`, as `<oid> <subject>`.
    pub(crate) async fn commits_only_at(
        &self,
        tips: &[String],
        known: &[&str],
    ) -> Result<Vec<String>, GitError> {
        if tips.is_empty() {
            return Ok(Vec::new());
        }
        let args = ["log", "-z", "--no-show-signature", "--no-notes", "--format=tformat:%H %s"];
        let call = self.read(args).arg(format!("--max-count={COMMITS}"));
        let call = tips.iter().fold(call, |call, tip| call.arg(tip));
        let call = known.iter().fold(call.arg("--not"), |call, ref_| call.arg(ref_));
        let output = call.arg("--").run().await?;
        // With no tip at all (`--branches` of an empty repository) log falls back to HEAD only when
        // no ref option was given, so nothing is listed twice.
        let lines = output.stdout.split(|b| *b == 0).filter(|l| !l.is_empty());
        Ok(lines.map(|l| String::from_utf8_lossy(l).into_owned()).collect())
    }

    pub(crate) async fn stashes(&self) -> Result<Vec<(Oid, String)>, GitError> {
        if self.resolve("refs/stash").await?.is_none() {
            return Ok(Vec::new());
        }
        let args = [
            "log",
            "-g",
            "-z",
            "--no-show-signature",
            "--no-notes",
            "--format=tformat:%H%x00%gs",
            "refs/stash",
            "--",
        ];
        let output = self.read(args).run().await?;
        let fields: Vec<&[u8]> = output.stdout.split(|b| *b == 0).collect();
        let pairs = fields.chunks_exact(2).filter_map(|pair| {
            let [oid, line] = pair else { return None };
            Some((Oid::parse_bytes(oid)?, String::from_utf8_lossy(line).into_owned()))
        });
        Ok(pairs.collect())
    }

    /// `--remotes=<name>` for each configured remote that is not a local path which is gone.
    async fn living_remotes(&self) -> Result<Vec<String>, GitError> {
        let args = ["config", "-z", "--get-regexp", "^remote\\..*\\.url$"];
        let output = self.read(args).run_accepting(&[0, 1]).await?;
        let mut living = BTreeSet::new();
        for entry in output.stdout.split(|b| *b == 0) {
            let text = String::from_utf8_lossy(entry);
            let Some((key, url)) = text.split_once('\n') else { continue };
            let Some(name) = key.strip_prefix("remote.").and_then(|k| k.strip_suffix(".url"))
            else {
                continue;
            };
            let local = url.strip_prefix("file://").unwrap_or(url);
            let gone = local.starts_with('/') && !Path::new(local).exists();
            if !gone && !name.contains(['*', '?', '[']) {
                living.insert(format!("--remotes={name}"));
            }
        }
        Ok(living.into_iter().collect())
    }

    /// Refs that are neither branches, tags, remote-tracking branches nor the stash.
    async fn unusual_refs(&self) -> Result<Vec<String>, GitError> {
        let usual = ["refs/heads/", "refs/tags/", "refs/remotes/", "refs/bisect/"];
        let text =
            self.read(["for-each-ref", "--format=%(objecttype) %(refname)"]).run().await?.text();
        let commits = text.lines().filter_map(|l| l.strip_prefix("commit "));
        let unusual =
            commits.filter(|r| *r != "refs/stash" && !usual.iter().any(|u| r.starts_with(u)));
        Ok(unusual.map(str::to_owned).collect())
    }
}
