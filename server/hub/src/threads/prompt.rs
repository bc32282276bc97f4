//! What the agent is told: the one place where a prompt is made from a message.

use std::sync::Arc;

use car_api::{
    filebox::FileBox,
    thread::{Message, ThreadKind},
};
use car_engine::lane::Lane;
use car_files::filebox;
use car_store::ThreadRow;

use crate::{Result, hub::Inner};

/// The prompt of a message. `again` says that the agent has had it before in this conversation
/// without finishing its answer.
pub(crate) async fn prompt_of(
    hub: &Arc<Inner>,
    thread: &ThreadRow,
    message: &Message,
    again: bool,
) -> Result<String> {
    if thread.kind == ThreadKind::Pma {
        let said = Said { words: body_of(hub, thread, message).await?, again };
        return hub.pma_prompt(thread, message, said, seed(&thread.lane)).await;
    }
    let mut prompt = String::new();
    if let Some(seed) = seed(&thread.lane) {
        prompt += &format!("What was said before, in short:\n\n{}\n\n---\n\n", seed.trim());
    }
    prompt += &words_of(hub, thread, message, again).await?;
    Ok(prompt)
}

/// A message on its way into a prompt.
pub(crate) struct Said {
    /// Its words, with what it goes on from.
    pub(crate) words: String,
    /// Whether the agent has had it before without finishing its answer.
    pub(crate) again: bool,
}

/// A message in the words the agent is told it in: with what it goes on from, and with the files
/// that came with it.
pub(crate) async fn words_of(
    hub: &Arc<Inner>,
    thread: &ThreadRow,
    message: &Message,
    again: bool,
) -> Result<String> {
    let mut words = String::new();
    if again {
        words += "Your answer to the following message was cut off. Go on from where you were, and \
                  do nothing a second time.\n\n---\n\n";
    }
    words += &body_of(hub, thread, message).await?;
    words += &attachments(message);
    Ok(words)
}

/// A message's own words, with what it goes on from where the agent does not know that.
async fn body_of(hub: &Arc<Inner>, thread: &ThreadRow, message: &Message) -> Result<String> {
    let mut words = String::new();
    if let Some(cut_off) = cut_off(hub, message).await? {
        let known = cut_off.conversation == thread.lane.conversation;
        if !(known && thread.lane.backend.is_some()) {
            words += &format!("I had asked:\n\n{}\n\n---\n\n", cut_off.body);
            if let Some(answer) = &cut_off.answer {
                words += &format!("Your answer had come to this:\n\n{answer}\n\n---\n\n");
            }
        }
    }
    words += &message.body;
    if message.continues.is_some() {
        words += " Do nothing a second time.";
    }
    Ok(words)
}

/// The message a message goes on from, at the beginning of the chain.
async fn cut_off(hub: &Arc<Inner>, message: &Message) -> Result<Option<Message>> {
    let mut found: Option<Message> = None;
    let mut next = message.continues.clone();
    while let Some(id) = next {
        let Some(row) = hub.store.message(&id).await? else { break };
        next = row.message.continues.clone();
        found = Some(row.message);
    }
    Ok(found)
}

/// The summary the conversation begins with, while the agent has not opened it.
pub(crate) fn seed(lane: &Lane) -> Option<&str> {
    lane.seed.as_deref().filter(|_| lane.backend.is_none())
}

/// Where the files are that came with a message.
pub(crate) fn attachments(message: &Message) -> String {
    if message.attachments.is_empty() {
        return String::new();
    }
    let place = filebox::path(FileBox::Inbox);
    let place = place.display();
    let names = message.attachments.iter().map(|name| format!("- `{place}/{name}`\n"));
    format!("\n\nFiles that came with this message:\n\n{}", names.collect::<String>())
}
