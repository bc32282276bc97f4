//! Personal access tokens.

use crate::{Timestamp, TokenId, wire};

wire! {
    /// A personal access token, without its secret.
    pub struct Token {
        /// Its id.
        pub id: TokenId,
        /// What it is for, in its owner's words.
        pub name: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it stops working.
        pub expires_at: Option<Timestamp>,
        /// When it was last used, to the minute.
        pub last_used_at: Option<Timestamp>,
    }
}

wire! {
    /// Body of `token_create`.
    #[serde(deny_unknown_fields)]
    pub struct TokenCreate {
        /// What it is for.
        #[cfg_attr(feature = "schema", schema(max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"))]
        pub name: String,
        /// Days until it stops working, 1 to 366; 90 when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 366))]
        pub days: Option<u32>,
    }
}

wire! {
    /// A new token; the only time its secret is shown.
    pub struct TokenCreated {
        /// The token.
        pub token: Token,
        /// The secret, for `Authorization: Bearer`.
        pub secret: String,
    }
}
