//! The record of a thread on disk: every change of it, its messages and what was done to answer them,
//! one a line, so that it can be listed again without a database.
//!
//! A line is written before its commit. One whose commit did not follow was never acknowledged, and
//! the next of its number takes its place.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use car_api::{ThreadId, Timestamp, TurnId, item::ItemBody, money::Cost, thread::MessageStatus};
use car_engine::lane::{Input, Moment, Restored, step};
use car_files::thread_dir::ThreadDir;
use car_store::{ItemRow, MessageQuery, MessageRow, ThreadQuery, ThreadRow, UsageRow, Write};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    hub::{Inner, blocking},
};

/// Why an answer that was under way is not any more.
const LOST: &str = "The hub's database was lost while it was answered.";

/// Messages that are read from the database at once.
const PAGE: u32 = 500;

/// One line. Rows have fields with defaults added to them, never others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Thread(Box<ThreadRow>),
    Message(Box<MessageRow>),
    Item(ItemRow),
    Usage(Box<UsageRow>),
}

/// Whole lines on their way to disk.
#[derive(Default)]
struct Lines {
    text: String,
    /// Whether something is among them that is acknowledged once it is committed.
    acknowledged: bool,
}

impl Lines {
    fn of(hub: &Inner, writes: &[Write]) -> Result<Self> {
        let mut lines = Self::default();
        for write in writes {
            let line = if let Write::Thread(row) = write {
                Line::Thread(row.clone())
            } else if let Write::Message(row) = write {
                Line::Message(row.clone())
            } else if let Write::Item(row) = write {
                Line::Item(row.clone())
            } else if let Write::Usage(row) = write {
                Line::Usage(row.clone())
            } else {
                continue;
            };
            lines.acknowledged |= !matches!(line, Line::Item(_));
            lines.add(hub, &line)?;
        }
        Ok(lines)
    }

    fn add(&mut self, hub: &Inner, line: &Line) -> Result<()> {
        let text = serde_json::to_string(line).map_err(Error::internal)?;
        self.text += &hub.config.redactor.redact(&text);
        self.text.push('\n');
        Ok(())
    }
}

/// Puts down what is about to be committed of a thread. A disk that fails does not keep the thread
/// from going on: its record is dropped, and begun anew from the database.
pub(super) async fn keep(hub: &Arc<Inner>, thread: &ThreadId, writes: &[Write]) {
    let kept = async {
        let lines = Lines::of(hub, writes)?;
        if lines.text.is_empty() {
            return Ok(());
        }
        match add(hub, thread, &lines).await {
            Err(error) if error.code == car_api::Code::NotFound => {
                let mut whole = whole(hub, thread).await?;
                whole.text += &lines.text;
                if !begin(hub, thread, whole).await? {
                    return add(hub, thread, &lines).await;
                }
                Ok(())
            }
            other => other,
        }
    };
    if let Err(error) = kept.await {
        tracing::error!(%thread, %error, "what was said in a thread cannot be written down");
        let dropped = in_dir(hub, thread, |dir| Ok(dir.drop_record()?)).await;
        if let Err(error) = dropped {
            tracing::error!(%thread, %error, "the record of a thread lacks something");
        }
    }
}

/// Begins the records that are not there: of threads from before there were any.
pub(super) async fn begin_missing(hub: &Arc<Inner>) -> Result<()> {
    let mut query = ThreadQuery { limit: PAGE, ..ThreadQuery::default() };
    loop {
        let rows = hub.store.threads(&query).await?;
        query.before = rows.last().map(|row| (row.updated_at, row.id.clone()));
        for row in &rows {
            if !in_dir(hub, &row.id, |dir| Ok(dir.has_record()?)).await? {
                let whole = whole(hub, &row.id).await?;
                begin(hub, &row.id, whole).await?;
            }
        }
        if rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

/// Everything the database knows of a thread.
async fn whole(hub: &Arc<Inner>, thread: &ThreadId) -> Result<Lines> {
    let mut lines = Lines::default();
    // First, so that its number of messages is not ahead of them.
    let row = hub.store.thread(thread).await?;
    let mut after = 0;
    loop {
        let query = MessageQuery { after: Some(after), limit: PAGE, before: None };
        let messages = hub.store.messages(thread, query).await?;
        let Some(last) = messages.last().map(|row| row.message.number) else { break };
        for item in hub.store.items_of_messages(thread, after + 1, last).await? {
            lines.add(hub, &Line::Item(item))?;
        }
        for message in messages {
            lines.add(hub, &Line::Message(Box::new(message)))?;
        }
        after = last;
    }
    for used in hub.store.usage_of_thread(thread).await? {
        lines.add(hub, &Line::Usage(Box::new(used)))?;
    }
    if let Some(row) = row {
        lines.add(hub, &Line::Thread(Box::new(row)))?;
    }
    Ok(lines)
}

async fn add(hub: &Arc<Inner>, thread: &ThreadId, lines: &Lines) -> Result<()> {
    let (text, synced) = (lines.text.clone(), lines.acknowledged);
    in_dir(hub, thread, move |dir| Ok(dir.add_to_record(text.as_bytes(), synced)?)).await
}

async fn begin(hub: &Arc<Inner>, thread: &ThreadId, lines: Lines) -> Result<bool> {
    in_dir(hub, thread, move |dir| Ok(dir.begin_record(lines.text.as_bytes())?)).await
}

async fn in_dir<T: Send + 'static>(
    hub: &Arc<Inner>,
    thread: &ThreadId,
    work: impl FnOnce(ThreadDir) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (root, thread) = (hub.config.root.clone(), thread.clone());
    blocking(move || work(ThreadDir::create(&root, thread.as_str())?)).await
}

/// A thread as its record has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recorded {
    /// It, at rest or held.
    pub(crate) thread: ThreadRow,
    /// Its messages, in order; none of them is being answered.
    pub(crate) messages: Vec<MessageRow>,
    /// What was done to answer them.
    pub(crate) items: Vec<ItemRow>,
    /// What its turns used, oldest first.
    pub(crate) usage: Vec<UsageRow>,
    /// Whether an answer was under way.
    pub(crate) cut_off: bool,
    /// Lines that say nothing.
    pub(crate) unread: usize,
}

/// The thread of a directory, by its record, brought to rest, which is added to the record; nothing
/// when it has none.
///
/// # Errors
/// The record cannot be read or added to, or does not say what the thread is.
pub(crate) fn read(root: &Path, thread: &ThreadId) -> Result<Option<Recorded>> {
    let dir = match ThreadDir::open(root, thread.as_str()) {
        Ok(dir) => dir,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(bytes) = dir.record()? else { return Ok(None) };
    let (recorded, changed) = fold(&bytes, thread)?;
    if !changed.is_empty() {
        let mut text = String::new();
        for line in &changed {
            text += &serde_json::to_string(line).map_err(Error::internal)?;
            text.push('\n');
        }
        dir.add_to_record(text.as_bytes(), true)?;
    }
    Ok(Some(recorded))
}

/// What the lines come to, the last word on each thing counting, and the lines that bring it to rest.
fn fold(bytes: &[u8], thread: &ThreadId) -> Result<(Recorded, Vec<Line>)> {
    let mut row: Option<ThreadRow> = None;
    let mut messages: BTreeMap<u32, MessageRow> = BTreeMap::new();
    let mut items: HashMap<TurnId, BTreeMap<String, ItemRow>> = HashMap::new();
    let mut used: HashMap<TurnId, UsageRow> = HashMap::new();
    let mut unread = 0;
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(Line::Thread(found)) if found.id == *thread => row = Some(*found),
            Ok(Line::Message(found)) if found.message.thread == *thread => {
                messages.insert(found.message.number, *found);
            }
            Ok(Line::Item(item)) => {
                let of_turn = items.entry(item.turn.clone()).or_default();
                of_turn.insert(item.item.id.clone(), item);
            }
            Ok(Line::Usage(row)) if row.thread == *thread => {
                used.insert(row.turn.clone(), *row);
            }
            Ok(_) | Err(_) => unread += 1,
        }
    }
    let mut row = row.ok_or_else(|| Error::bad_request("its record does not say what it is"))?;
    // A line that was never committed may stand behind the last number.
    messages.retain(|number, _| *number <= row.messages);
    let mut cut_off = false;
    // The last that is known to have happened: read again, it comes to the same.
    let moment = Moment { now: row.updated_at, turn: TurnId::generate() };
    let before = row.lane.clone();
    let lane = step(&row.lane, Input::Restored { from: Restored::Files }, &moment);
    row.lane = lane.map_err(Error::internal)?.lane;
    row.lane.queue.retain(|id| messages.values().any(|row| row.message.id == *id));
    if row.lane.queue.is_empty() {
        row.lane.state = car_engine::lane::State::Idle;
    }
    let mut changed = Vec::new();
    let mut kept = Vec::new();
    for message in messages.values_mut() {
        let of_turn = message.message.turn.as_ref().and_then(|turn| items.remove(turn));
        let mut of_turn: Vec<ItemRow> = of_turn.into_iter().flatten().map(|(_, row)| row).collect();
        of_turn.sort_by_key(|item| item.place);
        let waits = row.lane.queue.contains(&message.message.id);
        if message.message.ended_at.is_none() && !waits {
            cut_off = true;
            interrupt(message, &of_turn, moment.now);
            changed.push(Line::Message(Box::new(message.clone())));
        }
        let last = message.message.turn.as_ref().and_then(|turn| used.get(turn));
        message.message.cost = message.message.cost.or(last.map(|row| cost(message, row)));
        kept.append(&mut of_turn);
    }
    if row.lane != before {
        changed.push(Line::Thread(Box::new(row.clone())));
    }
    let messages = messages.into_values().collect();
    let mut usage: Vec<UsageRow> = used.into_values().collect();
    usage.sort_by_key(|row| row.ended_at);
    Ok((Recorded { thread: row, messages, items: kept, usage, cut_off, unread }, changed))
}

/// What a message cost whose line does not say so: its last turn at its price, and what turns before
/// it used at none.
fn cost(message: &MessageRow, last: &UsageRow) -> Cost {
    let tokens = last.usage.total();
    let before = message.message.usage.total().saturating_sub(tokens).max(0);
    Cost::of_turn(last.cost, tokens).plus(Cost::of_turn(None, before))
}

/// What was said so far stands.
fn interrupt(row: &mut MessageRow, items: &[ItemRow], at: Timestamp) {
    let message = &mut row.message;
    message.status = MessageStatus::Interrupted;
    message.detail = Some(LOST.to_owned());
    message.ended_at = Some(at);
    let said = items.iter().rev().find_map(|row| {
        let ItemBody::Message { text } = &row.item.body else { return None };
        Some(text.clone())
    });
    message.answer = message.answer.take().or(said);
}

#[cfg(test)]
mod tests;
