//! What the linter says.

pub use car_api::ticket::Severity;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Which rule.
    pub code: Code,
    /// Line in the file, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What to do, in a sentence.
    pub message: String,
    /// A change that repairs it without guessing, where there is one.
    pub fix: Option<Fix>,
}

/// A safe repair: edits of the file's bytes that do not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the repair does, for a list of choices.
    pub label: String,
    /// The edits, in ascending order.
    pub edits: Vec<TextEdit>,
}

/// Replaces some bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes replaced; empty to insert.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub replacement: String,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $severity:ident;)+) => {
        /// The rules, each with a stable text for scripts and links.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every rule.
            pub const ALL: &[Code] = &[$(Code::$name,)+];

            /// The stable text.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// How much the rule weighs.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    /// The file's name is not `TICKET-<at least three digits>….md`.
    NameInvalid = "name-invalid", Error;
    /// The file cannot be read as a regular file of bounded size.
    FileUnreadable = "file-unreadable", Error;
    /// The file is larger than a ticket may be.
    FileTooLarge = "file-too-large", Error;
    /// The file is empty.
    FileEmpty = "file-empty", Error;
    /// The file is UTF-16 or UTF-32.
    EncodingUtf16 = "encoding-utf16", Error;
    /// The file is not UTF-8.
    EncodingInvalid = "encoding-invalid", Error;
    /// The file starts with a byte order mark, which hides the frontmatter from CAR.
    ByteOrderMark = "byte-order-mark", Error;
    /// The file contains NUL.
    NulByte = "nul-byte", Error;
    /// The frontmatter contains a control character.
    ControlCharacter = "control-character", Error;
    /// The text contains characters that reorder or hide text on a screen.
    HiddenCharacter = "hidden-character", Warning;
    /// The first line is not `---`.
    FrontmatterMissing = "frontmatter-missing", Error;
    /// The frontmatter is not closed by `---` or `...`.
    FrontmatterUnclosed = "frontmatter-unclosed", Error;
    /// The frontmatter is larger than it may be.
    FrontmatterTooLarge = "frontmatter-too-large", Error;
    /// The frontmatter is not a mapping of keys to values.
    FrontmatterNotMapping = "frontmatter-not-mapping", Error;
    /// Git left conflict markers.
    ConflictMarker = "conflict-marker", Error;
    /// The frontmatter is not YAML.
    YamlSyntax = "yaml-syntax", Error;
    /// The frontmatter nests too deeply.
    YamlTooDeep = "yaml-too-deep", Error;
    /// The frontmatter defines an anchor.
    YamlAnchor = "yaml-anchor", Error;
    /// The frontmatter uses an alias.
    YamlAlias = "yaml-alias", Error;
    /// The frontmatter uses a tag.
    YamlTag = "yaml-tag", Error;
    /// The frontmatter uses a merge key.
    YamlMergeKey = "yaml-merge-key", Error;
    /// The frontmatter holds a second document.
    YamlSeveralDocuments = "yaml-several-documents", Error;
    /// A key of the frontmatter is a list or a mapping.
    KeyNotText = "key-not-text", Error;
    /// A key occurs twice.
    KeyDuplicate = "key-duplicate", Error;
    /// `agent` is missing, empty or not text.
    AgentMissing = "agent-missing", Error;
    /// `agent` names no agent of this hub.
    AgentUnknown = "agent-unknown", Error;
    /// `done` is missing.
    DoneMissing = "done-missing", Error;
    /// `done` is not a boolean.
    DoneNotBoolean = "done-not-boolean", Error;
    /// `done` is written as `yes`, `no`, `on` or `off`.
    DoneOldBoolean = "done-old-boolean", Warning;
    /// `ticket_id` has the wrong form.
    TicketIdInvalid = "ticket-id-invalid", Error;
    /// `profile` is present but not text.
    ProfileInvalid = "profile-invalid", Error;
    /// `context` or one of its entries has the wrong form.
    ContextInvalid = "context-invalid", Error;
    /// A `context` path leaves the working tree.
    ContextOutside = "context-outside", Error;
    /// `verify` or one of its entries has the wrong form.
    VerifyInvalid = "verify-invalid", Error;
    /// `protect` is not a list of globs.
    ProtectInvalid = "protect-invalid", Error;
    /// `require_commit` is not a boolean.
    RequireCommitInvalid = "require-commit-invalid", Error;
    /// An optional field has a value of the wrong kind and is ignored.
    ValueIgnored = "value-ignored", Warning;
    /// Two files have the same number.
    NumberDuplicate = "number-duplicate", Error;
    /// Two files have the same `ticket_id`.
    TicketIdDuplicate = "ticket-id-duplicate", Error;
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Issue {
    /// An issue about the file as a whole.
    #[must_use]
    pub fn at_start(code: Code, message: impl Into<String>) -> Self {
        Self { code, line: 1, column: 1, message: message.into(), fix: None }
    }

    /// How much the issue weighs.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The same issue with a repair.
    #[must_use]
    pub(super) fn with_fix(mut self, label: &str, edits: Vec<TextEdit>) -> Self {
        self.fix = Some(Fix { label: label.to_owned(), edits });
        self
    }
}

impl std::fmt::Display for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {} [{}]", self.line, self.column, self.message, self.code)
    }
}
