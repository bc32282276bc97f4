//! Browsers that were paired.

use crate::{DeviceId, RepoId, Scope, Timestamp, wire};

wire! {
    /// A browser that may use the hub, by a cookie and the proof it keeps beside it.
    pub struct Device {
        /// Its id.
        pub id: DeviceId,
        /// What it calls itself.
        pub name: String,
        /// What it may do.
        pub scopes: Vec<Scope>,
        /// The repos it reaches, each with its worktrees; all of them when empty.
        pub repos: Vec<RepoId>,
        /// When it was paired.
        pub created_at: Timestamp,
        /// When it was last used, to the minute.
        pub last_used_at: Timestamp,
        /// When it has to pair again if it is not used before; each use moves this on, up to
        /// thirty days after it was paired.
        pub expires_at: Timestamp,
    }
}
