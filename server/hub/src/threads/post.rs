//! Messages on their way in: each is one, however often it is sent.

use car_api::{
    Code, MessageId, ThreadId,
    thread::{BusyPolicy, Message, MessageOrigin, MessagePost, MessageStatus},
};
use car_store::Write;

use super::{
    gate,
    lanes::{Posted, Told},
};
use crate::{Error, Hub, Result, audit::Act, clock, hub::Inner, idempotency::Made};

/// Longest id a caller may give a message.
const LONGEST_ID: usize = 200;

/// Longest message, in bytes.
const LONGEST: usize = 100_000;

/// A message that is about to be one.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) id: MessageId,
    pub(crate) origin: MessageOrigin,
    pub(crate) author: String,
    pub(crate) client_turn_id: Option<String>,
    pub(crate) body: String,
    pub(crate) attachments: Vec<String>,
    pub(crate) continues: Option<MessageId>,
    pub(crate) busy: BusyPolicy,
    /// What is committed with it.
    pub(crate) with: Vec<Write>,
}

impl Draft {
    /// Whether the message that came under this id before is this one.
    pub(crate) fn is(&self, earlier: &Message) -> bool {
        self.body == earlier.body
            && self.attachments == earlier.attachments
            && self.continues == earlier.continues
    }
}

impl Hub {
    /// Posts a message; gives it, and whether it was there before.
    ///
    /// # Errors
    /// See the API.
    pub async fn message_post(&self, key: &str, body: MessagePost) -> Result<(Message, bool)> {
        self.inner.unconfirmed.refuse()?;
        check(&body)?;
        let row = self.inner.thread_row(key).await?;
        let draft = self.draft(&row.id, body, None)?;
        self.inner.post(&row.id, draft).await.map(|posted| (posted.message, posted.again))
    }

    /// Posts a message that has the agent go on with one that was cut off.
    ///
    /// # Errors
    /// See the API.
    pub async fn message_continue(
        &self,
        key: &str,
        message: &MessageId,
    ) -> Result<(Message, bool)> {
        self.inner.unconfirmed.refuse()?;
        let row = self.inner.thread_row(key).await?;
        let earlier = self.inner.message_of_thread(&row.id, message).await?.message;
        match earlier.status {
            MessageStatus::Interrupted | MessageStatus::Failed => {}
            MessageStatus::Queued
            | MessageStatus::Working
            | MessageStatus::Completed
            | MessageStatus::Cancelled
            | MessageStatus::Blocked => {
                let detail = format!(
                    "Only an answer that was cut off or failed can be gone on with; this message is {}.",
                    earlier.status
                );
                return Err(Error::new(Code::IllegalTransition, detail));
            }
        }
        let body = MessagePost {
            body: "Go on where you were cut off.".to_owned(),
            attachments: Vec::new(),
            // Asked twice, it is gone on with once.
            client_turn_id: Some(format!("continue:{message}")),
            busy: BusyPolicy::Queue,
        };
        let draft = self.draft(&row.id, body, Some(message.clone()))?;
        self.inner.post(&row.id, draft).await.map(|posted| (posted.message, posted.again))
    }

    fn draft(
        &self,
        thread: &ThreadId,
        body: MessagePost,
        continues: Option<MessageId>,
    ) -> Result<Draft> {
        let id = MessageId::generate();
        let verb = if continues.is_some() { "message_continue" } else { "message_post" };
        let mut with = vec![self.act(verb, &id).detail(format!("thread {thread}")).done()];
        with.extend(self.remember(&Made::Message { thread: thread.clone(), id: id.clone() })?);
        Ok(Draft {
            id,
            origin: MessageOrigin::User,
            author: self.actor.name.clone(),
            client_turn_id: body.client_turn_id,
            // What is kept is what is compared.
            body: self.inner.config.redactor.redact(&body.body).into_owned(),
            attachments: body.attachments,
            continues,
            busy: body.busy,
            with,
        })
    }
}

impl Inner {
    /// Posts a message that the hub writes because something happened. `key` makes it one: the same
    /// key wakes once.
    pub(crate) async fn wake_thread(
        self: &std::sync::Arc<Self>,
        thread: &ThreadId,
        rule: &str,
        key: String,
        body: String,
    ) -> Result<Message> {
        let id = MessageId::generate();
        let act = Act::of_hub("message_post", &id).detail(format!("thread {thread}: {rule}"));
        let draft = Draft {
            id,
            origin: MessageOrigin::Wake,
            author: rule.to_owned(),
            client_turn_id: Some(key),
            body: self.config.redactor.redact(&body).into_owned(),
            attachments: Vec::new(),
            continues: None,
            busy: BusyPolicy::Queue,
            with: vec![act.done()],
        };
        self.post(thread, draft).await.map(|posted| posted.message)
    }

    async fn post(self: &std::sync::Arc<Self>, thread: &ThreadId, draft: Draft) -> Result<Posted> {
        let draft = Box::new(draft);
        self.lanes.ask(self, thread, |done| Told::Post(draft, done)).await
    }
}

/// What can be said of a message before its thread is known.
fn check(body: &MessagePost) -> Result<()> {
    let wrong = |detail: &str| Err(Error::new(Code::Unprocessable, detail));
    if body.body.len() > LONGEST {
        return wrong("`body` has at most 100,000 bytes; put more into a file of the inbox.");
    }
    if body.body.trim().is_empty() && body.attachments.is_empty() {
        return wrong("`body` may be empty only when there are `attachments`.");
    }
    let id = body.client_turn_id.as_deref();
    if id.is_some_and(|id| id.trim().is_empty() || id.len() > LONGEST_ID) {
        return wrong("`client_turn_id` is a word of 1 to 200 bytes.");
    }
    if body.attachments.iter().any(|name| !gate::is_a_name(name)) {
        return wrong(
            "`attachments` are names of files of the inbox box, each a single path part.",
        );
    }
    Ok(())
}

/// The message a draft becomes.
pub(crate) fn message(draft: &Draft, thread: &ThreadId, number: u32, conversation: u32) -> Message {
    Message {
        id: draft.id.clone(),
        thread: thread.clone(),
        number,
        conversation,
        origin: draft.origin,
        author: draft.author.clone(),
        client_turn_id: draft.client_turn_id.clone(),
        body: draft.body.clone(),
        attachments: draft.attachments.clone(),
        status: MessageStatus::Queued,
        detail: None,
        continues: draft.continues.clone(),
        turn: None,
        answer: None,
        error: None,
        usage: car_api::item::Usage::default(),
        cost: None,
        created_at: clock::now(),
        started_at: None,
        ended_at: None,
    }
}
