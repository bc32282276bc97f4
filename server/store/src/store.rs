//! The database: one writer that groups commits, and readers beside it.

use std::{
    fs::{OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    AssertSqlSafe, Connection, SqlSafeStr, SqliteConnection, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Clean, Error, Result, Stats, Write, events, message_search, migrate, stats::Counter, write,
};

/// The files of `migrations/`, in order.
pub(crate) const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "hub", include_str!("../../../migrations/0001_hub.sql")),
    (2, "credentials", include_str!("../../../migrations/0002_credentials.sql")),
    (3, "audit", include_str!("../../../migrations/0003_audit.sql")),
    (4, "webhooks", include_str!("../../../migrations/0004_webhooks.sql")),
    (5, "api", include_str!("../../../migrations/0005_api.sql")),
    (6, "threads", include_str!("../../../migrations/0006_threads.sql")),
    (7, "pma", include_str!("../../../migrations/0007_pma.sql")),
    (8, "inbox", include_str!("../../../migrations/0008_inbox.sql")),
    (9, "web_push", include_str!("../../../migrations/0009_web_push.sql")),
    (10, "terminals", include_str!("../../../migrations/0010_terminals.sql")),
    (11, "usage", include_str!("../../../migrations/0011_usage.sql")),
    (12, "templates", include_str!("../../../migrations/0012_templates.sql")),
    (13, "message_cost", include_str!("../../../migrations/0013_message_cost.sql")),
];

/// How many waiting commits one transaction takes at most.
const GROUP: usize = 256;

/// The hub's memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    commits: mpsc::Sender<Commit>,
    bell: watch::Receiver<i64>,
    outbox: watch::Receiver<u64>,
    gone: Arc<AtomicI64>,
    counter: Arc<Counter>,
    pub(crate) readers: SqlitePool,
}

#[derive(Debug)]
struct Commit {
    writes: Vec<Write>,
    /// Whether nothing comes after it: the writer lets go of the file before it answers.
    last: bool,
    done: oneshot::Sender<Result<Committed>>,
}

/// What a commit gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Number of the last event it appended, if it appended any.
    pub last_seq: Option<i64>,
}

impl Store {
    /// Opens the database file, makes it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened or is no database of the hub.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, Clean::default()).await
    }

    /// The same; texts that are kept for others to read go through `clean` first.
    ///
    /// # Errors
    /// The file cannot be opened or is no database of the hub.
    pub async fn open_with(path: &Path, clean: Clean) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was acknowledged survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            .pragma("cache_size", "-1024")
            .pragma("journal_size_limit", "16777216");
        migrate::refuse_newer(path).await?;
        make_private(path).map_err(sqlx::Error::Io)?;
        let mut writer = SqliteConnection::connect_with(&options).await?;
        // Before and after: an older program is kept away from what is half on its way.
        migrate::note(&mut writer).await?;
        migrator(schema()).run(&mut writer).await?;
        migrate::note(&mut writer).await?;
        message_search::prepare(&mut writer).await?;
        let last = events::newest(&mut writer).await?;
        let gone: i64 = sqlx::query_scalar("select coalesce(min(seq) - 1, $1) from events")
            .bind(last)
            .fetch_one(&mut writer)
            .await?;
        let gone = Arc::new(AtomicI64::new(gone));
        let readers = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(3)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.create_if_missing(false).read_only(true));
        let (commits, queue) = mpsc::channel(1024);
        let (ring, bell) = watch::channel(last);
        let (more, outbox) = watch::channel(0);
        let counter = Arc::new(Counter::default());
        tokio::spawn(run_writer(
            writer,
            queue,
            Rings { bell: ring, outbox: more },
            Arc::clone(&gone),
            clean,
            Arc::clone(&counter),
        ));
        Ok(Self { commits, bell, outbox, gone, counter, readers })
    }

    /// Commits all of the writes or none. Returns when they are on disk.
    ///
    /// # Errors
    /// `Conflict` when a unique rule forbids one of them; else what the database says.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<Committed> {
        self.send(writes, false).await
    }

    async fn send(&self, writes: Vec<Write>, last: bool) -> Result<Committed> {
        let (done, answer) = oneshot::channel();
        self.commits.send(Commit { writes, last, done }).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Number of the newest event. A change means "there is more", nothing else.
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<i64> {
        self.bell.clone()
    }

    /// Changes when there may be a notification to send.
    #[must_use]
    pub fn outbox(&self) -> watch::Receiver<u64> {
        self.outbox.clone()
    }

    /// Number of the newest event that is no longer kept; 0 while all are.
    ///
    /// It moves before the events go, so whoever looks after reading, and finds it below where the
    /// reading began, has read everything there was.
    #[must_use]
    pub fn gone(&self) -> i64 {
        self.gone.load(Ordering::SeqCst)
    }

    /// What was written since the process began, and what waits.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let queued = self.commits.max_capacity() - self.commits.capacity();
        Stats { queued: u64::try_from(queued).unwrap_or(u64::MAX), ..self.counter.now() }
    }

    /// Waits until every commit asked for so far is done, then lets go of the file: all of it is
    /// in one piece, and later commits are refused.
    pub async fn close(&self) {
        // An empty commit queues behind all others.
        let _ = self.commit(Vec::new()).await;
        self.readers.close().await;
        let _ = self.send(Vec::new(), true).await;
    }
}

/// Number of the newest migration this program knows.
#[must_use]
pub fn schema() -> i64 {
    MIGRATIONS.iter().map(|(version, _, _)| *version).max().unwrap_or(0)
}

/// The database holds the secrets of webhooks: nobody else of the machine may read it, nor what
/// SQLite keeps beside it, which takes its mode.
fn make_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

/// The migrations up to a number. A database that has more is one a newer program made, and was
/// looked at before.
pub(crate) fn migrator(up_to: i64) -> Migrator {
    let known = MIGRATIONS.iter().filter(|(version, _, _)| *version <= up_to);
    let migrations = known.map(|(version, name, sql)| {
        let sql = AssertSqlSafe(*sql).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_ignore_missing(true);
    migrator
}

/// What is rung when something was written.
struct Rings {
    bell: watch::Sender<i64>,
    outbox: watch::Sender<u64>,
}

/// Takes what is waiting, writes it in one transaction, answers everybody. What fails on its own (a
/// unique rule) fails alone.
async fn run_writer(
    mut conn: SqliteConnection,
    mut queue: mpsc::Receiver<Commit>,
    rings: Rings,
    gone: Arc<AtomicI64>,
    clean: Clean,
    counter: Arc<Counter>,
) {
    let mut waiting = Vec::with_capacity(GROUP);
    let mut farewells = Vec::new();
    while queue.recv_many(&mut waiting, GROUP).await > 0 {
        let (last, group): (Vec<_>, Vec<_>) =
            std::mem::take(&mut waiting).into_iter().partition(|commit| commit.last);
        farewells.extend(last.into_iter().map(|commit: Commit| commit.done));
        let (writes, dones): (Vec<_>, Vec<_>) =
            group.into_iter().map(|commit| (commit.writes, commit.done)).unzip();
        for write in writes.iter().flatten() {
            if let Write::EventsGone { up_to } = write {
                gone.fetch_max(*up_to, Ordering::SeqCst);
            }
        }
        let began = Instant::now();
        match write_group(&mut conn, &writes, &clean).await {
            Ok(results) => {
                let written = writes.iter().zip(&results).filter(|(_, result)| result.is_ok());
                counter.transaction(began.elapsed(), written.map(|(writes, _)| writes.as_slice()));
                let last = results.iter().filter_map(|r| r.as_ref().ok()?.last_seq).max();
                if let Some(last) = last {
                    rings.bell.send_replace(last);
                }
                if writes.iter().flatten().any(Write::may_notify) {
                    rings.outbox.send_modify(|count| *count += 1);
                }
                for (done, result) in dones.into_iter().zip(results) {
                    let _ = done.send(result);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the database refused a transaction");
                // SQLite may have rolled back by itself; then this is refused, which is as good.
                let _ = sqlx::query("rollback").execute(&mut conn).await;
                for done in dones {
                    let _ = done.send(Err(error.again()));
                }
            }
        }
        if !farewells.is_empty() {
            break;
        }
    }
    let _ = sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut conn).await;
    let _ = conn.close().await;
    for done in farewells {
        let _ = done.send(Ok(Committed { last_seq: None }));
    }
}

/// One result for each of the group, or an error that holds for all of it.
async fn write_group(
    conn: &mut SqliteConnection,
    group: &[Vec<Write>],
    clean: &Clean,
) -> Result<Vec<Result<Committed>>> {
    if group.iter().all(Vec::is_empty) {
        return Ok(group.iter().map(|_| Ok(Committed { last_seq: None })).collect());
    }
    // A rule that forbids one of them is rare: first as if all were well.
    match write_all(conn, group, clean, false).await {
        Err(error @ (Error::DiskFull | Error::Busy)) => return Err(error),
        Ok(results) if results.iter().all(Result::is_ok) => return Ok(results),
        Ok(_) | Err(_) => {
            let _ = sqlx::query("rollback").execute(&mut *conn).await;
        }
    }
    write_all(conn, group, clean, true).await
}

/// Writes the group in one transaction. `apart` gives each of it a savepoint, and whoever fails is
/// left out; otherwise it ends with the first who does, and nothing is committed.
async fn write_all(
    conn: &mut SqliteConnection,
    group: &[Vec<Write>],
    clean: &Clean,
    apart: bool,
) -> Result<Vec<Result<Committed>>> {
    sqlx::query("begin immediate").execute(&mut *conn).await?;
    let before = events::newest(conn).await?;
    let mut newest = before;
    let mut results = Vec::with_capacity(group.len());
    for writes in group {
        let kept = newest;
        if apart {
            sqlx::query("savepoint one").execute(&mut *conn).await?;
        }
        let result = write_one(conn, writes, clean, &mut newest).await;
        if let Err(error @ (Error::DiskFull | Error::Busy)) = result {
            return Err(error);
        }
        let failed = result.is_err();
        results.push(result);
        if failed && !apart {
            return Ok(results);
        }
        if failed {
            newest = kept;
            sqlx::query("rollback to one").execute(&mut *conn).await?;
        }
        if apart {
            sqlx::query("release one").execute(&mut *conn).await?;
        }
    }
    if newest > before {
        events::set_newest(conn, newest).await?;
    }
    sqlx::query("commit").execute(&mut *conn).await?;
    Ok(results)
}

async fn write_one(
    conn: &mut SqliteConnection,
    writes: &[Write],
    clean: &Clean,
    newest: &mut i64,
) -> Result<Committed> {
    let before = *newest;
    for one in writes {
        write::apply(conn, one, clean, newest).await?;
    }
    // Also what follows from a write, such as the word that something waits, is an event.
    Ok(Committed { last_seq: (*newest > before).then_some(*newest) })
}
