//! What is decided for the project manager, the agent that runs the hub for its user: what it is
//! told, what its working set keeps, and when its turns are stopped.

pub mod context;
pub mod packet;
pub mod prompt;
pub mod safety;
pub mod wake;
