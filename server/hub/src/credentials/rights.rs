//! What a credential allows and which repos and runs it reaches.

use std::collections::BTreeSet;

use car_api::{Code, RepoId, RunId, Scope};
use car_store::RunRow;

use crate::{Error, EventPlace, Hub, Result, index::Index};

/// What somebody may do, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// What is allowed.
    pub scopes: BTreeSet<Scope>,
    /// What is reached.
    pub reach: Reach,
}

impl Rights {
    /// Everything: the hub's own.
    pub(crate) fn all() -> Self {
        Self { scopes: Scope::ALL.iter().copied().collect(), reach: Reach::Hub }
    }
}

/// Which repos and runs a credential reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of the hub.
    Hub,
    /// These repos, each with its worktrees and all their runs.
    Repos(BTreeSet<RepoId>),
    /// One run and the tree it works in.
    Run {
        /// The run.
        run: RunId,
        /// Its repo or worktree.
        repo: RepoId,
    },
}

impl Reach {
    pub(super) fn new(repos: Vec<RepoId>, run: Option<RunId>) -> Self {
        match (run, repos.first()) {
            (Some(run), Some(repo)) => Self::Run { run, repo: repo.clone() },
            (_, None) => Self::Hub,
            (None, Some(_)) => Self::Repos(repos.into_iter().collect()),
        }
    }

    /// The repos and the run it names.
    pub(crate) fn limits(&self) -> (Vec<RepoId>, Option<RunId>) {
        match self {
            Self::Hub => (Vec::new(), None),
            Self::Repos(repos) => (repos.iter().cloned().collect(), None),
            Self::Run { run, repo } => (vec![repo.clone()], Some(run.clone())),
        }
    }

    /// Whether it is the whole hub.
    #[must_use]
    pub fn is_hub(&self) -> bool {
        *self == Self::Hub
    }

    /// Whether it reaches a tree, whose base is `base` if it is a worktree.
    pub(crate) fn holds(&self, repo: &RepoId, base: Option<&RepoId>) -> bool {
        match self {
            Self::Hub => true,
            Self::Repos(repos) => {
                repos.contains(repo) || base.is_some_and(|base| repos.contains(base))
            }
            Self::Run { repo: own, .. } => own == repo,
        }
    }

    /// Whether it reaches a run of a tree.
    pub(crate) fn holds_run(&self, run: &RunId, repo: &RepoId, base: Option<&RepoId>) -> bool {
        match self {
            Self::Hub | Self::Repos(_) => self.holds(repo, base),
            Self::Run { run: own, .. } => own == run,
        }
    }

    /// Whether everything the other reaches is reached by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hub, _) => true,
            (Self::Repos(own), Self::Repos(wanted)) => wanted.is_subset(own),
            (Self::Repos(own), Self::Run { repo, .. }) => own.contains(repo),
            (Self::Run { .. }, Self::Run { .. }) => self == other,
            (Self::Repos(_) | Self::Run { .. }, Self::Hub) | (Self::Run { .. }, Self::Repos(_)) => {
                false
            }
        }
    }
}

impl Index {
    /// Whether a credential reaches a tree of this index.
    pub(crate) fn reaches(&self, reach: &Reach, repo: &RepoId) -> bool {
        reach.holds(repo, self.base_of(repo).as_ref())
    }

    /// Whether a credential reaches a run.
    pub(crate) fn reaches_run(&self, reach: &Reach, row: &RunRow) -> bool {
        reach.is_hub() || reach.holds_run(&row.id, &row.repo, self.base_of(&row.repo).as_ref())
    }
}

impl Hub {
    /// What the caller may do through this handle.
    #[must_use]
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// Refuses a repo the caller's credential does not reach.
    ///
    /// # Errors
    /// It does not reach it; whether there is such a repo is not said.
    pub fn check_repo(&self, repo: &RepoId) -> Result<()> {
        if self.rights.reach.is_hub() || self.inner.index.reaches(&self.rights.reach, repo) {
            return Ok(());
        }
        Err(out_of_reach(format!("repo `{repo}`")))
    }

    /// Refuses a run the caller's credential does not reach.
    ///
    /// # Errors
    /// As [`Hub::check_repo`].
    pub async fn check_run(&self, run: &RunId) -> Result<()> {
        if self.rights.reach.is_hub() {
            return Ok(());
        }
        let row = self.inner.store.run(run).await?;
        let inside = row.is_some_and(|row| self.inner.index.reaches_run(&self.rights.reach, &row));
        if inside { Ok(()) } else { Err(out_of_reach(format!("run `{run}`"))) }
    }

    /// Refuses a turn the caller's credential does not reach.
    ///
    /// # Errors
    /// As [`Hub::check_repo`].
    pub async fn check_turn(&self, turn: &car_api::TurnId) -> Result<()> {
        if self.rights.reach.is_hub() {
            return Ok(());
        }
        match self.inner.store.turn(turn).await? {
            Some(row) => self.check_run(&row.run).await,
            None => Err(out_of_reach(format!("turn `{turn}`"))),
        }
    }

    /// Refuses a thread the caller's credential does not reach: one of the whole hub, or of another
    /// repo.
    ///
    /// # Errors
    /// As [`Hub::check_repo`].
    pub async fn check_thread(&self, key: &str) -> Result<()> {
        if self.rights.reach.is_hub() {
            return Ok(());
        }
        let row = self.inner.thread_row(key).await.ok();
        match (row.and_then(|row| row.repo), &self.rights.reach) {
            (Some(repo), Reach::Repos(_)) if self.check_repo(&repo).is_ok() => Ok(()),
            (_, Reach::Hub | Reach::Repos(_) | Reach::Run { .. }) => {
                Err(out_of_reach(format!("thread `{key}`")))
            }
        }
    }

    /// Whether the caller's credential reaches what an event of this place is about. What is said
    /// in a thread is no run's business, also where both are of one repo.
    #[must_use]
    pub fn reaches_event_of(&self, place: EventPlace<'_>) -> bool {
        match (&self.rights.reach, place.repo, place.run) {
            (Reach::Hub, _, _) => true,
            (Reach::Run { .. }, _, _) if place.thread.is_some() => false,
            (Reach::Run { run: own, .. }, _, Some(run)) => own == run,
            (reach @ (Reach::Repos(_) | Reach::Run { .. }), Some(repo), _) => {
                self.inner.index.reaches(reach, repo)
            }
            (Reach::Repos(_) | Reach::Run { .. }, None, _) => false,
        }
    }
}

fn out_of_reach(what: String) -> Error {
    Error::new(Code::Forbidden, format!("This credential is limited and does not reach {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo(id: &str) -> RepoId {
        id.parse().unwrap()
    }

    #[test]
    fn a_limit_holds_worktrees_and_nothing_else() {
        let reach = Reach::new(vec![repo("demo")], None);
        assert!(reach.holds(&repo("demo"), None));
        assert!(reach.holds(&repo("demo--one"), Some(&repo("demo"))));
        assert!(!reach.holds(&repo("demo--one"), None), "a name alone says nothing");
        assert!(!reach.holds(&repo("demos"), None));
        let run: RunId = "run_1".parse().unwrap();
        let one = Reach::new(vec![repo("demo--one")], Some(run.clone()));
        assert!(one.holds_run(&run, &repo("demo--one"), Some(&repo("demo"))));
        assert!(!one.holds_run(&"run_2".parse().unwrap(), &repo("demo--one"), None));
        assert!(!one.holds(&repo("demo"), None));
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        let all = Reach::Hub;
        let two = Reach::new(vec![repo("a"), repo("b")], None);
        let one = Reach::new(vec![repo("a")], None);
        let run = Reach::new(vec![repo("a")], Some("run_1".parse().unwrap()));
        for (wide, narrow) in [(&all, &two), (&two, &one), (&one, &run), (&all, &run)] {
            assert!(wide.covers(narrow) && wide.covers(wide) && !narrow.covers(wide));
        }
    }
}
