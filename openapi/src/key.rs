//! The keys the hub signs short-lived tokens with.

use crate::{KeyId, Timestamp, wire};

wire! {
    /// One key, without its secret half.
    pub struct SigningKey {
        /// Its id, as in the `kid` of tokens.
        pub id: KeyId,
        /// When it was made.
        pub created_at: Timestamp,
        /// Whether new tokens are signed with it.
        pub signs: bool,
        /// Until when tokens it signed are taken; open for the one that signs.
        pub verifies_until: Option<Timestamp>,
        /// When the hub makes the next one by itself, for the one that signs.
        pub rotates_at: Option<Timestamp>,
    }
}
