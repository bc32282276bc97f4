//! What is asked before the agent is: the one place where a message is stopped or held.

use std::sync::Arc;

use car_api::thread::{Message, ThreadKind};
use car_engine::{lane::Hold, pma::safety};
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
pub(crate) async fn admit(hub: &Arc<Inner>, thread: &ThreadRow, message: &Message) -> Verdict {
    if let Some(until) = hub.accounts.held(thread.agent.as_str(), clock::now()) {
        let reason = "The account's limit is reached.".to_owned();
        return Verdict::Hold(Hold { reason, until: Some(until), person_since: None });
    }
    if thread.kind == ThreadKind::Pma && !hub.config.pma.enabled {
        let detail = "The project manager is turned off (`pma.enabled`).";
        return Verdict::Block(detail.to_owned());
    }
    let today = hub.today(thread.repo.as_ref());
    if let Some(reason) = today.used_up() {
        return Verdict::Hold(Hold { reason, until: Some(today.ends_at), person_since: None });
    }
    match hub.guard(thread, message).await {
        safety::Verdict::Go => Verdict::Go,
        safety::Verdict::Block { reason, .. } => Verdict::Block(reason),
        safety::Verdict::Hold { rule, reason, until } => {
            // The other rules pass by themselves, soon.
            let person_since = (rule == safety::Rule::Breaker).then(clock::now);
            Verdict::Hold(Hold { reason, until: Some(until), person_since })
        }
    }
}

/// Told of the end of every turn, before the next one is asked for; `failed` when it was not the
/// agent or a person that ended it.
pub(crate) async fn ended(hub: &Arc<Inner>, thread: &ThreadRow, failed: bool) {
    hub.guard_ended(thread, failed).await;
    if thread.kind == ThreadKind::Pma {
        hub.pma_told(thread, failed).await;
    }
}

/// Whether a name is one a file of a box may have.
pub(crate) fn is_a_name(name: &str) -> bool {
    car_files::filebox::is_name(name)
}
