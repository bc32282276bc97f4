//! YAML as a tree with positions, for files that people and agents edit by hand.
//!
//! Typed deserialisation cannot say that a key occurs twice, that `false` was written in quotes,
//! or which bytes an edit may replace. This reader keeps each node's place and notation, and
//! reports what the contract forbids: anchors, aliases, tags, merge keys, duplicate keys and
//! nesting deeper than [`MAX_DEPTH`]. It never expands anything, so its memory is bounded by its
//! input. The syntax itself is left to the parser underneath `serde-saphyr`.

mod emit;
mod read;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use emit::{quote, write_value};
pub use read::parse;

/// The deepest nesting accepted, counted in collections (design: disk.md).
pub const MAX_DEPTH: usize = 8;

/// One value and where it stands in the text that was parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What the value is.
    pub value: Value,
    /// Bytes of the value in the parsed text.
    pub span: Range<usize>,
    /// Line of the value, counted from 1.
    pub line: usize,
    /// Column of the value in characters, counted from 1.
    pub column: usize,
}

/// The three shapes of YAML.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A single value; what plain text means is decided by the reader of the field.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order written, duplicates included.
    Mapping(Vec<(Node, Node)>),
}

/// A scalar as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text after unquoting.
    pub text: String,
    /// The notation.
    pub style: Style,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: the only notation that can mean a boolean, a number or null.
    Plain,
    /// `'single quotes'`.
    Single,
    /// `"double quotes"`.
    Double,
    /// A block starting with `|` or `>`.
    Block,
}

/// What was read, and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The value; absent when the text is empty or cannot be read to its end.
    pub root: Option<Node>,
    /// Everything the contract forbids, in the order found.
    pub problems: Vec<Problem>,
}

/// One violation of the rules for YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which rule.
    pub kind: ProblemKind,
    /// Byte offset in the parsed text.
    pub offset: usize,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

/// The rules a document can break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// The text is not YAML; the parser's own words.
    Syntax(String),
    /// More than [`MAX_DEPTH`] collections inside one another.
    TooDeep,
    /// `&name`.
    Anchor,
    /// `*name`.
    Alias,
    /// `!tag`.
    Tag,
    /// `<<:`.
    MergeKey,
    /// A key that the same mapping already has; the line of the first.
    DuplicateKey {
        /// The key.
        key: String,
        /// Line of its first occurrence.
        first_line: usize,
    },
    /// A key that is a list or a mapping.
    KeyNotText,
    /// A second document behind `---`.
    SeveralDocuments,
}

impl Node {
    /// The value under `key` when this is a mapping; the first one if the key is repeated.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(k, _)| k.text() == Some(key)).map(|(_, value)| value)
    }

    /// The entries of a mapping; empty for anything else.
    #[must_use]
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            Value::Scalar(_) | Value::Sequence(_) => &[],
        }
    }

    /// The elements of a list, `None` for anything else.
    #[must_use]
    pub fn items(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// The text of a scalar in any notation, whatever it would resolve to.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// The scalar, `None` for collections.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The text if the value is a string: quoted, or plain and neither null, boolean nor number.
    #[must_use]
    pub fn string(&self) -> Option<&str> {
        let scalar = self.scalar()?;
        matches!(scalar.resolve(), Resolved::Text).then_some(scalar.text.as_str())
    }

    /// The boolean if the value is one, as YAML 1.1 counts booleans (`yes`, `off`, …).
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self.scalar()?.resolve() {
            Resolved::Boolean(value) | Resolved::OldBoolean(value) => Some(value),
            Resolved::Null | Resolved::Integer(_) | Resolved::Number | Resolved::Text => None,
        }
    }

    /// Whether the value is absent: empty, `~` or `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| matches!(scalar.resolve(), Resolved::Null))
    }

    /// The value as JSON, for showing fields that have no meaning here. Numbers that JSON cannot
    /// hold exactly stay text.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar(scalar) => scalar.to_json(),
            Value::Sequence(items) => items.iter().map(Node::to_json).collect(),
            Value::Mapping(entries) => serde_json::Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.text().unwrap_or("?").to_owned(), value.to_json()))
                    .collect(),
            ),
        }
    }

    /// Whether both hold the same data, wherever and however it was written down.
    #[must_use]
    pub fn same_data(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Scalar(a), Value::Scalar(b)) => {
                a.text == b.text && (a.style == Style::Plain) == (b.style == Style::Plain)
            }
            (Value::Sequence(a), Value::Sequence(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_data(b))
            }
            (Value::Mapping(a), Value::Mapping(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| a.0.same_data(&b.0) && a.1.same_data(&b.1))
            }
            (Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_), _) => false,
        }
    }
}

/// What a scalar means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// Empty, `~`, `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// `yes`, `no`, `on`, `off`: booleans in YAML 1.1, which CAR reads, and text in YAML 1.2.
    OldBoolean(bool),
    /// A decimal integer that fits.
    Integer(i64),
    /// Any other number, including those too large, infinite or not a number.
    Number,
    /// Text.
    Text,
}

impl Scalar {
    /// What the scalar means; quoted and block text is always text.
    #[must_use]
    pub fn resolve(&self) -> Resolved {
        match self.style {
            Style::Plain => resolve_plain(&self.text),
            Style::Single | Style::Double | Style::Block => Resolved::Text,
        }
    }

    fn to_json(&self) -> serde_json::Value {
        match self.resolve() {
            Resolved::Null => serde_json::Value::Null,
            Resolved::Boolean(value) | Resolved::OldBoolean(value) => value.into(),
            Resolved::Integer(value) => value.into(),
            Resolved::Number => match self.text.parse::<f64>().map(serde_json::Number::from_f64) {
                Ok(Some(number)) => number.into(),
                Ok(None) | Err(_) => self.text.clone().into(),
            },
            Resolved::Text => self.text.clone().into(),
        }
    }
}

/// The words are those of YAML 1.1 as PyYAML reads them: any other mix of case is text.
fn resolve_plain(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Boolean(true),
        "false" | "False" | "FALSE" => return Resolved::Boolean(false),
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Resolved::OldBoolean(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Resolved::OldBoolean(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>() {
        return Resolved::Integer(number);
    }
    if is_number(text) { Resolved::Number } else { Resolved::Text }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some(digits) = unsigned.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'_');
    }
    // Rust's float syntax also has words ("nan", "infinity") that are text in YAML.
    unsigned.bytes().any(|b| b.is_ascii_digit())
        && unsigned
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && text.parse::<f64>().is_ok()
}
