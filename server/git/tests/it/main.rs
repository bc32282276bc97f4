//! The crate against real git, through its public interface.

#![expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod changes;
mod harness;
mod mirror;
mod planted;
mod remotes;
mod salvage;
mod worktrees;
mod zoo;
