//! What agents have used: one row a turn that has ended.

use car_api::{
    AgentId, RepoId, RunId, ThreadId, Timestamp, TurnId,
    item::Usage,
    money::{Amount, Cost},
    turn::Turn,
    usage::{UsageBy, UsageRow as Line, Used},
};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Result, Store,
    columns::{json, parse, parse_opt, row},
};

/// What one turn of a thread used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsageRow {
    /// The turn.
    pub turn: TurnId,
    /// The thread it belongs to.
    pub thread: ThreadId,
    /// Where it was, if that was in a repo.
    pub repo: Option<RepoId>,
    /// The agent.
    pub agent: AgentId,
    /// The model, where the agent tells.
    pub model: Option<String>,
    /// Tokens.
    pub usage: Usage,
    /// What it cost; none without a price.
    pub cost: Option<Amount>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// What is to be counted.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageQuery {
    /// What a row stands for.
    pub by: UsageBy,
    /// Only turns that ended at or after this time.
    pub since: Option<Timestamp>,
    /// Only turns that ended before this time.
    pub until: Option<Timestamp>,
    /// Only turns in these repos and worktrees, and in no others; all when absent.
    pub repos: Option<Vec<RepoId>>,
    /// Seconds a day begins earlier than in UTC.
    pub offset_s: i64,
    /// At most so many rows.
    pub limit: u32,
}

/// What was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The rows: days oldest first, everything else with the most tokens first.
    pub rows: Vec<Line>,
    /// How many rows there are.
    pub all: u64,
    /// All of them together.
    pub total: Used,
}

/// What a turn belongs to.
enum Of<'a> {
    Run(&'a RunId),
    Thread(&'a ThreadId, Option<&'a RepoId>),
}

/// A turn that has ended, and what it used.
struct Ended<'a> {
    turn: &'a TurnId,
    of: Of<'a>,
    agent: &'a AgentId,
    model: Option<&'a str>,
    usage: Usage,
    cost: Option<Amount>,
    started_at: Timestamp,
    ended_at: Timestamp,
}

impl Ended<'_> {
    /// Notes it; said again, the last word counts. A turn of a run is where its run is.
    async fn note(self, conn: &mut SqliteConnection) -> Result<()> {
        let (run, thread, repo) = match self.of {
            Of::Run(run) => (Some(run.as_str()), None, None),
            Of::Thread(thread, repo) => (None, Some(thread.as_str()), repo.map(RepoId::as_str)),
        };
        sqlx::query(
            "insert into usage (turn, run, thread, repo, agent, model, input_tokens,
                 cached_input_tokens, output_tokens, reasoning_tokens, cost, started_at, ended_at)
             values ($1, $2, $3, coalesce($4, (select repo from runs where id = $2)), $5, $6, $7,
                 $8, $9, $10, $11, $12, $13)
             on conflict (turn) do update set input_tokens = excluded.input_tokens,
                 cached_input_tokens = excluded.cached_input_tokens,
                 output_tokens = excluded.output_tokens,
                 reasoning_tokens = excluded.reasoning_tokens, model = excluded.model,
                 cost = excluded.cost, ended_at = excluded.ended_at",
        )
        .bind(self.turn.as_str())
        .bind(run)
        .bind(thread)
        .bind(repo)
        .bind(self.agent.as_str())
        .bind(self.model)
        .bind(self.usage.input_tokens)
        .bind(self.usage.cached_input_tokens)
        .bind(self.usage.output_tokens)
        .bind(self.usage.reasoning_tokens)
        .bind(self.cost.map(Amount::millionths))
        .bind(self.started_at.micros())
        .bind(self.ended_at.micros())
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// Notes what a turn of a run used, once it has ended.
pub(crate) async fn of_turn(conn: &mut SqliteConnection, turn: &Turn) -> Result<()> {
    let Some(ended_at) = turn.ended_at else { return Ok(()) };
    let ended = Ended {
        turn: &turn.id,
        of: Of::Run(&turn.run),
        agent: &turn.agent,
        model: turn.model.as_deref(),
        usage: turn.usage,
        cost: turn.cost,
        started_at: turn.started_at,
        ended_at,
    };
    ended.note(conn).await
}

/// Notes what a turn of a thread used.
pub(crate) async fn of_thread(conn: &mut SqliteConnection, row: &UsageRow) -> Result<()> {
    let ended = Ended {
        turn: &row.turn,
        of: Of::Thread(&row.thread, row.repo.as_ref()),
        agent: &row.agent,
        model: row.model.as_deref(),
        usage: row.usage,
        cost: row.cost,
        started_at: row.started_at,
        ended_at: row.ended_at,
    };
    ended.note(conn).await
}

row! {
    struct Row {
        key: Option<String>,
        name: Option<String>,
        repo: Option<String>,
        keys: i64,
        turns: i64,
        runs: i64,
        input_tokens: i64,
        cached_input_tokens: i64,
        output_tokens: i64,
        reasoning_tokens: i64,
        active_ms: i64,
        cost: i64,
        unpriced_tokens: i64,
    }
}

const SUMS: &str = "count(*) as turns, count(distinct run) as runs,
    coalesce(sum(input_tokens), 0) as input_tokens,
    coalesce(sum(cached_input_tokens), 0) as cached_input_tokens,
    coalesce(sum(output_tokens), 0) as output_tokens,
    coalesce(sum(reasoning_tokens), 0) as reasoning_tokens,
    coalesce(sum((ended_at - started_at) / 1000), 0) as active_ms,
    coalesce(sum(cost), 0) as cost,
    coalesce(sum(case when cost is null then input_tokens + output_tokens else 0 end), 0)
        as unpriced_tokens";

impl Row {
    fn used(&self) -> Used {
        Used {
            turns: count(self.turns),
            runs: count(self.runs),
            usage: Usage {
                input_tokens: self.input_tokens,
                cached_input_tokens: self.cached_input_tokens,
                output_tokens: self.output_tokens,
                reasoning_tokens: self.reasoning_tokens,
            },
            active_ms: self.active_ms,
            cost: Cost {
                amount: Amount::from_millionths(self.cost),
                unpriced_tokens: self.unpriced_tokens,
            },
        }
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// What a row is counted by, and what only goes with that.
struct Grouping {
    key: String,
    name: &'static str,
    repo: &'static str,
    only: &'static str,
    order: &'static str,
}

fn grouping(query: &UsageQuery) -> Grouping {
    let column = |key: &str| Grouping {
        key: key.to_owned(),
        name: "null",
        repo: "null",
        only: "true",
        order: "sum(input_tokens) + sum(output_tokens) desc, key",
    };
    match query.by {
        // A function of SQLite's own.
        UsageBy::Day => {
            let key = format!("date(ended_at / 1000000 + {}, 'unixepoch')", query.offset_s);
            Grouping { order: "key", ..column(&key) }
        }
        UsageBy::Repo => column("repo"),
        UsageBy::Agent => column("agent"),
        UsageBy::Model => column("model"),
        UsageBy::Run => Grouping { repo: "max(repo)", only: "run is not null", ..column("run") },
        UsageBy::Thread => Grouping {
            name: "(select name from threads where threads.id = usage.thread)",
            repo: "max(repo)",
            only: "thread is not null",
            ..column("thread")
        },
    }
}

row! {
    struct TurnRow {
        turn: String,
        thread: String,
        repo: Option<String>,
        agent: String,
        model: Option<String>,
        input_tokens: i64,
        cached_input_tokens: i64,
        output_tokens: i64,
        reasoning_tokens: i64,
        cost: Option<i64>,
        started_at: i64,
        ended_at: i64,
    }
}

impl TryFrom<TurnRow> for UsageRow {
    type Error = crate::Error;

    fn try_from(row: TurnRow) -> Result<Self> {
        Ok(Self {
            turn: parse("turn id", &row.turn)?,
            thread: parse("thread id", &row.thread)?,
            repo: parse_opt("repo id", row.repo.as_deref())?,
            agent: parse("agent id", &row.agent)?,
            model: row.model,
            usage: Usage {
                input_tokens: row.input_tokens,
                cached_input_tokens: row.cached_input_tokens,
                output_tokens: row.output_tokens,
                reasoning_tokens: row.reasoning_tokens,
            },
            cost: row.cost.map(Amount::from_millionths),
            started_at: Timestamp::from_micros(row.started_at),
            ended_at: Timestamp::from_micros(row.ended_at),
        })
    }
}

impl Store {
    /// What the turns of a thread used, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn usage_of_thread(&self, thread: &ThreadId) -> Result<Vec<UsageRow>> {
        let rows: Vec<TurnRow> = sqlx::query_as(
            "select turn, thread, repo, agent, model, input_tokens, cached_input_tokens,
                 output_tokens, reasoning_tokens, cost, started_at, ended_at
             from usage where thread = $1 order by ended_at, turn",
        )
        .bind(thread.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(UsageRow::try_from).collect()
    }

    /// Counts what turns used.
    ///
    /// # Errors
    /// What the database says.
    pub async fn usage(&self, query: &UsageQuery) -> Result<Counted> {
        let Grouping { key, name, repo, only, order } = grouping(query);
        // Only words and numbers of ours are in the text. A list of repos is one parameter, as JSON.
        let these = format!(
            "from usage where ended_at >= $1 and ended_at < $2
                and ($3 is null or repo in (select value from json_each($3))) and {only}"
        );
        let limit = query.limit;
        let rows = format!(
            "select {key} as key, {name} as name, {repo} as repo, 1 as keys, {SUMS} {these}
             group by 1 order by {order} limit {limit}"
        );
        let total = format!(
            "select null as key, null as name, null as repo,
                 count(distinct coalesce({key}, '')) as keys, {SUMS} {these}"
        );
        let repos = query.repos.as_ref().map(json).transpose()?;
        let read = async |sql: String| {
            let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
                .bind(query.since.map_or(i64::MIN, Timestamp::micros))
                .bind(query.until.map_or(i64::MAX, Timestamp::micros))
                .bind(&repos)
                .fetch_all(&self.readers)
                .await?;
            Ok::<_, crate::Error>(rows)
        };
        let line = |row: Row| {
            let (used, repo) = (row.used(), parse_opt("repo id", row.repo.as_deref())?);
            let name = row.name.filter(|name| !name.is_empty());
            Ok(Line { key: row.key, name, repo, used })
        };
        let rows = read(rows).await?.into_iter().map(line).collect::<Result<_>>()?;
        let total = read(total).await?;
        let all = total.first().map_or(0, |row| count(row.keys));
        Ok(Counted { rows, all, total: total.first().map(Row::used).unwrap_or_default() })
    }
}
