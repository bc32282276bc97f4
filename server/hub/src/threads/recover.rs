//! After a start: the project manager has its thread, and what was under way is taken up.

use std::sync::Arc;

use car_api::{
    AgentId, EventKind, ThreadId,
    item::Usage,
    thread::{ThreadCreate, ThreadKind},
};
use car_engine::lane::{Effect, Input, Lane, Moment, Restored, step};
use car_store::{Store, ThreadRow, Write};

use super::{record, view};
use crate::{Result, clock, hub::Inner};

/// Takes up every thread that has something to do.
pub(crate) async fn recover(hub: &Arc<Inner>) -> Result<()> {
    if let Some(mut row) = hub.store.pma_thread().await? {
        // It is another one from its next conversation on.
        let agent = agent(hub, ThreadKind::Pma);
        if row.agent != agent && row.lane.backend.is_none() && row.lane.is_at_rest() {
            row.agent = agent;
            row.updated_at = clock::now();
            commit_made(hub, &row, Vec::new()).await?;
        }
    } else {
        let created = ThreadCreate {
            name: Some("PMA".to_owned()),
            repo: None,
            agent: None,
            model: None,
            effort: None,
            approvals: None,
        };
        let row = new(hub, ThreadKind::Pma, created);
        commit_made(hub, &row, Vec::new()).await?;
    }
    let all = Arc::clone(hub);
    tokio::spawn(async move {
        if let Err(error) = record::begin_missing(&all).await {
            tracing::warn!(%error, "threads have no record; the next start tries again");
        }
    });
    for row in hub.store.busy_threads().await? {
        hub.lanes.wake(hub, &row.id);
    }
    Ok(())
}

/// A thread that is about to be made.
pub(super) fn new(hub: &Inner, kind: ThreadKind, body: ThreadCreate) -> ThreadRow {
    let now = clock::now();
    let config = &hub.config;
    let agent = body.agent.unwrap_or_else(|| agent(hub, kind));
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

/// Who answers in a thread that names nobody.
pub(super) fn agent(hub: &Inner, kind: ThreadKind) -> AgentId {
    let config = &hub.config;
    let named = match kind {
        ThreadKind::Pma => config.pma.default_agent.as_ref(),
        ThreadKind::Chat => None,
    };
    named.or(config.threads.agent.as_ref()).unwrap_or(&config.default_agent).clone()
}

/// Makes a thread, or another one of it, and what belongs to that.
pub(super) async fn commit_made(hub: &Arc<Inner>, row: &ThreadRow, with: Vec<Write>) -> Result<()> {
    let mut writes = made(hub, row);
    writes.extend(with);
    record::keep(hub, &row.id, &writes).await;
    hub.store.commit(writes).await?;
    Ok(())
}

fn made(hub: &Inner, row: &ThreadRow) -> Vec<Write> {
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
        let Ok(transition) = step(&row.lane, Input::Restored { from: Restored::Backup }, &moment)
        else {
            continue;
        };
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
