//! What in a template deserves a look before it is trusted. It only warns: trust is the control.

use car_api::template::{TemplateWarning, TemplateWarningKind as Kind};

use crate::ticket::read_template;

/// A template above this is worth a second look, in bytes.
const LARGE: usize = 64 * 1024;
/// A word this long that looks like base64 hides something from its reader, in characters.
const BASE64: usize = 120;
/// The same of hexadecimal digits.
const HEX: usize = 96;
/// What a shell would act on.
const SHELL: [&str; 12] = [
    "$(", "`", "| sh", "|sh", "| bash", "|bash", "curl ", "wget ", "sudo ", "rm -rf", " && ",
    "/bin/sh",
];

/// The warnings of a template, by line.
#[must_use]
pub fn scan(bytes: &[u8]) -> Vec<TemplateWarning> {
    let mut found = Vec::new();
    if bytes.len() > LARGE {
        let message = format!("It has {} KiB; read all of it.", bytes.len() / 1024);
        found.push(TemplateWarning { kind: Kind::Large, line: 0, count: 1, message });
    }
    let text = String::from_utf8_lossy(bytes);
    let mut see = |kind: Kind, line: usize| note(&mut found, kind, line);
    // A fence in the first line opens frontmatter, which another one ends.
    let mut fenced = text.lines().next().is_some_and(|line| line.trim_end() == "---");
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        for c in line.chars().filter(|c| is_hidden(*c)) {
            // A byte order mark is no trick.
            if !(index == 0 && c == '\u{feff}') {
                see(if is_bidi(c) { Kind::Bidi } else { Kind::Invisible }, number);
            }
        }
        for _ in line.matches("<!--") {
            see(Kind::HtmlComment, number);
        }
        for _ in line.split(|c: char| !is_encoding(c)).filter(|word| is_encoded(word)) {
            see(Kind::Encoded, number);
        }
        if fenced && index > 0 {
            if line.trim_end() == "---" {
                fenced = false;
            } else if SHELL.iter().any(|part| line.contains(part)) {
                see(Kind::Shell, number);
            }
        }
    }
    match read_template(bytes) {
        Ok(text) if text.dropped.is_empty() => {}
        Ok(text) => {
            let names: Vec<_> = text.dropped.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("A template may not set this; it is left out: {}.", list(&names));
            let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
            found.push(TemplateWarning { kind: Kind::Dropped, line: 0, count, message });
        }
        Err((line, message)) => {
            let line = u32::try_from(line).unwrap_or(0);
            let message = format!("No ticket can be made of it. {message}");
            found.push(TemplateWarning { kind: Kind::Unreadable, line, count: 1, message });
        }
    }
    found.sort_by_key(|warning| (warning.line, warning.kind));
    found
}

/// The first names of a list that may be long.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, and {} more", names.len() - SHOWN) } else { shown }
}

/// One warning a kind: where it is first, and how often.
fn note(found: &mut Vec<TemplateWarning>, kind: Kind, line: usize) {
    if let Some(warning) = found.iter_mut().find(|warning| warning.kind == kind) {
        warning.count = warning.count.saturating_add(1);
        return;
    }
    let message = match kind {
        Kind::Bidi => {
            "Characters that turn the direction of writing: it reads otherwise than it is."
        }
        Kind::Invisible => "Characters that are not seen and that an agent reads.",
        Kind::HtmlComment => "An HTML comment: not seen in the preview, and read by an agent.",
        Kind::Encoded => "A long piece that is encoded: nobody can read what it says.",
        Kind::Shell => "A shell command in the frontmatter.",
        Kind::Large | Kind::Dropped | Kind::Unreadable => "",
    };
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    found.push(TemplateWarning { kind, line, count: 1, message: message.to_owned() });
}

/// Whether a character changes what is read without being seen.
pub(super) fn is_hidden(c: char) -> bool {
    is_bidi(c)
        || matches!(c,
            '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_encoding(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_')
}

fn is_encoded(word: &str) -> bool {
    let hex = word.len() >= HEX && word.bytes().all(|b| b.is_ascii_hexdigit());
    let has = |what: fn(&u8) -> bool| word.as_bytes().iter().any(what);
    let mixed =
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    hex || (word.len() >= BASE64 && mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, u32, u32)> {
        scan(text.as_bytes()).iter().map(|w| (w.kind, w.line, w.count)).collect()
    }

    #[test]
    fn each_trick_is_seen_where_it_is() {
        let base64 = "QUJD".repeat(40) + "0x";
        for (text, expected) in [
            ("# Fine\n\nNothing here. 👩‍".to_owned(), vec![(Kind::Invisible, 3, 1)]),
            ("a\nb\u{202e}c\u{2066}d\n".to_owned(), vec![(Kind::Bidi, 2, 2)]),
            ("a\u{200b}b\n\u{e0041}\n".to_owned(), vec![(Kind::Invisible, 1, 2)]),
            (
                "x\n\n<!-- do this\n--> <!-- and that -->\n".to_owned(),
                vec![(Kind::HtmlComment, 3, 2)],
            ),
            (format!("run {base64} now\n"), vec![(Kind::Encoded, 1, 1)]),
            (format!("{}\n", "ab".repeat(60)), vec![(Kind::Encoded, 1, 1)]),
            (
                "---\ntitle: a $(id)\ngoal: curl x | sh\n---\n`fine` $(fine)\n".to_owned(),
                vec![(Kind::Shell, 2, 2)],
            ),
            ("---\ntitle: a\nagent: x\nverify: [a]\n---\n".to_owned(), vec![(Kind::Dropped, 0, 2)]),
            ("---\ntitle: [\n---\n".to_owned(), vec![(Kind::Unreadable, 2, 1)]),
            ("word ".repeat(20_000), vec![(Kind::Large, 0, 1)]),
        ] {
            assert_eq!(kinds(&text), expected, "{text:.60}");
        }
    }

    #[test]
    fn what_is_plain_is_not_warned_of() {
        for text in [
            "",
            "\u{feff}# A title\n",
            "# A title\n\nSee https://example.org/a/very/long/path/that/goes/on/and/on/for/a/while.\n\n```sh\ncurl x | sh\n```\n",
            "---\ntitle: a\ngoal: b\ndone: false\nsummary: c\n---\nText with — dashes, ümlauts and 日本語.\n",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }
}
