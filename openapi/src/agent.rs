//! Agents of the registry.

use crate::{AgentId, wire, words};

wire! {
    /// One agent the hub can drive, and what was found of it on this machine.
    pub struct Agent {
        /// Its id in tickets.
        pub id: AgentId,
        /// Its name for people.
        pub name: String,
        /// Whether it can be used now, and if not, why.
        pub availability: Availability,
        /// Its version as it reports it.
        pub version: Option<String>,
        /// The program that is started.
        pub command: Vec<String>,
        /// The account or provider it would use, when known.
        pub account: Option<String>,
        /// What to do when it is not available.
        pub hint: Option<String>,
        /// What it can do.
        pub capabilities: Vec<Capability>,
    }
}

words! {
    /// Whether an agent can be used.
    pub enum Availability {
        /// Installed and, as far as it tells, logged in.
        Ready = "ready",
        /// The program was not found.
        NotInstalled = "not_installed",
        /// The program is there but has no log-in.
        LoggedOut = "logged_out",
        /// The program is there but did not answer as expected.
        Broken = "broken",
    }
}

words! {
    /// Something an agent can do beyond answering a prompt.
    pub enum Capability {
        /// A session can be taken up again after its process ended.
        Resume = "resume",
        /// A turn can be interrupted.
        Interrupt = "interrupt",
        /// It can ask for permission and wait.
        Approvals = "approvals",
        /// It reports tokens used.
        Usage = "usage",
        /// It reports rate limits of its account.
        RateLimits = "rate_limits",
        /// It reports a plan.
        Plan = "plan",
        /// It lists its models.
        Models = "models",
        /// A conversation can be gone on with in two ways from one point.
        Fork = "fork",
        /// It can shorten a conversation itself.
        Compact = "compact",
    }
}

wire! {
    /// One model an agent offers.
    pub struct Model {
        /// The word for a ticket's `model:`.
        pub id: String,
        /// Its name for people.
        pub name: String,
        /// The words for a ticket's `reasoning:`.
        pub efforts: Vec<String>,
        /// Whether the agent uses it when a ticket names none.
        pub default: bool,
    }
}

words! {
    /// How much an agent may do without asking.
    pub enum ApprovalPolicy {
        /// Full access, never asks: the machine is the user's own.
        Never = "never",
        /// Asks when it wants out of its sandbox.
        OnRequest = "on_request",
        /// Asks for everything that is not known to be harmless.
        Untrusted = "untrusted",
    }
}
