//! Tickets: the markdown files of a queue.

use crate::{RepoId, TicketId, wire, words};

wire! {
    /// One ticket file as the index has it. A file with errors is listed like any other.
    pub struct Ticket {
        /// Its `ticket_id`, or one derived from its path.
        pub id: TicketId,
        /// The repo or worktree whose queue it is in.
        pub repo: RepoId,
        /// Its number in the queue; absent when the file's name has none.
        pub number: Option<u64>,
        /// File name; bytes that are not UTF-8 are shown replaced.
        pub file: String,
        /// Where it stands.
        pub state: TicketState,
        /// Title, or the first heading, or the file's name.
        pub title: String,
        /// Who works it: an agent's id or `user`.
        pub agent: Option<String>,
        /// Model asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        /// Reasoning effort asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reasoning: Option<String>,
        /// Whether verification commands are set in the ticket itself.
        pub has_verify: bool,
        /// What the linter found.
        pub issues: Vec<TicketIssue>,
        /// Version of the file, for `If-Match`.
        pub etag: String,
    }
}

words! {
    /// Where a ticket stands by its own file.
    pub enum TicketState {
        /// Not done.
        Open = "open",
        /// Says done.
        Done = "done",
        /// The file has errors; no run will work it.
        Invalid = "invalid",
    }
}

wire! {
    /// One finding of the linter.
    pub struct TicketIssue {
        /// Stable word of the finding.
        pub code: String,
        /// Whether it stops a run.
        pub severity: Severity,
        /// Line, from 1; 0 when it concerns the whole file.
        pub line: u32,
        /// Column in characters, from 1; 0 when it concerns the whole line.
        pub column: u32,
        /// What is wrong and what to do.
        pub message: String,
        /// Whether `car tickets lint --fix` can mend it.
        pub fixable: bool,
    }
}

words! {
    /// How much a finding matters.
    pub enum Severity {
        /// No run will work the ticket.
        Error = "error",
        /// Worth mending.
        Warning = "warning",
    }
}

wire! {
    /// A ticket with its text.
    pub struct TicketText {
        /// The ticket.
        pub ticket: Ticket,
        /// The whole file; bytes that are not UTF-8 are shown replaced.
        pub content: String,
    }
}

wire! {
    /// Body of `ticket_create`.
    #[serde(deny_unknown_fields)]
    pub struct TicketCreate {
        /// Title.
        #[cfg_attr(feature = "schema", schema(max_length = 500, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"))]
        pub title: String,
        /// Who works it; the hub's default agent when absent.
        #[serde(default)]
        pub agent: Option<String>,
        /// Goal of one line or paragraph.
        #[serde(default)]
        pub goal: Option<String>,
        /// Markdown body; when absent, a `## Goal` with the goal.
        #[serde(default)]
        pub body: Option<String>,
        /// Verification commands.
        #[serde(default)]
        pub verify: Vec<String>,
        /// Number to take; the next free one when absent. A taken number moves the rest on.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 9_007_199_254_740_991_i64))]
        pub at: Option<u64>,
    }
}

wire! {
    /// Body of `ticket_update`: the whole new text.
    #[serde(deny_unknown_fields)]
    pub struct TicketUpdate {
        /// The file's new text. Text with errors is refused unless `allow_invalid`.
        pub content: String,
        /// Keep the text although the linter finds errors.
        #[serde(default)]
        pub allow_invalid: bool,
    }
}

wire! {
    /// Body of `ticket_patch`: what is absent stays as it is.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct TicketPatch {
        /// Title; `null` takes it out.
        #[serde(default, deserialize_with = "crate::merge::named", skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 500, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"))]
        pub title: Option<Option<String>>,
        /// Who works it: an agent's id or `user`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub agent: Option<String>,
        /// Whether it is done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub done: Option<bool>,
        /// Model asked for; `null` for the agent's own choice.
        #[serde(default, deserialize_with = "crate::merge::named", skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"))]
        pub model: Option<Option<String>>,
        /// Reasoning effort asked for; `null` for the agent's own choice.
        #[serde(default, deserialize_with = "crate::merge::named", skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 64, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"))]
        pub reasoning: Option<Option<String>>,
    }
}

wire! {
    /// Body of `ticket_move`.
    #[serde(deny_unknown_fields)]
    pub struct TicketMove {
        /// Number the ticket shall have; the rest makes room.
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 9_007_199_254_740_991_i64))]
        pub to: u64,
    }
}

wire! {
    /// Body of `ticket_done`.
    #[serde(deny_unknown_fields)]
    pub struct TicketDone {
        /// The new value of `done:`.
        pub done: bool,
    }
}

wire! {
    /// Body of `ticket_lint`.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct TicketLint {
        /// Mend what can be mended safely.
        #[serde(default)]
        pub fix: bool,
        /// Check this text of a ticket, which is in no file yet, instead of the queue: for editors.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub content: Option<String>,
    }
}

wire! {
    /// What the linter says of a whole queue.
    pub struct LintReport {
        /// Whether no finding is an error.
        pub ok: bool,
        /// How many tickets were read.
        pub tickets: u64,
        /// Findings by file; a finding on the queue as a whole has the queue's directory as file.
        pub findings: Vec<LintFinding>,
        /// Files that were mended.
        pub fixed: Vec<String>,
    }
}

wire! {
    /// One finding and where it is.
    pub struct LintFinding {
        /// File name.
        pub file: String,
        /// The finding.
        pub issue: TicketIssue,
    }
}
