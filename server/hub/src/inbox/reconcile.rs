//! After a start: what waits is compared with how things stand.
//!
//! Every change is written with what causes it, so this finds nothing but what an older program, a
//! restored database or a hand in the files left.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use car_api::{
    dispatch::DispatchMode,
    run::{PauseReason, ResumeRule, RunState},
};
use car_engine::lane::State;
use car_files::{dispatches, run_dir::RunDir};
use car_store::{Errand, RunRow};

use super::derive::{self, AskedIn, Question};
use crate::{
    Result, clock,
    hub::{Inner, blocking},
};

/// Brings the inbox up to date after a start.
pub(crate) async fn recover(hub: &Arc<Inner>) -> Result<()> {
    let at = clock::now();
    let mut standing: BTreeSet<String> = hub.store.inbox_subjects().await?.into_iter().collect();
    {
        let mut known = hub.inbox.repos.lock().unwrap_or_else(PoisonError::into_inner);
        for repo in hub.index.ids() {
            if standing.remove(&derive::entry_of(&repo)) {
                // The look at the tree that follows finds out.
                known.insert(repo, String::new());
            }
        }
    }
    let mut writes = Vec::new();
    for row in hub.store.latest_runs().await? {
        let known = standing.remove(&derive::runs_of(&row.repo));
        let there = hub.index.entry(&row.repo).is_ok();
        if there {
            standing.remove(&derive::notes_of(&row.repo));
        }
        let question = question_of(hub, &row).await;
        let waits = derive::of_run(&row, None, None).is_some();
        if there && (known || waits) {
            writes.push(derive::run_stands(&row, question.as_ref(), None, (at, None)));
        } else if known {
            writes.push(derive::nothing(derive::runs_of(&row.repo), at, None));
        }
        if row.flow.state.status().is_end() {
            continue;
        }
        for asked in hub.store.open_approvals(&Errand::Run(row.id.clone())).await? {
            standing.remove(&format!("approval:{}", asked.id));
            let place = AskedIn { repo: Some(&row.repo), run: Some(&row.id), thread: None };
            writes.push(derive::approval(&asked.approval(), &place, false, (at, None)));
        }
    }
    for asked in hub.store.open_thread_approvals().await? {
        standing.remove(&format!("approval:{}", asked.id));
        let thread = asked.errand.thread();
        let row = match thread {
            Some(thread) => hub.store.thread(thread).await?,
            None => None,
        };
        let repo = row.and_then(|row| row.repo);
        let place = AskedIn { repo: repo.as_ref(), run: None, thread };
        writes.push(derive::approval(&asked.approval(), &place, false, (at, None)));
    }
    for row in hub.store.busy_threads().await? {
        let known = standing.remove(&derive::held_of(&row.id));
        if known || matches!(row.lane.state, State::Held { .. }) {
            writes.push(derive::held(&row, at));
        }
    }
    // What an earlier failure left is there until somebody puts it away.
    standing.retain(|subject| {
        !["job:", "channel:", "thread:"].iter().any(|kept| subject.starts_with(kept))
    });
    writes.extend(standing.into_iter().map(|subject| derive::nothing(subject, at, None)));
    hub.store.commit(writes).await?;
    Ok(())
}

/// What the agent of a paused run asked.
async fn question_of(hub: &Inner, row: &RunRow) -> Option<Question> {
    let asks = matches!(
        row.flow.state,
        RunState::Paused { reason: PauseReason::UserPause, resume: ResumeRule::Reply, .. }
    );
    let tree = hub.index.tree_path(&row.repo).filter(|_| asks)?;
    let run = row.id.clone();
    let read = blocking(move || {
        let directory = RunDir::open(&tree, run.as_str())?;
        let all = dispatches::list(&directory)?;
        let asked = all.into_iter().rev().find_map(|entry| {
            let said = entry.dispatch.ok().filter(|said| said.mode == DispatchMode::Pause)?;
            Some(Question { seq: entry.seq, body: said.body })
        });
        Ok(asked)
    });
    read.await.ok().flatten()
}
