//! A new ticket's text.

use super::frontmatter::ContextEntry;
use crate::yaml::quote;
use std::fmt::Write as _;

/// What a new ticket is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TicketDraft {
    /// A line for lists.
    pub title: Option<String>,
    /// Who works it.
    pub agent: String,
    /// The identity: `tkt_` and 32 hexadecimal digits, drawn by the caller.
    pub ticket_id: String,
    /// What is to be reached.
    pub goal: Option<String>,
    /// Text behind the goal; it is written as given.
    pub body: Option<String>,
    /// Verification commands.
    pub verify: Vec<String>,
    /// Files whose content belongs in the prompt.
    pub context: Vec<ContextEntry>,
    /// Further fields.
    pub fields: Vec<(String, DraftValue)>,
}

/// The value of a further field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftValue {
    /// `true` or `false`.
    Bool(bool),
    /// Text, quoted where needed.
    Text(String),
}

/// The content of a new ticket file: title, agent, `done: false`, `ticket_id`, then the goal.
#[must_use]
pub fn new_ticket(draft: &TicketDraft) -> Vec<u8> {
    let mut out = "---\n".to_owned();
    if let Some(title) = &draft.title {
        let _ = writeln!(out, "title: {}", quote(title));
    }
    let _ = writeln!(out, "agent: {}", quote(&draft.agent));
    out.push_str("done: false\n");
    let _ = writeln!(out, "ticket_id: {}", quote(&draft.ticket_id));
    if !draft.verify.is_empty() {
        out.push_str("verify:\n");
    }
    for command in &draft.verify {
        let _ = writeln!(out, "  - {}", quote(command));
    }
    if !draft.context.is_empty() {
        out.push_str("context:\n");
    }
    for ContextEntry { path, max_bytes, required } in &draft.context {
        let _ = writeln!(out, "  - path: {}", quote(path));
        if let Some(bytes) = max_bytes {
            let _ = writeln!(out, "    max_bytes: {bytes}");
        }
        if *required {
            out.push_str("    required: true\n");
        }
    }
    for (key, value) in &draft.fields {
        let _ = match value {
            DraftValue::Bool(value) => writeln!(out, "{}: {value}", quote(key)),
            DraftValue::Text(value) => writeln!(out, "{}: {}", quote(key), quote(value)),
        };
    }
    out.push_str("---\n");
    let body = draft.body.as_deref().map(str::trim).filter(|body| !body.is_empty());
    match (&draft.goal, body) {
        (Some(goal), _) => {
            let _ = write!(out, "\n## Goal\n\n{}\n", goal.trim());
        }
        (None, None) => out.push_str("\n## Goal\n\n-\n"),
        // The body says it all.
        (None, Some(_)) => {}
    }
    if let Some(body) = body {
        out.push('\n');
        out.push_str(body);
        out.push('\n');
    }
    out.into_bytes()
}
