//! What agents have used, and the budgets.

use car_api::{
    RepoId,
    budget::{BudgetLimits, Budgets},
    usage::{UsageBy, UsageReport},
};

use super::Client;
use crate::ClientError;

/// Which turns are counted, and by what. Days are `2026-03-01`.
#[derive(Debug, Clone, Default)]
pub struct UsageCount {
    /// What a row stands for; a repo when absent.
    pub by: Option<UsageBy>,
    /// Only turns that ended on this day or later.
    pub since: Option<String>,
    /// Only turns that ended on this day or earlier.
    pub until: Option<String>,
    /// Only turns in this repo or worktree.
    pub repo: Option<RepoId>,
    /// How far the clocks by which days begin are ahead of UTC (`+02:00`); UTC when absent.
    pub utc_offset: Option<String>,
    /// At most so many rows.
    pub limit: Option<u32>,
}

impl Client {
    /// Counts what agents have used.
    ///
    /// # Errors
    /// See the API.
    pub async fn usage_get(&self, count: &UsageCount) -> Result<UsageReport, ClientError> {
        self.get("usage_get", &["usage"])
            .query("by", count.by)
            .query("since", count.since.as_ref())
            .query("until", count.until.as_ref())
            .query("repo", count.repo.as_ref())
            .query("utc_offset", count.utc_offset.as_ref())
            .query("limit", count.limit)
            .json()
            .await
    }

    /// The budgets, and how much of the day's is used.
    ///
    /// # Errors
    /// See the API.
    pub async fn budgets_get(&self) -> Result<Budgets, ClientError> {
        self.get("budgets_get", &["budgets"]).json().await
    }

    /// Sets the budgets if they are still the version of `if_match` (`*` = whatever is there).
    ///
    /// # Errors
    /// `stale`, or a limit that is none.
    pub async fn budgets_update(
        &self,
        limits: &BudgetLimits,
        if_match: Option<&str>,
    ) -> Result<Budgets, ClientError> {
        self.put("budgets_update", &["budgets"]).if_match(if_match).body(limits).json().await
    }
}
