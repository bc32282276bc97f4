//! `car budgets`: how much may be used in a day and in a run, and what was.

use std::fmt::Write as _;

use car_api::{
    budget::{BudgetLimits, Budgets as Standing, DayUse},
    money::Amount,
};
use clap::{Args, Subcommand};

use crate::{
    failure::Failure,
    money::{cost, money, thousands},
    session::Session,
    time_text,
};

#[derive(Args)]
#[command(after_help = "Examples:
  car budgets                                 the limits, and what is used of today
  car budgets set --day-cost 20 --max-cost 5  20 a day for everything, 5 a run
  car budgets set --day-tokens none           no limit of tokens any more

Prices come from the hub's configuration, on its machine:
  car-hub config set prices.currency USD
  car-hub config set prices.table \\
    '[{model: \"gpt-5*\", input: \"1.25\", cached_input: \"0.125\", output: \"10\"}]'")]
pub(crate) struct Budgets {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// The limits, and what is used of today
    Show,
    /// Change limits; the others stay
    Set(Set),
}

/// Limits that are changed. An amount is a decimal number, and `none` takes a limit away.
#[derive(Args)]
struct Set {
    /// What everything may cost in a day
    #[arg(long, value_name = "AMOUNT|none")]
    day_cost: Option<Limit<Amount>>,
    /// Tokens everything may use in a day
    #[arg(long, value_name = "N|none")]
    day_tokens: Option<Limit<i64>>,
    /// What a repo with its worktrees may cost in a day
    #[arg(long, value_name = "AMOUNT|none")]
    repo_day_cost: Option<Limit<Amount>>,
    /// Tokens a repo with its worktrees may use in a day
    #[arg(long, value_name = "N|none")]
    repo_day_tokens: Option<Limit<i64>>,
    /// What a new run may cost before it pauses
    #[arg(long, value_name = "AMOUNT|none")]
    max_cost: Option<Limit<Amount>>,
    /// Tokens a new run may use before it pauses
    #[arg(long, value_name = "N|none")]
    max_tokens: Option<Limit<i64>>,
    /// Seconds of work a new run may take before it pauses
    #[arg(long, value_name = "N|none")]
    max_seconds: Option<Limit<i64>>,
}

#[derive(Clone, Copy)]
struct Limit<T>(Option<T>);

impl<T: std::str::FromStr> std::str::FromStr for Limit<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|limit| Self(Some(limit))) }
    }
}

pub(crate) async fn run(args: Budgets, session: &Session) -> Result<(), Failure> {
    let s = session;
    let standing = s.client.budgets_get().await?;
    let standing = match args.what {
        None | Some(What::Show) => standing,
        Some(What::Set(set)) => {
            let limits = set.over(standing.limits);
            s.client.budgets_update(&limits, Some(&standing.etag)).await?
        }
    };
    s.out.show(&standing, |b| b.etag.clone(), shown)
}

impl Set {
    fn over(self, now: BudgetLimits) -> BudgetLimits {
        BudgetLimits {
            day_cost: self.day_cost.map_or(now.day_cost, |limit| limit.0),
            day_tokens: self.day_tokens.map_or(now.day_tokens, |limit| limit.0),
            repo_day_cost: self.repo_day_cost.map_or(now.repo_day_cost, |limit| limit.0),
            repo_day_tokens: self.repo_day_tokens.map_or(now.repo_day_tokens, |limit| limit.0),
            max_cost: self.max_cost.map_or(now.max_cost, |limit| limit.0),
            max_tokens: self.max_tokens.map_or(now.max_tokens, |limit| limit.0),
            max_seconds: self.max_seconds.map_or(now.max_seconds, |limit| limit.0),
        }
    }
}

fn shown(standing: &Standing) -> String {
    let limits = &standing.limits;
    let currency = standing.currency.as_deref();
    let amount = |limit: Option<Amount>| {
        limit.map_or("any amount".to_owned(), |limit| money(limit, currency))
    };
    let count = |limit: Option<i64>, word: &str| {
        limit.map_or(format!("any {word}"), |limit| format!("{} {word}", thousands(limit)))
    };
    let used = |used: &DayUse| {
        format!("{} tokens, {}", thousands(used.tokens), cost(&used.cost, currency))
    };
    let mut text = format!(
        "today      {}, until {}\nused       {}\n",
        standing.day,
        time_text::full(standing.ends_at),
        used(&standing.used)
    );
    for repo in &standing.repos {
        let _ = writeln!(text, "  {}  {}", repo.repo, used(&repo.used));
    }
    let tokens = |limit| count(limit, "tokens");
    let _ = write!(
        text,
        "a day      {}, {}\na repo     {}, {}\na new run  {}, {}, {}",
        amount(limits.day_cost),
        tokens(limits.day_tokens),
        amount(limits.repo_day_cost),
        tokens(limits.repo_day_tokens),
        amount(limits.max_cost),
        tokens(limits.max_tokens),
        count(limits.max_seconds, "seconds of work"),
    );
    text
}
