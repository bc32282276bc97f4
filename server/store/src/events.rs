//! The log.

use car_api::{Event, EventKind, RepoId, RunId, ThreadId, Timestamp};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Clean, Result, Store,
    columns::{from_json, json, parse_opt, row},
};

/// Which events are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventQuery {
    /// Only those with a higher number.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
    /// Only of this repo.
    pub repo: Option<RepoId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of this thread.
    pub thread: Option<ThreadId>,
    /// Only of these kinds; all when empty.
    pub kinds: Vec<String>,
}

row! {
    struct Row {
        seq: i64,
        at: i64,
        repo: Option<String>,
        run: Option<String>,
        thread: Option<String>,
        payload: String,
    }
}

impl TryFrom<Row> for Event {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            seq: row.seq,
            at: Timestamp::from_micros(row.at),
            repo: parse_opt("repo id", row.repo.as_deref())?,
            run: parse_opt("run id", row.run.as_deref())?,
            thread: parse_opt("thread id", row.thread.as_deref())?,
            event: from_json("event", &row.payload)?,
        })
    }
}

/// What an event belongs to.
pub(crate) struct Place<'a> {
    pub(crate) repo: Option<&'a RepoId>,
    pub(crate) run: Option<&'a RunId>,
    pub(crate) thread: Option<&'a ThreadId>,
}

/// Number of the newest event, as the transaction sees it.
pub(crate) async fn newest(conn: &mut SqliteConnection) -> Result<i64> {
    let newest = sqlx::query_scalar("select value from counters where name = 'events'");
    Ok(newest.fetch_one(conn).await?)
}

/// Keeps the number of the newest event; at the end of a transaction that appended some.
pub(crate) async fn set_newest(conn: &mut SqliteConnection, newest: i64) -> Result<()> {
    let update = sqlx::query("update counters set value = $1 where name = 'events'");
    update.bind(newest).execute(conn).await?;
    Ok(())
}

/// Appends an event after the `newest`, which it is from then on.
pub(crate) async fn append(
    conn: &mut SqliteConnection,
    newest: &mut i64,
    at: Timestamp,
    place: &Place<'_>,
    kind: &str,
    payload: String,
) -> Result<i64> {
    let seq = *newest + 1;
    sqlx::query(
        "insert into events (seq, at, kind, repo, run, thread, payload)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(seq)
    .bind(at.micros())
    .bind(kind)
    .bind(place.repo.map(RepoId::as_str))
    .bind(place.run.map(RunId::as_str))
    .bind(place.thread.map(ThreadId::as_str))
    .bind(payload)
    .execute(conn)
    .await?;
    *newest = seq;
    Ok(seq)
}

/// The log, for changes that append to it what follows from them.
pub(crate) struct Log<'a> {
    /// Number of the newest event.
    pub(crate) newest: &'a mut i64,
    /// What texts that are kept for others to read go through.
    pub(crate) clean: &'a Clean,
}

impl Log<'_> {
    /// Appends an event.
    pub(crate) async fn append(
        &mut self,
        conn: &mut SqliteConnection,
        at: Timestamp,
        place: &Place<'_>,
        kind: &EventKind,
    ) -> Result<i64> {
        let payload = self.clean.text(json(kind)?);
        append(conn, self.newest, at, place, kind.word(), payload).await
    }
}

/// Forgets events up to a number. Whoever asks for it does so in small steps.
pub(crate) async fn delete_up_to(conn: &mut SqliteConnection, up_to: i64) -> Result<()> {
    sqlx::query("delete from events where seq <= $1").bind(up_to).execute(conn).await?;
    Ok(())
}

/// What a query leaves in: conditions on columns, and their values from `$3` on.
fn conditions(query: &EventQuery) -> (String, Vec<&str>) {
    let mut sql = String::new();
    let mut binds: Vec<&str> = Vec::new();
    for (column, value) in [
        ("repo", query.repo.as_ref().map(RepoId::as_str)),
        ("run", query.run.as_ref().map(RunId::as_str)),
        ("thread", query.thread.as_ref().map(ThreadId::as_str)),
    ] {
        if let Some(value) = value {
            binds.push(value);
            sql.push_str(&format!(" and {column} = ${}", binds.len() + 2));
        }
    }
    if !query.kinds.is_empty() {
        let places: Vec<String> = query
            .kinds
            .iter()
            .map(|kind| {
                binds.push(kind);
                format!("${}", binds.len() + 2)
            })
            .collect();
        sql.push_str(&format!(" and kind in ({})", places.join(", ")));
    }
    (sql, binds)
}

impl Store {
    /// Events after a cursor, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<Event>> {
        let (conditions, binds) = conditions(query);
        let sql = format!(
            "select seq, at, repo, run, thread, payload from events where seq > $1{conditions}
             order by seq limit $2"
        );
        // Only column names and placeholders of ours are in the text.
        let mut statement = sqlx::query_as::<_, Row>(AssertSqlSafe(sql))
            .bind(query.after)
            .bind(i64::from(query.limit));
        for value in binds {
            statement = statement.bind(value);
        }
        statement.fetch_all(&self.readers).await?.into_iter().map(Event::try_from).collect()
    }

    /// The cursor before the last `limit` events that match, among those after `after`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn before_last(&self, query: &EventQuery) -> Result<i64> {
        let (conditions, binds) = conditions(query);
        let sql = format!(
            "select min(seq) from (select seq from events where seq > $1{conditions}
             order by seq desc limit $2) as newest"
        );
        let mut statement = sqlx::query_scalar::<_, Option<i64>>(AssertSqlSafe(sql))
            .bind(query.after)
            .bind(i64::from(query.limit));
        for value in binds {
            statement = statement.bind(value);
        }
        let first = statement.fetch_one(&self.readers).await?;
        Ok(first.map_or_else(|| *self.bell().borrow(), |seq| seq - 1))
    }

    /// When an event was written; nothing for one that is not there.
    ///
    /// # Errors
    /// What the database says.
    pub async fn event_at(&self, seq: i64) -> Result<Option<Timestamp>> {
        let at: Option<i64> = sqlx::query_scalar("select at from events where seq = $1")
            .bind(seq)
            .fetch_optional(&self.readers)
            .await?;
        Ok(at.map(Timestamp::from_micros))
    }
}
