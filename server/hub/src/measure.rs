//! Numbers about the hub, for whoever watches it from outside.

use car_api::{repo::TicketCounts, run::RunStatus};
pub use car_store::{Durations, Stats};

use crate::{Hub, Result, clock};

/// What can be counted of a hub.
#[derive(Debug, Clone)]
pub struct Measures {
    /// Seconds since the process opened the hub.
    pub uptime: f64,
    /// Base repos.
    pub repos: u64,
    /// Worktrees.
    pub worktrees: u64,
    /// Tickets of all queues.
    pub tickets: TicketCounts,
    /// All runs there ever were, by how they stand.
    pub runs: Vec<(RunStatus, u64)>,
    /// Jobs at work.
    pub jobs: u64,
    /// Accounts that are held because their quota is used up.
    pub held_accounts: u64,
    /// Number of the newest event.
    pub last_event: i64,
    /// What was written since the process began.
    pub written: Stats,
}

impl Hub {
    /// What can be counted.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn measures(&self) -> Result<Measures> {
        let inner = &self.inner;
        let now = clock::now();
        let (repos, worktrees, tickets) = inner.index.totals(&self.rights.reach);
        let known = inner.store.runs_by_status().await?;
        let many = |status| known.iter().find(|(of, _)| *of == status).map_or(0, |(_, many)| *many);
        let held = inner.accounts.all();
        let held = held.iter().filter(|row| row.held_until.is_some_and(|at| at > now)).count();
        Ok(Measures {
            uptime: millis(now.millis_since(inner.started_at)),
            repos,
            worktrees,
            tickets,
            runs: RunStatus::ALL.iter().map(|status| (*status, many(*status))).collect(),
            jobs: u64::try_from(inner.jobs.at_work()).unwrap_or(u64::MAX),
            held_accounts: u64::try_from(held).unwrap_or(u64::MAX),
            last_event: *inner.store.bell().borrow(),
            written: inner.store.stats(),
        })
    }
}

fn millis(millis: i64) -> f64 {
    std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(0)).as_secs_f64()
}
