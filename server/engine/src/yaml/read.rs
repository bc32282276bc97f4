//! From text to nodes.

use super::{Document, MAX_DEPTH, Node, Problem, ProblemKind, Scalar, Style, Value};
use serde_saphyr::granit_parser::{ErrorKind, Event, Marker, Options, Parser, ScalarStyle, Span};

/// Reads the one document in `text`. Never fails: what is wrong is listed in the result.
#[must_use]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's error enum is open; every other error is one of syntax"
)]
pub fn parse(text: &str) -> Document {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    options.set_emit_comments(false);
    let mut builder = Builder::default();
    for next in Parser::new_from_str_with_options(text, options) {
        let kept_reading = match next {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                // The scanner looks ahead, and can meet its own limit before ours is reached.
                let kind = match error.kind() {
                    ErrorKind::RecursionLimitExceeded => ProblemKind::TooDeep,
                    _ => ProblemKind::Syntax(error.info()),
                };
                builder.report(kind, *error.marker());
                false
            }
        };
        if !kept_reading {
            builder.root = None;
            break;
        }
    }
    Document { root: builder.root, problems: builder.problems }
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    problems: Vec<Problem>,
}

/// A collection whose end has not been seen.
struct Open {
    start: Marker,
    children: Children,
}

enum Children {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Node, Node)>, key: Option<Node> },
}

impl Builder {
    /// Takes one event; `false` means that reading on is pointless.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's event enum is open; events that are not named carry no data"
    )]
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        if event.tag().is_some() {
            self.report(ProblemKind::Tag, span.tag_start().unwrap_or(span.start));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                self.note_anchor(anchor, span);
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let scalar = Scalar { text: text.into_owned(), style };
                self.place(Value::Scalar(scalar), span.start, span.end);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.note_anchor(anchor, span);
                return self.open(Children::Sequence(Vec::new()), span.start);
            }
            Event::MappingStart(_, anchor, _) => {
                self.note_anchor(anchor, span);
                let children = Children::Mapping { entries: Vec::new(), key: None };
                return self.open(children, span.start);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.report(ProblemKind::Alias, span.start);
                // A placeholder keeps keys and values in step.
                let scalar = Scalar { text: String::new(), style: Style::Plain };
                self.place(Value::Scalar(scalar), span.start, span.end);
            }
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.report(ProblemKind::SeveralDocuments, span.start);
                    return false;
                }
            }
            _ => {}
        }
        true
    }

    fn open(&mut self, children: Children, start: Marker) -> bool {
        if self.open.len() >= MAX_DEPTH {
            self.report(ProblemKind::TooDeep, start);
            return false;
        }
        self.open.push(Open { start, children });
        true
    }

    fn close(&mut self, end: Marker) {
        if let Some(Open { start, children }) = self.open.pop() {
            let value = match children {
                Children::Sequence(items) => Value::Sequence(items),
                Children::Mapping { entries, .. } => {
                    self.check_keys(&entries);
                    Value::Mapping(entries)
                }
            };
            self.place(value, start, end);
        }
    }

    fn place(&mut self, value: Value, start: Marker, end: Marker) {
        let from = start.byte_offset().unwrap_or(0);
        let node = Node {
            value,
            span: from..end.byte_offset().unwrap_or(from).max(from),
            line: start.line(),
            column: start.col() + 1,
        };
        match self.open.last_mut().map(|open| &mut open.children) {
            None => self.root = Some(node),
            Some(Children::Sequence(items)) => items.push(node),
            Some(Children::Mapping { entries, key }) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
        }
    }

    fn check_keys(&mut self, entries: &[(Node, Node)]) {
        let mut seen: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        for (key, _) in entries {
            let kind = match key.scalar() {
                None => ProblemKind::KeyNotText,
                Some(Scalar { text, style: Style::Plain }) if text == "<<" => ProblemKind::MergeKey,
                Some(scalar) => match seen.get(scalar.text.as_str()) {
                    None => {
                        seen.insert(&scalar.text, key.line);
                        continue;
                    }
                    Some(first_line) => ProblemKind::DuplicateKey {
                        key: scalar.text.clone(),
                        first_line: *first_line,
                    },
                },
            };
            self.problems.push(Problem {
                kind,
                offset: key.span.start,
                line: key.line,
                column: key.column,
            });
        }
    }

    fn note_anchor(&mut self, anchor: usize, span: Span) {
        if anchor != 0 {
            self.report(ProblemKind::Anchor, span.start);
        }
    }

    fn report(&mut self, kind: ProblemKind, at: Marker) {
        self.problems.push(Problem {
            kind,
            offset: at.byte_offset().unwrap_or(0),
            line: at.line(),
            column: at.col() + 1,
        });
    }
}
