//! The fields of a ticket.

use super::assignee::{Assignee, KnownAgents, normalise};
use super::issue::{Code, Issue, TextEdit};
use super::source::Source;
use crate::yaml::{Node, Resolved, Style, Value};
use car_api::verify::{VerifyCommand, VerifyTree};
use serde::{Deserialize, Serialize};

/// Bytes of one `context` file that reach the prompt unless `max_bytes` says otherwise.
pub const CONTEXT_ENTRY_BYTES: u64 = 4096;
/// Bytes that all `context` files together may take in the prompt.
pub const CONTEXT_TOTAL_BYTES: u64 = 16384;

/// The fields of a valid ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Frontmatter {
    /// Who works it.
    pub assignee: Assignee,
    /// Whether it claims to be done.
    pub done: bool,
    /// A line for lists.
    pub title: Option<String>,
    /// What is to be reached.
    pub goal: Option<String>,
    /// The model the agent is to use.
    pub model: Option<String>,
    /// The reasoning effort the agent is to use.
    pub reasoning: Option<String>,
    /// A stable identity that survives renaming the file.
    pub ticket_id: Option<String>,
    /// The agent's profile.
    pub profile: Option<String>,
    /// Files whose content belongs in the prompt.
    pub context: Vec<ContextEntry>,
    /// Commands that must succeed before "done" is believed; `None` when the ticket does not say.
    pub verify: Option<Vec<VerifyCommand>>,
    /// Globs of files whose change needs a person.
    pub protect: Vec<String>,
    /// Whether "done" needs a clean working tree; `None` when the ticket does not say.
    pub require_commit: Option<bool>,
    /// Every other field, in the order written.
    pub extra: Vec<(String, serde_json::Value)>,
}

/// What can be shown of a ticket even when it is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// The title, if it is text.
    pub title: Option<String>,
    /// Who works it, if that is text, known or not.
    pub assignee: Option<Assignee>,
    /// Whether it claims to be done, if that is a boolean.
    pub done: Option<bool>,
    /// The identity, if it has the right form.
    pub ticket_id: Option<String>,
}

/// A file whose content belongs in the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextEntry {
    /// Relative to the working tree, without `..`.
    pub path: String,
    /// How much of the file is wanted, in bytes.
    pub max_bytes: Option<u64>,
    /// Whether the ticket cannot be worked without it.
    pub required: bool,
}

/// How long a verification command may take when the ticket does not say, in seconds.
pub const DEFAULT_VERIFY_TIMEOUT_S: u64 = 20 * 60;

/// Reads the fields, adding what is wrong to `issues`. Fields that could not be read are left out;
/// the caller discards the result when an issue is an error.
pub(super) fn read(
    source: &Source<'_>,
    root: Option<&Node>,
    agents: &KnownAgents,
    issues: &mut Vec<Issue>,
) -> (Outline, Option<Frontmatter>) {
    let Some(root) = root else { return (Outline::default(), None) };
    let mut fields = Fields { source, root, issues };
    let profile = fields.profile();
    let (assignee, profile) = fields.assignee(profile, agents).unzip();
    let done = fields.done();
    let title = fields.optional_text("title");
    let ticket_id = fields.ticket_id();
    let outline = Outline {
        title: title.clone(),
        assignee: assignee.clone(),
        done,
        ticket_id: ticket_id.clone(),
    };
    let frontmatter = Frontmatter {
        title,
        goal: fields.optional_text("goal"),
        model: fields.optional_text("model"),
        reasoning: fields.optional_text("reasoning"),
        ticket_id,
        profile: profile.flatten(),
        context: fields.context(),
        verify: fields.verify(),
        protect: fields.protect(),
        require_commit: fields.require_commit(),
        extra: extra(root),
        // Both are reported as missing when they are, so the values never leave this module.
        assignee: assignee.unwrap_or(Assignee::User),
        done: done.unwrap_or(false),
    };
    (outline, Some(frontmatter))
}

/// What a template gives of its fields.
pub(super) struct Given {
    /// A line for lists.
    pub(super) title: Option<String>,
    /// What is to be reached.
    pub(super) goal: Option<String>,
    /// What it is for, in a line.
    pub(super) summary: Option<String>,
    /// Files whose content belongs in the prompt.
    pub(super) context: Vec<ContextEntry>,
    /// Every other field.
    pub(super) others: Vec<String>,
}

/// Reads what a template may set, and the names of what it may not. Which fields a ticket needs is
/// no matter here.
pub(super) fn given(source: &Source<'_>, root: &Node, issues: &mut Vec<Issue>) -> Given {
    let mut fields = Fields { source, root, issues };
    let summary = fields.optional_text("summary");
    Given {
        title: fields.optional_text("title"),
        goal: fields.optional_text("goal"),
        summary: summary.or_else(|| fields.optional_text("description")),
        context: fields.context(),
        others: root
            .entries()
            .iter()
            .filter_map(|(key, _)| key.text())
            .filter(|key| !TAKEN.contains(key))
            .map(str::to_owned)
            .collect(),
    }
}

/// What a template may set, and what only describes it. A new ticket is open whatever it says.
const TAKEN: [&str; 6] = ["title", "goal", "context", "summary", "description", "done"];

const KNOWN: [&str; 12] = [
    "agent",
    "done",
    "title",
    "goal",
    "model",
    "reasoning",
    "ticket_id",
    "profile",
    "context",
    "verify",
    "protect",
    "require_commit",
];

fn extra(root: &Node) -> Vec<(String, serde_json::Value)> {
    let named = |(key, value): &(Node, Node)| Some((key.text()?.to_owned(), value.to_json()));
    root.entries()
        .iter()
        .filter_map(named)
        .filter(|(key, _)| !KNOWN.contains(&key.as_str()))
        .collect()
}

/// Whether `text` may stand as a `ticket_id`: 6 to 128 of `A-Z a-z 0-9 . _ -`.
#[must_use]
pub fn is_ticket_id(text: &str) -> bool {
    (6..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

struct Fields<'a> {
    source: &'a Source<'a>,
    root: &'a Node,
    issues: &'a mut Vec<Issue>,
}

impl<'a> Fields<'a> {
    /// The value of a key that is present and not null.
    fn given(&self, key: &str) -> Option<&'a Node> {
        self.root.get(key).filter(|node| !node.is_null())
    }

    fn report(&mut self, node: &Node, code: Code, message: impl Into<String>) {
        self.issues.push(self.source.issue_at(node, code, message));
    }

    fn replace(&self, node: &Node, replacement: &str) -> Vec<TextEdit> {
        let range = self.source.file_range(node.span.clone());
        vec![TextEdit { range, replacement: replacement.to_owned() }]
    }

    fn assignee(
        &mut self,
        profile: Option<String>,
        agents: &KnownAgents,
    ) -> Option<(Assignee, Option<String>)> {
        let node = self.root.get("agent").unwrap_or(self.root);
        let text = self.root.get("agent").and_then(Node::string).map(str::trim);
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            let message = match self.root.get("agent").and_then(Node::text) {
                Some(word) if !word.is_empty() => {
                    format!("Put the agent's name in quotes: `agent: {word}` is not text in YAML.")
                }
                Some(_) | None => {
                    format!("Add `agent:` with one of: {}.", agents.names())
                }
            };
            self.report(node, Code::AgentMissing, message);
            return None;
        };
        let (assignee, profile) = normalise(text, profile, agents);
        if !agents.accepts(&assignee) {
            let message = format!(
                "Set `agent` to one of: {}. `{assignee}` is not known here.",
                agents.names()
            );
            self.report(node, Code::AgentUnknown, message);
        }
        Some((assignee, profile))
    }

    fn done(&mut self) -> Option<bool> {
        let Some(node) = self.root.get("done") else {
            self.report(self.root, Code::DoneMissing, "Add `done: false`.");
            return None;
        };
        let Some(scalar) = node.scalar() else {
            self.report(node, Code::DoneNotBoolean, "Set `done` to `true` or `false`.");
            return None;
        };
        match scalar.resolve() {
            Resolved::Boolean(value) => Some(value),
            Resolved::OldBoolean(value) => {
                let message = format!(
                    "Write `done: {value}`: `{}` is read that way, but not by every YAML reader.",
                    scalar.text
                );
                let issue = self.source.issue_at(node, Code::DoneOldBoolean, message);
                let edits = self.replace(node, if value { "true" } else { "false" });
                self.issues.push(issue.with_fix(&format!("write {value}"), edits));
                Some(value)
            }
            Resolved::Null | Resolved::Integer(_) | Resolved::Number | Resolved::Text => {
                let message = format!(
                    "Set `done` to `true` or `false`, without quotes: `{}` is not a boolean.",
                    shorten(&scalar.text)
                );
                let issue = self.source.issue_at(node, Code::DoneNotBoolean, message);
                let word = scalar.text.trim().to_ascii_lowercase();
                let quoted = matches!(scalar.style, Style::Single | Style::Double);
                self.issues.push(if quoted && matches!(word.as_str(), "true" | "false") {
                    issue.with_fix("remove the quotes", self.replace(node, &word))
                } else {
                    issue
                });
                None
            }
        }
    }

    /// Optional texts follow CAR: a value of another kind counts as absent. Here it is also said.
    fn optional_text(&mut self, key: &str) -> Option<String> {
        let node = self.given(key)?;
        match node.string().map(str::trim) {
            Some("") => None,
            Some(text) => Some(text.to_owned()),
            None => {
                let message =
                    format!("Put the value of `{key}` in quotes: it is not text and is ignored.");
                self.report(node, Code::ValueIgnored, message);
                None
            }
        }
    }

    fn ticket_id(&mut self) -> Option<String> {
        let node = self.given("ticket_id")?;
        let id = node.string().map(str::trim).filter(|id| is_ticket_id(id));
        if id.is_none() {
            let message =
                "Give `ticket_id` 6 to 128 of the characters A-Z a-z 0-9 . _ - or remove it.";
            self.report(node, Code::TicketIdInvalid, message);
        }
        id.map(str::to_owned)
    }

    fn profile(&mut self) -> Option<String> {
        let node = self.given("profile")?;
        let profile = node.string().map(str::trim).filter(|profile| !profile.is_empty());
        if profile.is_none() {
            self.report(node, Code::ProfileInvalid, "Name a profile as text, or remove `profile`.");
        }
        profile.map(str::to_owned)
    }

    fn context(&mut self) -> Vec<ContextEntry> {
        let Some(node) = self.given("context") else { return Vec::new() };
        let Some(items) = node.items() else {
            let message = "Write `context` as a list of `- path: …` entries.";
            self.report(node, Code::ContextInvalid, message);
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| self.context_entry(index, item))
            .collect()
    }

    fn context_entry(&mut self, index: usize, item: &Node) -> Option<ContextEntry> {
        let at = format!("context[{index}]");
        if !matches!(item.value, Value::Mapping(_)) {
            self.report(item, Code::ContextInvalid, format!("Write {at} as `- path: …`."));
            return None;
        }
        let node = item.get("path").unwrap_or(item);
        let path = item.get("path").and_then(Node::string).map(str::trim);
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            self.report(node, Code::ContextInvalid, format!("Give {at}.path the path of a file."));
            return None;
        };
        if let Err(why) = relative_path(path) {
            self.report(node, Code::ContextOutside, format!("Change {at}.path: {why}."));
            return None;
        }
        let mut max_bytes = None;
        if let Some(node) = item.get("max_bytes").filter(|node| !node.is_null()) {
            match positive(node) {
                Some(bytes) => max_bytes = Some(bytes),
                None => {
                    let message = format!("Set {at}.max_bytes to a whole number above 0.");
                    self.report(node, Code::ContextInvalid, message);
                    return None;
                }
            }
        }
        let mut required = false;
        if let Some(node) = item.get("required") {
            match node.boolean() {
                Some(value) => required = value,
                None => {
                    let message = format!("Set {at}.required to `true` or `false`.");
                    self.report(node, Code::ContextInvalid, message);
                    return None;
                }
            }
        }
        Some(ContextEntry { path: path.to_owned(), max_bytes, required })
    }

    fn verify(&mut self) -> Option<Vec<VerifyCommand>> {
        let node = self.given("verify")?;
        match verify_commands(node) {
            Ok(commands) => Some(commands),
            Err(wrong) => {
                for (node, message) in wrong {
                    self.report(node, Code::VerifyInvalid, message);
                }
                None
            }
        }
    }

    fn protect(&mut self) -> Vec<String> {
        let Some(node) = self.given("protect") else { return Vec::new() };
        let globs = node.items().map(|items| {
            items.iter().map(|item| item.string().map(str::trim).filter(|glob| !glob.is_empty()))
        });
        match globs.and_then(|globs| globs.map(|glob| glob.map(str::to_owned)).collect()) {
            Some(globs) => globs,
            None => {
                let message =
                    "Write `protect` as a list of patterns in quotes, as in [\"tests/**\"].";
                self.report(node, Code::ProtectInvalid, message);
                Vec::new()
            }
        }
    }

    fn require_commit(&mut self) -> Option<bool> {
        let node = self.given("require_commit")?;
        let value = node.boolean();
        if value.is_none() {
            let message = "Set `require_commit` to `true` or `false`.";
            self.report(node, Code::RequireCommitInvalid, message);
        }
        value
    }
}

/// Reads a `verify:` value, of a ticket or of a configuration file: a list of commands, or of
/// mappings with `run`, `dir`, `timeout` and `tree`.
///
/// # Errors
/// Every entry that is wrong, with what to do about it.
pub fn verify_commands(node: &Node) -> Result<Vec<VerifyCommand>, Vec<(&Node, String)>> {
    let Some(items) = node.items() else {
        return Err(vec![(node, "Write `verify` as a list of commands.".to_owned())]);
    };
    let mut commands = Vec::new();
    let mut wrong = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match verify_command(item) {
            Ok(command) => commands.push(command),
            Err((node, message)) => wrong.push((node, format!("In verify[{index}]: {message}"))),
        }
    }
    if wrong.is_empty() { Ok(commands) } else { Err(wrong) }
}

fn verify_command(item: &Node) -> Result<VerifyCommand, (&Node, String)> {
    let command =
        |node: &Node| node.string().map(str::trim).filter(|run| !run.is_empty()).map(str::to_owned);
    if item.scalar().is_some() {
        let run = command(item).ok_or((item, "write a shell command as text.".to_owned()))?;
        return Ok(VerifyCommand {
            run,
            dir: None,
            timeout_s: DEFAULT_VERIFY_TIMEOUT_S,
            tree: VerifyTree::Worktree,
        });
    }
    let allowed = "run, dir, timeout, tree";
    for (key, _) in item.entries() {
        if !key.text().is_some_and(|key| allowed.split(", ").any(|name| name == key)) {
            return Err((key, format!("use only the keys {allowed}.")));
        }
    }
    let run = item.get("run").and_then(command);
    let run = run.ok_or((item, "add `run:` with a shell command.".to_owned()))?;
    let given = |key: &str| item.get(key).filter(|node| !node.is_null());
    let dir = match given("dir") {
        None => None,
        Some(node) => match command(node).filter(|dir| relative_path(dir).is_ok()) {
            Some(dir) => Some(dir),
            None => return Err((node, "give `dir` as a path inside the tree.".to_owned())),
        },
    };
    let timeout_s = match given("timeout") {
        None => DEFAULT_VERIFY_TIMEOUT_S,
        Some(node) => match node.text().and_then(parse_seconds) {
            Some(timeout) => timeout,
            None => return Err((node, "give `timeout` as in 90s, 15m or 2h.".to_owned())),
        },
    };
    let tree = match given("tree").map(|node| (node, node.text())) {
        None | Some((_, Some("worktree"))) => VerifyTree::Worktree,
        Some((_, Some("clean"))) => VerifyTree::Clean,
        Some((node, _)) => return Err((node, "set `tree` to `worktree` or `clean`.".to_owned())),
    };
    Ok(VerifyCommand { run, dir, timeout_s, tree })
}

/// `90s`, `15m`, `2h`; a bare number is seconds. Zero and more than a week are refused.
fn parse_seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, seconds) = match text.as_bytes().last()? {
        b's' => (text.strip_suffix('s')?, 1),
        b'm' => (text.strip_suffix('m')?, 60),
        b'h' => (text.strip_suffix('h')?, 3600),
        _ => (text, 1),
    };
    let total = digits.trim().parse::<u64>().ok()?.checked_mul(seconds)?;
    (1..=7 * 24 * 3600).contains(&total).then_some(total)
}

/// Whether a path stays in the tree, by its text alone.
fn relative_path(path: &str) -> Result<(), &'static str> {
    if path.starts_with('/') || path.starts_with('~') {
        return Err("write it relative to the repository's root");
    }
    if path.contains('\\') {
        return Err("write `/` between its parts, not a backslash");
    }
    if path.contains('\0') {
        return Err("it contains NUL");
    }
    if path.split('/').any(|part| part == "..") {
        return Err("it leaves the repository with `..`");
    }
    Ok(())
}

fn positive(node: &Node) -> Option<u64> {
    match node.scalar()?.resolve() {
        Resolved::Integer(value) => u64::try_from(value).ok().filter(|value| *value > 0),
        Resolved::Null
        | Resolved::Boolean(_)
        | Resolved::OldBoolean(_)
        | Resolved::Number
        | Resolved::Text => None,
    }
}

/// Enough of a value to recognise it in a message.
fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() > 40 {
        line.chars().take(40).chain("…".chars()).collect()
    } else {
        line.to_owned()
    }
}
