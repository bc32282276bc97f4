//! Messages between an agent and a person: `DISPATCH.md` one way, `USER_REPLY.md` the other.
//!
//! A dispatch is read strictly, because a lost `mode: pause` would let a run go on against the
//! agent's wish. A reply is read leniently, because a person's words must reach the agent.

use crate::ticket::{Code, Issue, Severity, Source, Split};
use crate::yaml::{self, Node, Value};
pub use car_api::dispatch::DispatchMode;

/// A message of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// What it asks for.
    pub mode: DispatchMode,
    /// A line for lists.
    pub title: Option<String>,
    /// The message, without leading blank lines.
    pub body: String,
    /// Every other field of the frontmatter.
    pub extra: Vec<(String, serde_json::Value)>,
}

/// A message of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// A line for lists.
    pub title: Option<String>,
    /// The message, without leading blank lines.
    pub body: String,
    /// Every other field of the frontmatter.
    pub extra: Vec<(String, serde_json::Value)>,
}

/// Why a message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The file is not text of bounded size, or its frontmatter is broken.
    #[error("correct the file: {0}")]
    Unreadable(Issue),
    /// `mode` is text, but none of the three.
    #[error("set `mode` to notify, pause or turn_summary: `{0}` is none of them")]
    Mode(String),
}

/// Why a name cannot be an attachment's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name has characters that are not allowed.
    #[error("use only A-Z a-z 0-9 . _ - in file names: `{0}` has something else")]
    Characters(String),
    /// The name belongs to the message itself.
    #[error("choose another file name: `{0}` is the name of the message itself")]
    Reserved(String),
}

/// Reads `DISPATCH.md`. Without frontmatter it is a notification. A `mode` that is not text counts
/// as absent, as in CAR.
///
/// # Errors
/// [`MessageError`] when the file is not text, its frontmatter is broken, or `mode` is unknown.
pub fn parse_dispatch(bytes: &[u8]) -> Result<Dispatch, MessageError> {
    let message = read(bytes).map_err(MessageError::Unreadable)?;
    let mode = match message.root.as_ref().and_then(|root| root.get("mode")).and_then(Node::string)
    {
        None => DispatchMode::Notify,
        Some(text) => parse_mode(text).ok_or_else(|| MessageError::Mode(text.to_owned()))?,
    };
    Ok(Dispatch {
        mode,
        title: title(message.root.as_ref()),
        body: message.body,
        extra: extra(message.root.as_ref(), &["mode", "title"]),
    })
}

/// Reads `USER_REPLY.md`. Frontmatter that cannot be read is part of the message.
///
/// # Errors
/// [`MessageError::Unreadable`] when the file is not text of bounded size.
pub fn parse_reply(bytes: &[u8]) -> Result<Reply, MessageError> {
    let mut issues = Vec::new();
    let source = Source::read(bytes, &mut issues);
    if let Split::Refused = source.split() {
        let issue = issues.into_iter().find(|issue| issue.severity() == Severity::Error);
        let issue =
            issue.unwrap_or_else(|| Issue::at_start(Code::FileUnreadable, "it is not text"));
        return Err(MessageError::Unreadable(issue));
    }
    let message =
        read(bytes).unwrap_or_else(|_| Message { root: None, body: source.text().to_owned() });
    Ok(Reply {
        title: title(message.root.as_ref()),
        body: message.body,
        extra: extra(message.root.as_ref(), &["title"]),
    })
}

/// The text of a dispatch that reads back as the given one.
#[must_use]
pub fn render_dispatch(mode: DispatchMode, title: Option<&str>, body: &str) -> String {
    let title = title.map(|title| format!("title: {}\n", yaml::quote(title))).unwrap_or_default();
    format!("---\nmode: {}\n{title}---\n\n{}\n", mode.as_str(), body.trim())
}

/// The text of a reply that reads back as the given one.
#[must_use]
pub fn render_reply(title: Option<&str>, body: &str) -> String {
    match title {
        Some(title) => format!("---\ntitle: {}\n---\n\n{body}\n", yaml::quote(title)),
        // A body that starts like frontmatter must not be taken for it.
        None if body.trim_start().starts_with("---") => format!("---\n{{}}\n---\n\n{body}\n"),
        None => format!("{body}\n"),
    }
}

/// Whether `name` may be an attachment's: one part of a path, of the characters
/// `A-Za-z0-9._-`, not hidden, and not the message's own name.
///
/// # Errors
/// [`NameError`] says which rule is broken.
pub fn check_attachment_name(name: &str) -> Result<(), NameError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 255 || name.starts_with('.') || !name.bytes().all(allowed) {
        return Err(NameError::Characters(name.to_owned()));
    }
    if ["DISPATCH.md", "USER_REPLY.md"].iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(NameError::Reserved(name.to_owned()));
    }
    Ok(())
}

struct Message {
    root: Option<Node>,
    body: String,
}

fn read(bytes: &[u8]) -> Result<Message, Issue> {
    let mut issues = Vec::new();
    let source = Source::read(bytes, &mut issues);
    let root = match source.split() {
        Split::Unfenced => None,
        Split::Fenced { .. } if source.yaml().trim().is_empty() => None,
        Split::Fenced { .. } => {
            let document = source.document(&mut issues);
            document.filter(|root| matches!(root.value, Value::Mapping(_)))
        }
        Split::Unclosed { .. } | Split::Refused => return Err(first_error(issues)),
    };
    if let (Split::Fenced { .. }, Some(error)) =
        (source.split(), issues.iter().find(|issue| issue.severity() == Severity::Error))
    {
        return Err(error.clone());
    }
    Ok(Message { root, body: source.body().trim_start_matches(['\n', '\r']).to_owned() })
}

fn first_error(issues: Vec<Issue>) -> Issue {
    let error = issues.into_iter().find(|issue| issue.severity() == Severity::Error);
    error.unwrap_or_else(|| Issue::at_start(Code::FileUnreadable, "it cannot be read"))
}

fn parse_mode(text: &str) -> Option<DispatchMode> {
    text.trim().to_ascii_lowercase().parse().ok()
}

fn title(root: Option<&Node>) -> Option<String> {
    let title = root?.get("title")?.string()?.trim();
    (!title.is_empty()).then(|| title.to_owned())
}

fn extra(root: Option<&Node>, known: &[&str]) -> Vec<(String, serde_json::Value)> {
    root.map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter_map(|(key, value)| Some((key.text()?.to_owned(), value.to_json())))
        .filter(|(key, _)| !known.contains(&key.as_str()))
        .collect()
}

#[cfg(test)]
mod tests;
