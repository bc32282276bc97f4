//! `SOURCE:PATH[@REF]`

use std::{fmt, str::FromStr};

use car_api::TemplateSourceId;

/// A template's name: where it is from, which file it is, and of which branch, tag or commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRef {
    /// The source.
    pub source: TemplateSourceId,
    /// The file, relative to the source's root.
    pub path: String,
    /// Branch, tag or commit; what the source is pinned to when absent.
    pub at: Option<String>,
}

/// Why a text names no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a template is named SOURCE:PATH or SOURCE:PATH@REF, as in team:fix/bug.md; {why}")]
pub struct InvalidRef {
    why: &'static str,
}

impl FromStr for TemplateRef {
    type Err = InvalidRef;

    /// Split at the first `:` and the last `@`, as CAR does it.
    fn from_str(text: &str) -> Result<Self, InvalidRef> {
        let wrong = |why| InvalidRef { why };
        let (source, rest) = text.split_once(':').ok_or(wrong("there is no `:`"))?;
        let source = source.parse().map_err(|_| wrong("the source is no id"))?;
        let (path, at) = match rest.rsplit_once('@') {
            Some((_, "")) => return Err(wrong("nothing follows the `@`")),
            Some((path, at)) => (path, Some(at)),
            None => (rest, None),
        };
        if !is_template_path(path) {
            return Err(wrong("the path is that of a .md file, without `..`"));
        }
        if at.is_some_and(|at| at.chars().any(|c| c.is_control() || c.is_whitespace())) {
            return Err(wrong("what follows the `@` is no branch, tag or commit"));
        }
        Ok(Self { source, path: path.to_owned(), at: at.map(str::to_owned) })
    }
}

impl fmt::Display for TemplateRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.path)?;
        match &self.at {
            Some(at) => write!(f, "@{at}"),
            None => Ok(()),
        }
    }
}

/// Whether a file of a source can be a template: a markdown file below its root, named in plain
/// characters. An `@` would be taken for what follows a path.
#[must_use]
pub fn is_template_path(path: &str) -> bool {
    let hides = |c: char| c.is_control() || super::scan::is_hidden(c);
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.');
    path.len() <= 512
        && path.ends_with(".md")
        && !path.contains(['\\', '@'])
        && !path.chars().any(hides)
        && path.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_as_car_reads_them() {
        for (text, source, path, at) in [
            ("team:fix.md", "team", "fix.md", None),
            ("team:a/b c.md@v1", "team", "a/b c.md", Some("v1")),
            ("t.e-m_1:a:b.md@side/two", "t.e-m_1", "a:b.md", Some("side/two")),
        ] {
            let read: TemplateRef = text.parse().unwrap();
            assert_eq!((read.source.as_str(), &*read.path, read.at.as_deref()), (source, path, at));
            assert_eq!(read.to_string(), text);
        }
        for text in [
            "",
            ":",
            "team",
            "team:",
            ":a.md",
            "team:@main",
            "team:a.md@",
            "team:../a.md",
            "team:a/../b.md",
            "team:/a.md",
            "team:a//b.md",
            "team:.git/a.md",
            "team:a.txt",
            "team:a\\b.md",
            "te am:a.md",
            "../x:a.md",
            "..:a.md",
            "team:a\u{202e}b.md",
            "team:a\n.md",
            "team:a.md@v 1",
        ] {
            assert!(text.parse::<TemplateRef>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_read_back(
            source in "[a-z0-9][a-zA-Z0-9._-]{0,20}",
            path in "[a-z:][a-z:. -]{0,10}(/[a-z:][a-z:. -]{0,10}){0,3}\\.md",
            at in proptest::option::of("[a-z0-9/.-]{1,20}"),
        ) {
            let name = TemplateRef { source: source.parse().unwrap(), path, at };
            prop_assert_eq!(name.to_string().parse::<TemplateRef>(), Ok(name));
        }

        #[test]
        fn no_text_names_a_file_outside(text in "\\PC{0,40}|[a-z./:@]{0,20}\\.md") {
            if let Ok(name) = text.parse::<TemplateRef>() {
                prop_assert!(!name.path.starts_with('/'));
                prop_assert!(name.path.split('/').all(|part| part != ".." && part != ".git"));
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
