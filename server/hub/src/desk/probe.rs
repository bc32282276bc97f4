//! A session that does no turn: an agent asked about itself.

use std::{ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

use car_api::RunId;
use car_engine::agent::{Adapter, AgentEvent, Wish};
use car_store::Errand;

use super::session::{self, News, Start};
use crate::{Error, Result};

/// What a probe needs.
pub(crate) struct Probe<'a> {
    pub(crate) adapter: &'a Arc<dyn Adapter>,
    pub(crate) program: &'a std::path::Path,
    /// The shim's directory; also where the agent runs.
    pub(crate) dir: PathBuf,
    pub(crate) environment: Vec<(OsString, OsString)>,
}

/// Starts the agent, takes in what it says until `enough`, and ends it.
pub(crate) async fn ask(
    probe: Probe<'_>,
    wish: &Wish<'_>,
    patience: Duration,
    enough: impl Fn(&[AgentEvent]) -> bool,
) -> Result<Vec<AgentEvent>> {
    let dir = probe.dir.join("session");
    tokio::fs::create_dir_all(&probe.dir).await.map_err(Error::internal)?;
    // Its row is never kept: what is left of it is found by its place.
    let errand = Errand::Run(RunId::generate());
    let row = session::plan(&Start { errand: &errand, adapter: probe.adapter, dir });
    let mut session =
        session::start(row, probe.adapter, probe.program, &probe.dir, probe.environment).await?;
    let mut heard = Vec::new();
    let answered = tokio::time::timeout(patience, async {
        loop {
            session.drive(wish).await;
            match session.next().await {
                News::Line { events, .. } => heard.extend(events),
                News::Ended { detail } => return Err(Error::internal(detail)),
            }
            if enough(&heard) {
                return Ok(());
            }
        }
    })
    .await;
    session.end().await;
    match answered {
        Ok(result) => result.map(|()| heard),
        Err(_) => Err(Error::internal("the agent did not answer in time")),
    }
}
