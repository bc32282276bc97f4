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
        return hub.pma_prompt(thread, message, again, seed(&thread.lane)).await;
    }
    let mut prompt = String::new();
    if let Some(seed) = seed(&thread.lane) {
        prompt += &format!("What was said before, in short:\n\n{}\n\n---\n\n", seed.trim());
    }
    if again {
        prompt += "Your answer to the following message was cut off. Go on from where you were, and \
                   do nothing a second time.\n\n---\n\n";
    }
    prompt += &message.body;
    prompt += &attachments(message);
    Ok(prompt)
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
