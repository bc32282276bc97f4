//! Threads and their messages, from the records beside their journals.

use std::path::Path;

use car_api::{ThreadId, thread::ThreadKind};
use car_files::{CAR_DIR, thread_record};
use car_store::{Errand, MessageRow, Store, Write};

use super::{Reindexed, ended, sessions_below};
use crate::{
    Result,
    inbox::derive,
    orphan,
    threads::record::{self, Recorded},
};

/// Changes in one commit.
const STEP: usize = 500;

/// Reads every thread there is a directory of.
pub(super) async fn all(store: &Store, root: &Path, found: &mut Reindexed) -> Result<()> {
    let mut read = Vec::new();
    for name in thread_record::list(root)? {
        let Some(id) = name.to_str().and_then(|name| name.parse::<ThreadId>().ok()) else {
            continue;
        };
        match record::read(root, &id) {
            Ok(Some(recorded)) => read.push(recorded),
            Ok(None) => found.problems.push(format!("{id}: it has no record.")),
            Err(error) => found.problems.push(format!("{id}: {error}")),
        }
    }
    one_project_manager(&mut read, found);
    for one in &read {
        let sessions = root.join(CAR_DIR).join("threads").join(one.thread.id.as_str());
        let mut writes = vec![Write::Thread(Box::new(one.thread.clone()))];
        for session in sessions_below(&sessions) {
            orphan::end(&session.dir).await;
            writes.push(ended(session, Errand::Thread(one.thread.id.clone()), &one.thread.agent));
        }
        writes.extend(went_wrong(one));
        store.commit(writes).await?;
        if one.unread > 0 {
            let id = &one.thread.id;
            found.problems.push(format!("{id}: {} lines of its record say nothing.", one.unread));
        }
        found.cut_off += u64::from(one.cut_off);
        found.messages += one.messages.len() as u64;
    }
    found.threads += read.len() as u64;
    // A search gives the newest first, whatever thread it is in.
    let (mut items, mut rows) = (Vec::new(), Vec::new());
    for one in read {
        rows.extend(one.messages);
        items.extend(one.items.into_iter().map(Write::Item));
        items.extend(one.usage.into_iter().map(|row| Write::Usage(Box::new(row))));
    }
    rows.sort_by_key(|row| (row.message.created_at, row.message.number));
    let messages: Vec<Write> = rows.into_iter().map(|row| Write::Message(Box::new(row))).collect();
    for writes in items.chunks(STEP).chain(messages.chunks(STEP)) {
        store.commit(writes.to_vec()).await?;
    }
    Ok(())
}

/// What waits for a person because the last answer is not whole. Nobody is told of it again.
fn went_wrong(one: &Recorded) -> Option<Write> {
    let ended = |row: &&MessageRow| row.message.ended_at.is_some();
    let last = one.messages.iter().rev().find(ended)?;
    let mut write = derive::message(&last.message, one.thread.repo.as_ref());
    if let Write::Inbox(change) = &mut write {
        for draft in &mut change.open {
            draft.notify = None;
        }
    }
    Some(write)
}

/// There is one thread of the project manager: the one that was at work last. Others there were
/// before it are put away.
fn one_project_manager(read: &mut [Recorded], found: &mut Reindexed) {
    let pma = |one: &&mut Recorded| one.thread.kind == ThreadKind::Pma;
    let mut all: Vec<&mut Recorded> = read.iter_mut().filter(pma).collect();
    all.sort_by_key(|one| one.thread.updated_at);
    all.pop();
    for one in all {
        one.thread.kind = ThreadKind::Chat;
        one.thread.archived_at = one.thread.archived_at.or(Some(one.thread.updated_at));
        let id = &one.thread.id;
        found.problems.push(format!("{id}: a newer thread is the project manager's; put away."));
    }
}
