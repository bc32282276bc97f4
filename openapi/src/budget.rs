//! Budgets: how much may be used before the hub stops.

use crate::{
    RepoId, Timestamp,
    money::{Amount, Cost},
    wire,
};

wire! {
    /// The limits there are, and the body of `budgets_update`. What is absent has no limit. Money is
    /// in millionths of the hub's currency; tokens without a price count for no limit of money.
    #[derive(Copy, Default, Eq)]
    #[serde(deny_unknown_fields)]
    pub struct BudgetLimits {
        /// What everything may cost in a day (`budget.day_cost`).
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Option<i64>, minimum = 1))]
        pub day_cost: Option<Amount>,
        /// Tokens everything may use in a day (`budget.day_tokens`).
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1))]
        pub day_tokens: Option<i64>,
        /// What a repo with its worktrees may cost in a day (`budget.repo_day_cost`).
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Option<i64>, minimum = 1))]
        pub repo_day_cost: Option<Amount>,
        /// Tokens a repo with its worktrees may use in a day (`budget.repo_day_tokens`).
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1))]
        pub repo_day_tokens: Option<i64>,
        /// What a new run may cost before it pauses (`ticket_flow.max_cost`).
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Option<i64>, minimum = 1))]
        pub max_cost: Option<Amount>,
        /// Tokens a new run may use before it pauses (`ticket_flow.max_tokens`).
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1))]
        pub max_tokens: Option<i64>,
        /// Seconds of work a new run may take before it pauses (`ticket_flow.max_seconds`).
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1))]
        pub max_seconds: Option<i64>,
    }
}

wire! {
    /// The budgets, and how much of the day's is used.
    pub struct Budgets {
        /// The limits.
        pub limits: BudgetLimits,
        /// The day, as `budget.utc_offset` has it.
        pub day: String,
        /// When it ends.
        pub ends_at: Timestamp,
        /// What was used in it, by turns that ended in it or are under way.
        pub used: DayUse,
        /// The same for each repo or worktree, the most tokens first.
        pub repos: Vec<RepoDayUse>,
        /// The word for the hub's money; absent when no prices are set.
        pub currency: Option<String>,
        /// Whether the hub can keep other limits. A hub that was started without a place for its
        /// settings cannot.
        pub editable: bool,
        /// The version of the limits; goes into `If-Match`.
        pub etag: String,
    }
}

/// What was used of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DayUse {
    /// Tokens read and written.
    pub tokens: i64,
    /// What they cost, as far as there were prices.
    pub cost: Cost,
}

wire! {
    /// What was used of a day in one repo or worktree.
    pub struct RepoDayUse {
        /// The repo or worktree.
        pub repo: RepoId,
        /// What was used.
        pub used: DayUse,
    }
}

wire! {
    /// How the day stands, in one line of the snapshot: there when a limit of the day is set.
    pub struct DayLine {
        /// What was used.
        pub used: DayUse,
        /// What everything may cost.
        pub day_cost: Option<Amount>,
        /// Tokens everything may use.
        pub day_tokens: Option<i64>,
        /// When the day ends.
        pub ends_at: Timestamp,
    }
}
