//! The modules of the first screen as one file, so that a phone far away asks once and not forty
//! times. Shared with the build script.
//!
//! Each module becomes a function that is called once, in the order in which they need each other;
//! what it exports is an object. Modules that are loaded later take what is in the bundle from there,
//! so nothing is there twice. Only the forms of `import` and `export` that `web/` uses are known;
//! another one is an error, which the tests see before anybody else.

use std::collections::{BTreeMap, BTreeSet};

/// Where the bundle is: in place of the module that begins everything.
const ENTRY: &str = "main.js";

/// What the first screen cannot do without, besides.
const FIRST: &str = "screen/home.js";

/// Has a browser compile all of it while it is still on its way, beside what the page does, and not
/// each function when it is first called (<https://v8.dev/blog/explicit-compile-hints>).
const EAGER: &str = "//# allFunctionsCalledOnLoad\n";

/// Modules of others keep what they say of their licence.
const VENDOR: &str = "vendor/";

/// Whether a file is a module of the page. The worker is none: it runs by itself.
pub(crate) fn is_module(name: &str) -> bool {
    name.ends_with(".js") && name != "sw.js"
}

/// All modules of the page by their paths, as they are sent.
pub(crate) fn bundled(
    modules: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    let bare = |(name, text): (&String, &String)| {
        let text = if name.starts_with(VENDOR) { text.clone() } else { without_remarks(text) };
        (name.clone(), text)
    };
    let modules = &modules.iter().map(bare).collect::<BTreeMap<_, _>>();
    let mut order = Vec::new();
    visit(FIRST, modules, &mut order, &mut BTreeSet::new())?;
    visit(ENTRY, modules, &mut order, &mut BTreeSet::new())?;
    let inside: BTreeMap<&str, usize> =
        order.iter().enumerate().map(|(place, (name, _))| (name.as_str(), place)).collect();
    let mut whole = String::from(EAGER);
    for (place, (name, module)) in order.iter().enumerate() {
        if name == ENTRY {
            let all: Vec<_> = inside.iter().filter(|(_, at)| **at < place).collect();
            let listed: Vec<String> =
                all.iter().map(|(name, at)| format!("{name:?}:m{at}")).collect();
            whole.push_str(&format!("export const modules={{{}}};\n", listed.join(",")));
        }
        whole.push_str(&called(module, place, &inside, &order)?);
    }
    let mut sent = modules.clone();
    for (name, text) in modules {
        if !inside.contains_key(name.as_str()) {
            sent.insert(name.clone(), against(&Module::read(name, text)?, &inside, &order)?);
        }
    }
    for name in inside.keys() {
        sent.remove(*name);
    }
    sent.insert(ENTRY.to_owned(), whole);
    Ok(sent)
}

type Ordered = Vec<(String, Module)>;

fn visit(
    name: &str,
    modules: &BTreeMap<String, String>,
    order: &mut Ordered,
    open: &mut BTreeSet<String>,
) -> Result<(), String> {
    if order.iter().any(|(known, _)| known == name) {
        return Ok(());
    }
    if !open.insert(name.to_owned()) {
        return Err(format!("{name} needs itself"));
    }
    let text = modules.get(name).ok_or_else(|| format!("there is no {name}"))?;
    let module = Module::read(name, text)?;
    for import in &module.imports {
        visit(&import.target, modules, order, open)?;
    }
    order.push((name.to_owned(), module));
    Ok(())
}

/// A module and what was found in it.
struct Module {
    name: String,
    text: String,
    imports: Vec<Import>,
    /// Exported name and what it is within the module.
    exports: Vec<(String, String)>,
    /// What stands in place of pieces of the text, by where they begin and end.
    edits: Vec<(usize, usize, String)>,
}

struct Import {
    target: String,
    /// Name there and name here; `*` is all of it.
    names: Vec<(String, String)>,
    from: usize,
    to: usize,
}

impl Module {
    fn read(name: &str, text: &str) -> Result<Self, String> {
        let mut module = Self {
            name: name.to_owned(),
            text: text.to_owned(),
            imports: Vec::new(),
            exports: Vec::new(),
            edits: Vec::new(),
        };
        let mut at = 0;
        while let Some((from, word)) = next_word(text, at) {
            at = match word {
                "import" => module.import(from)?,
                _ => module.export(from)?,
            };
        }
        Ok(module)
    }

    fn fail<T>(&self, at: usize, what: &str) -> Result<T, String> {
        let line = self.text[..at].matches('\n').count() + 1;
        Err(format!("{}:{line}: {what}", self.name))
    }

    /// `import …;` gives where it ends.
    fn import(&mut self, from: usize) -> Result<usize, String> {
        let rest = &self.text[from + "import".len()..];
        if rest.trim_start().starts_with('(') {
            return Ok(from + "import".len());
        }
        let Some((clause, path, length)) = quoted(rest) else {
            return self.fail(from, "an import without a path");
        };
        let Some(target) = joined(&self.name, path) else {
            return self.fail(from, "an import of what is not a module of the page");
        };
        let names = clause_names(clause.trim().trim_end_matches("from").trim());
        let to = end_of_statement(&self.text, from + "import".len() + length);
        self.imports.push(Import { target, names, from, to });
        Ok(to)
    }

    /// `export …` gives where the word that was taken out ends.
    fn export(&mut self, from: usize) -> Result<usize, String> {
        let after = from + "export".len();
        let rest = self.text[after..].trim_start();
        let start = self.text.len() - rest.len();
        if let Some(list) = rest.strip_prefix('{') {
            let Some(close) = list.find('}') else { return self.fail(from, "a list without end") };
            let names = pairs(&list[..close]);
            let behind = start + 1 + close + 1;
            let tail = self.text[behind..].trim_start();
            let to = if tail.starts_with("from") {
                let Some((_, path, length)) = quoted(&self.text[behind..]) else {
                    return self.fail(from, "an export without a path");
                };
                let Some(target) = joined(&self.name, path) else {
                    return self.fail(from, "an export of what is not a module of the page");
                };
                let to = end_of_statement(&self.text, behind + length);
                // Names of its own for what only passes through.
                let passed: Vec<_> =
                    names.iter().map(|(there, _)| (there.clone(), format!("$x_{there}"))).collect();
                self.exports
                    .extend(names.iter().map(|(there, out)| (out.clone(), format!("$x_{there}"))));
                self.imports.push(Import { target, names: passed, from, to });
                return Ok(to);
            } else {
                end_of_statement(&self.text, behind)
            };
            self.exports.extend(names.into_iter().map(|(here, out)| (out, here)));
            self.edits.push((from, to, String::new()));
            return Ok(to);
        }
        if let Some(rest) = rest.strip_prefix("default") {
            let value = rest.trim_start();
            let start = self.text.len() - value.len();
            match declared(value) {
                Some(name) => {
                    self.exports.push(("default".to_owned(), name));
                    self.edits.push((from, start, String::new()));
                }
                None => {
                    self.exports.push(("default".to_owned(), "$default".to_owned()));
                    self.edits.push((from, start, "const $default=".to_owned()));
                }
            }
            return Ok(start);
        }
        let Some(name) = declared(rest) else {
            return self.fail(from, "an export of another form");
        };
        self.exports.push((name.clone(), name));
        self.edits.push((from, start, String::new()));
        Ok(start)
    }

    /// The text with its edits and with `more`.
    fn edited(&self, more: Vec<(usize, usize, String)>) -> String {
        let mut edits: Vec<_> = self.edits.iter().cloned().chain(more).collect();
        edits.sort();
        let mut out = String::new();
        let mut at = 0;
        for (from, to, text) in edits {
            out.push_str(&self.text[at..from]);
            out.push_str(&text);
            at = to;
        }
        out.push_str(&self.text[at..]);
        out
    }
}

/// A module of the bundle, as a function that is called once.
fn called(
    module: &Module,
    place: usize,
    inside: &BTreeMap<&str, usize>,
    order: &Ordered,
) -> Result<String, String> {
    let mut edits = Vec::new();
    for import in &module.imports {
        let at = inside.get(import.target.as_str()).copied().unwrap_or_default();
        edits.push((import.from, import.to, taken(import, &format!("m{at}"), &order[at].1)?));
    }
    let text = module.edited(edits);
    let text = later(&text, &module.name, inside);
    let exports: Vec<String> =
        module.exports.iter().map(|(out, here)| format!("{out}:{here}")).collect();
    let returned = format!("return{{{}}};", exports.join(","));
    let waits = text.starts_with("await ") || text.contains("\nawait ");
    let (open, close) = if waits { ("await(async()=>{", "})()") } else { ("(()=>{", "})()") };
    Ok(format!("const m{place}={open}\n{text}\n{returned}\n{close};\n"))
}

/// A module that is loaded later, with what it takes from the bundle.
fn against(
    module: &Module,
    inside: &BTreeMap<&str, usize>,
    order: &Ordered,
) -> Result<String, String> {
    let mut edits = Vec::new();
    for import in &module.imports {
        if let Some(at) = inside.get(import.target.as_str()) {
            let from = format!("$modules[{:?}]", import.target);
            edits.push((import.from, import.to, taken(import, &from, &order[*at].1)?));
        }
    }
    if edits.is_empty() {
        return Ok(module.text.clone());
    }
    let text = Module { edits: Vec::new(), ..module.copy() }.edited(edits);
    let up = "../".repeat(module.name.matches('/').count());
    let up = if up.is_empty() { "./" } else { &up };
    Ok(format!("import{{modules as $modules}}from'{up}{ENTRY}';\n{text}"))
}

impl Module {
    fn copy(&self) -> Self {
        Self {
            name: self.name.clone(),
            text: self.text.clone(),
            imports: Vec::new(),
            exports: Vec::new(),
            edits: Vec::new(),
        }
    }
}

/// What an import becomes when the module is an object of this name.
fn taken(import: &Import, object: &str, module: &Module) -> Result<String, String> {
    let mut parts = Vec::new();
    let mut out = String::new();
    for (there, here) in &import.names {
        if there == "*" {
            out.push_str(&format!("const {here}={object};"));
        } else if module.exports.iter().any(|(name, _)| name == there) {
            parts.push(format!("{there}:{here}"));
        } else {
            return Err(format!("{} has no {there}", import.target));
        }
    }
    if !parts.is_empty() {
        out.push_str(&format!("const{{{}}}={object};", parts.join(",")));
    }
    Ok(out)
}

/// `import('…')` of a text that moves to where the bundle is.
fn later(text: &str, name: &str, inside: &BTreeMap<&str, usize>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("import('") {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let path = found["import('".len()..].split('\'').next().unwrap_or_default();
        let target = joined(name, path);
        let place = target.as_deref().and_then(|target| inside.get(target));
        let length = "import('".len() + path.len() + "')".len();
        let whole = found.get(..length).is_some_and(|call| call.ends_with("')"));
        match (target, place) {
            (Some(_), Some(place)) if whole => out.push_str(&format!("Promise.resolve(m{place})")),
            (Some(target), None) if whole => out.push_str(&format!("import('./{target}')")),
            _ => out.push_str(found.get(..length).unwrap_or(found)),
        }
        rest = found.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// A text without the remarks that have lines of their own, and without what lines begin with:
/// nobody reads them over a slow network.
pub(crate) fn without_remarks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut within = false;
    for line in text.lines() {
        let bare = line.trim();
        if within || bare.starts_with("/*") {
            let (_, rest) = bare.split_once("*/").unwrap_or((bare, ""));
            let ends = bare.contains("*/");
            if !within && ends && !rest.trim().is_empty() {
                out.push_str(bare);
                out.push('\n');
            }
            within = !ends;
            continue;
        }
        if !bare.is_empty() && !bare.starts_with("//") {
            out.push_str(bare);
            out.push('\n');
        }
    }
    out
}

/// The next `import` or `export` that begins a statement.
fn next_word(text: &str, at: usize) -> Option<(usize, &'static str)> {
    let begins = |from: usize| {
        text[..from].chars().next_back().is_none_or(|c| matches!(c, '\n' | ';' | '}' | '/'))
    };
    let ends = |to: usize| {
        text[to..].chars().next().is_some_and(|c| matches!(c, ' ' | '{' | '*' | '\'' | '"' | '('))
    };
    let find = |word: &'static str| {
        let found = text[at..].match_indices(word).map(|(place, _)| at + place);
        found
            .filter(|from| begins(*from) && ends(from + word.len()))
            .map(|from| (from, word))
            .next()
    };
    [find("import"), find("export")].into_iter().flatten().min()
}

/// What stands before the first quoted text, that text, and where it ends.
fn quoted(text: &str) -> Option<(&str, &str, usize)> {
    let open = text.find(['\'', '"'])?;
    let quote = text[open..].chars().next()?;
    let close = open + 1 + text[open + 1..].find(quote)?;
    Some((&text[..open], &text[open + 1..close], close + 1))
}

fn end_of_statement(text: &str, at: usize) -> usize {
    if text[at..].starts_with(';') { at + 1 } else { at }
}

/// `a, { b as c }`, `* as d`.
fn clause_names(clause: &str) -> Vec<(String, String)> {
    let (before, list) = match clause.split_once('{') {
        Some((before, list)) => (before, list.trim_end().trim_end_matches('}')),
        None => (clause, ""),
    };
    let mut names = pairs(list);
    let single = before.trim().trim_end_matches(',').trim();
    if let Some(all) = single.strip_prefix('*') {
        let name = all.trim().trim_start_matches("as").trim();
        names.push(("*".to_owned(), name.to_owned()));
    } else if !single.is_empty() {
        names.push(("default".to_owned(), single.to_owned()));
    }
    names
}

/// `a, b as c`.
fn pairs(list: &str) -> Vec<(String, String)> {
    let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once(" as ") {
            Some((one, other)) => (one.trim().to_owned(), other.trim().to_owned()),
            None => (part.to_owned(), part.to_owned()),
        })
        .collect()
}

/// The name a declaration gives.
fn declared(text: &str) -> Option<String> {
    let rest = text.strip_prefix("async ").unwrap_or(text);
    let rest = ["const ", "let ", "function ", "class "]
        .iter()
        .find_map(|word| rest.strip_prefix(word))?
        .trim_start();
    let name: String =
        rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).collect();
    (!name.is_empty()).then_some(name)
}

/// The path a relative one means within a module.
pub(crate) fn joined(module: &str, path: &str) -> Option<String> {
    if !path.starts_with("./") && !path.starts_with("../") {
        return None;
    }
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

    fn pages(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn the_first_screen_is_one_file_and_the_rest_takes_from_it() {
        let sent = bundled(&pages(&[
            ("main.js", "import { a } from './x/a.js';\nimport('./screen/home.js');\nimport('./screen/late.js');\nawait a();\n"),
            ("screen/home.js", "import all, { b as c } from '../vendor/b.js';\nimport * as d from '../x/a.js';\nexport default function Home() { return c + d; }\n"),
            ("screen/late.js", "import { a } from '../x/a.js';\nimport { only } from '../x/only.js';\nexport default function Late() {}\n"),
            ("x/a.js", "export const a = 1;\nexport async function f() {}\nimport('./only.js');\n"),
            ("vendor/b.js", "var n=1;function t(){}export{n as b,t as default};"),
            ("x/only.js", "export const only = 1;\n"),
        ]))
        .unwrap();
        let names: Vec<_> = sent.keys().map(String::as_str).collect();
        assert_eq!(names, ["main.js", "screen/late.js", "x/only.js"]);
        let main = &sent["main.js"];
        for part in [
            "const m0=(()=>{\nvar n=1;function t(){}\nreturn{b:n,default:t};\n})();",
            "const{b:c,default:all}=m0;",
            "const d=m1;",
            "return{default:Home};",
            "const a = 1;\nasync function f() {}\nimport('./x/only.js');",
            "export const modules={\"screen/home.js\":m2,\"vendor/b.js\":m0,\"x/a.js\":m1};",
            "Promise.resolve(m2);\nimport('./screen/late.js');",
            "const m3=await(async()=>{",
        ] {
            assert!(main.contains(part), "{part}\n---\n{main}");
        }
        assert_eq!(
            sent["screen/late.js"],
            "import{modules as $modules}from'../main.js';\nconst{a:a}=$modules[\"x/a.js\"];\n\
             import { only } from '../x/only.js';\nexport default function Late() {}\n"
        );
    }

    #[test]
    fn remarks_stay_at_home() {
        let text = "/** One. */\n/**\n * Two.\n */\n  const a = /** @type {X} */ (b);\n  // three\n\n\
                    /** @type {Y} */ (c).d();\n";
        assert_eq!(
            without_remarks(text),
            "const a = /** @type {X} */ (b);\n/** @type {Y} */ (c).d();\n"
        );
    }

    #[test]
    fn what_is_not_known_is_an_error_that_says_where() {
        let failed = |main: &str| {
            let home = ("screen/home.js", "export default function Home() {}\n");
            bundled(&pages(&[("main.js", main), home])).unwrap_err()
        };
        assert_eq!(
            failed("\nexport * from './screen/home.js';"),
            "main.js:1: an export of another form"
        );
        assert_eq!(failed("import { x } from './screen/home.js';"), "screen/home.js has no x");
        assert_eq!(failed("import x from './gone.js';"), "there is no gone.js");
        assert!(failed("import x from 'preact';").starts_with("main.js:1: an import of"));
    }
}
