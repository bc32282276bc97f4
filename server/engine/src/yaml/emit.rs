//! From values to text, in the notation PyYAML writes, so that a file changes as little as
//! possible when CAR and the hub take turns in writing it.

use super::{Node, Resolved, Scalar, Style, Value};
use std::fmt::Write as _;

/// A scalar that reads back as exactly this text: plain where that is safe, else quoted.
#[must_use]
pub fn quote(text: &str) -> String {
    if is_plain_safe(text) {
        text.to_owned()
    } else if text.chars().all(is_printable) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        double_quote(text)
    }
}

/// Writes `node` as the value of a key or list element that starts at `indent` spaces. The text
/// begins with the blank or line break that separates it from `key:`, and ends with a line break.
pub fn write_value(out: &mut String, node: &Node, indent: usize) {
    match &node.value {
        Value::Scalar(scalar) => {
            let text = scalar_text(scalar);
            out.push_str(if text.is_empty() { "" } else { " " });
            out.push_str(&text);
            out.push('\n');
        }
        Value::Sequence(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Mapping(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Value::Sequence(items) => {
            out.push('\n');
            for item in items {
                push_indent(out, indent);
                out.push('-');
                write_item(out, item, indent);
            }
        }
        Value::Mapping(entries) => {
            out.push('\n');
            write_entries(out, entries, indent + 2);
        }
    }
}

/// An element starts on the line of its dash.
fn write_item(out: &mut String, item: &Node, indent: usize) {
    match &item.value {
        Value::Mapping(entries) if !entries.is_empty() => {
            let mut inner = String::new();
            write_entries(&mut inner, entries, indent + 2);
            out.push(' ');
            out.push_str(inner.trim_start_matches(' '));
        }
        Value::Sequence(items) if !items.is_empty() => write_value(out, item, indent + 2),
        Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) => write_value(out, item, indent),
    }
}

fn write_entries(out: &mut String, entries: &[(Node, Node)], indent: usize) {
    for (key, value) in entries {
        push_indent(out, indent);
        match key.scalar() {
            Some(scalar) => out.push_str(&scalar_text(scalar)),
            // Refused when read; written so that nothing is lost all the same.
            None => out.push_str(&double_quote(&key.to_json().to_string())),
        }
        out.push(':');
        write_value(out, value, indent);
    }
}

fn scalar_text(scalar: &Scalar) -> String {
    match scalar.style {
        // Numbers, booleans and dates keep their meaning only if they stay plain.
        Style::Plain if is_plain_shape(&scalar.text) => scalar.text.clone(),
        Style::Plain | Style::Single | Style::Block => quote(&scalar.text),
        Style::Double => double_quote(&scalar.text),
    }
}

fn push_indent(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn is_plain_safe(text: &str) -> bool {
    let scalar = Scalar { text: text.to_owned(), style: Style::Plain };
    matches!(scalar.resolve(), Resolved::Text)
        && is_plain_shape(text)
        && !text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '.')
        && !matches!(text, "y" | "Y" | "n" | "N")
}

/// Whether the text, without quotes, is one plain scalar in block and in flow context.
fn is_plain_shape(text: &str) -> bool {
    text.chars().all(is_printable)
        && !text.starts_with(|c: char| c.is_whitespace() || "-?:,[]{}#&*!|>'\"%@`=<".contains(c))
        && !text.ends_with(|c: char| c.is_whitespace() || c == ':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains([',', '[', ']', '{', '}'])
        || is_negative_number(text)
}

fn is_negative_number(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    })
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

fn double_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c if (c as u32) < 0x100 => drop(write!(out, "\\x{:02x}", c as u32)),
            c => drop(write!(out, "\\u{:04x}", c as u32)),
        }
    }
    out.push('"');
    out
}
