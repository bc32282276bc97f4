//! After a start: every run that had not ended is taken up where it is.

use std::{collections::HashSet, sync::Arc};

use car_api::run::RunStatus;
use car_engine::flow::Input;

use crate::{Error, Result, hub::Inner};

/// Starts the task of every run that has not ended, and ends what ended runs left behind.
pub(crate) async fn recover(hub: &Arc<Inner>) -> Result<()> {
    let rows = hub.store.active_runs().await.map_err(Error::from)?;
    for row in &rows {
        match row.flow.state.status() {
            RunStatus::Running | RunStatus::Stopping => hub.slots.hold(&row.id),
            RunStatus::Pending
            | RunStatus::Paused
            | RunStatus::Parked
            | RunStatus::Completed
            | RunStatus::Failed
            | RunStatus::Stopped
            | RunStatus::Superseded => {}
        }
    }
    // A run may have ended in the database while its last effects were not carried out, or a
    // process of it was not ended. Those come first: what is active has their trees after them.
    let mut known: HashSet<_> = rows.iter().map(|row| row.id.clone()).collect();
    let effects = hub.store.runs_with_effects().await.map_err(Error::from)?;
    let sessions = hub.store.open_sessions(None).await.map_err(Error::from)?;
    let of_runs = sessions.into_iter().filter_map(|session| session.errand.run().cloned());
    for id in effects.into_iter().chain(of_runs) {
        if known.insert(id.clone())
            && let Some(row) = hub.store.run(&id).await.map_err(Error::from)?
        {
            hub.runs.start(hub, row, Some(Input::Recovered));
        }
    }
    for row in rows {
        hub.runs.start(hub, row, Some(Input::Recovered));
    }
    Ok(())
}
