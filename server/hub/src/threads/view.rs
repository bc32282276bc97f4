//! Threads as everybody sees them.

use std::{path::PathBuf, sync::Arc};

use car_api::{
    pma::Lane,
    thread::{Thread, ThreadStatus},
};
use car_engine::lane;
use car_store::{ApprovalRow, ThreadRow};

use crate::{Result, hub::Inner};

/// A thread as the contract has it; `approvals` are its open questions.
pub(super) fn thread(row: &ThreadRow, approvals: &[ApprovalRow], hub: &Inner) -> Thread {
    let asking = approvals.iter().any(|approval| approval.decision.is_none());
    Thread {
        id: row.id.clone(),
        name: row.name.clone(),
        kind: row.kind,
        repo: row.repo.clone(),
        agent: row.agent.clone(),
        model: row.model.clone(),
        effort: row.effort.clone(),
        approvals: row.approvals,
        status: row.lane.status(asking),
        explain: explain(row, asking, hub),
        current: row.lane.current().cloned(),
        queued: u32::try_from(row.lane.queue.len()).unwrap_or(u32::MAX),
        messages: row.messages,
        conversation: row.lane.conversation,
        preview: row.preview.clone(),
        approvals_open: approvals.iter().map(ApprovalRow::approval).collect(),
        usage: row.usage,
        forked_from: row.forked_from.clone(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        archived_at: row.archived_at,
    }
}

/// Why a thread stands as it does, in one line.
pub(super) fn explain(row: &ThreadRow, asking: bool, hub: &Inner) -> String {
    if row.archived_at.is_some() {
        return "Put away.".to_owned();
    }
    let agent = hub.agents.get(&row.agent).map_or(row.agent.as_str(), |agent| agent.name());
    lane::explain(&row.lane, asking, agent)
}

/// The beginning of a text, in one line.
pub(super) fn beginning(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

impl Inner {
    /// Where a thread's agent works.
    pub(super) fn tree_of(self: &Arc<Self>, row: &ThreadRow) -> Result<PathBuf> {
        match &row.repo {
            Some(repo) => self.tree(repo),
            None => Ok(self.config.root.clone()),
        }
    }
}

/// The queue of a thread that has something to do.
pub(crate) fn lane(row: &ThreadRow, hub: &Inner) -> Lane {
    let held = row.lane.status(false) == ThreadStatus::Held;
    Lane {
        thread: row.id.clone(),
        name: row.name.clone(),
        queued: u32::try_from(row.lane.queue.len()).unwrap_or(u32::MAX),
        working: row.lane.current().is_some(),
        held: held.then(|| explain(row, false, hub)),
    }
}
