//! Tickets: markdown files with YAML frontmatter, the unit of work an agent is given.
//!
//! There is one linter, and it is [`parse`]: the runner, the API and the command line all judge a
//! ticket by the issues found here. Parsing is total: any bytes give a [`Parsed`], never a panic
//! and never a ticket that is silently missing. Edits ([`set_done`], [`set_field`], [`fix`])
//! replace only the bytes they are about.

mod assignee;
mod directory;
mod draft;
mod edit;
mod frontmatter;
mod issue;
pub mod queue;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod verification;

pub use assignee::{Assignee, KnownAgents};
pub use car_api::verify::{VerifyCommand, VerifyTree};
pub use directory::{Listed, check_directory};
pub use draft::{DraftValue, TicketDraft, new_ticket};
pub use edit::{EditError, FieldValue, fix, remove_field, set_done, set_field};
pub use frontmatter::{
    CONTEXT_ENTRY_BYTES, CONTEXT_TOTAL_BYTES, ContextEntry, DEFAULT_VERIFY_TIMEOUT_S, Frontmatter,
    Outline, is_ticket_id, verify_commands,
};
pub use issue::{Code, Fix, Issue, Severity, TextEdit};
pub use source::{MAX_FRONTMATTER_BYTES, MAX_TICKET_BYTES, Source, Split};
pub use template::{TemplateText, read_template};
pub use verification::{VerificationNote, set_verification_note};

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A ticket as read: what it says, as far as it can be understood, and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The number in the file's name; `None` when the name is not a ticket's.
    pub number: Option<u64>,
    /// The fields, present only when no issue is an error.
    pub frontmatter: Option<Frontmatter>,
    /// What could be read of the fields even if something is wrong, for lists.
    pub outline: Outline,
    /// The text behind the frontmatter, or all of it when there is none. Bytes that are not
    /// UTF-8 are shown as U+FFFD.
    pub body: String,
    /// Everything found, errors and warnings, in the order of the file.
    pub issues: Vec<Issue>,
}

impl Parsed {
    /// The issues that make the ticket invalid.
    pub fn errors(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| issue.severity() == Severity::Error)
    }

    /// Whether the ticket can be worked.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.frontmatter.is_some()
    }

    /// Whether the ticket is valid and claims to be done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.frontmatter.as_ref().is_some_and(|frontmatter| frontmatter.done)
    }
}

/// Reads the ticket file `name` (without its directory) with content `bytes`.
#[must_use]
pub fn parse(name: &str, bytes: &[u8], agents: &KnownAgents) -> Parsed {
    let mut issues = Vec::new();
    let number = match queue::classify(name) {
        queue::Name::Ticket(name) => Some(name.number),
        queue::Name::Ignored | queue::Name::Foreign => {
            issues.push(Issue::at_start(Code::NameInvalid, queue::NAME_RULE));
            None
        }
    };
    let source = Source::read(bytes, &mut issues);
    let (outline, frontmatter) = match source.split() {
        Split::Fenced { .. } => {
            let document = source.document(&mut issues);
            frontmatter::read(&source, document.as_ref(), agents, &mut issues)
        }
        Split::Unfenced | Split::Unclosed { .. } | Split::Refused => (Outline::default(), None),
    };
    issues.sort_by_key(|issue| (issue.line, issue.column));
    // A control character is also a syntax error; saying so once is enough.
    issues.dedup_by(|next, previous| {
        next.code == Code::YamlSyntax
            && matches!(previous.code, Code::ControlCharacter | Code::NulByte)
            && (next.line, next.column) == (previous.line, previous.column)
    });
    let sound = issues.iter().all(|issue| issue.severity() != Severity::Error);
    Parsed {
        number,
        frontmatter: frontmatter.filter(|_| sound),
        outline,
        body: source.body().to_owned(),
        issues,
    }
}

/// The identity of a ticket: its own `ticket_id`, or one derived from where it is.
///
/// `path` is relative to the working tree, with `/` between its parts, as in
/// `.codex-autorunner/tickets/TICKET-001.md`. The derivation is CAR 2's, so both agree.
#[must_use]
pub fn effective_id(ticket_id: Option<&str>, path: &str) -> String {
    match ticket_id {
        Some(id) => id.to_owned(),
        None => {
            let digest = Sha256::digest(path.as_bytes());
            let mut id = "tkt_auto_".to_owned();
            for byte in digest.iter().take(16) {
                let _ = write!(id, "{byte:02x}");
            }
            id
        }
    }
}
