//! The adapters through their public door: recorded sessions, any bytes, and live agents.

mod demo_agent;
mod live;
mod totality;
mod transcript;
mod transcripts;
