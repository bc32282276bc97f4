//! What a thread's agent acts on the hub with.

use std::{ffi::OsString, sync::Arc};

use car_store::ThreadRow;

use crate::{Result, hub::Inner};

/// Variables that lead a thread's agent to its token; none when it has none.
pub(crate) async fn agent_token(
    _hub: &Arc<Inner>,
    _thread: &ThreadRow,
) -> Result<Vec<(OsString, OsString)>> {
    Ok(Vec::new())
}
