//! Agents that no run and no thread owns.

use std::{path::Path, time::Duration};

use car_shim::{ConnError, EntryKind, Status};

/// How long an agent has to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// How long its shim has to say that it has, and to leave.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it is waited between two looks for a shim that leaves.
const LOOK: Duration = Duration::from_millis(5);

/// Ends the agent of a shim's directory and waits until its shim has left; its journal stays whole.
/// Says whether there was one.
pub(crate) async fn end(dir: &Path) -> bool {
    // From the first line on, so that none is given up.
    let mut conn = match car_shim::attach(dir, 1).await {
        Ok(conn) => conn,
        // It leaves by itself, when its agent has ended.
        Err(ConnError::Version(_)) => return car_shim::stop(dir, Some(GRACE)).await.is_ok(),
        Err(_) => return false,
    };
    if conn.control.stop(Some(GRACE)).await.is_err() {
        return false;
    }
    let ended = async {
        loop {
            let entry = conn.next().await?;
            if matches!(entry.kind, EntryKind::Exit(_)) {
                conn.control.ack(entry.n).await?;
                conn.control.leave().await?;
                break;
            }
        }
        while matches!(car_shim::status(dir), Ok(Status::Alive(_))) {
            tokio::time::sleep(LOOK).await;
        }
        Ok::<(), ConnError>(())
    };
    matches!(tokio::time::timeout(PATIENCE, ended).await, Ok(Ok(())))
}
