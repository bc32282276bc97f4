//! Whether a hub's history is still the one this machine saw: the end of its audit chain is kept
//! from one look to the next.

use std::env;

use car_api::{Code, hub::HubInfo};
use car_client::heads;

use crate::{failure::Failure, session::Session};

/// Looks whether the hub's history changed since this machine last saw it, and keeps its end if it
/// did not. Gives what is wrong.
pub(crate) async fn changed(s: &Session, hub: &HubInfo) -> Result<Option<String>, Failure> {
    let Some(dir) = heads::state_dir(|name| env::var_os(name)) else { return Ok(None) };
    let kept = heads::kept(&dir, &hub.instance)?.filter(|kept| kept.seq > 0);
    if let Some(kept) = kept.filter(|kept| *kept != hub.audit) {
        let there = if kept.seq > hub.audit.seq {
            None
        } else {
            match s.client.audit_head(Some(kept.seq)).await {
                Ok(there) => Some(there),
                Err(error) if error.code() == Some(Code::NotFound) => None,
                // What was kept stays, for a credential that may look.
                Err(error) if error.code() == Some(Code::Forbidden) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        };
        if let Some(what) = heads::contradiction(&kept, there.as_ref(), &hub.audit) {
            return Ok(Some(format!("the hub's history changed: {what}")));
        }
    }
    heads::keep(&dir, &hub.instance, &hub.audit)?;
    Ok(None)
}

/// The same as a part of something else, which goes on: what is wrong is said on standard error,
/// also where nothing else is to be said.
pub(crate) async fn look(s: &Session, hub: &HubInfo) {
    if let Some(warning) = warning(changed(s, hub).await) {
        eprintln!("{}", s.out.red_on_stderr(&warning));
    }
}

/// The same once more, as after a lost connection. A hub that is away again says nothing.
pub(crate) async fn look_again(s: &Session) {
    if let Some(warning) = changed_now(s).await {
        eprintln!("{}", s.out.red_on_stderr(&warning));
    }
}

/// What is wrong with the history now, and what to type.
pub(crate) async fn changed_now(s: &Session) -> Option<String> {
    let hub = s.client.hub_get().await.ok()?;
    warning(changed(s, &hub).await)
}

fn warning(found: Result<Option<String>, Failure>) -> Option<String> {
    match found {
        Ok(what) => what.map(|what| format!("WARNING: {what}; look with `car audit verify`")),
        // The connection was lost once more: whoever follows finds out.
        Err(Failure::Client(error)) if error.may_pass() => None,
        Err(error) => Some(format!("WARNING: the hub's history cannot be compared: {error}")),
    }
}
