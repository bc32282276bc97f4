//! Which repo a directory belongs to, by the hub's own list.

use std::path::{Path, PathBuf};

use car_api::{RepoId, repo::Repo};

/// Whether a repo argument is a path and not an id.
pub(crate) fn is_path(text: &str) -> bool {
    text == "." || text == ".." || text.contains('/') || text.parse::<RepoId>().is_err()
}

/// The repo or worktree whose directory `dir` lies in: of several, the innermost. `dir` and `root`
/// are without symbolic links.
pub(crate) fn repo_at<'a>(dir: &Path, root: &Path, repos: &'a [Repo]) -> Option<&'a Repo> {
    let inner = |own: fn(PathBuf) -> PathBuf| {
        repos
            .iter()
            .map(|repo| (own(root.join(&repo.path)), repo))
            .filter(|(path, _)| dir.starts_with(path))
            .max_by_key(|(path, _)| path.components().count())
            .map(|(_, repo)| repo)
    };
    // Asking the disk for each of hundreds of repos is left for when one is a link.
    inner(|path| path).or_else(|| inner(|path| std::fs::canonicalize(&path).unwrap_or(path)))
}

#[cfg(test)]
mod tests {
    use car_api::repo::{RepoKind, RepoStatus, TicketCounts};

    use super::*;

    fn repo(id: &str, path: &str) -> Repo {
        Repo {
            id: id.parse().unwrap(),
            name: id.to_owned(),
            path: path.to_owned(),
            kind: RepoKind::Base,
            worktree_of: None,
            branch: None,
            status: RepoStatus::Ready,
            tickets: TicketCounts::default(),
            run: None,
            issue: None,
        }
    }

    #[test]
    fn the_innermost_repo_around_a_directory_is_meant() {
        let repos = [repo("a", "repos/a"), repo("ab", "repos/ab"), repo("in", "repos/a/sub/in")];
        for (dir, expected) in [
            ("/hub/repos/a", Some("a")),
            ("/hub/repos/a/sub", Some("a")),
            ("/hub/repos/a/sub/in/src", Some("in")),
            ("/hub/repos/ab/x", Some("ab")),
            ("/hub/repos/abc", None),
            ("/hub", None),
            ("/elsewhere/repos/a", None),
        ] {
            let found = repo_at(Path::new(dir), Path::new("/hub"), &repos);
            assert_eq!(found.map(|r| r.id.as_str()), expected, "{dir}");
        }
    }

    #[test]
    fn paths_and_ids_are_told_apart() {
        for (text, path) in [("demo", false), ("demo--x", false), (".", true), ("a/b", true)] {
            assert_eq!(is_path(text), path, "{text}");
        }
    }
}
