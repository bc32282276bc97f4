//! What a credential allows.

use crate::words;

words! {
    /// One thing a credential may allow. None implies another: each operation names exactly the
    /// one it needs.
    pub enum Scope {
        /// See everything, and follow the log.
        Read = "read",
        /// Change tickets, documents, repos and worktrees.
        Write = "write",
        /// Start, pause, resume and stop runs.
        Run = "run",
        /// Answer agents: their dispatches and their questions.
        Approve = "approve",
        /// Open a terminal on the hub's machine.
        Terminal = "terminal",
        /// Decide who may do what, and what the hub runs by itself.
        Admin = "admin",
    }
}

impl Scope {
    /// What a person's own phone, laptop or script gets when nothing else is said.
    pub const USUAL: &'static [Self] = &[Self::Read, Self::Write, Self::Run, Self::Approve];
}
