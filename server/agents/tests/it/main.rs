//! The adapters through their public door: recorded sessions, any bytes, and the real Codex.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic; clippy exempts only `#[test]` functions"
)]
#![expect(clippy::wildcard_enum_match_arm, reason = "tests pick out what they look for")]

mod conversation;
mod live;
mod session;
mod totality;
mod transcript;
mod transcripts;
