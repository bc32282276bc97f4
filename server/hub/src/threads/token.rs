//! What a thread's agent acts on the hub with.

use std::{
    ffi::{OsStr, OsString},
    sync::Arc,
};

use car_files::CAR_DIR;
use car_store::ThreadRow;

use crate::{Result, hub::Inner};

/// Variables that lead a thread's agent to its token and to the client.
pub(crate) async fn agent_token(
    hub: &Arc<Inner>,
    thread: &ThreadRow,
) -> Result<Vec<(OsString, OsString)>> {
    let dir = hub.grant_thread(thread).await?;
    let token = dir.join("token").into_os_string();
    let bin = hub.config.root.join(CAR_DIR).join("bin");
    let path = hub.config.environment.iter().find(|(name, _)| name == "PATH");
    let path = path.map(|(_, path)| OsStr::new(path)).unwrap_or(OsStr::new("/usr/bin:/bin"));
    let mut places = vec![bin];
    places.extend(std::env::split_paths(path));
    let mut variables = vec![
        ("CAR_TOKEN_FILE".into(), token),
        // Some agents keep variables with TOKEN in their names from the commands they run.
        ("CAR_THREAD_DIR".into(), dir.into_os_string()),
    ];
    // A path with a colon in it cannot be said in `PATH`; the agent then finds the client elsewhere.
    variables.extend(std::env::join_paths(places).ok().map(|path| ("PATH".into(), path)));
    Ok(variables)
}
