//! How long events are kept, and the round that removes whatever is kept for a time only.
//!
//! By age and by number, and never less than what a reader that was away for an hour needs. They go
//! in small steps, each a commit of its own, so that nobody waits for it.

use std::{sync::Weak, time::Duration};

use car_api::Timestamp;
use car_store::{Store, Write};

use crate::{EventsConfig, Result, clock, hub::Inner};

/// How often the log is looked at.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// Events that go in one commit.
const STEP: i64 = 500;

/// Younger ones are always kept, in milliseconds.
const FLOOR_MS: i64 = 3_600_000;

/// So many of the newest are always kept: a clock that jumps must not make the whole log old.
const FLOOR_COUNT: i64 = 10_000;

/// How long ended deliveries of webhooks stay in their ledger, in milliseconds.
const LEDGER_MS: i64 = 30 * 86_400_000;

/// How long notifications and what has ended in the inbox stay, in milliseconds.
const ENDED_MS: i64 = 90 * 86_400_000;

/// Keeps the log within its bounds for as long as the hub lives.
pub(crate) async fn keep(hub: Weak<Inner>) {
    loop {
        let Some(inner) = hub.upgrade() else { return };
        if let Err(error) = once(&inner).await {
            tracing::warn!(%error, "old events could not be removed; trying again later");
        }
        drop(inner);
        tokio::time::sleep(EVERY).await;
    }
}

async fn once(hub: &Inner) -> Result<()> {
    crate::terminals::forget_old(hub).await?;
    crate::journals::forget_old(hub).await?;
    let now = clock::now();
    let before = now.plus_millis(-LEDGER_MS);
    let ended = now.plus_millis(-ENDED_MS);
    hub.store
        .commit(vec![
            Write::DeliveriesGone { before },
            Write::NotificationsGone { before: ended },
            Write::InboxEndedGone { before: ended },
        ])
        .await?;
    let mut last = last_to_go(&hub.store, hub.config.events, now).await?;
    for row in hub.store.webhooks().await? {
        if row.webhook.enabled {
            last = last.min(row.webhook.cursor);
        }
    }
    let mut gone = hub.store.gone();
    if gone < last {
        tracing::info!(
            from = gone + 1,
            to = last,
            "removing events that are older than what is kept"
        );
    }
    while gone < last {
        gone = last.min(gone + STEP);
        hub.store.commit(vec![Write::EventsGone { up_to: gone }]).await?;
    }
    Ok(())
}

/// Number of the last event that need not be kept.
async fn last_to_go(store: &Store, config: EventsConfig, now: Timestamp) -> Result<i64> {
    let newest = *store.bell().borrow();
    let days = i64::from(config.keep_days).saturating_mul(86_400_000);
    let too_old = last_before(store, now.plus_millis(-days)).await?;
    let too_many = newest - i64::try_from(config.keep_count).unwrap_or(i64::MAX);
    let wanted = too_old.max(too_many);
    if wanted <= store.gone() {
        return Ok(0);
    }
    let floor = last_before(store, now.plus_millis(-FLOOR_MS)).await?;
    Ok(wanted.min(floor).min(newest - FLOOR_COUNT))
}

/// Number of the last event from before a time, by halving: numbers have no gaps, and times grow
/// with them but for the clock's jumps.
async fn last_before(store: &Store, at: Timestamp) -> Result<i64> {
    let (mut low, mut high) = (store.gone(), *store.bell().borrow());
    while low < high {
        let middle = low + (high - low + 1) / 2;
        match store.event_at(middle).await? {
            Some(written) if written < at => low = middle,
            Some(_) | None => high = middle - 1,
        }
    }
    Ok(low)
}
