//! What agents use today, against the budgets; and what has been used, counted.
//!
//! The day's sums are read from the database when the hub opens, and kept as turns go on and end, so
//! that whether a turn may begin is known without a look there. A turn is in them by its id, and
//! counts for the day it ends in.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use car_api::{
    Code, RepoId, Timestamp, TurnId,
    budget::{BudgetLimits, Budgets, DayLine, DayUse, RepoDayUse},
    item::Usage,
    money::{Amount, Cost},
    problem::Versioned,
    usage::{UsageBy, UsageReport},
};
use car_engine::{
    budget::{Day, Sum, Today, day_of},
    price::{self, Price},
};
use car_store::{Store, UsageQuery};

use crate::{
    Error, Hub, MoneyConfig, Reach, Result, clock,
    hub::{Inner, blocking},
};

/// Most rows of a usage report.
const MAX_ROWS: u32 = 500;
/// The largest difference to UTC a day may have, in seconds.
const MAX_OFFSET_S: i64 = 14 * 3600;

/// What the hub knows of prices and budgets, and of today.
pub(crate) struct Spending {
    prices: Vec<Price>,
    currency: Option<String>,
    offset_s: i64,
    state: Mutex<State>,
    /// One change of the limits at a time.
    changing: tokio::sync::Mutex<()>,
}

struct State {
    limits: BudgetLimits,
    /// The day the sums are of.
    day: Day,
    /// By where turns were that have ended.
    ended: HashMap<Option<RepoId>, Used>,
    /// Turns under way.
    live: HashMap<TurnId, (Option<RepoId>, Used)>,
}

/// What was used, as far as it is needed of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Used {
    tokens: i64,
    cost: Cost,
}

impl Used {
    fn plus(self, other: Self) -> Self {
        Self { tokens: self.tokens.saturating_add(other.tokens), cost: self.cost.plus(other.cost) }
    }

    fn sum(self) -> Sum {
        Sum { tokens: self.tokens, cost: self.cost.amount }
    }

    fn shown(self) -> DayUse {
        DayUse { tokens: self.tokens, cost: self.cost }
    }
}

impl Spending {
    /// Reads what was used today.
    pub(crate) async fn open(config: &MoneyConfig, store: &Store) -> Result<Self> {
        let offset_s = config.utc_offset_s;
        let day = day_of(clock::now(), offset_s);
        let query = UsageQuery {
            by: UsageBy::Repo,
            since: Some(day.starts_at),
            until: None,
            repos: None,
            offset_s,
            limit: u32::MAX,
        };
        let mut ended = HashMap::new();
        for row in store.usage(&query).await?.rows {
            let used = Used { tokens: row.used.usage.total(), cost: row.used.cost };
            ended.insert(row.key.and_then(|key| key.parse().ok()), used);
        }
        let state = State { limits: config.limits, day, ended, live: HashMap::new() };
        Ok(Self {
            prices: config.prices.clone(),
            currency: config.currency.clone(),
            offset_s,
            state: Mutex::new(state),
            changing: tokio::sync::Mutex::new(()),
        })
    }

    /// The sums of the day it is.
    fn state(&self, now: Timestamp) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= state.day.ends_at {
            state.day = day_of(now, self.offset_s);
            state.ended.clear();
        }
        state
    }

    /// What these tokens cost at the prices there are.
    pub(crate) fn price(&self, agent: &str, model: Option<&str>, usage: &Usage) -> Option<Amount> {
        price::cost(&self.prices, agent, model, usage)
    }

    /// The word for money.
    pub(crate) fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }

    /// The limits there are.
    pub(crate) fn limits(&self) -> BudgetLimits {
        self.state(clock::now()).limits
    }

    /// A turn that is under way has used so much by now.
    pub(crate) fn under_way(
        &self,
        turn: &TurnId,
        repo: Option<&RepoId>,
        usage: &Usage,
        cost: Option<Amount>,
    ) {
        let used = used_in(usage, cost);
        self.state(clock::now()).live.insert(turn.clone(), (repo.cloned(), used));
    }

    /// A turn has ended.
    pub(crate) fn ended(
        &self,
        turn: &TurnId,
        repo: Option<&RepoId>,
        usage: &Usage,
        cost: Option<Amount>,
    ) {
        let mut state = self.state(clock::now());
        state.live.remove(turn);
        let sum = state.ended.entry(repo.cloned()).or_default();
        *sum = sum.plus(used_in(usage, cost));
    }
}

fn used_in(usage: &Usage, cost: Option<Amount>) -> Used {
    Used { tokens: usage.total(), cost: Cost::of_turn(cost, usage.total()) }
}

impl State {
    /// What was used where, by turns that have ended and by those under way.
    fn everywhere(&self) -> impl Iterator<Item = (&Option<RepoId>, &Used)> {
        self.ended.iter().chain(self.live.values().map(|(repo, used)| (repo, used)))
    }

    /// What was used in all.
    fn used(&self) -> Used {
        self.everywhere().fold(Used::default(), |sum, (_, used)| sum.plus(*used))
    }

    /// What was used in all, and what of it in places that are meant.
    fn used_in_all_and(&self, meant: impl Fn(&RepoId) -> bool) -> (Used, Used) {
        let nothing = (Used::default(), Used::default());
        self.everywhere().fold(nothing, |(all, there), (repo, used)| {
            let is_there = repo.as_ref().is_some_and(&meant);
            (all.plus(*used), if is_there { there.plus(*used) } else { there })
        })
    }
}

impl Inner {
    /// How the day stands for whoever works in this repo or worktree, or in none.
    pub(crate) fn today(&self, repo: Option<&RepoId>) -> Today {
        let base = |repo: &RepoId| self.index.base_of(repo).unwrap_or_else(|| repo.clone());
        let own = repo.map(base);
        let state = self.spending.state(clock::now());
        let (hub, repo) =
            state.used_in_all_and(|other| own.as_ref().is_some_and(|own| base(other) == *own));
        Today {
            limits: state.limits,
            hub: hub.sum(),
            repo: repo.sum(),
            ends_at: state.day.ends_at,
            currency: self.spending.currency.clone().unwrap_or_default(),
        }
    }

    /// The day in one line, where it has a limit.
    pub(crate) fn day_line(&self) -> Option<DayLine> {
        let state = self.spending.state(clock::now());
        let BudgetLimits { day_cost, day_tokens, .. } = state.limits;
        (day_cost.is_some() || day_tokens.is_some()).then(|| DayLine {
            used: state.used().shown(),
            day_cost,
            day_tokens,
            ends_at: state.day.ends_at,
        })
    }
}

/// Which turns a usage report counts, and by what.
#[derive(Debug, Clone)]
pub struct UsageFilter {
    /// What a row stands for.
    pub by: UsageBy,
    /// Only turns that ended on this day (`2026-03-01`) or later.
    pub since: Option<String>,
    /// Only turns that ended on this day or earlier.
    pub until: Option<String>,
    /// Only turns in this repo or worktree.
    pub repo: Option<RepoId>,
    /// How far the clocks of these days are ahead of UTC: `+02:00`. UTC when absent.
    pub utc_offset: Option<String>,
    /// At most so many rows; 100 when absent.
    pub limit: Option<u32>,
}

impl Hub {
    /// Counts what agents have used.
    ///
    /// # Errors
    /// See the API.
    pub async fn usage_get(&self, filter: UsageFilter) -> Result<UsageReport> {
        let UsageFilter { by, since, until, repo, utc_offset, limit } = filter;
        let limit = limit.unwrap_or(100);
        if limit == 0 || limit > MAX_ROWS {
            return Err(Error::bad_request(format!("`limit` is 1 to {MAX_ROWS}.")));
        }
        let offset_s = match utc_offset {
            Some(text) => offset_of(&text).ok_or_else(|| {
                Error::bad_request("`utc_offset` is a difference to UTC such as `+02:00`.")
            })?,
            None => 0,
        };
        let day = |name: &str, text: Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let wrong = || Error::bad_request(format!("`{name}` is a day such as `2026-03-01`."));
            let at = format!("{text}T12:00:00Z").parse::<Timestamp>().map_err(|_| wrong())?;
            // Noon in UTC, seen from where that is noon: the day there.
            let noon = at.plus_millis(offset_s.saturating_mul(-1000));
            let day = day_of(noon, offset_s);
            if day.date == text { Ok(Some(day)) } else { Err(wrong()) }
        };
        let since = day("since", since)?.map(|day| day.starts_at);
        let until = day("until", until)?.map(|day| day.ends_at);
        if let Some(repo) = &repo {
            self.check_repo(repo)?;
        }
        let repos = match repo {
            Some(repo) => Some(vec![repo]),
            None => self.reached(),
        };
        let counted = self
            .inner
            .store
            .usage(&UsageQuery { by, since, until, repos, offset_s, limit })
            .await?;
        let shown = u64::try_from(counted.rows.len()).unwrap_or(u64::MAX);
        Ok(UsageReport {
            by,
            left_off: counted.all.saturating_sub(shown),
            rows: counted.rows,
            total: counted.total,
            currency: self.inner.spending.currency.clone(),
        })
    }

    /// The repos and worktrees this credential is limited to, if it is.
    fn reached(&self) -> Option<Vec<RepoId>> {
        let reach = &self.rights.reach;
        match reach {
            Reach::Hub => None,
            Reach::Repos(_) | Reach::Run { .. } => {
                let ids = self.inner.index.ids().into_iter();
                Some(ids.filter(|id| self.inner.index.reaches(reach, id)).collect())
            }
        }
    }

    /// The budgets, and how much of the day's is used.
    ///
    /// # Errors
    /// None today.
    pub async fn budgets_get(&self) -> Result<Budgets> {
        let spending = &self.inner.spending;
        let state = spending.state(clock::now());
        let mut repos: HashMap<&RepoId, Used> = HashMap::new();
        for (repo, used) in state.everywhere() {
            if let Some(repo) = repo {
                let sum = repos.entry(repo).or_default();
                *sum = sum.plus(*used);
            }
        }
        let line =
            |(repo, used): (&RepoId, Used)| RepoDayUse { repo: repo.clone(), used: used.shown() };
        let mut repos: Vec<RepoDayUse> = repos.into_iter().map(line).collect();
        repos.sort_by(|a, b| (b.used.tokens, &a.repo).cmp(&(a.used.tokens, &b.repo)));
        Ok(Budgets {
            limits: state.limits,
            day: state.day.date.clone(),
            ends_at: state.day.ends_at,
            used: state.used().shown(),
            repos,
            currency: spending.currency.clone(),
            editable: self.inner.config.money.keep.0.is_some(),
            etag: etag(&state.limits)?,
        })
    }

    /// Sets the budgets, on the version that was read: they hold at once, and are kept in the hub's
    /// configuration.
    ///
    /// # Errors
    /// See the API.
    pub async fn budgets_update(
        &self,
        limits: BudgetLimits,
        if_match: Option<&str>,
    ) -> Result<Budgets> {
        check(&limits)?;
        let inner = &self.inner;
        let Some(keep) = inner.config.money.keep.0.clone() else {
            let detail = "This hub has no place to keep other budgets.";
            return Err(Error::new(Code::Unprocessable, detail));
        };
        let _alone = inner.spending.changing.lock().await;
        let now = etag(&inner.spending.limits())?;
        if if_match.is_some_and(|version| version != "*" && version != now) {
            let detail = "The budgets changed since they were read; carry your change over to \
                          `current` and send it with its `etag`.";
            let mut error = Error::new(Code::Stale, detail);
            error.current = Some(Versioned { content: text(&inner.spending.limits())?, etag: now });
            return Err(error.with_yours(&text(&limits)?, if_match));
        }
        blocking(move || keep(&limits).map_err(|detail| Error::new(Code::Unprocessable, detail)))
            .await?;
        inner.spending.state(clock::now()).limits = limits;
        self.note(self.act("budgets_update", "").detail(text(&limits)?)).await?;
        inner.lanes.look_again();
        self.budgets_get().await
    }
}

/// Limits as they are compared, noted and shown beside others.
fn text(limits: &BudgetLimits) -> Result<String> {
    serde_json::to_string(limits).map_err(Error::internal)
}

fn etag(limits: &BudgetLimits) -> Result<String> {
    Ok(car_files::ContentHash::of(text(limits)?.as_bytes()).to_string())
}

/// Refuses limits of nothing: they would stop everything, and absence means no limit.
fn check(limits: &BudgetLimits) -> Result<()> {
    let BudgetLimits { day_cost, day_tokens, repo_day_cost, repo_day_tokens, .. } = *limits;
    let BudgetLimits { max_cost, max_tokens, max_seconds, .. } = *limits;
    let money = |amount: Option<Amount>| amount.map(Amount::millionths);
    for (name, limit) in [
        ("day_cost", money(day_cost)),
        ("day_tokens", day_tokens),
        ("repo_day_cost", money(repo_day_cost)),
        ("repo_day_tokens", repo_day_tokens),
        ("max_cost", money(max_cost)),
        ("max_tokens", max_tokens),
        ("max_seconds", max_seconds),
    ] {
        if limit.is_some_and(|limit| limit < 1) {
            let detail = format!("`{name}` is 1 or more; leave it out for no limit.");
            return Err(Error::new(Code::Unprocessable, detail));
        }
    }
    Ok(())
}

/// Seconds ahead of UTC: `+02:00`, `-05:30`, `Z`.
#[must_use]
pub fn offset_of(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (two(hours)?, two(minutes).filter(|minutes| *minutes < 60)?);
    let offset = hours * 3600 + minutes * 60;
    (offset <= MAX_OFFSET_S).then_some(sign * offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_sign_hours_and_minutes() {
        for (text, offset) in [
            ("Z", Some(0)),
            ("+00:00", Some(0)),
            ("+02:00", Some(7200)),
            ("-05:30", Some(-19_800)),
            ("+14:00", Some(50_400)),
            ("+14:01", None),
            ("+2:00", None),
            ("02:00", None),
            ("+02:60", None),
            ("+0200", None),
            ("", None),
            ("é02:00", None),
        ] {
            assert_eq!(offset_of(text), offset, "{text}");
        }
    }
}
