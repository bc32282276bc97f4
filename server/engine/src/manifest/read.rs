//! From text to manifest.

use super::{BadEntry, Entry, Kind, Manifest, ManifestError, Repo, Version};
use crate::yaml::{self, Node, ProblemKind, Resolved, Value};
use std::collections::HashSet;

pub(super) fn parse(text: &str) -> Result<Manifest, ManifestError> {
    let document = yaml::parse(text);
    if let Some(problem) = document.problems.first() {
        let message = describe(&problem.kind);
        return Err(ManifestError::Yaml { line: problem.line, message });
    }
    let root = document.root.ok_or(ManifestError::Shape)?;
    if !matches!(root.value, Value::Mapping(_)) {
        return Err(ManifestError::Shape);
    }
    let version = match root.get("version").and_then(Node::scalar).map(yaml::Scalar::resolve) {
        Some(Resolved::Integer(2)) => Version::V2,
        Some(Resolved::Integer(3)) => Version::V3,
        Some(_) | None => {
            let found = root.get("version").map(|node| node.to_json().to_string());
            return Err(ManifestError::Version(found.unwrap_or_else(|| "missing".to_owned())));
        }
    };
    let items = match root.get("repos") {
        Some(node) if !node.is_null() => node.items().ok_or(ManifestError::Shape)?,
        Some(_) | None => &[],
    };
    let mut seen = Seen::default();
    let entries = items.iter().enumerate().map(|(index, item)| entry(index, item, &mut seen));
    Ok(Manifest {
        version,
        entries: entries.collect(),
        extra: others(&root, &["version", "repos"]),
    })
}

/// A path that stays below the hub root, by its text alone. `.` is the root itself.
pub(super) fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.starts_with(['/', '~']) || path.contains(['\\', '\0']) {
        return Err("give `path` relative to the hub root, with `/` between its parts");
    }
    if path.split('/').any(|part| part == "..") {
        return Err("give `path` without `..`: it must stay inside the hub root");
    }
    Ok(())
}

/// The same path without `.` and empty parts, so that `./demo/` is `demo`.
fn normal_path(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[derive(Default)]
struct Seen {
    ids: HashSet<String>,
    paths: HashSet<String>,
}

fn entry(index: usize, item: &Node, seen: &mut Seen) -> Entry {
    match repo(item, seen) {
        Ok(repo) => Entry::Repo(Box::new(repo)),
        Err(message) => Entry::Bad(BadEntry {
            label: match item.get("id").and_then(Node::string) {
                Some(id) => id.to_owned(),
                None => format!("entry {}", index + 1),
            },
            line: item.line,
            message,
            node: item.clone(),
        }),
    }
}

fn repo(item: &Node, seen: &mut Seen) -> Result<Repo, String> {
    if !matches!(item.value, Value::Mapping(_)) {
        return Err("write the entry as a mapping with `id`, `path` and `kind`".to_owned());
    }
    let id = required(item, "id")?;
    if !super::is_safe_id(&id) {
        return Err(format!("use only A-Z a-z 0-9 . _ - in `id`: `{id}` has something else"));
    }
    let path = required(item, "path")?;
    check_path(&path)?;
    let path = normal_path(&path);
    let kind = match required(item, "kind")?.as_str() {
        "base" => Kind::Base,
        "worktree" => Kind::Worktree { of: optional(item, "worktree_of")? },
        other => return Err(format!("set `kind` to base or worktree: it is `{other}`")),
    };
    let setup_commands = match item.get("worktree_setup_commands").filter(|n| !n.is_null()) {
        None => Vec::new(),
        Some(node) => {
            let commands = node.items().map(|items| {
                items.iter().map(|item| item.string().map(|command| command.trim().to_owned()))
            });
            let commands: Option<Vec<String>> = commands.and_then(Iterator::collect);
            commands.ok_or("write `worktree_setup_commands` as a list of commands")?
        }
    };
    let mut known = vec![
        "id",
        "path",
        "enabled",
        "auto_run",
        "kind",
        "display_name",
        "branch",
        "worktree_setup_commands",
        "archived",
        "destination",
    ];
    // A base with `worktree_of` is odd; it has no meaning, but stays in the file.
    if matches!(kind, Kind::Worktree { .. }) {
        known.push("worktree_of");
    }
    let repo = Repo {
        enabled: flag(item, "enabled", true)?,
        auto_run: flag(item, "auto_run", false)?,
        kind,
        display_name: optional(item, "display_name")?,
        branch: optional(item, "branch")?,
        setup_commands: setup_commands.into_iter().filter(|command| !command.is_empty()).collect(),
        archived: flag(item, "archived", false)?,
        destination: item.get("destination").filter(|node| !node.is_null()).cloned(),
        extra: others(item, &known),
        id,
        path,
    };
    if !seen.ids.insert(repo.id.clone()) {
        return Err(format!("change `id`: another entry has `{}`", repo.id));
    }
    if !seen.paths.insert(repo.path.clone()) {
        return Err(format!("remove the entry: another one has the path `{}`", repo.path));
    }
    Ok(repo)
}

fn required(item: &Node, key: &str) -> Result<String, String> {
    optional(item, key)?.ok_or_else(|| format!("add `{key}`"))
}

/// Text, also where YAML would read a number: CAR writes a branch called 1.10 with quotes, but a
/// person may not.
fn optional(item: &Node, key: &str) -> Result<Option<String>, String> {
    let Some(node) = item.get(key).filter(|node| !node.is_null()) else { return Ok(None) };
    match node.text().map(str::trim) {
        Some("") => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(format!("write `{key}` as text")),
    }
}

fn flag(item: &Node, key: &str, default: bool) -> Result<bool, String> {
    match item.get(key).filter(|node| !node.is_null()) {
        None => Ok(default),
        Some(node) => node.boolean().ok_or_else(|| format!("set `{key}` to true or false")),
    }
}

fn others(node: &Node, known: &[&str]) -> Vec<(Node, Node)> {
    let is_known = |key: &Node| key.text().is_some_and(|key| known.contains(&key));
    node.entries().iter().filter(|(key, _)| !is_known(key)).cloned().collect()
}

fn describe(kind: &ProblemKind) -> String {
    match kind {
        ProblemKind::Syntax(words) => words.clone(),
        ProblemKind::TooDeep => format!("nest at most {} levels", yaml::MAX_DEPTH),
        ProblemKind::Anchor | ProblemKind::Alias => {
            "write the value out, without & or *".to_owned()
        }
        ProblemKind::Tag => "remove the tag".to_owned(),
        ProblemKind::MergeKey => "write the keys out, without `<<`".to_owned(),
        ProblemKind::DuplicateKey { key, .. } => format!("remove one of the two `{key}`"),
        ProblemKind::KeyNotText => "write the key as text".to_owned(),
        ProblemKind::SeveralDocuments => "keep one document".to_owned(),
    }
}
