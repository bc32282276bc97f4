//! `car usage`: the tokens runs have used, as the hub counted them.

use std::collections::BTreeMap;

use car_api::{item::Usage as Tokens, run::Run};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    pick::short,
    session::{Session, all},
    table::{Cell, Table, Tone},
};

#[derive(Args)]
#[command(after_help = "Examples:
  car usage                      all runs, by repo
  car usage --by agent           what each agent used
  car usage --repo demo --by run --since 2026-03-01")]
pub(crate) struct Usage {
    #[command(flatten)]
    repo: RepoArg,
    /// What a row stands for
    #[arg(long, value_enum, default_value = "repo")]
    by: By,
    /// Only runs asked for on this day or later, by this machine's calendar
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<jiff::civil::Date>,
    /// Only runs asked for on this day or earlier
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<jiff::civil::Date>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// A repo or worktree
    Repo,
    /// A run
    Run,
    /// An agent; asks for the turns of every run
    Agent,
}

#[derive(Serialize)]
struct Report {
    rows: Vec<Row>,
    total: Sum,
}

#[derive(Serialize)]
struct Row {
    /// Repo, run or agent.
    name: String,
    runs: u64,
    turns: u64,
    usage: Tokens,
}

#[derive(Serialize, Clone, Copy, Default)]
struct Sum {
    runs: u64,
    turns: u64,
    usage: Tokens,
}

impl Sum {
    fn add(&mut self, runs: u64, turns: u64, usage: Tokens) {
        self.runs = self.runs.saturating_add(runs);
        self.turns = self.turns.saturating_add(turns);
        self.usage = self.usage.plus(usage);
    }
}

pub(crate) async fn run(args: Usage, global: &Global, out: &Out) -> Result<(), Failure> {
    let session = Session::open_for(global, out, &args.repo)?;
    let s = &session;
    let repo = s.repo_if_given(&args.repo).await?;
    let runs = all(async |page| s.client.run_list(repo.as_ref(), None, &page).await).await?.items;
    let mut rows = BTreeMap::<String, Sum>::new();
    let mut total = Sum::default();
    for run in runs.iter().filter(|run| args.covers(run)) {
        total.add(1, run.turns.into(), run.usage);
        match args.by {
            By::Repo => row(&mut rows, run.repo.as_str()).add(1, run.turns.into(), run.usage),
            By::Run => row(&mut rows, run.id.as_str()).add(1, run.turns.into(), run.usage),
            By::Agent => {
                let turns = all(async |page| s.client.run_turns(&run.id, &page).await).await?.items;
                let mut seen = Vec::new();
                for turn in turns {
                    let first = !seen.contains(&turn.agent);
                    row(&mut rows, turn.agent.as_str()).add(first.into(), 1, turn.usage);
                    seen.push(turn.agent);
                }
            }
        }
    }
    let rows = rows.into_iter().map(|(name, sum)| Row {
        name,
        runs: sum.runs,
        turns: sum.turns,
        usage: sum.usage,
    });
    let rows = rows.collect();
    let report = Report { rows, total };
    let names = |r: &Report| r.rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    out.show(
        &report,
        |r| names(r).join("\n"),
        |r| match r.rows.as_slice() {
            [] => "No run has used anything yet.".to_owned(),
            _ => table(r, args.by).render(out.width, out.colour),
        },
    )
}

impl Usage {
    fn covers(&self, run: &Run) -> bool {
        let Ok(at) = jiff::Timestamp::from_microsecond(run.created_at.micros()) else {
            return true;
        };
        let day = at.to_zoned(jiff::tz::TimeZone::system()).date();
        self.since.is_none_or(|since| day >= since) && self.until.is_none_or(|until| day <= until)
    }
}

fn row<'a>(rows: &'a mut BTreeMap<String, Sum>, name: &str) -> &'a mut Sum {
    rows.entry(name.to_owned()).or_default()
}

fn table(report: &Report, by: By) -> Table {
    let head = match by {
        By::Repo => "REPO",
        By::Run => "RUN",
        By::Agent => "AGENT",
    };
    let mut table = Table::new(&[head, "RUNS", "TURNS", "INPUT", "CACHED", "OUTPUT", "TOTAL"]);
    let mut add = |name: &str, sum: &Sum, tone| {
        let numbers = [
            sum.runs.to_string(),
            sum.turns.to_string(),
            thousands(sum.usage.input_tokens),
            thousands(sum.usage.cached_input_tokens),
            thousands(sum.usage.output_tokens),
            thousands(sum.usage.total()),
        ];
        let [runs, turns, input, cached, output, total] =
            numbers.map(|number| Cell::toned(number, tone));
        table.row([Cell::toned(name, tone), runs, turns, input, cached, output, total]);
    };
    for row in &report.rows {
        let name = if by == By::Run { short(&row.name) } else { &row.name };
        let Row { runs, turns, usage, .. } = row;
        add(name, &Sum { runs: *runs, turns: *turns, usage: *usage }, Tone::Plain);
    }
    add("total", &report.total, Tone::Good);
    table
}

/// A number whose thousands are set apart.
fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(at);
        if at > 0 && left.is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")]
        {
            assert_eq!(thousands(number), text);
        }
    }
}
