//! `car usage`: what agents have used, as the hub counted it.

use car_api::usage::{UsageBy, UsageReport, UsageRow, Used};
use car_client::UsageCount;
use clap::Args;

use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    money::{cost, thousands},
    out::Out,
    pick::short,
    session::Session,
    table::{Cell, Table, Tone},
};

#[derive(Args)]
#[command(after_help = "Examples:
  car usage                      everything, by repo
  car usage --by agent           what each agent used
  car usage --by day --since 2026-03-01
  car usage --repo demo --by run

A turn is counted on the day it ended, at the price it had then (car budgets).")]
pub(crate) struct Usage {
    #[command(flatten)]
    repo: RepoArg,
    /// What a row stands for: day, repo, agent, model, run or thread
    #[arg(long, default_value = "repo")]
    by: UsageBy,
    /// Only turns that ended on this day or later, by this machine's calendar
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<jiff::civil::Date>,
    /// Only turns that ended on this day or earlier
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<jiff::civil::Date>,
    /// At most so many rows; the total counts everything
    #[arg(long, short = 'n', default_value_t = 100)]
    limit: u32,
}

pub(crate) async fn run(args: Usage, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let count = UsageCount {
        by: Some(args.by),
        since: args.since.map(|day| day.to_string()),
        until: args.until.map(|day| day.to_string()),
        repo: session.repo_if_given(&args.repo).await?,
        utc_offset: Some(utc_offset()),
        limit: Some(args.limit),
    };
    let report = session.client.usage_get(&count).await?;
    let keys = |r: &UsageReport| {
        let keys = r.rows.iter().map(|row| row.key.clone().unwrap_or_default());
        keys.collect::<Vec<_>>().join("\n")
    };
    out.show(&report, keys, |r| match r.rows.as_slice() {
        [] => "Nothing has been used.".to_owned(),
        _ => {
            let mut text = table(r, args.by).render(out.width, out.colour);
            if r.left_off > 0 {
                text.push_str(&format!("\n{} more rows: --limit", r.left_off));
            }
            text
        }
    })
}

/// How far this machine's clock is ahead of UTC now, as in `+02:00`.
fn utc_offset() -> String {
    let seconds = jiff::Zoned::now().offset().seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn table(report: &UsageReport, by: UsageBy) -> Table {
    let head = match by {
        UsageBy::Day => "DAY",
        UsageBy::Repo => "REPO",
        UsageBy::Agent => "AGENT",
        UsageBy::Model => "MODEL",
        UsageBy::Run => "RUN",
        UsageBy::Thread => "THREAD",
    };
    let mut table = Table::new(&[head, "TURNS", "INPUT", "CACHED", "OUTPUT", "COST"]);
    let currency = report.currency.as_deref();
    let mut add = |name: &str, used: &Used, tone| {
        let texts = [
            used.turns.to_string(),
            thousands(used.usage.input_tokens),
            thousands(used.usage.cached_input_tokens),
            thousands(used.usage.output_tokens),
            cost(&used.cost, currency),
        ];
        let [turns, input, cached, output, cost] = texts.map(|text| Cell::toned(text, tone));
        table.row([Cell::toned(name, tone), turns, input, cached, output, cost]);
    };
    for row in &report.rows {
        add(&name(row, by), &row.used, Tone::Plain);
    }
    add("total", &report.total, Tone::Good);
    table
}

fn name(row: &UsageRow, by: UsageBy) -> String {
    let Some(key) = &row.key else {
        return match by {
            UsageBy::Repo => "(the hub)".to_owned(),
            UsageBy::Day | UsageBy::Agent | UsageBy::Model | UsageBy::Run | UsageBy::Thread => {
                "(not known)".to_owned()
            }
        };
    };
    match by {
        UsageBy::Run => match &row.repo {
            Some(repo) => format!("{} {repo}", short(key)),
            None => short(key).to_owned(),
        },
        UsageBy::Thread => row.name.clone().unwrap_or_else(|| short(key).to_owned()),
        UsageBy::Day | UsageBy::Repo | UsageBy::Agent | UsageBy::Model => key.clone(),
    }
}
