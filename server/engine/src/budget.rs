//! Whether a budget is used up, and what a person can do about it.
//!
//! Tokens without a price are in no budget of money: what they cost is not known.

#[cfg(test)]
mod tests;

use car_api::{Timestamp, budget::BudgetLimits, money::Amount, run::RunOptions};

use crate::flow::Spent;

/// Tokens and money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Tokens read and written.
    pub tokens: i64,
    /// Money, as far as there were prices.
    pub cost: Amount,
}

impl Sum {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { tokens: self.tokens.saturating_add(other.tokens), cost: self.cost.plus(other.cost) }
    }
}

/// How a day stands: its limits, and what was used of them by turns that ended in it or are under
/// way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Today {
    /// The limits.
    pub limits: BudgetLimits,
    /// What the hub's agents used.
    pub hub: Sum,
    /// What was used in the repo and its worktrees.
    pub repo: Sum,
    /// When the day ends.
    pub ends_at: Timestamp,
    /// The word for money; empty when there is none.
    pub currency: String,
}

impl Default for Today {
    /// A day without limits.
    fn default() -> Self {
        Self {
            limits: BudgetLimits::default(),
            hub: Sum::default(),
            repo: Sum::default(),
            ends_at: Timestamp::from_micros(0),
            currency: String::new(),
        }
    }
}

impl Today {
    /// Which budget of the day is used up, if one is: the limit, what was used, and what to do.
    #[must_use]
    pub fn used_up(&self) -> Option<String> {
        let limits = &self.limits;
        let money = |amount: Amount| money(amount, &self.currency);
        let tokens = |number: i64| format!("{number} tokens");
        let over = |whose: &str, key: &str, limit: String, used: String| {
            format!(
                "The day's budget of {limit} for {whose} is used up ({used} used). Raise \
                 `budget.{key}`, or wait until the day ends at {}, then go on.",
                minute(self.ends_at)
            )
        };
        let cost = |whose, key, limit: Option<Amount>, used: Amount| {
            let limit = limit.filter(|limit| used >= *limit)?;
            Some(over(whose, key, money(limit), money(used)))
        };
        let count = |whose, key, limit: Option<i64>, used: i64| {
            let limit = limit.filter(|limit| used >= *limit)?;
            Some(over(whose, key, tokens(limit), tokens(used)))
        };
        cost("the hub", "day_cost", limits.day_cost, self.hub.cost)
            .or_else(|| count("the hub", "day_tokens", limits.day_tokens, self.hub.tokens))
            .or_else(|| cost("this repo", "repo_day_cost", limits.repo_day_cost, self.repo.cost))
            .or_else(|| {
                count("this repo", "repo_day_tokens", limits.repo_day_tokens, self.repo.tokens)
            })
    }
}

/// Which of a run's own budgets is used up, if one is: the limit, what was used, and what to do.
#[must_use]
pub fn run_used_up(spent: &Spent, options: &RunOptions, currency: &str) -> Option<String> {
    let over = |limit: String, used: String, flag: &str| {
        format!(
            "The run's budget of {limit} is used up ({used} used). Raise it: \
             `car run resume --{flag}`."
        )
    };
    let tokens = spent.usage.total();
    if let Some(max) = options.max_tokens.filter(|max| tokens >= *max) {
        return Some(over(format!("{max} tokens"), format!("{tokens} tokens"), "max-tokens"));
    }
    if let Some(max) = options.max_cost.filter(|max| spent.cost >= *max) {
        return Some(over(money(max, currency), money(spent.cost, currency), "max-cost"));
    }
    let seconds = spent.active_ms / 1000;
    if let Some(max) = options.max_seconds.filter(|max| seconds >= *max) {
        let (limit, used) = (format!("{max} seconds of work"), format!("{seconds} seconds"));
        return Some(over(limit, used, "max-seconds"));
    }
    None
}

/// An amount for people.
#[must_use]
pub fn money(amount: Amount, currency: &str) -> String {
    if currency.is_empty() { amount.to_string() } else { format!("{amount} {currency}") }
}

/// A time to the minute, in UTC.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        (None, _) | (_, None) => text,
    }
}

/// A day of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Its date.
    pub date: String,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When the next one begins.
    pub ends_at: Timestamp,
}

/// The day it is at a time, where clocks are so many seconds ahead of UTC.
#[must_use]
pub fn day_of(now: Timestamp, offset_s: i64) -> Day {
    const DAY: i64 = 86_400_000_000;
    let offset = offset_s.saturating_mul(1_000_000);
    let local = now.micros().saturating_add(offset);
    let start = local - local.rem_euclid(DAY);
    let at = |local: i64| Timestamp::from_micros(local.saturating_sub(offset));
    let shown = Timestamp::from_micros(start).to_string();
    Day {
        date: shown.get(..10).unwrap_or(&shown).to_owned(),
        starts_at: at(start),
        ends_at: at(start.saturating_add(DAY)),
    }
}
