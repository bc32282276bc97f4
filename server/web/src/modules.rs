//! Which modules a module imports, so that a browser can fetch them all at once instead of finding
//! out one after the other.

use std::collections::BTreeSet;

/// The modules these lead to by `import … from` and `export … from`, themselves included.
pub(crate) fn closure(entries: &[&str], text: impl Fn(&str) -> Option<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    while let Some(name) = open.pop() {
        let Some(text) = text(&name) else { continue };
        if found.insert(name.clone()) {
            open.extend(named(&name, &text, false));
        }
    }
    found
}

/// The modules one module names; `later` adds those it may load afterwards, by `import('…')`.
pub(crate) fn named(module: &str, text: &str, later: bool) -> Vec<String> {
    let words: &[&str] = if later { &["from", "import", "import("] } else { &["from", "import"] };
    let mut all = Vec::new();
    for word in words {
        for rest in text.split(word).skip(1) {
            let rest = rest.trim_start_matches(' ');
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
                continue;
            };
            let Some(path) = rest[1..].split(quote).next() else { continue };
            if path.starts_with("./") || path.starts_with("../") {
                all.extend(joined(module, path));
            }
        }
    }
    all
}

/// The path a relative one means within a module.
fn joined(module: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = module.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    joined.ends_with(".js").then_some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_followed() {
        let text = |name: &str| {
            Some(
                match name {
                    "main.js" => {
                        "import { a } from './a/a.js';\nimport './b.js';\nimport('./c.js')"
                    }
                    "a/a.js" => {
                        "export*from\"../b.js\";import x from '../a/a.js'; // from 'nowhere'"
                    }
                    "b.js" => "const text = 'from here';",
                    _ => return None,
                }
                .to_owned(),
            )
        };
        let found: Vec<_> = closure(&["main.js"], text).into_iter().collect();
        assert_eq!(found, ["a/a.js", "b.js", "main.js"]);
        assert_eq!(named("x/y.js", "import('../z.js')", true), ["z.js"]);
        assert_eq!(joined("a.js", "../x.js"), None);
    }
}
