//! Agents that no run owns.

use std::{path::Path, time::Duration};

use car_shim::EntryKind;

/// How long an agent has to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// How long its shim has to say that it has.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends the agent of a shim's directory and lets the shim go; its journal stays whole. Says whether
/// there was one.
pub(crate) async fn end(dir: &Path) -> bool {
    // From the first line on, so that none is given up.
    let Ok(mut conn) = car_shim::attach(dir, 1).await else { return false };
    if conn.control.stop(Some(GRACE)).await.is_err() {
        return false;
    }
    let ended = async {
        loop {
            let entry = conn.next().await?;
            if matches!(entry.kind, EntryKind::Exit(_)) {
                conn.control.ack(entry.n).await?;
                return conn.control.leave().await;
            }
        }
    };
    matches!(tokio::time::timeout(PATIENCE, ended).await, Ok(Ok(())))
}
