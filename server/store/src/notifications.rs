//! Words to the outside and what became of each on every way out.
//!
//! A notification and its lines of the ledger are made in the transaction of what caused them, and
//! become obsolete in the transaction of what resolved it.

use car_api::{
    ChannelId, EventKind, InboxItemId, NotificationId, RepoId, RunId, ThreadId, Timestamp,
    inbox::InboxItem,
    notification::{Notification, NotificationDelivery, NotificationKind, NotificationStatus},
};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Result, Store, channels,
    columns::{from_json, json, micros, parse, parse_opt, row, time},
    events::{Log, Place},
};

/// A notification to be made, should there be none with its key, and when it may leave.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationDraft {
    /// The notification.
    pub notification: Notification,
    /// Before this time it does not leave.
    pub not_before: Timestamp,
    /// Only on this way, whatever that is set to; on all that want it when absent.
    pub only: Option<ChannelId>,
}

/// Which notifications are wanted, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NotificationQuery {
    /// Only those that stand so on some way.
    pub status: Option<NotificationStatus>,
    /// Only those older than this one.
    pub before: Option<NotificationId>,
    /// At most so many.
    pub limit: u32,
}

/// The notification of an item.
pub(crate) fn of_item(item: &InboxItem, kind: NotificationKind) -> NotificationDraft {
    let notification = Notification {
        id: NotificationId::generate(),
        dedupe_key: item.id.to_string(),
        kind,
        title: item.title.clone(),
        line: item.line.clone(),
        actions: item.actions.clone(),
        item: Some(item.id.clone()),
        repo: item.repo.clone(),
        run: item.run.clone(),
        thread: item.thread.clone(),
        created_at: item.created_at,
        seen_at: None,
        acted_at: None,
        deliveries: Vec::new(),
    };
    let not_before = item.held_until.unwrap_or(item.created_at);
    NotificationDraft { notification, not_before, only: None }
}

row! {
    struct Row {
        id: String,
        dedupe_key: String,
        kind: String,
        title: String,
        line: String,
        actions: String,
        item: Option<String>,
        repo: Option<String>,
        run: Option<String>,
        thread: Option<String>,
        created_at: i64,
        seen_at: Option<i64>,
        acted_at: Option<i64>,
    }
}

const COLUMNS: &str = "id, dedupe_key, kind, title, line, actions, item, repo, run, thread, \
                       created_at, seen_at, acted_at";

impl TryFrom<Row> for Notification {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("notification id", &row.id)?,
            dedupe_key: row.dedupe_key,
            kind: parse("notification kind", &row.kind)?,
            title: row.title,
            line: row.line,
            actions: from_json("actions", &row.actions)?,
            item: parse_opt("inbox item id", row.item.as_deref())?,
            repo: parse_opt("repo id", row.repo.as_deref())?,
            run: parse_opt("run id", row.run.as_deref())?,
            thread: parse_opt("thread id", row.thread.as_deref())?,
            created_at: Timestamp::from_micros(row.created_at),
            seen_at: time(row.seen_at),
            acted_at: time(row.acted_at),
            deliveries: Vec::new(),
        })
    }
}

row! {
    struct LedgerRow {
        channel: String,
        channel_kind: String,
        status: String,
        attempts: i64,
        last_error: Option<String>,
        last_attempt_at: Option<i64>,
        next_attempt_at: Option<i64>,
        delivered_at: Option<i64>,
    }
}

const LEDGER: &str = "channel, channel_kind, status, attempts, last_error, last_attempt_at, \
                      next_attempt_at, delivered_at";

impl TryFrom<LedgerRow> for NotificationDelivery {
    type Error = crate::Error;

    fn try_from(row: LedgerRow) -> Result<Self> {
        Ok(Self {
            channel: parse("channel id", &row.channel)?,
            channel_kind: parse("channel kind", &row.channel_kind)?,
            status: parse("notification status", &row.status)?,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            last_error: row.last_error,
            last_attempt_at: time(row.last_attempt_at),
            next_attempt_at: time(row.next_attempt_at),
            delivered_at: time(row.delivered_at),
        })
    }
}

/// Makes a notification with its lines of the ledger, unless there is one with its key.
pub(crate) async fn make(
    conn: &mut SqliteConnection,
    draft: &NotificationDraft,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let one = &draft.notification;
    let made = sqlx::query(
        "insert into notifications (id, dedupe_key, kind, title, line, actions, item, repo, run,
                                    thread, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (dedupe_key) do nothing",
    )
    .bind(one.id.as_str())
    .bind(&one.dedupe_key)
    .bind(one.kind.as_str())
    .bind(log.clean.text(one.title.clone()))
    .bind(log.clean.text(one.line.clone()))
    .bind(json(&one.actions)?)
    .bind(one.item.as_ref().map(InboxItemId::as_str))
    .bind(one.repo.as_ref().map(RepoId::as_str))
    .bind(one.run.as_ref().map(RunId::as_str))
    .bind(one.thread.as_ref().map(ThreadId::as_str))
    .bind(one.created_at.micros())
    .execute(&mut *conn)
    .await?;
    if made.rows_affected() == 0 {
        return Ok(None);
    }
    for row in channels::all(&mut *conn).await? {
        let channel = &row.channel;
        let wanted = match &draft.only {
            Some(only) => channel.id == *only,
            None => {
                channel.enabled && (channel.kinds.is_empty() || channel.kinds.contains(&one.kind))
            }
        };
        if !wanted {
            continue;
        }
        sqlx::query(
            "insert into notification_deliveries (notification, channel, channel_kind, status,
                                                  attempts, next_attempt_at)
             values ($1, $2, $3, $4, 0, $5)",
        )
        .bind(one.id.as_str())
        .bind(channel.id.as_str())
        .bind(channel.kind.as_str())
        .bind(NotificationStatus::Pending.as_str())
        .bind(draft.not_before.micros())
        .execute(&mut *conn)
        .await?;
    }
    tell(conn, &one.id, one.created_at, log).await
}

/// What came of an attempt. One that became obsolete meanwhile stays so, unless it arrived.
pub(crate) async fn attempted(
    conn: &mut SqliteConnection,
    id: &NotificationId,
    line: &NotificationDelivery,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let noted = sqlx::query(
        "update notification_deliveries
         set status = $3, attempts = $4, last_error = $5, last_attempt_at = $6,
             next_attempt_at = $7, delivered_at = $8
         where notification = $1 and channel = $2 and (status = 'pending' or $3 = 'delivered')",
    )
    .bind(id.as_str())
    .bind(line.channel.as_str())
    .bind(line.status.as_str())
    .bind(i64::from(line.attempts))
    .bind(line.last_error.as_ref().map(|text| log.clean.text(text.clone())))
    .bind(micros(line.last_attempt_at))
    .bind(micros(line.next_attempt_at))
    .bind(micros(line.delivered_at))
    .execute(&mut *conn)
    .await?;
    let at = line.last_attempt_at.unwrap_or(Timestamp::from_micros(0));
    match noted.rows_affected() {
        0 => Ok(None),
        _ => tell(conn, id, at, log).await,
    }
}

/// What was given up is tried again from the beginning.
pub(crate) async fn retry(
    conn: &mut SqliteConnection,
    id: &NotificationId,
    channel: Option<&ChannelId>,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let again = sqlx::query(
        "update notification_deliveries set status = 'pending', attempts = 0, next_attempt_at = $3
         where notification = $1 and ($2 is null or channel = $2) and status = 'failed'",
    )
    .bind(id.as_str())
    .bind(channel.map(ChannelId::as_str))
    .bind(at.micros())
    .execute(&mut *conn)
    .await?;
    match again.rows_affected() {
        0 => Ok(None),
        _ => tell(conn, id, at, log).await,
    }
}

/// The notification of an item may leave now.
pub(crate) async fn release(
    conn: &mut SqliteConnection,
    item: &InboxItemId,
    at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "update notification_deliveries set next_attempt_at = $2
         where status = 'pending' and attempts = 0
           and notification in (select id from notifications where item = $1)",
    )
    .bind(item.as_str())
    .bind(at.micros())
    .execute(conn)
    .await?;
    Ok(())
}

async fn of(conn: &mut SqliteConnection, item: &InboxItemId) -> Result<Option<NotificationId>> {
    let id: Option<String> = sqlx::query_scalar("select id from notifications where item = $1")
        .bind(item.as_str())
        .fetch_optional(conn)
        .await?;
    parse_opt("notification id", id.as_deref())
}

/// What a notification asked for is done: where it has not left yet, it does not.
pub(crate) async fn acted(
    conn: &mut SqliteConnection,
    item: &InboxItemId,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let Some(id) = of(&mut *conn, item).await? else { return Ok(None) };
    sqlx::query("update notifications set acted_at = coalesce(acted_at, $2) where id = $1")
        .bind(id.as_str())
        .bind(at.micros())
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "update notification_deliveries set status = 'obsolete', next_attempt_at = null
         where notification = $1 and status = 'pending'",
    )
    .bind(id.as_str())
    .execute(&mut *conn)
    .await?;
    tell(conn, &id, at, log).await
}

/// A person has seen what a notification is about.
pub(crate) async fn item_seen(
    conn: &mut SqliteConnection,
    item: &InboxItemId,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    match of(&mut *conn, item).await? {
        Some(id) => seen(conn, &id, at, log).await,
        None => Ok(None),
    }
}

/// A person has seen a notification.
pub(crate) async fn seen(
    conn: &mut SqliteConnection,
    id: &NotificationId,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let noted =
        sqlx::query("update notifications set seen_at = $2 where id = $1 and seen_at is null")
            .bind(id.as_str())
            .bind(at.micros())
            .execute(&mut *conn)
            .await?;
    match noted.rows_affected() {
        0 => Ok(None),
        _ => tell(conn, id, at, log).await,
    }
}

/// Notifications from before a time go, unless one still has to leave.
pub(crate) async fn delete_old(conn: &mut SqliteConnection, before: Timestamp) -> Result<()> {
    let old = "select id from notifications where created_at < $1 and id not in
               (select notification from notification_deliveries where status = 'pending')";
    for sql in [
        format!("delete from notification_deliveries where notification in ({old})"),
        format!("delete from notifications where id in ({old})"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).bind(before.micros()).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Appends the event.
async fn tell(
    conn: &mut SqliteConnection,
    id: &NotificationId,
    at: Timestamp,
    log: &mut Log<'_>,
) -> Result<Option<i64>> {
    let sql = format!("select {COLUMNS} from notifications where id = $1");
    let row: Option<Row> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&mut *conn).await?;
    let Some(mut notification) = row.map(Notification::try_from).transpose()? else {
        return Ok(None);
    };
    notification.deliveries = ledger(&mut *conn, id).await?;
    let kind = EventKind::NotificationUpdated { notification: notification.clone() };
    let place = Place {
        repo: notification.repo.as_ref(),
        run: notification.run.as_ref(),
        thread: notification.thread.as_ref(),
    };
    log.append(conn, at, &place, &kind).await.map(Some)
}

async fn ledger(
    conn: impl sqlx::SqliteExecutor<'_>,
    id: &NotificationId,
) -> Result<Vec<NotificationDelivery>> {
    let sql = format!(
        "select {LEDGER} from notification_deliveries where notification = $1 order by channel"
    );
    let rows: Vec<LedgerRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(id.as_str()).fetch_all(conn).await?;
    rows.into_iter().map(NotificationDelivery::try_from).collect()
}

impl Store {
    /// Notifications, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn notifications(&self, query: &NotificationQuery) -> Result<Vec<Notification>> {
        let sql = format!(
            "select {COLUMNS} from notifications
             where ($1 is null or id < $1) and ($2 is null or exists
                   (select 1 from notification_deliveries
                    where notification = notifications.id and status = $2))
             order by id desc limit $3"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(query.before.as_ref().map(NotificationId::as_str))
            .bind(query.status.map(NotificationStatus::as_str))
            .bind(i64::from(query.limit))
            .fetch_all(&self.readers)
            .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let mut one = Notification::try_from(row)?;
            one.deliveries = ledger(&self.readers, &one.id).await?;
            all.push(one);
        }
        Ok(all)
    }

    /// One notification.
    ///
    /// # Errors
    /// What the database says.
    pub async fn notification(&self, id: &NotificationId) -> Result<Option<Notification>> {
        let sql = format!("select {COLUMNS} from notifications where id = $1");
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        let Some(mut one) = row.map(Notification::try_from).transpose()? else { return Ok(None) };
        one.deliveries = ledger(&self.readers, &one.id).await?;
        Ok(Some(one))
    }

    /// What a channel is to be sent next, due or not, in the order in which it falls due.
    ///
    /// # Errors
    /// What the database says.
    pub async fn next_notifications(
        &self,
        channel: &ChannelId,
        limit: u32,
    ) -> Result<Vec<NotificationId>> {
        let ids: Vec<String> = sqlx::query_scalar(
            "select notification from notification_deliveries
             where channel = $1 and status = 'pending'
             order by next_attempt_at, notification limit $2",
        )
        .bind(channel.as_str())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        ids.iter().map(|id| parse("notification id", id)).collect()
    }

    /// What a channel was given up on, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn failed_notifications(&self, channel: &ChannelId) -> Result<Vec<NotificationId>> {
        let ids: Vec<String> = sqlx::query_scalar(
            "select notification from notification_deliveries
             where channel = $1 and status = 'failed' order by notification",
        )
        .bind(channel.as_str())
        .fetch_all(&self.readers)
        .await?;
        ids.iter().map(|id| parse("notification id", id)).collect()
    }

    /// When a channel was last tried, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn last_attempts(&self, channel: &ChannelId, limit: u32) -> Result<Vec<Timestamp>> {
        let times: Vec<i64> = sqlx::query_scalar(
            "select last_attempt_at from notification_deliveries
             where channel = $1 and last_attempt_at is not null
             order by last_attempt_at desc limit $2",
        )
        .bind(channel.as_str())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        Ok(times.into_iter().map(Timestamp::from_micros).collect())
    }
}
