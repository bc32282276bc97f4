//! The crate against real git, through its public interface.

mod changes;
mod harness;
mod planted;
mod remotes;
mod salvage;
mod worktrees;
mod zoo;
