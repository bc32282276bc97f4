//! From bytes to text, and from text to frontmatter and body.

use super::issue::{Code, Issue, TextEdit};
use crate::yaml::{self, Node, Problem, ProblemKind};
use std::borrow::Cow;
use std::ops::Range;

/// The largest ticket that is read (design: disk.md, "size caps before parsing").
pub const MAX_TICKET_BYTES: usize = 1024 * 1024;
/// The largest frontmatter that is parsed.
pub const MAX_FRONTMATTER_BYTES: usize = 64 * 1024;

/// The text of a file and where its frontmatter is.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    text: Cow<'a, str>,
    /// Bytes in front of the text: a byte order mark.
    skipped: usize,
    split: Split,
}

/// Where the frontmatter is, in bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// Between two fences.
    Fenced {
        /// The YAML, from behind the opening line to the closing fence.
        yaml: Range<usize>,
        /// The first byte behind the closing line.
        body: usize,
    },
    /// There is no opening fence.
    Unfenced,
    /// There is an opening fence and no closing one.
    Unclosed {
        /// The first byte behind the opening line.
        yaml: usize,
    },
    /// The file was not looked into: too large, or not text.
    Refused,
}

/// A line of the text: its content without the line end, and the byte behind the line end.
pub(super) struct Line {
    pub(super) content: Range<usize>,
    pub(super) next: usize,
}

impl<'a> Source<'a> {
    /// Reads `bytes`, adding what is wrong with them to `issues`.
    pub fn read(bytes: &'a [u8], issues: &mut Vec<Issue>) -> Self {
        if bytes.len() > MAX_TICKET_BYTES {
            issues.push(Issue::at_start(
                Code::FileTooLarge,
                format!(
                    "Shorten the file: it has {} bytes, a ticket may have {MAX_TICKET_BYTES}.",
                    bytes.len()
                ),
            ));
            return Self::refused(bytes.get(..MAX_FRONTMATTER_BYTES).unwrap_or(bytes));
        }
        if is_utf16(bytes) {
            issues.push(Issue::at_start(
                Code::EncodingUtf16,
                "Save the file as UTF-8: it is UTF-16 or UTF-32.",
            ));
            return Self::refused(bytes);
        }
        let skipped = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        if skipped > 0 {
            let issue = Issue::at_start(
                Code::ByteOrderMark,
                "Remove the byte order mark: with it in front, the frontmatter is not seen.",
            );
            let edit = TextEdit { range: 0..skipped, replacement: String::new() };
            issues.push(issue.with_fix("remove the byte order mark", vec![edit]));
        }
        let rest = bytes.get(skipped..).unwrap_or_default();
        let text = match std::str::from_utf8(rest) {
            Ok(text) => Cow::Borrowed(text),
            Err(error) => {
                let before = rest.get(..error.valid_up_to()).unwrap_or_default();
                let (line, column) = position(&String::from_utf8_lossy(before), before.len());
                issues.push(Issue {
                    line,
                    column,
                    ..Issue::at_start(
                        Code::EncodingInvalid,
                        "Save the file as UTF-8: this byte is not valid in it.",
                    )
                });
                return Self::refused(rest);
            }
        };
        let mut source = Self { text, skipped, split: Split::Unfenced };
        source.split = source.find_split(issues);
        source.check_characters(issues);
        source
    }

    fn refused(bytes: &'a [u8]) -> Self {
        Self { text: String::from_utf8_lossy(bytes), skipped: 0, split: Split::Refused }
    }

    /// Where the frontmatter is.
    #[must_use]
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// The text, without a byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The YAML between the fences; empty when there is none.
    #[must_use]
    pub fn yaml(&self) -> &str {
        match &self.split {
            Split::Fenced { yaml, .. } => self.text.get(yaml.clone()).unwrap_or_default(),
            Split::Unfenced | Split::Unclosed { .. } | Split::Refused => "",
        }
    }

    /// The text behind the frontmatter, or all of it when there is none.
    #[must_use]
    pub fn body(&self) -> &str {
        match &self.split {
            Split::Fenced { body, .. } => self.text.get(*body..).unwrap_or_default(),
            Split::Unfenced | Split::Unclosed { .. } | Split::Refused => &self.text,
        }
    }

    /// The bytes of the file that correspond to a range of the YAML.
    #[must_use]
    pub(super) fn file_range(&self, yaml: Range<usize>) -> Range<usize> {
        let offset = self.skipped + self.yaml_start();
        yaml.start + offset..yaml.end + offset
    }

    fn yaml_start(&self) -> usize {
        match &self.split {
            Split::Fenced { yaml, .. } => yaml.start,
            Split::Unclosed { yaml } => *yaml,
            Split::Unfenced | Split::Refused => 0,
        }
    }

    /// An issue about a node of the frontmatter. The fence is line 1.
    pub(super) fn issue_at(&self, node: &Node, code: Code, message: impl Into<String>) -> Issue {
        Issue { line: node.line + 1, column: node.column, ..Issue::at_start(code, message) }
    }

    /// The frontmatter as a tree; `None` when it cannot be read as a mapping.
    pub(crate) fn document(&self, issues: &mut Vec<Issue>) -> Option<Node> {
        if self.yaml().len() > MAX_FRONTMATTER_BYTES {
            issues.push(Issue::at_start(
                Code::FrontmatterTooLarge,
                format!("Move text into the body: the frontmatter has {} bytes and may have {MAX_FRONTMATTER_BYTES}.", self.yaml().len()),
            ));
            return None;
        }
        if self.find_conflict(issues) {
            return None;
        }
        let document = yaml::parse(self.yaml());
        let readable = document.root.is_some() || document.problems.is_empty();
        issues.extend(document.problems.iter().map(yaml_issue));
        match document.root {
            Some(root) if matches!(root.value, yaml::Value::Mapping(_)) => Some(root),
            Some(_) | None if !readable => None,
            Some(_) | None => {
                issues.push(Issue {
                    line: 2,
                    ..Issue::at_start(
                        Code::FrontmatterNotMapping,
                        "Write the frontmatter as `key: value` lines, at least `agent` and `done`.",
                    )
                });
                None
            }
        }
    }

    fn find_conflict(&self, issues: &mut Vec<Issue>) -> bool {
        let found = lines(self.yaml()).enumerate().find(|(_, line)| {
            let content = self.yaml().get(line.content.clone()).unwrap_or_default();
            ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|marker| content.starts_with(marker))
                || content == "======="
        });
        if let Some((index, _)) = found {
            issues.push(Issue {
                line: index + 2,
                ..Issue::at_start(
                    Code::ConflictMarker,
                    "Resolve the merge conflict: keep one side and remove the markers.",
                )
            });
        }
        found.is_some()
    }

    fn find_split(&self, issues: &mut Vec<Issue>) -> Split {
        let text = self.text();
        let line_text = |line: &Line| text.get(line.content.clone()).unwrap_or_default();
        let mut rest = lines(text);
        let Some(first) = rest.next() else {
            issues.push(Issue::at_start(
                Code::FileEmpty,
                "Write the ticket: the file is empty. It starts with `---`, `agent: …`, `done: false`, `---`.",
            ));
            return Split::Unfenced;
        };
        if line_text(&first).trim_end() != "---" {
            issues.push(self.missing_fence());
            return Split::Unfenced;
        }
        let yaml = first.next;
        for line in rest {
            if matches!(line_text(&line).trim_end(), "---" | "...") {
                return Split::Fenced { yaml: yaml..line.content.start, body: line.next };
            }
        }
        issues.push(self.unclosed_fence(yaml));
        Split::Unclosed { yaml }
    }

    /// Blank lines in front of the fence can go without changing what anyone meant.
    fn missing_fence(&self) -> Issue {
        let issue = Issue::at_start(
            Code::FrontmatterMissing,
            "Start the file with a line `---`, then `agent` and `done`, then a line `---`.",
        );
        let text = self.text();
        let blank: usize = lines(text)
            .take_while(|line| text.get(line.content.clone()).is_some_and(|t| t.trim().is_empty()))
            .last()
            .map_or(0, |line| line.next);
        let opens = lines(text.get(blank..).unwrap_or_default()).next().is_some_and(|line| {
            text.get(blank..)
                .and_then(|t| t.get(line.content))
                .is_some_and(|t| t.trim_end() == "---")
        });
        if blank > 0 && opens {
            let range = self.skipped..self.skipped + blank;
            let edit = TextEdit { range, replacement: String::new() };
            return issue.with_fix("remove the blank lines in front", vec![edit]);
        }
        issue
    }

    /// The fence may be closed where the first paragraph ends if that paragraph is a mapping with
    /// the required keys: then there is no doubt what was meant.
    fn unclosed_fence(&self, yaml: usize) -> Issue {
        let issue = Issue::at_start(
            Code::FrontmatterUnclosed,
            "Close the frontmatter with a line `---` behind its last field.",
        );
        let rest = self.text().get(yaml..).unwrap_or_default();
        let end = lines(rest)
            .take_while(|line| {
                let content = rest.get(line.content.clone()).unwrap_or_default();
                !content.trim().is_empty() && !content.starts_with('#')
            })
            .last()
            .map_or(0, |line| line.next);
        let paragraph = rest.get(..end).unwrap_or_default();
        if paragraph.len() > MAX_FRONTMATTER_BYTES {
            return issue;
        }
        let document = yaml::parse(paragraph);
        let complete = document.problems.is_empty()
            && document
                .root
                .is_some_and(|root| root.get("agent").is_some() && root.get("done").is_some());
        if !complete {
            return issue;
        }
        let line_end = line_end(self.text());
        let replacement = if paragraph.ends_with(['\n', '\r']) {
            format!("---{line_end}")
        } else {
            format!("{line_end}---{line_end}")
        };
        let at = self.skipped + yaml + end;
        issue.with_fix("close the frontmatter", vec![TextEdit { range: at..at, replacement }])
    }

    fn check_characters(&self, issues: &mut Vec<Issue>) {
        let frontmatter_end = match &self.split {
            Split::Fenced { yaml, .. } => yaml.end,
            Split::Unfenced | Split::Unclosed { .. } | Split::Refused => 0,
        };
        let text = self.text();
        let mut report = |offset: usize, code, message: String| {
            let (line, column) = position(text, offset);
            issues.push(Issue { line, column, ..Issue::at_start(code, message) });
        };
        if let Some(offset) = text.find('\0') {
            report(offset, Code::NulByte, "Remove the NUL byte: the file is not text.".to_owned());
        }
        let control = text
            .char_indices()
            .find(|(_, c)| c.is_control() && !matches!(c, '\0' | '\n' | '\r' | '\t' | '\u{85}'));
        match control {
            Some((offset, c)) if offset < frontmatter_end => report(
                offset,
                Code::ControlCharacter,
                format!("Remove the control character U+{:04X} from the frontmatter.", c as u32),
            ),
            Some((offset, c)) => report(
                offset,
                Code::HiddenCharacter,
                format!("Remove the control character U+{:04X}: it can hide text.", c as u32),
            ),
            None => {}
        }
        if let Some((offset, c)) = text.char_indices().find(|(_, c)| is_hidden(*c)) {
            report(
                offset,
                Code::HiddenCharacter,
                format!(
                    "Check the invisible character U+{:04X}: what is shown may differ from what is read.",
                    c as u32
                ),
            );
        }
    }
}

/// Zero-width and bidirectional control characters. U+200D joins emoji and U+200C shapes Persian,
/// so both are left alone.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A byte order mark, or the zero byte that every first ASCII letter has in these encodings.
fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.starts_with(b"-\0-\0")
        || bytes.starts_with(b"\0-\0-")
}

fn yaml_issue(problem: &Problem) -> Issue {
    let (code, message) = match &problem.kind {
        ProblemKind::Syntax(words) => {
            (Code::YamlSyntax, format!("Correct the YAML here: {words}."))
        }
        ProblemKind::TooDeep => {
            (Code::YamlTooDeep, format!("Nest lists and mappings at most {} deep.", yaml::MAX_DEPTH))
        }
        ProblemKind::Anchor => (Code::YamlAnchor, "Write the value out: anchors (`&`) are not allowed; quote the value if it starts with `&`.".to_owned()),
        ProblemKind::Alias => (Code::YamlAlias, "Write the value out: aliases (`*`) are not allowed; quote the value if it starts with `*`.".to_owned()),
        ProblemKind::Tag => (Code::YamlTag, "Remove the tag: `!` values are not allowed; quote the value if it starts with `!`.".to_owned()),
        ProblemKind::MergeKey => (Code::YamlMergeKey, "Write the fields out: `<<` is not allowed.".to_owned()),
        ProblemKind::SeveralDocuments => (Code::YamlSeveralDocuments, "Keep one document in the frontmatter.".to_owned()),
        ProblemKind::KeyNotText => (Code::KeyNotText, "Write the key as text.".to_owned()),
        ProblemKind::DuplicateKey { key, first_line } => (
            Code::KeyDuplicate,
            format!("Remove one of the two `{key}`: the first is in line {}.", first_line + 1),
        ),
    };
    Issue { line: problem.line + 1, column: problem.column, ..Issue::at_start(code, message) }
}

/// Line and column of a byte offset, both counted from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut number = 0;
    let mut start = 0;
    for line in lines(text) {
        if line.content.start > offset {
            break;
        }
        number += 1;
        start = line.content.start;
    }
    let column = text.get(start..offset).map_or(0, |before| before.chars().count());
    (number.max(1), column + 1)
}

/// The first line end of the text, `\n` when it has none.
pub(super) fn line_end(text: &str) -> &'static str {
    match lines(text).next().and_then(|line| text.get(line.content.end..line.next)) {
        Some("\r\n") => "\r\n",
        Some("\r") => "\r",
        Some(_) | None => "\n",
    }
}

/// The lines of a text; `\n`, `\r\n` and a lone `\r` end a line, as in YAML.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let end = match rest.get(length..) {
            Some(tail) if tail.starts_with("\r\n") => 2,
            Some(tail) if !tail.is_empty() => 1,
            Some(_) | None => 0,
        };
        let line = Line { content: start..start + length, next: start + length + end };
        start = line.next;
        Some(line)
    })
}
