//! Backups the hub makes by itself.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use car_api::{Timestamp, job::JobStatus};

use super::list;
use crate::{audit::Act, clock, hub::Inner};

/// A hub that has just started has other things to do.
const SETTLE_MS: i64 = 10 * 60 * 1000;

/// How long after one that failed the next is tried.
const AGAIN_MS: i64 = 60 * 60 * 1000;

/// The longest rest: a machine that slept, or a clock that was set, is noticed that soon.
const REST: Duration = Duration::from_secs(3600);

/// Makes a backup whenever one is due, for as long as the hub is there.
pub(crate) async fn keep_making(hub: Weak<Inner>) {
    let mut not_before = clock::now().plus_millis(SETTLE_MS);
    loop {
        let Some(due) = due(&hub, not_before) else { return };
        let rest = clock::until(due);
        if rest > Duration::ZERO {
            tokio::time::sleep(rest.min(REST)).await;
            continue;
        }
        let Some(hub) = hub.upgrade() else { return };
        make(&hub).await;
        not_before = clock::now().plus_millis(AGAIN_MS);
    }
}

/// When the next one is due; `None` when there is no hub any more, or it makes none.
fn due(hub: &Weak<Inner>, not_before: Timestamp) -> Option<Timestamp> {
    let config = hub.upgrade()?.config.backup.clone();
    let every_ms = i64::from(config.every_hours.max(1)) * 3600 * 1000;
    let made = list(&config.dir).unwrap_or_default();
    let last = made.iter().find(|backup| backup.scheduled);
    let due = last.map(|backup| backup.created_at.plus_millis(every_ms));
    config.enabled.then(|| due.map_or(not_before, |due| due.max(not_before)))
}

async fn make(hub: &Arc<Inner>) {
    let started = hub.start_backup(Act::of_hub("backup_create", ""), true, Vec::new()).await;
    let Ok(job) = started else { return };
    let mut bell = hub.store.bell();
    // The job says in the log how it ends.
    while let Ok(Some(now)) = hub.store.job(&job.id).await {
        if now.status != JobStatus::Running || bell.changed().await.is_err() {
            return;
        }
    }
}
