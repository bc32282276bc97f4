//! One place values come from: a file, the environment, the command line.

use std::{collections::BTreeMap, ffi::OsString, fmt, fs, io, path::Path};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::keys::{self, Kind};

/// The files, weakest first, relative to the hub's root.
pub(super) const FILES: &[&str] =
    &["codex-autorunner.yml", "codex-autorunner.override.yml", ".codex-autorunner/config.yml"];

/// Largest configuration file that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, relative to the hub's root or the repo.
    File(String),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => f.write_str(name),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file} cannot be read: {error}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// The file is no YAML, or no mapping.
    #[error("{from} is not valid: {detail}")]
    Syntax {
        /// The file or variable.
        from: Source,
        /// What is wrong and where.
        detail: String,
    },
    /// There is no such key.
    #[error("{from}: there is no key `{key}`; did you mean `{nearest}`? Correct or remove it")]
    UnknownKey {
        /// Where it stands.
        from: Source,
        /// The key.
        key: String,
        /// The known key most like it.
        nearest: &'static str,
    },
    /// The value is not what the key takes.
    #[error("{from}: `{key}` is not valid: {detail}")]
    Value {
        /// Where the value came from.
        from: String,
        /// The key.
        key: String,
        /// What is wrong.
        detail: String,
    },
}

/// What one place says.
#[derive(Debug)]
pub(super) struct Layer {
    tree: Value,
    /// The one place of a file; variables and flags are named key by key.
    from: From,
}

#[derive(Debug)]
enum From {
    One(Source),
    Each(BTreeMap<String, Source>),
}

impl Layer {
    /// The mapping in a file; none when there is no such file.
    pub(super) fn from_file(dir: &Path, name: &str) -> Result<Option<Self>, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable { file: name.to_owned(), error };
        let path = dir.join(name);
        let text = match fs::metadata(&path) {
            Ok(meta) if meta.len() > FILE_MAX => {
                return Err(unreadable(io::Error::other("it is larger than 1 MiB")));
            }
            Ok(_) => fs::read_to_string(&path).map_err(unreadable)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let from = Source::File(name.to_owned());
        let tree =
            mapping(&text).map_err(|detail| ConfigError::Syntax { from: from.clone(), detail })?;
        Ok(Some(Self { tree, from: From::One(from) }))
    }

    /// A mapping that was read elsewhere.
    pub(super) fn from_tree(tree: Value, from: Source) -> Self {
        Self { tree, from: From::One(from) }
    }

    /// The keys named by variables: `server.port` is `CAR_SERVER_PORT`.
    pub(super) fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let variables: BTreeMap<OsString, OsString> = variables.into_iter().collect();
        let mut layer = Self { tree: Value::Object(Map::new()), from: From::Each(BTreeMap::new()) };
        for (key, kind) in keys::KEYS {
            let name = format!("CAR_{}", key.replace('.', "_").to_uppercase());
            let Some(text) = variables.get(OsString::from(&name).as_os_str()) else { continue };
            let from = Source::Variable(name);
            let value = text
                .to_str()
                .ok_or_else(|| "it is not UTF-8".to_owned())
                .and_then(|text| value_of(text, *kind))
                .map_err(|detail| ConfigError::Syntax { from: from.clone(), detail })?;
            layer.set(key, value, from);
        }
        Ok(layer)
    }

    /// What the command line says.
    pub(super) fn from_flags(flags: super::Flags) -> Self {
        let mut layer = Self { tree: Value::Object(Map::new()), from: From::Each(BTreeMap::new()) };
        for (key, value) in flags {
            layer.set(key, value, Source::Flag);
        }
        layer
    }

    fn set(&mut self, key: &str, value: Value, source: Source) {
        put(&mut self.tree, key, value);
        if let From::Each(sources) = &mut self.from {
            sources.insert(key.to_owned(), source);
        }
    }

    /// Whether it says anything about a key.
    pub(super) fn says(&self, key: &str) -> bool {
        self.tree.pointer(&pointer(key)).is_some()
    }

    fn source(&self, key: &str) -> Source {
        match &self.from {
            From::One(source) => source.clone(),
            From::Each(sources) => sources.get(key).cloned().unwrap_or(Source::Flag),
        }
    }

    /// Moves values of keys that go by another name now, and the words that named Codex's program.
    pub(super) fn take_former_names(&mut self) {
        for (old, new) in keys::RENAMED {
            if let Some(value) = take(&mut self.tree, old)
                && self.tree.pointer(&pointer(new)).is_none()
                && !value.is_null()
            {
                put(&mut self.tree, new, value);
            }
        }
        let agent = "agents.codex";
        let binary = take(&mut self.tree, &format!("{agent}.binary"))
            .or_else(|| take(&mut self.tree, "codex.binary"));
        let args = take(&mut self.tree, &format!("{agent}.args"));
        if let Some(Value::String(binary)) = binary
            && self.tree.pointer("/agents/codex/command").is_none()
        {
            let args = args.and_then(|args| args.as_array().cloned()).unwrap_or_default();
            let command = std::iter::once(Value::String(binary)).chain(args).collect();
            put(&mut self.tree, "agents.codex.command", Value::Array(command));
        }
    }

    /// Refuses keys nobody ever knew. What the original knew is a warning and goes, and so do those
    /// of `elsewhere`, which mean something in another place.
    pub(super) fn check(
        &mut self,
        known: &[(&'static str, Kind)],
        elsewhere: &[(&'static str, Kind)],
        warnings: &mut Vec<String>,
    ) -> Result<(), ConfigError> {
        for plain in ["version", "mode"] {
            // Marks of the original's files; they say nothing here.
            take(&mut self.tree, plain);
        }
        let mut leaves = Vec::new();
        collect_leaves(&self.tree, String::new(), known, &mut leaves);
        let mut idle = BTreeMap::<String, Vec<String>>::new();
        for key in leaves {
            if is_known(&key, known) {
                continue;
            }
            if !keys::is_former(&key) && !is_known(&key, elsewhere) {
                let nearest = keys::nearest(&key, known);
                return Err(ConfigError::UnknownKey { from: self.source(&key), key, nearest });
            }
            take(&mut self.tree, &key);
            let section = key.split('.').next().unwrap_or(&key);
            idle.entry(format!("{}: `{section}", self.source(&key))).or_default().push(key);
        }
        // The original wrote every default into its files: one line a section has to do.
        for (section, keys) in idle {
            let (place, _) = section.split_once('`').unwrap_or((&section, ""));
            warnings.push(match &keys[..] {
                [key] => format!("{place}`{key}` has no effect in this hub"),
                keys => format!("{section}.*` ({} keys) has no effect in this hub", keys.len()),
            });
        }
        Ok(())
    }

    /// Lays this over what there is.
    pub(super) fn merge_into(self, merged: &mut Value, sources: &mut BTreeMap<String, Source>) {
        let mut leaves = Vec::new();
        collect_leaves(&self.tree, String::new(), keys::KEYS, &mut leaves);
        for key in leaves {
            sources.insert(key.clone(), self.source(&key));
        }
        lay_over(merged, self.tree);
    }
}

/// The value as the type; an error names the key and where its value came from.
pub(super) fn typed<T: DeserializeOwned>(
    tree: &Value,
    sources: &BTreeMap<String, Source>,
) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let key = error.path().to_string();
        let from = sources
            .iter()
            .find(|(known, _)| key.starts_with(known.as_str()) || known.starts_with(&key))
            .map_or_else(|| "the configuration".to_owned(), |(_, source)| source.to_string());
        ConfigError::Value { from, key, detail: error.into_inner().to_string() }
    })
}

pub(super) fn mapping(text: &str) -> Result<Value, String> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Value::Object(Map::new()));
    }
    let value: Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    match value {
        Value::Object(_) => Ok(value),
        Value::Null => Ok(Value::Object(Map::new())),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("its top level must be `key: value` lines".to_owned())
        }
    }
}

/// A variable's text: YAML, but for lists a text with commas will do.
pub(super) fn value_of(text: &str, kind: Kind) -> Result<Value, String> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    Ok(match (kind, value) {
        (Kind::List, Value::String(text)) => {
            text.split(',').map(|part| Value::String(part.trim().to_owned())).collect()
        }
        (Kind::List | Kind::Scalar | Kind::Map, value) => value,
    })
}

fn is_known(key: &str, known: &[(&'static str, Kind)]) -> bool {
    known.iter().any(|(name, kind)| {
        key == *name
            || (*kind == Kind::Map
                && key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    })
}

/// The keys that have a value; a known mapping of the user's own keys is one value.
fn collect_leaves(
    tree: &Value,
    at: String,
    known: &[(&'static str, Kind)],
    leaves: &mut Vec<String>,
) {
    let whole = known.iter().any(|(key, _)| *key == at);
    match tree {
        Value::Object(map) if !whole && (at.is_empty() || !map.is_empty()) => {
            for (name, value) in map {
                let key = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                collect_leaves(value, key, known, leaves);
            }
        }
        // A section without anything in it says nothing.
        Value::Null | Value::Object(_) if !whole && is_section(&at, known) => {}
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => leaves.push(at),
    }
}

fn is_section(key: &str, known: &[(&'static str, Kind)]) -> bool {
    known.iter().any(|(name, _)| name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                lay_over(below.entry(key).or_insert(Value::Null), value);
            }
        }
        // An empty section, as in `server:` with nothing below it, changes nothing.
        (Value::Object(_), Value::Null) => {}
        (below, above) => *below = above,
    }
}

pub(super) fn pointer(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

/// Sets a value, making the mappings above it.
fn put(tree: &mut Value, key: &str, value: Value) {
    let mut at = tree;
    for name in key.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(map) = at else { return };
        at = map.entry(name).or_insert(Value::Null);
    }
    *at = value;
}

/// Removes a value and gives it; sections that have nothing else go with it.
fn take(tree: &mut Value, key: &str) -> Option<Value> {
    let Some((section, name)) = key.rsplit_once('.') else {
        return tree.as_object_mut()?.remove(key);
    };
    let map = tree.pointer_mut(&pointer(section))?.as_object_mut()?;
    let value = map.remove(name);
    if map.is_empty() {
        take(tree, section);
    }
    value
}
