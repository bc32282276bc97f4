//! The project manager agent (PMA): the agent that runs the hub for its user.

use crate::{ThreadId, Timestamp, wire, words};

words! {
    /// One of the documents the PMA works from.
    pub enum PmaDocName {
        /// What it is told first: its part.
        Prompt = "prompt",
        /// Lasting guidance of the user.
        Agents = "agents",
        /// What it has in mind now; bounded, and pruned into the log.
        ActiveContext = "active_context",
        /// What it had in mind before; grows at its end only.
        ContextLog = "context_log",
        /// How this hub is worked with.
        AboutCar = "about_car",
    }
}

wire! {
    /// One document of the PMA.
    pub struct PmaDoc {
        /// Which.
        pub name: PmaDocName,
        /// Its file, relative to the hub's root.
        pub path: String,
        /// Markdown text; empty when the file is missing.
        pub content: String,
        /// Lines it has.
        pub lines: u32,
        /// Lines it may have before it is pruned; only of `active_context`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub line_budget: Option<u32>,
        /// Whether it says what it says in a new hub.
        pub is_default: bool,
        /// Version, for `If-Match`.
        pub etag: String,
    }
}

wire! {
    /// Body of `pma_doc_update`.
    #[serde(deny_unknown_fields)]
    pub struct PmaDocUpdate {
        /// The new text.
        #[cfg_attr(feature = "schema", schema(max_length = 500_000))]
        pub content: String,
    }
}

wire! {
    /// How the PMA stands.
    pub struct PmaInfo {
        /// Whether it is turned on (`pma.enabled`).
        pub enabled: bool,
        /// Its thread.
        pub thread: ThreadId,
        /// What keeps it from harm.
        pub safety: PmaSafety,
        /// Its lanes: one a thread that has something to do.
        pub lanes: Vec<Lane>,
    }
}

wire! {
    /// Limits of the PMA and of threads, and how far they are used.
    pub struct PmaSafety {
        /// Whether turns are stopped because too many failed in a row.
        pub breaker_open: bool,
        /// When the breaker lets turns through again by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub breaker_until: Option<Timestamp>,
        /// Failures in a row.
        pub failures: u32,
        /// Failures in a row that open the breaker (`pma.breaker_failures`).
        pub breaker_failures: u32,
        /// Turns begun in the last minute.
        pub turns_last_minute: u32,
        /// Turns a minute at most (`pma.turns_per_minute`).
        pub turns_per_minute: u32,
        /// Equal messages within `pma.duplicate_window_seconds` that are let through.
        pub duplicates_max: u32,
        /// Messages a rule stopped in the last day, by rule (`duplicate`, `rate`, `breaker`).
        pub blocked: Vec<BlockedCount>,
    }
}

wire! {
    /// How many messages a safety rule stopped.
    pub struct BlockedCount {
        /// The rule.
        pub rule: String,
        /// Messages.
        pub count: u64,
    }
}

wire! {
    /// The queue of one thread.
    pub struct Lane {
        /// The thread.
        pub thread: ThreadId,
        /// Its name.
        pub name: String,
        /// Messages that wait.
        pub queued: u32,
        /// Whether one is being answered.
        pub working: bool,
        /// Why nothing moves, when nothing does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub held: Option<String>,
    }
}

words! {
    /// What the project manager is woken for, by rule (`pma.wake.on`).
    pub enum WakeRule {
        /// A run waits for a person.
        Paused = "paused",
        /// A run finished its queue.
        Completed = "completed",
        /// A run failed.
        Failed = "failed",
        /// A run was stopped.
        Stopped = "stopped",
        /// The agent of a run has something to say.
        Dispatch = "dispatch",
        /// A run waits for a quota to reset.
        Quota = "quota",
        /// A run used up its budget.
        Budget = "budget",
    }
}
