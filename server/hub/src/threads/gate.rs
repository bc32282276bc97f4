//! What is asked before the agent is: the one place where a message is stopped or held.

use std::sync::Arc;

use car_api::thread::Message;
use car_engine::lane::Hold;
use car_store::ThreadRow;

use crate::{clock, hub::Inner};

/// What becomes of a message whose turn it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// The agent may be asked.
    Go,
    /// It is stopped for good, for this reason.
    Block(String),
    /// It waits, and all behind it.
    Hold(Hold),
}

/// Whether the agent may be asked now. Called once before every turn.
pub(crate) async fn admit(hub: &Arc<Inner>, thread: &ThreadRow, _message: &Message) -> Verdict {
    if let Some(until) = hub.accounts.held(thread.agent.as_str(), clock::now()) {
        let reason = "The account's limit is reached.".to_owned();
        return Verdict::Hold(Hold { reason, until: Some(until) });
    }
    Verdict::Go
}

/// Told of the end of every turn, before the next one is asked for; `failed` when it was not the
/// agent or a person that ended it.
pub(crate) async fn ended(_hub: &Arc<Inner>, _thread: &ThreadRow, _failed: bool) {}

/// Whether a name is a single path part a box may hold.
pub(crate) fn is_a_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && !name.starts_with('.')
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
}
