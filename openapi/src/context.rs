//! Contextspace: the three documents every prompt can carry.

use crate::{wire, words};

words! {
    /// One of the contextspace documents.
    pub enum ContextName {
        /// What is going on now.
        ActiveContext = "active_context",
        /// What was decided and why.
        Decisions = "decisions",
        /// What is to be built.
        Spec = "spec",
    }
}

wire! {
    /// One contextspace document.
    pub struct ContextDoc {
        /// Which.
        pub name: ContextName,
        /// Markdown text; empty when the file is missing.
        pub content: String,
        /// Version, for `If-Match`.
        pub etag: String,
    }
}

wire! {
    /// Body of `context_update`.
    #[serde(deny_unknown_fields)]
    pub struct ContextUpdate {
        /// The new text.
        pub content: String,
    }
}
