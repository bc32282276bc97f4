//! Threads and their messages.

use car_api::{
    ApprovalId, MessageId, Page, PageQuery, RepoId, ThreadKey,
    item::Approval,
    run::ApprovalDecide,
    thread::{
        Message, MessageDetail, MessageHit, MessagePost, Thread, ThreadCreate, ThreadFork,
        ThreadKind, ThreadStatus, ThreadUpdate,
    },
};

use super::Client;
use crate::ClientError;

/// Which threads are wanted.
#[derive(Debug, Clone, Default)]
pub struct ThreadFilter {
    /// Only of this kind.
    pub kind: Option<ThreadKind>,
    /// Only about this repo or worktree.
    pub repo: Option<RepoId>,
    /// Only those that stand so.
    pub status: Option<ThreadStatus>,
    /// Only those put away, or (`None`) with them.
    pub archived: Option<bool>,
}

/// Which messages of a thread are wanted; the last ones when neither side is named.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessagePage {
    /// The messages before this number.
    pub before: Option<u32>,
    /// The messages after this number.
    pub after: Option<u32>,
    /// At most so many.
    pub limit: Option<u32>,
}

impl Client {
    /// Threads, the one that was active last first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn thread_list(
        &self,
        filter: &ThreadFilter,
        page: &PageQuery,
    ) -> Result<Page<Thread>, ClientError> {
        let archived = filter.archived.map_or_else(|| "all".to_owned(), |only| only.to_string());
        self.get("thread_list", &["threads"])
            .query("kind", filter.kind)
            .query("repo", filter.repo.as_ref())
            .query("status", filter.status)
            .query("archived", Some(archived))
            .page(page)
            .json()
            .await
    }

    /// Begins a thread.
    ///
    /// # Errors
    /// `not_found` for a repo, `agent_unavailable`.
    pub async fn thread_create(&self, body: &ThreadCreate) -> Result<Thread, ClientError> {
        self.post("thread_create", &["threads"]).body(body).json().await
    }

    /// One thread.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn thread_get(&self, thread: &ThreadKey) -> Result<Thread, ClientError> {
        self.get("thread_get", &["threads", thread.as_str()]).json().await
    }

    /// Changes a thread.
    ///
    /// # Errors
    /// `illegal_transition` when it cannot be put away.
    pub async fn thread_update(
        &self,
        thread: &ThreadKey,
        body: &ThreadUpdate,
    ) -> Result<Thread, ClientError> {
        self.patch("thread_update", &["threads", thread.as_str()]).body(body).json().await
    }

    /// Messages of a thread, oldest first.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn message_list(
        &self,
        thread: &ThreadKey,
        page: MessagePage,
    ) -> Result<Page<Message>, ClientError> {
        self.get("message_list", &["threads", thread.as_str(), "messages"])
            .query("before", page.before)
            .query("after", page.after)
            .query("limit", page.limit)
            .json()
            .await
    }

    /// Posts a message.
    ///
    /// # Errors
    /// `busy`, `idempotency_mismatch`, `illegal_transition`.
    pub async fn message_post(
        &self,
        thread: &ThreadKey,
        body: &MessagePost,
    ) -> Result<Message, ClientError> {
        let path = ["threads", thread.as_str(), "messages"];
        self.post("message_post", &path).body(body).json().await
    }

    /// A message with everything the agent did to answer it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn message_get(
        &self,
        thread: &ThreadKey,
        message: &MessageId,
    ) -> Result<MessageDetail, ClientError> {
        let path = ["threads", thread.as_str(), "messages", message.as_str()];
        self.get("message_get", &path).json().await
    }

    /// Takes a message back that waits.
    ///
    /// # Errors
    /// `illegal_transition` when its turn has come.
    pub async fn message_cancel(
        &self,
        thread: &ThreadKey,
        message: &MessageId,
    ) -> Result<Message, ClientError> {
        let path = ["threads", thread.as_str(), "messages", message.as_str()];
        self.delete("message_cancel", &path).json().await
    }

    /// Has the agent go on with an answer that was cut off or failed.
    ///
    /// # Errors
    /// `illegal_transition` when it was neither.
    pub async fn message_continue(
        &self,
        thread: &ThreadKey,
        message: &MessageId,
    ) -> Result<Message, ClientError> {
        let path = ["threads", thread.as_str(), "messages", message.as_str(), "continue"];
        self.post("message_continue", &path).json().await
    }

    /// Cuts the answer off that is under way; the queue goes on.
    ///
    /// # Errors
    /// `illegal_transition` when none is.
    pub async fn thread_interrupt(&self, thread: &ThreadKey) -> Result<Thread, ClientError> {
        self.post("thread_interrupt", &["threads", thread.as_str(), "interrupt"]).json().await
    }

    /// Cuts the answer off that is under way, and takes back what waits.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn thread_stop(&self, thread: &ThreadKey) -> Result<Thread, ClientError> {
        self.post("thread_stop", &["threads", thread.as_str(), "stop"]).json().await
    }

    /// Lets a held thread go on.
    ///
    /// # Errors
    /// `forbidden` for an agent.
    pub async fn thread_resume(&self, thread: &ThreadKey) -> Result<Thread, ClientError> {
        self.post("thread_resume", &["threads", thread.as_str(), "resume"]).json().await
    }

    /// Begins a new conversation of the agent.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn thread_reset(&self, thread: &ThreadKey) -> Result<Thread, ClientError> {
        self.post("thread_reset", &["threads", thread.as_str(), "reset"]).json().await
    }

    /// Makes the agent's conversation shorter.
    ///
    /// # Errors
    /// `illegal_transition` while it answers, or when there is none yet.
    pub async fn thread_compact(&self, thread: &ThreadKey) -> Result<Thread, ClientError> {
        self.post("thread_compact", &["threads", thread.as_str(), "compact"]).json().await
    }

    /// Begins another thread from what was said in this one.
    ///
    /// # Errors
    /// `agent_cannot`, `busy`, `illegal_transition`.
    pub async fn thread_fork(
        &self,
        thread: &ThreadKey,
        body: &ThreadFork,
    ) -> Result<Thread, ClientError> {
        self.post("thread_fork", &["threads", thread.as_str(), "fork"]).body(body).json().await
    }

    /// Answers a question of a thread's agent.
    ///
    /// # Errors
    /// `illegal_transition` when it is no longer asked.
    pub async fn thread_approval_decide(
        &self,
        thread: &ThreadKey,
        approval: &ApprovalId,
        body: &ApprovalDecide,
    ) -> Result<Approval, ClientError> {
        let path = ["threads", thread.as_str(), "approvals", approval.as_str()];
        self.post("thread_approval_decide", &path).body(body).json().await
    }

    /// Messages and answers that hold all the words, the newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn message_search(
        &self,
        words: &str,
        thread: Option<&ThreadKey>,
        page: &PageQuery,
    ) -> Result<Page<MessageHit>, ClientError> {
        self.get("message_search", &["messages"])
            .query("q", Some(words))
            .query("thread", thread)
            .page(page)
            .json()
            .await
    }
}
