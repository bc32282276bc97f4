//! Changing one thing in a ticket and nothing else.
//!
//! An edit replaces the bytes of one value, or adds one line. Before it is handed out, the result
//! is read again: every other field, and the body, must be what it was. When that cannot be
//! shown, the edit is refused.

use super::assignee::KnownAgents;
use super::issue::{Issue, TextEdit};
use super::source::{Source, Split, line_end, lines};
use super::{Severity, parse};
use crate::yaml::{Node, Style, Value, quote};
use std::ops::Range;

/// Why an edit was refused. The file is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The frontmatter cannot be read.
    #[error("repair the frontmatter first: {0}")]
    Unreadable(String),
    /// The field is a list, a mapping, or spread over several lines.
    #[error("edit `{0}` by hand: it is not a single value on one line")]
    NotSimple(String),
    /// The field cannot be added or changed without touching others.
    #[error("edit `{0}` by hand: the change would reach beyond its line")]
    WouldChangeMore(String),
    /// None of the issues can be repaired safely.
    #[error("repair the ticket by hand: no safe repair is known for these issues")]
    NothingToFix,
}

/// A value that a field can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// Text, quoted where needed.
    Text(&'a str),
}

/// Sets `done`.
///
/// # Errors
/// [`EditError`] when the frontmatter cannot be read or the change would reach beyond its line.
pub fn set_done(bytes: &[u8], done: bool) -> Result<Vec<u8>, EditError> {
    set_field(bytes, "done", FieldValue::Bool(done))
}

/// Sets the field `key`, adding it as the last line of the frontmatter when it is not there.
/// A field that already has the value stays as it is written.
///
/// # Errors
/// [`EditError`] when the frontmatter cannot be read, the field is not a single value on one line,
/// or the change would reach beyond its line.
pub fn set_field(bytes: &[u8], key: &str, value: FieldValue<'_>) -> Result<Vec<u8>, EditError> {
    let before = Readable::new(bytes)?;
    let edit = match before.root.get(key) {
        Some(node) if holds(node, value) => return Ok(bytes.to_vec()),
        Some(node) => before.replacement(key, node, value)?,
        None => before.addition(key, value)?,
    };
    let after = apply(bytes, &[edit]);
    before.check(&after, key, Some(value))?;
    Ok(after)
}

/// Takes the field `key` out with its line. A file without it stays as it is.
///
/// # Errors
/// As [`set_field`].
pub fn remove_field(bytes: &[u8], key: &str) -> Result<Vec<u8>, EditError> {
    let before = Readable::new(bytes)?;
    if before.root.get(key).is_none() {
        return Ok(bytes.to_vec());
    }
    let edit = before.removal(key)?;
    let after = apply(bytes, &[edit]);
    before.check(&after, key, None)?;
    Ok(after)
}

/// Applies the repairs that `issues` carry.
///
/// # Errors
/// [`EditError::NothingToFix`] when no issue carries one, or the result would not be better.
pub fn fix(bytes: &[u8], issues: &[Issue]) -> Result<Vec<u8>, EditError> {
    let mut edits: Vec<TextEdit> = issues
        .iter()
        .filter_map(|issue| issue.fix.as_ref())
        .flat_map(|fix| fix.edits.clone())
        .collect();
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup();
    let overlap = edits.windows(2).any(|pair| match pair {
        [a, b] => a.range.end > b.range.start,
        _ => false,
    });
    let outside = edits.iter().any(|edit| bytes.get(edit.range.clone()).is_none());
    if edits.is_empty() || overlap || outside {
        return Err(EditError::NothingToFix);
    }
    let after = apply(bytes, &edits);
    // Removing one error can reveal others behind it, so the count may grow; what was repaired
    // must be gone.
    let repaired: Vec<_> = issues.iter().filter(|i| i.fix.is_some()).map(|i| i.code).collect();
    let left = parse("TICKET-000.md", &after, &KnownAgents::any());
    if left.issues.iter().any(|issue| issue.fix.is_none() && repaired.contains(&issue.code)) {
        return Err(EditError::NothingToFix);
    }
    Ok(after)
}

/// A file whose frontmatter is a mapping without structural errors.
struct Readable<'a> {
    source: Source<'a>,
    root: Node,
}

impl<'a> Readable<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, EditError> {
        let mut issues = Vec::new();
        let source = Source::read(bytes, &mut issues);
        let root = match source.split() {
            Split::Fenced { .. } => source.document(&mut issues),
            Split::Unfenced | Split::Unclosed { .. } | Split::Refused => None,
        };
        let error = issues.iter().find(|issue| issue.severity() == Severity::Error);
        match (root, error) {
            (Some(root), None) => Ok(Self { source, root }),
            (_, Some(error)) => Err(EditError::Unreadable(error.to_string())),
            (None, None) => Err(EditError::Unreadable("it is not a mapping".to_owned())),
        }
    }

    fn replacement(
        &self,
        key: &str,
        node: &Node,
        value: FieldValue<'_>,
    ) -> Result<TextEdit, EditError> {
        let not_simple = || EditError::NotSimple(key.to_owned());
        let scalar = node.scalar().ok_or_else(not_simple)?;
        let written = self.source.yaml().get(node.span.clone()).ok_or_else(not_simple)?;
        if scalar.style == Style::Block || written.contains(['\n', '\r']) {
            return Err(not_simple());
        }
        if written.is_empty() {
            let at = self.behind_colon(key).ok_or_else(not_simple)?;
            let replacement = format!(" {}", notation(value, Style::Plain));
            return Ok(TextEdit { range: self.source.file_range(at..at), replacement });
        }
        let range = self.source.file_range(node.span.clone());
        Ok(TextEdit { range, replacement: notation(value, scalar.style) })
    }

    /// The place behind the colon of a key without a value.
    fn behind_colon(&self, key: &str) -> Option<usize> {
        let (key, _) = self.root.entries().iter().find(|(k, _)| k.text() == Some(key))?;
        let rest = self.source.yaml().get(key.span.end..)?;
        let colon = rest.find(|c: char| !matches!(c, ' ' | '\t'))?;
        rest.get(colon..)?.starts_with(':').then_some(key.span.end + colon + 1)
    }

    fn addition(&self, key: &str, value: FieldValue<'_>) -> Result<TextEdit, EditError> {
        let yaml = self.source.yaml();
        // A mapping in braces, or one that is indented, has no line of its own to add to.
        let in_lines = matches!(self.root.value, Value::Mapping(_))
            && self.root.column == 1
            && yaml.get(self.root.span.start..).is_some_and(|text| !text.starts_with('{'));
        if !in_lines {
            return Err(EditError::WouldChangeMore(key.to_owned()));
        }
        let end = last_field_end(yaml);
        let range = self.source.file_range(end..end);
        let line_end = line_end(self.source.text());
        let replacement = format!("{}: {}{line_end}", quote(key), notation(value, Style::Plain));
        Ok(TextEdit { range, replacement })
    }

    /// The line of a field whose value is on it.
    fn removal(&self, key: &str) -> Result<TextEdit, EditError> {
        let not_simple = || EditError::NotSimple(key.to_owned());
        let entry = self.root.entries().iter().find(|(k, _)| k.text() == Some(key));
        let (name, value) = entry.ok_or_else(not_simple)?;
        let yaml = self.source.yaml();
        let line = lines(yaml)
            .find(|line| line.content.contains(&name.span.start))
            .ok_or_else(not_simple)?;
        let block = value.scalar().is_none_or(|scalar| scalar.style == Style::Block);
        if block || self.root.column != 1 || value.span.end > line.content.end {
            return Err(not_simple());
        }
        let range = self.source.file_range(line.content.start..line.next);
        Ok(TextEdit { range, replacement: String::new() })
    }

    /// Shows that `after` differs in `key` only, and has this value there or none.
    fn check(
        &self,
        after: &[u8],
        key: &str,
        value: Option<FieldValue<'_>>,
    ) -> Result<(), EditError> {
        let refused = || EditError::WouldChangeMore(key.to_owned());
        let changed = Readable::new(after).map_err(|_| refused())?;
        let others = |root: &Node| -> Vec<(Node, Node)> {
            root.entries().iter().filter(|(k, _)| k.text() != Some(key)).cloned().collect()
        };
        let before = others(&self.root);
        let now = others(&changed.root);
        let same = before.len() == now.len()
            && before.iter().zip(&now).all(|(a, b)| a.0.same_data(&b.0) && a.1.same_data(&b.1))
            && self.source.body() == changed.source.body()
            && match (changed.root.get(key), value) {
                (Some(node), Some(value)) => holds(node, value),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
        if same { Ok(()) } else { Err(refused()) }
    }
}

/// Whether the field is already understood as the value, also in old notation.
fn holds(node: &Node, value: FieldValue<'_>) -> bool {
    match value {
        FieldValue::Bool(value) => node.boolean() == Some(value),
        FieldValue::Text(text) => node.string() == Some(text),
    }
}

/// The value as text, in the quotes that were there where they can hold it.
fn notation(value: FieldValue<'_>, style: Style) -> String {
    let text = match value {
        FieldValue::Bool(value) => return value.to_string(),
        FieldValue::Text(text) => text,
    };
    let simple =
        !text.chars().any(|c| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}'));
    match style {
        Style::Single if simple => format!("'{}'", text.replace('\'', "''")),
        Style::Double if simple => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Style::Single | Style::Double | Style::Plain | Style::Block => quote(text),
    }
}

/// Behind the last line that is not blank.
fn last_field_end(yaml: &str) -> usize {
    lines(yaml)
        .filter(|line| yaml.get(line.content.clone()).is_some_and(|text| !text.trim().is_empty()))
        .last()
        .map_or(0, |line| line.next)
}

/// The edits must be in ascending order and not overlap.
pub(super) fn apply(bytes: &[u8], edits: &[TextEdit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    let mut copied = 0;
    for TextEdit { range: Range { start, end }, replacement } in edits {
        out.extend_from_slice(bytes.get(copied..*start).unwrap_or_default());
        out.extend_from_slice(replacement.as_bytes());
        copied = *end;
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    out
}
