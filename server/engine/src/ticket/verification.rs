//! The note that tells an agent why its "done" was not believed.

use super::edit::EditError;
use super::issue::Severity;
use super::source::{Source, line_end};

const START: &str = "<!-- car:verification -->";
/// Says that the body had no final line end, so that removing the note restores that.
const START_JOINED: &str = "<!-- car:verification joined -->";
const END: &str = "<!-- /car:verification -->";

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationNote {
    /// The command that failed.
    pub command: String,
    /// How it ended, as in "exit code 1" or "timed out after 20 minutes".
    pub outcome: String,
    /// The last lines of its output.
    pub tail: String,
}

/// Writes `note` as the last section of the ticket, in place of an earlier one, or removes the
/// section with `None`. Removing restores the bytes from before the note was written.
///
/// # Errors
/// [`EditError::Unreadable`] when the file is not text.
pub fn set_verification_note(
    bytes: &[u8],
    note: Option<&VerificationNote>,
) -> Result<Vec<u8>, EditError> {
    let mut issues = Vec::new();
    let source = Source::read(bytes, &mut issues);
    if let super::Split::Refused = source.split() {
        let error = issues.iter().find(|issue| issue.severity() == Severity::Error);
        let message = error.map_or_else(|| "it is not text".to_owned(), ToString::to_string);
        return Err(EditError::Unreadable(message));
    }
    let text = without_note(std::str::from_utf8(bytes).unwrap_or_default());
    let mut out = text.clone();
    if let Some(note) = note {
        let end = line_end(&text);
        let start = if text.is_empty() || text.ends_with(['\n', '\r']) {
            START
        } else {
            out.push_str(end);
            START_JOINED
        };
        out.push_str(end);
        for line in section(start, note) {
            out.push_str(&line);
            out.push_str(end);
        }
    }
    Ok(out.into_bytes())
}

fn section(start: &str, note: &VerificationNote) -> Vec<String> {
    let tail: Vec<String> = note.tail.lines().map(harmless).collect();
    let fence = "`".repeat(longest_run(&tail).max(2) + 1);
    let command = harmless(&note.command.lines().collect::<Vec<_>>().join(" "));
    let mut lines = vec![
        start.to_owned(),
        "## Verification".to_owned(),
        String::new(),
        format!("Not done yet: a check failed ({}).", harmless(&note.outcome)),
        String::new(),
        "    ".to_owned() + &command,
        String::new(),
        format!("{fence}text"),
    ];
    lines.extend(tail);
    lines.extend([fence, END.to_owned()]);
    lines
}

/// A line without control characters, and without anything that looks like our own markers.
fn harmless(line: &str) -> String {
    line.replace("<!--", "<! --").chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

fn longest_run(lines: &[String]) -> usize {
    let runs = lines.iter().flat_map(|line| line.split(|c| c != '`'));
    runs.map(str::len).max().unwrap_or(0)
}

fn without_note(text: &str) -> String {
    let start =
        [START_JOINED, START].iter().find_map(|marker| Some((text.rfind(marker)?, *marker)));
    let Some((start, marker)) = start else { return text.to_owned() };
    let Some(before) = text.get(..start).map(strip_line_end) else { return text.to_owned() };
    let rest = text.get(start..).unwrap_or_default();
    let Some(end) = rest.find(END) else { return text.to_owned() };
    let after = rest.get(end + END.len()..).unwrap_or_default();
    let after = ["\r\n", "\n", "\r"].iter().find_map(|e| after.strip_prefix(e)).unwrap_or(after);
    // Text written behind the note keeps the line break that separates it.
    let joined = marker == START_JOINED && after.is_empty();
    let before = if joined { strip_line_end(before) } else { before };
    format!("{before}{after}")
}

fn strip_line_end(text: &str) -> &str {
    ["\r\n", "\n", "\r"].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text)
}
