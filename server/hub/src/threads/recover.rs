//! After a start: the project manager has its thread, and what was under way is taken up.

use std::sync::Arc;

use car_api::{
    AgentId, EventKind, ThreadId,
    item::Usage,
    thread::{ThreadCreate, ThreadKind},
};
use car_engine::lane::{Effect, Input, Lane, Moment, step};
use car_store::{Store, ThreadRow, Write};

use super::view;
use crate::{Result, clock, hub::Inner};

/// Takes up every thread that has something to do.
pub(crate) async fn recover(hub: &Arc<Inner>) -> Result<()> {
    if hub.store.pma_thread().await?.is_none() {
        let created = ThreadCreate {
            name: Some("PMA".to_owned()),
            repo: None,
            agent: None,
            model: None,
            effort: None,
            approvals: None,
        };
        let row = new(hub, ThreadKind::Pma, created);
        hub.store.commit(made(hub, &row)).await?;
    }
    for row in hub.store.busy_threads().await? {
        hub.lanes.wake(hub, &row.id);
    }
    Ok(())
}

/// A thread that is about to be made.
pub(super) fn new(hub: &Inner, kind: ThreadKind, body: ThreadCreate) -> ThreadRow {
    let now = clock::now();
    let config = &hub.config;
    let agent = body.agent.or_else(|| config.threads.agent.clone());
    let agent: AgentId = agent.unwrap_or_else(|| config.default_agent.clone());
    ThreadRow {
        id: ThreadId::generate(),
        kind,
        name: body.name.map(|name| name.trim().to_owned()).unwrap_or_default(),
        repo: body.repo,
        agent,
        model: body.model,
        effort: body.effort,
        approvals: body.approvals.unwrap_or(config.threads.approvals),
        lane: Lane::default(),
        messages: 0,
        preview: None,
        usage: Usage::default(),
        spent: Usage::default(),
        forked_from: None,
        created_at: now,
        updated_at: now,
        archived_at: None,
    }
}

/// What makes a thread.
pub(super) fn made(hub: &Inner, row: &ThreadRow) -> Vec<Write> {
    let kind = EventKind::ThreadUpdated { thread: Box::new(view::thread(row, &[], hub)) };
    vec![
        Write::Thread(Box::new(row.clone())),
        Write::Event {
            at: row.updated_at,
            repo: row.repo.clone(),
            run: None,
            thread: Some(row.id.clone()),
            kind: Box::new(kind),
        },
    ]
}

/// What brings the threads of a restored database to rest.
pub(crate) async fn settle(store: &Store) -> Result<Vec<Write>> {
    let mut writes = Vec::new();
    for mut row in store.busy_threads().await? {
        let moment = Moment { now: clock::now(), turn: car_api::TurnId::generate() };
        let Ok(transition) = step(&row.lane, Input::Restored, &moment) else { continue };
        row.lane = transition.lane;
        for effect in transition.effects {
            let Effect::End { message, status, detail, .. } = effect else { continue };
            if let Some(mut left) = store.message(&message).await? {
                left.message.status = status;
                left.message.detail = detail;
                left.message.ended_at = Some(moment.now);
                writes.push(Write::Message(Box::new(left)));
            }
        }
        writes.push(Write::Thread(Box::new(row)));
    }
    Ok(writes)
}
