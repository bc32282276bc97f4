//! How repos and worktrees are shown.

use car_api::repo::{Repo, RepoGit, RepoStatus};

use super::run::tone;
use crate::{
    table::{Cell, Table, Tone},
    time_text,
};

pub(crate) fn table(repos: &[Repo]) -> Table {
    let mut table = Table::new(&["REPO", "STATUS", "TICKETS", "BRANCH", "NOTE"]);
    for repo in repos {
        let (status, tone) = standing(repo);
        let note = repo.issue.clone().or_else(|| repo.run.as_ref().map(|run| run.explain.clone()));
        table.row([
            repo.id.as_str().into(),
            Cell::toned(status, tone),
            counts(repo).into(),
            repo.branch.clone().unwrap_or_default().into(),
            note.unwrap_or_default().into(),
        ]);
    }
    table
}

fn counts(repo: &Repo) -> String {
    match repo.tickets.invalid {
        0 => format!("{}/{}", repo.tickets.done, repo.tickets.total),
        bad => format!("{}/{} {bad} bad", repo.tickets.done, repo.tickets.total),
    }
}

fn standing(repo: &Repo) -> (&'static str, Tone) {
    match (repo.status, &repo.run) {
        (RepoStatus::Ready, Some(run)) => (run.status.as_str(), tone(run.status)),
        (RepoStatus::Ready, None) => ("ready", Tone::Plain),
        (RepoStatus::Uninitialized, _) => ("uninitialized", Tone::Dim),
        (RepoStatus::Missing, _) => ("missing", Tone::Bad),
        (RepoStatus::Invalid, _) => ("invalid", Tone::Bad),
    }
}

pub(crate) fn one(repo: &Repo) -> String {
    let mut lines = vec![
        format!("{} ({})", repo.id, repo.kind),
        format!("directory  {}", repo.path),
        format!("branch     {}", repo.branch.as_deref().unwrap_or("-")),
        format!("tickets    {} done", counts(repo)),
    ];
    lines.extend(repo.worktree_of.as_ref().map(|base| format!("base       {base}")));
    lines.extend(
        repo.run
            .as_ref()
            .map(|run| format!("run        {} {}: {}", run.id, run.status, run.explain)),
    );
    lines.extend(repo.issue.as_ref().map(|issue| format!("issue      {issue}")));
    lines.join("\n")
}

pub(crate) fn git(git: &RepoGit) -> String {
    let commits = git.commits.iter().map(|commit| {
        let id = commit.id.get(..10).unwrap_or(&commit.id);
        format!("{id} {} ({})", commit.subject, time_text::ago(commit.at))
    });
    let mut lines = vec![
        format!("branch     {}", git.branch.as_deref().unwrap_or("(none: a commit)")),
        format!(
            "changed    {} tracked, {} untracked, {} in conflict",
            git.changed, git.untracked, git.conflicts
        ),
    ];
    if let (Some(against), Some(ahead), Some(behind)) = (&git.against, git.ahead, git.behind) {
        lines.push(format!("{against}: {ahead} ahead, {behind} behind"));
    }
    lines.extend(git.operation.as_ref().map(|name| format!("begun      {name}, not ended")));
    lines.extend(commits);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use car_api::{
        RunId,
        repo::{RepoKind, RunBrief, TicketCounts},
        run::RunStatus,
    };

    use super::*;

    #[test]
    fn the_list_of_repos_fits_eighty_columns() {
        let repo = |id: &str, status, run: Option<(RunStatus, &str)>| Repo {
            id: id.parse().unwrap(),
            name: id.to_owned(),
            path: format!("repos/{id}"),
            kind: RepoKind::Base,
            worktree_of: None,
            branch: Some("main".to_owned()),
            status,
            tickets: TicketCounts { total: 12, done: 3, invalid: 0 },
            run: run.map(|(status, explain)| RunBrief {
                id: RunId::generate(),
                status,
                explain: explain.to_owned(),
            }),
            issue: None,
        };
        let repos = [
            repo("demo", RepoStatus::Ready, None),
            repo(
                "demo--feature-with-a-name",
                RepoStatus::Ready,
                Some((RunStatus::Paused, "Verification failed three times: cargo test")),
            ),
            repo("gone", RepoStatus::Missing, None),
        ];
        let expected = "\
REPO                       STATUS   TICKETS  BRANCH  NOTE
demo                       ready    3/12     main
demo--feature-with-a-name  paused   3/12     main    Verification failed three …
gone                       missing  3/12     main";
        assert_eq!(table(&repos).render(Some(80), false), expected);
    }
}
