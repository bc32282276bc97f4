//! Values the hub knows, in the forms they are written in.

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Found, SMALL};

/// Shorter values are words, numbers and switches.
const SHORTEST: usize = 8;

/// How many values are known at most.
const MOST: usize = 4096;

/// How much of a value may be seen before it counts as the beginning of one.
const BEGINNING: usize = 4;

/// The values, and what finds them.
#[derive(Default)]
pub(super) struct Exact {
    forms: Vec<String>,
    finder: Option<AhoCorasick>,
}

impl Exact {
    /// These values as well; nothing when all are known.
    pub(super) fn with<'a>(&self, values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut forms = self.forms.clone();
        for value in values {
            let value = value.trim();
            if value.len() < SHORTEST || forms.len() > MOST {
                continue;
            }
            for form in forms_of(value) {
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
        }
        if forms.len() == self.forms.len() {
            return None;
        }
        let finder = AhoCorasick::builder()
            .kind(Some(SMALL))
            .match_kind(MatchKind::LeftmostLongest)
            .build(&forms)
            .ok();
        Some(Self { forms, finder })
    }

    pub(super) fn find(&self, text: &str, found: &mut Found) {
        let Some(finder) = &self.finder else { return };
        found.spans.extend(finder.find_iter(text).map(|hit| hit.range()));
        for form in &self.forms {
            let longest = form.len().saturating_sub(1).min(text.len());
            let begun = (BEGINNING..=longest)
                .rev()
                .find(|length| form.is_char_boundary(*length) && text.ends_with(&form[..*length]));
            if let Some(length) = begun {
                found.open_at(text.len() - length);
            }
        }
    }
}

/// A value as it stands plainly, in JSON, in a URL and in base64, alone or in the middle of
/// something longer.
fn forms_of(value: &str) -> Vec<String> {
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let mut forms = vec![value.to_owned(), json, percent(value)];
    for shift in 0..3 {
        let middle = base64_middle(value.as_bytes(), shift);
        if middle.len() >= SHORTEST {
            forms.push(middle.replace('+', "-").replace('/', "_"));
            forms.push(middle);
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

fn percent(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}

/// The characters of base64 that the value alone decides, when it begins `shift` bytes after a
/// group of three does.
fn base64_middle(value: &[u8], shift: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(value);
    let bits = bytes.len() * 8;
    let first = (shift * 8).div_ceil(6);
    (first..bits / 6)
        .map(|place| {
            let bit = place * 6;
            let two = u16::from_be_bytes([
                bytes[bit / 8],
                bytes.get(bit / 8 + 1).copied().unwrap_or_default(),
            ]);
            char::from(ALPHABET[usize::from((two >> (10 - bit % 8)) & 63)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_found_wherever_it_begins() {
        // `echo -n 'secret-value-1' | base64`, and with one and two letters before it.
        assert_eq!(base64_middle(b"secret-value-1", 0), "c2VjcmV0LXZhbHVlLT");
        assert!("eHNlY3JldC12YWx1ZS0x".contains(&base64_middle(b"secret-value-1", 1)));
        assert!("eHlzZWNyZXQtdmFsdWUtMQ==".contains(&base64_middle(b"secret-value-1", 2)));
    }
}
