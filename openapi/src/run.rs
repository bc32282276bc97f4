//! Runs: one pass of the ticket flow over the queue of one working tree.

use crate::{
    AgentId, RepoId, RunId, TicketId, Timestamp, TurnId,
    agent::ApprovalPolicy,
    item::{Approval, RateLimit, Usage},
    money::{Amount, Cost},
    repo::TicketCounts,
    turn::TurnPurpose,
    wire, words,
};

wire! {
    /// One run.
    pub struct Run {
        /// Its id.
        pub id: RunId,
        /// The repo or worktree whose queue it works.
        pub repo: RepoId,
        /// How it stands, with what belongs to that.
        pub state: RunState,
        /// Why it stands so, who acts next, and when.
        pub explain: Explain,
        /// What it was started with.
        pub options: RunOptions,
        /// The ticket it is at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ticket: Option<RunTicket>,
        /// Turns spent so far.
        pub turns: u32,
        /// Tokens used so far.
        pub usage: Usage,
        /// What its turns cost so far.
        pub cost: Cost,
        /// Tickets of the queue now.
        pub tickets: TicketCounts,
        /// Tickets this run finished, and how many of them the hub verified.
        pub finished: Finished,
        /// Questions of the agent that wait for an answer.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub approvals: Vec<Approval>,
        /// Quota windows of the agent's account, as last reported.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub rate_limits: Vec<RateLimit>,
        /// The commit the tree was at when the run began.
        pub base_commit: Option<String>,
        /// When it was asked for.
        pub created_at: Timestamp,
        /// When it first had a slot.
        pub started_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
    }
}

/// Tickets a run finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Finished {
    /// All of them.
    pub tickets: u32,
    /// Those whose verification passed.
    pub verified: u32,
}

wire! {
    /// The ticket a run is at.
    pub struct RunTicket {
        /// Its id.
        pub id: TicketId,
        /// Its number in the queue.
        pub number: u64,
        /// Its file's name.
        pub file: String,
        /// Its title.
        pub title: String,
        /// Who works it.
        pub agent: AgentId,
    }
}

words! {
    /// How a run stands, in one word.
    pub enum RunStatus {
        /// Waits for a free slot.
        Pending = "pending",
        /// At work.
        Running = "running",
        /// Waits for a person.
        Paused = "paused",
        /// Waits for an account's quota to reset.
        Parked = "parked",
        /// Is being stopped.
        Stopping = "stopping",
        /// Ended: every ticket is finished.
        Completed = "completed",
        /// Ended: could not go on.
        Failed = "failed",
        /// Ended: somebody stopped it.
        Stopped = "stopped",
        /// Ended: a newer run took its place.
        Superseded = "superseded",
    }
}

impl RunStatus {
    /// Whether a run in this status is over for good.
    #[must_use]
    pub fn is_end(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Stopped | Self::Superseded => true,
            Self::Pending | Self::Running | Self::Paused | Self::Parked | Self::Stopping => false,
        }
    }
}

wire! {
    /// How a run stands, with what belongs to that.
    #[serde(tag = "status")]
    pub enum RunState {
        /// Waits for a free slot.
        Pending,
        /// At work.
        Running {
            /// What it is at.
            phase: Phase,
        },
        /// Waits for a person.
        Paused {
            /// Why.
            reason: PauseReason,
            /// Why, in full.
            details: String,
            /// Since when.
            since: Timestamp,
            /// What makes it go on.
            resume: ResumeRule,
        },
        /// Waits for an account's quota to reset.
        Parked {
            /// Whose quota.
            account: String,
            /// Until when.
            until: Timestamp,
        },
        /// Is being stopped.
        Stopping,
        /// Ended: every ticket is finished.
        Completed,
        /// Ended: could not go on.
        Failed {
            /// Why.
            code: FailureCode,
            /// Why, in full.
            message: String,
        },
        /// Ended: somebody stopped it.
        Stopped,
        /// Ended: a newer run took its place.
        Superseded {
            /// The newer run.
            by: RunId,
        },
    }
}

impl RunState {
    /// The state in one word.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        match self {
            Self::Pending => RunStatus::Pending,
            Self::Running { .. } => RunStatus::Running,
            Self::Paused { .. } => RunStatus::Paused,
            Self::Parked { .. } => RunStatus::Parked,
            Self::Stopping => RunStatus::Stopping,
            Self::Completed => RunStatus::Completed,
            Self::Failed { .. } => RunStatus::Failed,
            Self::Stopped => RunStatus::Stopped,
            Self::Superseded { .. } => RunStatus::Superseded,
        }
    }
}

wire! {
    /// What a running run is at.
    #[serde(tag = "name")]
    pub enum Phase {
        /// Looking at the queue for the next ticket.
        Selecting,
        /// An agent is at work, or about to be.
        InTurn {
            /// The turn.
            turn: TurnId,
            /// Why the agent was asked.
            purpose: TurnPurpose,
        },
        /// Looking at what the turn left behind.
        PostTurn {
            /// The turn that ended.
            turn: TurnId,
        },
        /// Running the verification commands.
        Verifying {
            /// Which try it is for this ticket, from 1.
            attempt: u32,
        },
        /// Waiting after a passing error.
        BackingOff {
            /// When it tries again.
            until: Timestamp,
            /// Which try failed, from 1.
            attempt: u32,
        },
    }
}

words! {
    /// Why a run waits for a person.
    pub enum PauseReason {
        /// The limit of turns is reached.
        MaxTurns = "max_turns",
        /// A budget of tokens, money or time is used up, of the run or of the day.
        Budget = "budget",
        /// The queue is empty.
        NoTickets = "no_tickets",
        /// A ticket, a dispatch or the tree needs a person's hand.
        NeedsUserFix = "needs_user_fix",
        /// The agent or a ticket for `user` asks for a person.
        UserPause = "user_pause",
        /// Turns change nothing.
        LoopNoDiff = "loop_no_diff",
        /// Verification keeps failing.
        VerifyFailed = "verify_failed",
        /// Protected files were changed.
        ProtectedPaths = "protected_paths",
        /// The agent or its provider keeps failing.
        InfraError = "infra_error",
        /// The agent has no valid log-in.
        AgentAuth = "agent_auth",
        /// The agent was lost and the tree has changed since the turn began.
        Interrupted = "interrupted",
        /// A person paused it.
        Requested = "requested",
        /// A file the ticket asks for is missing.
        MissingRequiredContext = "missing_required_context",
        /// The hub was restored from a backup made while it was at work.
        Restored = "restored",
    }
}

words! {
    /// What makes a paused run go on.
    pub enum ResumeRule {
        /// A reply, by whatever door, or `resume`.
        Reply = "reply",
        /// `resume`, after the cause was mended.
        Fix = "fix",
        /// The ticket for `user` marked done, a reply, or `resume`.
        UserTicket = "user_ticket",
    }
}

words! {
    /// Why a run ended without finishing.
    pub enum FailureCode {
        /// The working tree is gone.
        RepoNotFound = "repo_not_found",
        /// A defect of the hub.
        Internal = "internal",
        /// The hub's database was lost while it was at work.
        DatabaseLost = "database_lost",
        /// It failed under the Python CAR, before this hub served the tree.
        Imported = "imported",
    }
}

wire! {
    /// Why a run stands as it does, who acts next, and when.
    pub struct Explain {
        /// One line for people.
        pub line: String,
        /// Who acts next.
        pub owner: Owner,
        /// What happens next.
        pub next_action: String,
        /// When that happens, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub next_at: Option<Timestamp>,
    }
}

words! {
    /// Who acts next on a run.
    pub enum Owner {
        /// The hub.
        Hub = "hub",
        /// The agent.
        Agent = "agent",
        /// A person.
        User = "user",
        /// The provider of the agent's model.
        Provider = "provider",
        /// Nobody: the run has ended.
        Nobody = "nobody",
    }
}

wire! {
    /// What a run is started with; defaults come from the hub's configuration.
    pub struct RunOptions {
        /// Turns it may spend before it pauses.
        pub max_total_turns: u32,
        /// Turns to mend one ticket's frontmatter.
        pub max_lint_retries: u32,
        /// Turns to get one ticket's work committed.
        pub max_commit_retries: u32,
        /// Turns to get one ticket through verification.
        pub max_verify_retries: u32,
        /// Tries after passing errors.
        pub max_network_retries: u32,
        /// Tokens it may use before it pauses.
        pub max_tokens: Option<i64>,
        /// What it may cost before it pauses, in millionths of the hub's currency.
        #[serde(default)]
        pub max_cost: Option<Amount>,
        /// Seconds of work it may take before it pauses.
        pub max_seconds: Option<i64>,
        /// Commit a checkpoint after every turn.
        pub auto_commit: bool,
        /// A finished ticket leaves the tree clean.
        pub require_commit: bool,
        /// Put the previous ticket into the prompt.
        pub include_previous_ticket: bool,
        /// How much the agent may do without asking.
        pub approvals: ApprovalPolicy,
    }
}

impl Default for RunOptions {
    /// The limits CAR's users know: 50 turns, three repairs, two commits, five tries.
    fn default() -> Self {
        Self {
            max_total_turns: 50,
            max_lint_retries: 3,
            max_commit_retries: 2,
            max_verify_retries: 3,
            max_network_retries: 5,
            max_tokens: None,
            max_cost: None,
            max_seconds: None,
            auto_commit: false,
            require_commit: true,
            include_previous_ticket: false,
            approvals: ApprovalPolicy::Never,
        }
    }
}

wire! {
    /// Body of `run_start`; what is absent takes the hub's defaults.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct RunStart {
        /// Turns it may spend before it pauses.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1_000_000))]
        pub max_total_turns: Option<u32>,
        /// Tokens it may use before it pauses.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1))]
        pub max_tokens: Option<i64>,
        /// What it may cost before it pauses, in millionths of the hub's currency.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Option<i64>, minimum = 1))]
        pub max_cost: Option<Amount>,
        /// Seconds of work it may take before it pauses.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1))]
        pub max_seconds: Option<i64>,
        /// Commit a checkpoint after every turn.
        #[serde(default)]
        pub auto_commit: Option<bool>,
        /// A finished ticket leaves the tree clean.
        #[serde(default)]
        pub require_commit: Option<bool>,
        /// How much the agent may do without asking.
        #[serde(default)]
        pub approvals: Option<ApprovalPolicy>,
        /// Take the place of a paused run of the same tree.
        #[serde(default)]
        pub supersede: bool,
    }
}

wire! {
    /// Body of `run_resume`.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct RunResume {
        /// Allow this many more turns; the option's value again when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1_000_000))]
        pub max_total_turns: Option<u32>,
        /// Tokens the whole run may use from now on; as before when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1))]
        pub max_tokens: Option<i64>,
        /// What the whole run may cost from now on, in millionths of the hub's currency; as before
        /// when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Option<i64>, minimum = 1))]
        pub max_cost: Option<Amount>,
        /// Seconds of work the whole run may take from now on; as before when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1))]
        pub max_seconds: Option<i64>,
        /// Accept the changes to protected files, or to what checks the ticket, that paused the
        /// run.
        #[serde(default)]
        pub accept_protected: bool,
    }
}

wire! {
    /// Body of `approval_decide`.
    #[serde(deny_unknown_fields)]
    pub struct ApprovalDecide {
        /// The answer.
        pub decision: crate::item::Decision,
    }
}
