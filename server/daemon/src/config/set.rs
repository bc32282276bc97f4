//! Changing one value in the hub's own file: the line that holds it and no other, so that what a
//! person wrote there stays as it is.

use std::{fs, io, path::Path};

use serde_json::Value;

use super::{
    Config,
    keys::{self, Kind},
    layer::{self, ConfigError, Layer, Source},
};

/// The file that is changed: the strongest one.
pub const FILE: &str = ".codex-autorunner/config.yml";

/// Sets `key` in the hub's own file to `text`, as YAML has it. The hub reads it at its next start.
///
/// # Errors
/// There is no such key, it takes no such value, or the file says it in a way that only its owner
/// can change.
pub fn set(root: &Path, key: &str, text: &str) -> Result<(), ConfigError> {
    let found = keys::KEYS.iter().find(|(known, _)| *known == key);
    let Some((known, kind)) = found else {
        let nearest = keys::nearest(key, keys::KEYS);
        return Err(ConfigError::UnknownKey { from: Source::Flag, key: key.to_owned(), nearest });
    };
    let invalid = |detail: String| ConfigError::Value {
        from: "the command line".to_owned(),
        key: key.to_owned(),
        detail,
    };
    let value = layer::value_of(text, *kind).map_err(invalid)?;
    if *kind == Kind::Map || value.is_object() {
        let detail = format!("this is a mapping: write it into {FILE}");
        return Err(invalid(detail));
    }
    set_all(root, vec![(known, value)])
}

/// Sets these keys in the hub's own file, all of them or none. A value of null takes its key out of
/// effect.
///
/// # Errors
/// A key takes no such value, or the file says it in a way that only its owner can change.
pub(super) fn set_all(root: &Path, values: Vec<(&'static str, Value)>) -> Result<(), ConfigError> {
    let from = || Source::File(FILE.to_owned());
    let path = root.join(FILE);
    let unreadable = |error| ConfigError::Unreadable { file: FILE.to_owned(), error };
    let mut after = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(unreadable(error)),
    };
    for (key, value) in values {
        // JSON is YAML on one line, whatever the value holds.
        after = edited(&after, key, &value.to_string());
        let tree = layer::mapping(&after).unwrap_or_default();
        if tree.pointer(&layer::pointer(key)) != Some(&value) {
            let detail = format!("`{key}` cannot be set from here: change it in {FILE}");
            return Err(ConfigError::Syntax { from: from(), detail });
        }
    }
    let tree = layer::mapping(&after).unwrap_or_default();
    let mut layer = Layer::from_tree(tree, from());
    let mut merged = serde_json::to_value(Config::default()).unwrap_or_default();
    let mut sources = std::collections::BTreeMap::new();
    layer.take_former_names();
    layer.check(keys::KEYS, &[], &mut Vec::new())?;
    layer.merge_into(&mut merged, &mut sources);
    layer::typed::<Config>(&merged, &sources)?;
    write(&path, &after).map_err(unreadable)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(path);
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    if let Ok(meta) = fs::metadata(path) {
        file.as_file().set_permissions(meta.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The text with the key's line changed or added.
fn edited(text: &str, key: &str, value: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (mut start, mut end, mut indent) = (0, lines.len(), 0);
    let mut names = key.split('.').peekable();
    while let Some(name) = names.next() {
        let is_it = |line: &String| {
            depth(line) == Some(indent) && line.trim_start().starts_with(&format!("{name}:"))
        };
        let place = lines[start..end].iter().position(is_it).map(|place| start + place);
        let last = names.peek().is_none();
        let Some(place) = place else {
            // Behind the last line of the section that says something.
            let said = lines[start..end].iter().rposition(|line| depth(line).is_some());
            let mut at = said.map_or(start, |place| start + place + 1);
            let mut new = Some(name);
            while let Some(name) = new {
                let more = names.next();
                let value = if more.is_none() { format!(" {value}") } else { String::new() };
                lines.insert(at, format!("{:indent$}{name}:{value}", ""));
                (at, indent, new) = (at + 1, indent + 2, more);
            }
            break;
        };
        let inside = lines[place + 1..end]
            .iter()
            .position(|line| depth(line).is_some_and(|depth| depth <= indent))
            .map_or(end, |length| place + 1 + length);
        if last {
            let said = lines[place + 1..inside].iter().rposition(|line| depth(line).is_some());
            lines.drain(place + 1..said.map_or(place + 1, |length| place + 2 + length));
            lines[place] = format!("{:indent$}{name}: {value}", "");
            break;
        }
        let first = lines[place + 1..inside].iter().find_map(|line| depth(line));
        (start, end, indent) = (place + 1, inside, first.unwrap_or(indent + 2));
    }
    lines.join("\n") + "\n"
}

/// How far a line is indented that says something.
fn depth(line: &str) -> Option<usize> {
    let rest = line.trim_start();
    (!rest.is_empty() && !rest.starts_with('#')).then(|| line.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_changed_and_what_a_person_wrote_stays() {
        let text =
            "# mine\nserver:\n    port: 1 # first\n    host: ::1\n\nverify:\n  - a\n  - b\n# end\n";
        let port = edited(text, "server.port", "2");
        assert_eq!(port, text.replace("port: 1 # first", "port: 2"));
        let public = edited(text, "server.public", "true");
        assert_eq!(public, text.replace("host: ::1\n", "host: ::1\n    public: true\n"));
        let verify = edited(text, "verify", "[\"c\"]");
        assert_eq!(verify, text.replace(":\n  - a\n  - b", ": [\"c\"]"));
        let new = edited(text, "server.limits.connections", "9");
        assert!(new.contains("::1\n    limits:\n      connections: 9\n\nverify"), "{new}");
        let end = edited(text, "terminal.enabled", "true");
        assert!(end.contains("  - b\nterminal:\n  enabled: true\n# end\n"), "{end}");
        assert_eq!(edited("", "terminal.enabled", "true"), "terminal:\n  enabled: true\n");
    }

    #[test]
    fn what_is_set_is_read_and_what_cannot_be_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".codex-autorunner")).unwrap();
        let file = root.path().join(FILE);
        set(root.path(), "terminal.enabled", "true").unwrap();
        let loaded = super::super::load(root.path(), [], Vec::new()).unwrap();
        assert!(loaded.config.terminal.enabled);
        for (key, value) in
            [("terminal.enabled", "perhaps"), ("terminal.enabld", "true"), ("server.port", "x")]
        {
            assert!(set(root.path(), key, value).is_err(), "{key}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "terminal:\n  enabled: true\n");
        fs::write(&file, "terminal: {enabled: true}\n").unwrap();
        let refused = set(root.path(), "terminal.max_open", "2").unwrap_err().to_string();
        assert!(refused.contains("change it in"), "{refused}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "terminal: {enabled: true}\n");
    }
}
