//! How long the journals of ended agents are kept.
//!
//! What an agent said is in the database and, of a thread, in its record; its journal holds it as it
//! came over the line, for whoever wants to know what happened exactly. It goes when its time is over
//! and nobody has it open.

use std::path::PathBuf;

use car_api::Timestamp;
use car_files::session_dir;
use car_store::{Store, Write};

use crate::{Result, clock, hub::Inner, hub::blocking};

/// How long journals are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalsConfig {
    /// Days a journal is kept after its agent has ended, of a run after the run has ended, too.
    pub keep_days: u32,
}

impl Default for JournalsConfig {
    fn default() -> Self {
        Self { keep_days: 30 }
    }
}

/// Sessions that are looked at in one go.
const STEP: u32 = 50;

/// Removes what is older than it is kept.
pub(crate) async fn forget_old(hub: &Inner) -> Result<()> {
    let gone = forget(&hub.store, before(hub.config.journals, clock::now())).await?;
    if gone > 0 {
        tracing::info!(gone, "removed journals that are older than they are kept");
    }
    Ok(())
}

/// Removes what has ended before a time; gives how many there were. What cannot be removed, or is
/// open, stays and is passed over.
async fn forget(store: &Store, before: Timestamp) -> Result<u64> {
    let (mut gone, mut stayed) = (0, 0);
    loop {
        let rows = store.sessions_ended_before(before, stayed, STEP).await?;
        if rows.is_empty() {
            return Ok(gone);
        }
        let mut writes = Vec::new();
        for row in rows {
            match blocking(move || remove(PathBuf::from(row.dir))).await {
                Ok(true) => writes.push(Write::SessionGone(row.id)),
                Ok(false) => stayed += 1,
                Err(error) => {
                    tracing::warn!(session = %row.id, %error, "an old journal cannot be removed");
                    stayed += 1;
                }
            }
        }
        gone += writes.len() as u64;
        store.commit(writes).await?;
    }
}

/// What ended before then goes.
fn before(config: JournalsConfig, now: Timestamp) -> Timestamp {
    now.plus_millis(-i64::from(config.keep_days).saturating_mul(86_400_000))
}

/// Removes a session's directory, unless its shim lives; gives whether it is gone.
fn remove(dir: PathBuf) -> Result<bool> {
    if matches!(car_shim::status(&dir), Ok(car_shim::Status::Alive(_))) {
        return Ok(false);
    }
    session_dir::remove(&dir)?;
    Ok(true)
}

#[cfg(test)]
mod tests;
