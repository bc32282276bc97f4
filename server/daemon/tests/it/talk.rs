//! A thread of the demo agent, and the wait for what becomes of its messages.

use std::time::{Duration, Instant};

use car_api::{
    MessageId, ThreadKey,
    item::Approval,
    thread::{Message, MessagePost, MessageStatus, Thread, ThreadCreate, ThreadStatus},
};
use car_client::{Client, MessagePage};

use crate::harness::DEADLINE;

/// A conversation with an agent.
pub(crate) struct Talk {
    pub(crate) client: Client,
    pub(crate) key: ThreadKey,
}

impl Talk {
    /// A new one with the demo agent.
    pub(crate) async fn new(client: &Client) -> Self {
        Self::with(client, "demo").await
    }

    /// A new one with an agent.
    pub(crate) async fn with(client: &Client, agent: &str) -> Self {
        let body = ThreadCreate { agent: agent.parse().ok(), ..ThreadCreate::default() };
        let thread = client.thread_create(&body).await.unwrap();
        Self { client: client.clone(), key: thread.id.as_str().parse().unwrap() }
    }

    pub(crate) async fn post(&self, text: &str) -> Message {
        let body = MessagePost { body: text.to_owned(), ..MessagePost::default() };
        self.client.message_post(&self.key, &body).await.unwrap()
    }

    pub(crate) async fn thread(&self) -> Thread {
        self.client.thread_get(&self.key).await.unwrap()
    }

    /// All messages, oldest first; of a short thread.
    pub(crate) async fn messages(&self) -> Vec<Message> {
        let page = MessagePage { limit: Some(500), ..MessagePage::default() };
        self.client.message_list(&self.key, page).await.unwrap().items
    }

    pub(crate) async fn message(&self, id: &MessageId) -> Message {
        self.client.message_get(&self.key, id).await.unwrap().message
    }

    /// Waits until the message stands so; fails at once when it has ended otherwise.
    pub(crate) async fn until(&self, id: &MessageId, status: MessageStatus) -> Message {
        self.until_message(id, |message| {
            let over = message.ended_at.is_some();
            assert!(!over || message.status == status, "not {status}: {message:#?}");
            message.status == status
        })
        .await
    }

    pub(crate) async fn until_message(
        &self,
        id: &MessageId,
        wanted: impl Fn(&Message) -> bool,
    ) -> Message {
        let begun = Instant::now();
        loop {
            let message = self.message(id).await;
            if wanted(&message) {
                return message;
            }
            assert!(begun.elapsed() < DEADLINE, "the message stays as it is: {message:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until something of the answer is there.
    pub(crate) async fn until_said(&self, id: &MessageId) {
        let begun = Instant::now();
        while self.client.message_get(&self.key, id).await.unwrap().items.is_empty() {
            assert!(begun.elapsed() < DEADLINE, "nothing was said");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the thread is as wanted.
    pub(crate) async fn until_thread(&self, wanted: impl Fn(&Thread) -> bool) -> Thread {
        let begun = Instant::now();
        loop {
            let thread = self.thread().await;
            if wanted(&thread) {
                return thread;
            }
            assert!(begun.elapsed() < DEADLINE, "the thread stays as it is: {thread:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn until_idle(&self) -> Thread {
        self.until_thread(|thread| thread.status == ThreadStatus::Idle).await
    }

    /// Waits until the agent asks for a permission.
    pub(crate) async fn asked(&self) -> Approval {
        let thread = self.until_thread(|thread| thread.status == ThreadStatus::Asking).await;
        thread.approvals_open.into_iter().next().unwrap()
    }
}
