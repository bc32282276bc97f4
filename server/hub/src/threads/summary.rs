//! What was said in a thread, in short: what a new conversation begins with in place of the old one.

use std::sync::Arc;

use car_store::{MessageQuery, ThreadRow};

use super::view;
use crate::hub::Inner;

/// How many messages are looked at, and how much of each is kept, in characters.
const MESSAGES: u32 = 20;
const EACH: usize = 600;

/// The last messages of the thread's present conversation and their answers; nothing when there are
/// none.
pub(super) async fn of(hub: &Arc<Inner>, row: &ThreadRow) -> Option<String> {
    let query = MessageQuery { limit: MESSAGES, ..MessageQuery::default() };
    let messages = match hub.store.messages(&row.id, query).await {
        Ok(messages) => messages,
        Err(error) => {
            tracing::warn!(thread = %row.id, %error, "what was said in a thread cannot be read");
            return None;
        }
    };
    let mut text = String::new();
    for message in messages {
        let message = message.message;
        if message.conversation != row.lane.conversation || message.ended_at.is_none() {
            continue;
        }
        text += &format!("{}: {}\n", message.author, view::beginning(&message.body, EACH));
        if let Some(answer) = &message.answer {
            text += &format!("You: {}\n", view::beginning(answer, EACH));
        }
    }
    (!text.is_empty()).then_some(text)
}
