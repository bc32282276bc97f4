//! The inbox: everything that waits for a person or went wrong, each thing once.

use crate::{
    ApprovalId, ChannelId, InboxItemId, JobId, MessageId, RepoId, RunId, ThreadId, Timestamp, wire,
    words,
};

wire! {
    /// One thing that waits for a person.
    pub struct InboxItem {
        /// Its id.
        pub id: InboxItemId,
        /// What it is.
        pub kind: InboxKind,
        /// Whether it still waits.
        pub status: InboxStatus,
        /// How pressing it is: the smaller, the more. Items are listed by it.
        pub rank: u32,
        /// What it is about, short.
        pub title: String,
        /// Why it is here, in one line.
        pub line: String,
        /// More, in Markdown: the question's text, the failing command and the end of its output.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub body: Option<String>,
        /// What can be done; the first resolves it as a rule.
        pub actions: Vec<InboxAction>,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub repo: Option<RepoId>,
        /// In which run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<RunId>,
        /// In which thread.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub thread: Option<ThreadId>,
        /// Which message of the thread.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub message: Option<MessageId>,
        /// Which dispatch of the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub dispatch: Option<u32>,
        /// Which question of the agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub approval: Option<ApprovalId>,
        /// Which job.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        /// Which channel delivers no notifications.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub channel: Option<ChannelId>,
        /// Since when.
        pub created_at: Timestamp,
        /// Until when the project manager may answer it before a person is told; `escalate` tells
        /// them at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held_until: Option<Timestamp>,
        /// When it was first seen by a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub seen_at: Option<Timestamp>,
        /// When it stopped waiting.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub resolved_at: Option<Timestamp>,
        /// What was done about it here, if it was done here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub acted: Option<InboxAction>,
        /// What resolved it, in one line: who did what.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub resolution: Option<String>,
    }
}

words! {
    /// What an inbox item is, the most pressing first.
    pub enum InboxKind {
        /// An agent asks for permission in the middle of its turn.
        Approval = "approval",
        /// An agent asked something, and its run waits for the answer.
        Question = "question",
        /// A run waits until its cause is mended.
        Fix = "fix",
        /// A run used up its budget.
        Budget = "budget",
        /// A ticket is a person's to do.
        UserTicket = "user_ticket",
        /// A run failed.
        RunFailed = "run_failed",
        /// What waits in a thread is held until a person lets it go on, or its agent fails time after
        /// time.
        ThreadHeld = "thread_held",
        /// A thread's answer failed or was cut off.
        MessageFailed = "message_failed",
        /// A job failed.
        JobFailed = "job_failed",
        /// A repo's directory or entry cannot be used.
        Repo = "repo",
        /// A notification could not be delivered.
        DeliveryFailed = "delivery_failed",
        /// An agent's dispatch for information.
        Note = "note",
    }
}

words! {
    /// Whether an inbox item still waits.
    pub enum InboxStatus {
        /// It waits.
        Open = "open",
        /// What it waited for has happened.
        Resolved = "resolved",
        /// A person put it away.
        Dismissed = "dismissed",
    }
}

words! {
    /// Which part of the inbox a list shows.
    #[derive(Default)]
    pub enum InboxView {
        /// What waits, by rank and age.
        #[default]
        Open = "open",
        /// What was resolved, newest first.
        Resolved = "resolved",
        /// What was put away, newest first.
        Dismissed = "dismissed",
        /// What waits, then everything that has ended.
        All = "all",
    }
}

words! {
    /// What can be done about an inbox item.
    pub enum InboxAction {
        /// Answer with a text; the run goes on.
        Reply = "reply",
        /// Say yes.
        Approve = "approve",
        /// Say no.
        Decline = "decline",
        /// Let the run go on after its cause was mended, or the thread that is held.
        Resume = "resume",
        /// Begin again: a new run, the message once more, the delivery once more.
        Retry = "retry",
        /// The ticket was done by hand.
        Done = "done",
        /// End the run; of a thread, take back what waits.
        Stop = "stop",
        /// Let a person be told now; the project manager has no answer.
        Escalate = "escalate",
        /// Put it away.
        Dismiss = "dismiss",
    }
}

wire! {
    /// Body of `inbox_act`.
    #[serde(deny_unknown_fields)]
    pub struct InboxAct {
        /// What to do; one of the item's `actions`.
        pub action: InboxAction,
        /// The text, for `reply`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(max_length = 100_000))]
        pub body: Option<String>,
    }
}

wire! {
    /// How many inbox items wait.
    #[derive(Default)]
    pub struct InboxCounts {
        /// Items that wait.
        pub open: u64,
        /// Of those, the ones nobody has seen.
        pub unseen: u64,
    }
}

wire! {
    /// Body of `inbox_seen`.
    #[serde(deny_unknown_fields)]
    pub struct InboxSeen {
        /// The items that were seen; those that were seen before stay as they are.
        #[cfg_attr(feature = "schema", schema(max_items = 500))]
        pub items: Vec<InboxItemId>,
    }
}
