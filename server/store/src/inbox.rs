//! What waits for a person.
//!
//! Every change of what can wait names its subject and all that waits of it from then on; the items
//! follow in the same transaction, with their events and notifications. So nothing waits twice,
//! and nothing that no longer stands goes on waiting.

use car_api::{
    EventKind, InboxItemId, RepoId, RunId, Timestamp,
    inbox::{InboxAction, InboxCounts, InboxItem, InboxKind, InboxStatus},
    notification::NotificationKind,
};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Result, Store,
    columns::{from_json, json, micros, parse, parse_opt, row, time},
    events::{Log, Place},
    notifications,
};

/// What waits of a subject from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxSync {
    /// The subject.
    pub subject: String,
    /// When that became true.
    pub at: Timestamp,
    /// What waits.
    pub open: Vec<InboxDraft>,
    /// Whether what waits of the subject already goes on waiting when it is not named here.
    pub keep_others: bool,
    /// What became of those that wait no longer, in one line: who did what.
    pub resolution: String,
}

/// Something that waits, should it not be there yet.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxDraft {
    /// What makes it one thing.
    pub key: String,
    /// The item; id and time are those of the one that is there already, if it is.
    pub item: InboxItem,
    /// What the notification of it is, if a person is to be told.
    pub notify: Option<NotificationKind>,
}

/// What was done about an item.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxEnd {
    /// The item.
    pub id: InboxItemId,
    /// When.
    pub at: Timestamp,
    /// How it stands from now on, unless it has ended already.
    pub status: InboxStatus,
    /// What is being done, or nothing when it could not be.
    pub action: Option<InboxAction>,
    /// Who did it, in one line.
    pub resolution: Option<String>,
}

/// Which items are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InboxQuery {
    /// Those that wait (by rank, then age), or those that have ended (newest first).
    pub ended: bool,
    /// Only those that stand so.
    pub status: Option<InboxStatus>,
    /// Only of this repo.
    pub repo: Option<RepoId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of this kind.
    pub kind: Option<InboxKind>,
    /// Only those after this one, in the order of the list.
    pub after: Option<InboxItemId>,
    /// At most so many.
    pub limit: u32,
}

row! {
    struct Row {
        id: String,
        key: String,
        status: String,
        rank: i64,
        created_at: i64,
        held_until: Option<i64>,
        seen_at: Option<i64>,
        resolved_at: Option<i64>,
        acted: Option<String>,
        resolution: Option<String>,
        item: String,
    }
}

const COLUMNS: &str = "id, key, status, rank, created_at, held_until, seen_at, resolved_at, acted, \
                       resolution, item";

impl TryFrom<Row> for InboxItem {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        let item: Self = from_json("inbox item", &row.item)?;
        Ok(Self {
            id: parse("inbox item id", &row.id)?,
            status: parse("inbox status", &row.status)?,
            rank: u32::try_from(row.rank).unwrap_or(u32::MAX),
            created_at: Timestamp::from_micros(row.created_at),
            held_until: time(row.held_until),
            seen_at: time(row.seen_at),
            resolved_at: time(row.resolved_at),
            acted: parse_opt("inbox action", row.acted.as_deref())?,
            resolution: row.resolution,
            ..item
        })
    }
}

/// Brings the items of a subject up to date.
pub(crate) async fn sync(
    conn: &mut SqliteConnection,
    sync: &InboxSync,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let sql = format!("select {COLUMNS} from inbox where subject = $1 and stands");
    let rows: Vec<Row> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(&sync.subject).fetch_all(&mut *conn).await?;
    let mut last = None;
    let mut standing = Vec::with_capacity(rows.len());
    for row in rows {
        let key = row.key.clone();
        let item = InboxItem::try_from(row)?;
        if sync.keep_others || sync.open.iter().any(|draft| draft.key == key) {
            standing.push((key, item));
            continue;
        }
        sqlx::query("update inbox set stands = false where id = $1")
            .bind(item.id.as_str())
            .execute(&mut *conn)
            .await?;
        if item.status == InboxStatus::Open {
            let ended = InboxItem {
                status: InboxStatus::Resolved,
                resolved_at: Some(sync.at),
                // Whoever acts on it has said so before.
                resolution: item.resolution.clone().or_else(|| Some(sync.resolution.clone())),
                held_until: None,
                ..item
            };
            last = changed(conn, &ended, sync.at, log).await?.or(last);
        }
    }
    for draft in &sync.open {
        let known = standing.iter().find(|(key, _)| *key == draft.key).map(|(_, item)| item);
        last = match known {
            Some(known) => renew(conn, known, draft, sync.at, log).await?.or(last),
            None => insert(conn, &sync.subject, draft, sync.at, log).await?.or(last),
        };
    }
    Ok(last)
}

/// One that waits already may have another wording by now.
async fn renew(
    conn: &mut SqliteConnection,
    known: &InboxItem,
    draft: &InboxDraft,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let now = InboxItem {
        id: known.id.clone(),
        status: known.status,
        created_at: known.created_at,
        held_until: known.held_until,
        seen_at: known.seen_at,
        resolved_at: known.resolved_at,
        acted: known.acted,
        resolution: known.resolution.clone(),
        ..draft.item.clone()
    };
    // What is kept went through `clean`.
    let text = log.clean.text(json(&now)?);
    let now: InboxItem = from_json("inbox item", &text)?;
    if now == *known || known.status != InboxStatus::Open {
        return Ok(None);
    }
    sqlx::query("update inbox set item = $2, rank = $3 where id = $1")
        .bind(now.id.as_str())
        .bind(text)
        .bind(i64::from(now.rank))
        .execute(&mut *conn)
        .await?;
    tell(conn, &now, at, log).await.map(Some)
}

async fn insert(
    conn: &mut SqliteConnection,
    subject: &str,
    draft: &InboxDraft,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let item = &draft.item;
    let text = log.clean.text(json(item)?);
    sqlx::query(
        "insert into inbox (id, subject, key, stands, kind, status, rank, repo, run, created_at,
                            held_until, item)
         values ($1, $2, $3, true, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(item.id.as_str())
    .bind(subject)
    .bind(&draft.key)
    .bind(item.kind.as_str())
    .bind(InboxStatus::Open.as_str())
    .bind(i64::from(item.rank))
    .bind(item.repo.as_ref().map(RepoId::as_str))
    .bind(item.run.as_ref().map(RunId::as_str))
    .bind(item.created_at.micros())
    .bind(micros(item.held_until))
    .bind(&text)
    .execute(&mut *conn)
    .await?;
    let item: InboxItem = from_json("inbox item", &text)?;
    let mut last = tell(conn, &item, at, log).await?;
    if let Some(kind) = draft.notify {
        let made = notifications::of_item(&item, kind);
        last = notifications::make(conn, &made, log).await?.unwrap_or(last);
    }
    Ok(Some(last))
}

/// What was done about an item, by whom. One that has ended meanwhile, because what was done ended
/// it, is told so.
pub(crate) async fn end(
    conn: &mut SqliteConnection,
    end: &InboxEnd,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let Some(item) = one(conn, &end.id).await? else { return Ok(None) };
    let open = item.status == InboxStatus::Open;
    let ended = InboxItem {
        status: if open { end.status } else { item.status },
        resolved_at: item.resolved_at.or((end.status != InboxStatus::Open).then_some(end.at)),
        acted: end.action,
        resolution: end.resolution.clone(),
        ..item
    };
    changed(conn, &ended, end.at, log).await
}

/// Nobody else has an answer: a person is told now.
pub(crate) async fn release(
    conn: &mut SqliteConnection,
    id: &InboxItemId,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let held = one(conn, id).await?.filter(|item| item.held_until.is_some());
    let Some(item) = held else { return Ok(None) };
    sqlx::query("update inbox set held_until = null where id = $1")
        .bind(id.as_str())
        .execute(&mut *conn)
        .await?;
    notifications::release(conn, id, at).await?;
    tell(conn, &InboxItem { held_until: None, ..item }, at, log).await.map(Some)
}

/// A person has seen these.
pub(crate) async fn seen(
    conn: &mut SqliteConnection,
    ids: &[InboxItemId],
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let mut last = None;
    for id in ids {
        let unseen = one(conn, id).await?.filter(|item| item.seen_at.is_none());
        let Some(item) = unseen else { continue };
        sqlx::query("update inbox set seen_at = $2 where id = $1")
            .bind(id.as_str())
            .bind(at.micros())
            .execute(&mut *conn)
            .await?;
        last = Some(tell(conn, &InboxItem { seen_at: Some(at), ..item }, at, log).await?);
        last = notifications::item_seen(conn, id, at, log).await?.or(last);
    }
    Ok(last)
}

/// Ended items from before a time go.
pub(crate) async fn delete_ended(conn: &mut SqliteConnection, before: Timestamp) -> Result<()> {
    sqlx::query("delete from inbox where status <> 'open' and not stands and resolved_at < $1")
        .bind(before.micros())
        .execute(conn)
        .await?;
    Ok(())
}

async fn one(conn: &mut SqliteConnection, id: &InboxItemId) -> Result<Option<InboxItem>> {
    let sql = format!("select {COLUMNS} from inbox where id = $1");
    let row: Option<Row> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(conn).await?;
    row.map(InboxItem::try_from).transpose()
}

/// Writes how an item stands now.
async fn changed(
    conn: &mut SqliteConnection,
    item: &InboxItem,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    sqlx::query(
        "update inbox set status = $2, held_until = $3, resolved_at = $4, acted = $5,
                          resolution = $6
         where id = $1",
    )
    .bind(item.id.as_str())
    .bind(item.status.as_str())
    .bind(micros(item.held_until))
    .bind(micros(item.resolved_at))
    .bind(item.acted.map(InboxAction::as_str))
    .bind(item.resolution.as_ref().map(|text| log.clean.text(text.clone())))
    .execute(&mut *conn)
    .await?;
    let seq = tell(conn, item, at, log).await?;
    let last = match item.status {
        InboxStatus::Open => None,
        InboxStatus::Resolved | InboxStatus::Dismissed => {
            notifications::acted(conn, &item.id, at, log).await?
        }
    };
    Ok(Some(last.unwrap_or(seq)))
}

/// Appends the event.
async fn tell(
    conn: &mut SqliteConnection,
    item: &InboxItem,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<i64> {
    let counts = count(&mut *conn).await?;
    let kind = EventKind::InboxUpdated { item: item.clone(), counts };
    let place =
        Place { repo: item.repo.as_ref(), run: item.run.as_ref(), thread: item.thread.as_ref() };
    log.append(conn, at, &place, &kind).await
}

row! {
    struct Counts {
        open: i64,
        unseen: i64,
    }
}

async fn count(conn: impl sqlx::SqliteExecutor<'_>) -> Result<InboxCounts> {
    let counts: Counts = sqlx::query_as(
        "select count(*) as open, coalesce(sum(case when seen_at is null then 1 else 0 end), 0)
             as unseen
         from inbox where status = 'open'",
    )
    .fetch_one(conn)
    .await?;
    let number = |value: i64| u64::try_from(value).unwrap_or_default();
    Ok(InboxCounts { open: number(counts.open), unseen: number(counts.unseen) })
}

impl Store {
    /// Items of the inbox, in the order of the list.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inbox(&self, query: &InboxQuery) -> Result<Vec<InboxItem>> {
        let (which, follows, order) = if query.ended {
            (
                "status <> 'open'",
                "(resolved_at, id) < (select resolved_at, id from inbox where id = $5)",
                "resolved_at desc, id desc",
            )
        } else {
            (
                "status = 'open'",
                "(rank, created_at, id) > (select rank, created_at, id from inbox where id = $5)",
                "rank, created_at, id",
            )
        };
        let sql = format!(
            "select {COLUMNS} from inbox
             where {which} and ($1 is null or status = $1) and ($2 is null or repo = $2)
               and ($3 is null or run = $3) and ($4 is null or kind = $4)
               and ($5 is null or {follows})
             order by {order} limit $6"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(query.status.map(InboxStatus::as_str))
            .bind(query.repo.as_ref().map(RepoId::as_str))
            .bind(query.run.as_ref().map(RunId::as_str))
            .bind(query.kind.map(InboxKind::as_str))
            .bind(query.after.as_ref().map(InboxItemId::as_str))
            .bind(i64::from(query.limit))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(InboxItem::try_from).collect()
    }

    /// One item.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inbox_item(&self, id: &InboxItemId) -> Result<Option<InboxItem>> {
        let sql = format!("select {COLUMNS} from inbox where id = $1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(InboxItem::try_from).transpose()
    }

    /// How many items wait.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inbox_counts(&self) -> Result<InboxCounts> {
        count(&self.readers).await
    }

    /// The subjects that have something standing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inbox_subjects(&self) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar("select distinct subject from inbox where stands")
            .fetch_all(&self.readers)
            .await?)
    }
}
