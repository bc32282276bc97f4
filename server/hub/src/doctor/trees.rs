//! The hub's repos and worktrees: whether they are there, and whether their queues can be worked.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use car_api::{doctor::Finding, ticket::Severity};
use car_engine::manifest::{Kind, Manifest};
use car_files::{hub_root, tickets};
use car_git::{Git, LockState};

use super::Place;

/// Findings of one kind that are named one by one; of more only the number is said.
const NAMED: usize = 20;

fn manifest(root: &Path) -> Option<Manifest> {
    hub_root::load_manifest(root).ok().map(|(manifest, _)| manifest)
}

pub(super) fn paths(root: &Path) -> Vec<PathBuf> {
    let manifest = manifest(root);
    manifest.iter().flat_map(Manifest::repos).map(|repo| root.join(&repo.path)).collect()
}

pub(super) fn count(root: &Path) -> usize {
    paths(root).len()
}

pub(super) async fn look(place: &Place) -> Vec<Finding> {
    let manifest = match hub_root::load_manifest(&place.root) {
        Ok((manifest, _)) => manifest,
        Err(error) => {
            let why = "The hub does not know its repos.";
            return vec![Finding::error("manifest", error.to_string(), why)];
        }
    };
    let (mut found, mut repos, mut worktrees) = (Vec::new(), 0, 0);
    for entry in manifest.bad_entries() {
        let detail = format!("line {}: {}: {}", entry.line, entry.label, entry.message);
        found.push(Finding::warning("manifest", detail, "This entry is not served."));
    }
    for repo in manifest.repos() {
        match repo.kind {
            Kind::Base => repos += 1,
            Kind::Worktree { .. } => worktrees += 1,
        }
        let path = place.root.join(&repo.path);
        if !path.is_dir() {
            let detail = format!("{} is gone ({})", repo.id, path.display());
            let why = "Its queue cannot be worked.";
            found.push(
                Finding::warning("trees", detail, why)
                    .fix(format!("put it back, or forget it: car hub remove {}", repo.id)),
            );
            continue;
        }
        found.extend(queue(&repo.id, &path, place));
        found.extend(locked(&repo.id, &path));
        if repo.kind == Kind::Base {
            found.extend(prunable(&repo.id, &path).await);
        }
    }
    let more = found.len().saturating_sub(NAMED);
    found.truncate(NAMED);
    if more > 0 {
        found.push(Finding::warning("trees", format!("and {more} more findings"), "See above."));
    }
    found.insert(0, Finding::ok("trees", format!("{repos} repos, {worktrees} worktrees")));
    found
}

fn queue(repo: &str, tree: &Path, place: &Place) -> Option<Finding> {
    let why = "A run of this queue does not start, or pauses.";
    let fix = format!("car tickets lint --repo {repo} --fix");
    let listing = match tickets::list(tree, &place.agents) {
        Ok(listing) => listing,
        Err(error) if error.is_not_found() => return None,
        Err(error) => return Some(Finding::warning("tickets", error.to_string(), why).fix(fix)),
    };
    let errors = listing.errors().filter(|(_, issue)| issue.severity() == Severity::Error);
    let errors: Vec<_> = errors.collect();
    let (file, first) = errors.first()?;
    let detail = format!(
        "{repo}: {} with errors; {file} line {}: {}",
        errors.len(),
        first.line,
        first.message
    );
    Some(Finding::warning("tickets", detail, why).fix(fix))
}

/// A lock that a git left which was killed.
fn locked(repo: &str, tree: &Path) -> Option<Finding> {
    let state = Git::at(tree).index_lock(SystemTime::now()).ok()?;
    match state {
        LockState::Free | LockState::Held { .. } | LockState::Fresh { .. } => None,
        LockState::Stale { path: lock, .. } => {
            let detail = format!("{repo}: a git that was killed left index.lock");
            Some(
                Finding::warning("git locks", detail, "Nothing can be committed there.")
                    .fix(format!("rm '{}'", lock.display())),
            )
        }
    }
}

/// Worktrees git knows whose directories are gone.
async fn prunable(repo: &str, path: &Path) -> Option<Finding> {
    let list = Git::at(path).worktree_list().await.ok()?;
    let gone = list.iter().filter(|tree| tree.prunable.is_some()).count();
    (gone > 0).then(|| {
        let detail = format!("{repo}: git remembers {gone} worktrees that are gone");
        Finding::warning("worktrees", detail, "Their branches cannot be checked out elsewhere.")
            .fix(format!("git -C '{}' worktree prune", path.display()))
    })
}
