//! The effective configuration, for people.

use std::fmt::Write;

use serde_json::Value;

use super::{Loaded, keys};

/// What the values of variables given to agents look like: they may be keys.
const HIDDEN: &str = "***";

impl Loaded {
    /// Every key with its value and where that came from, one a line.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut text = format!("# hub at {}\n", self.root.display());
        for (key, _) in keys::KEYS {
            let pointer = format!("/{}", key.replace('.', "/"));
            let value = self.merged.pointer(&pointer).cloned().unwrap_or(Value::Null);
            let value = if key.ends_with(".env") { hidden(value) } else { value };
            let from = self.sources.get(*key).map_or("built-in".to_owned(), ToString::to_string);
            let _ = writeln!(text, "{key}: {value}  # {from}");
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "# warning: {warning}");
        }
        text
    }
}

fn hidden(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(name, _)| (name, Value::String(HIDDEN.to_owned()))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            value
        }
    }
}
