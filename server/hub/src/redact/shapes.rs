//! What secrets look like: each begins in a way of its own, and goes on with certain characters
//! for at least a certain length.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::{Found, SMALL};

/// What may follow a beginning.
#[derive(Clone, Copy, PartialEq)]
enum Chars {
    /// Letters and digits.
    Alnum,
    /// And `_-`.
    Word,
    /// And `.`.
    Dotted,
    /// And `/:+=~%`.
    Path,
}

impl Chars {
    fn has(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || match self {
                Self::Alnum => false,
                Self::Word => b"_-".contains(&byte),
                Self::Dotted => b"_-.".contains(&byte),
                Self::Path => b"_-./:+=~%".contains(&byte),
            }
    }
}

/// How a kind of secret is told.
#[derive(Clone, Copy)]
enum Kind {
    /// A beginning, what follows it, and how much of that at least.
    Run(Chars, usize),
    /// Three parts with dots between them (RFC 7519).
    Jwt,
    /// After digits, as in a bot's token.
    AfterDigits(Chars, usize),
    /// A password in the authority of a URL.
    Userinfo,
    /// What a request shows after the scheme's name (RFC 9110, 11.4).
    Spoken,
    /// A word that names a secret, then `=` or `:`, then the value.
    Named,
    /// From the first line to the last (RFC 7468).
    Pem,
}

use Chars::{Alnum, Dotted, Path, Word};
use Kind::{AfterDigits, Jwt, Named, Pem, Run, Spoken, Userinfo};

/// Every shape, by its beginning; upper and lower case are the same.
const SHAPES: &[(&str, Kind)] = &[
    // This hub's own.
    ("car_pat_", Run(Word, 16)),
    ("car_run_", Run(Dotted, 16)),
    ("car_thr_", Run(Dotted, 16)),
    ("car_ses_", Run(Word, 16)),
    // Models.
    ("sk-proj-", Run(Word, 16)),
    ("sk-svcacct-", Run(Word, 16)),
    ("sk-admin-", Run(Word, 16)),
    ("sk-ant-", Run(Word, 16)),
    ("sk-or-v1-", Run(Word, 16)),
    ("sk-", Run(Alnum, 32)),
    ("sess-", Run(Alnum, 32)),
    ("hf_", Run(Alnum, 30)),
    ("r8_", Run(Alnum, 30)),
    ("gsk_", Run(Alnum, 40)),
    ("xai-", Run(Alnum, 40)),
    ("pplx-", Run(Alnum, 40)),
    ("nvapi-", Run(Word, 40)),
    // Code hosts and registries.
    ("ghp_", Run(Alnum, 30)),
    ("gho_", Run(Alnum, 30)),
    ("ghu_", Run(Alnum, 30)),
    ("ghs_", Run(Alnum, 30)),
    ("ghr_", Run(Alnum, 30)),
    ("github_pat_", Run(Word, 30)),
    ("glpat-", Run(Dotted, 20)),
    ("gldt-", Run(Word, 20)),
    ("glrt-", Run(Dotted, 20)),
    ("glptt-", Run(Word, 20)),
    ("npm_", Run(Alnum, 36)),
    ("pypi-", Run(Word, 40)),
    ("dckr_pat_", Run(Word, 20)),
    ("cio", Run(Alnum, 32)),
    ("rubygems_", Run(Alnum, 40)),
    // Clouds.
    ("akia", Run(Alnum, 16)),
    ("asia", Run(Alnum, 16)),
    ("aiza", Run(Word, 35)),
    ("ya29.", Run(Dotted, 20)),
    ("gocspx-", Run(Word, 20)),
    ("dop_v1_", Run(Alnum, 60)),
    ("doo_v1_", Run(Alnum, 60)),
    ("tskey-", Run(Word, 16)),
    ("hvs.", Run(Word, 20)),
    ("hvb.", Run(Word, 20)),
    ("pul-", Run(Alnum, 40)),
    ("glsa_", Run(Word, 30)),
    // Chat and mail.
    ("xoxb-", Run(Word, 10)),
    ("xoxp-", Run(Word, 10)),
    ("xoxa-", Run(Word, 10)),
    ("xoxr-", Run(Word, 10)),
    ("xoxs-", Run(Word, 10)),
    ("xapp-", Run(Word, 10)),
    ("hooks.slack.com/services/", Run(Path, 20)),
    ("discord.com/api/webhooks/", Run(Path, 30)),
    ("api.telegram.org/bot", Run(Path, 30)),
    (":aa", AfterDigits(Word, 32)),
    ("sg.", Run(Dotted, 40)),
    ("key-", Run(Alnum, 32)),
    // Trade and work.
    ("sk_live_", Run(Alnum, 16)),
    ("sk_test_", Run(Alnum, 16)),
    ("rk_live_", Run(Alnum, 16)),
    ("rk_test_", Run(Alnum, 16)),
    ("whsec_", Run(Path, 24)),
    ("shpat_", Run(Alnum, 32)),
    ("shpss_", Run(Alnum, 32)),
    ("sq0atp-", Run(Word, 20)),
    ("sq0csp-", Run(Word, 20)),
    ("lin_api_", Run(Alnum, 32)),
    ("ntn_", Run(Alnum, 40)),
    ("figd_", Run(Word, 40)),
    ("pmak-", Run(Word, 40)),
    ("atatt3", Run(Path, 40)),
    // Of no one provider.
    ("age-secret-key-1", Run(Alnum, 50)),
    ("eyj", Jwt),
    ("bearer ", Spoken),
    ("basic ", Spoken),
    ("://", Userinfo),
    ("-----begin ", Pem),
    ("password", Named),
    ("passwd", Named),
    ("passphrase", Named),
    ("secret", Named),
    ("token", Named),
    ("api_key", Named),
    ("apikey", Named),
    ("api-key", Named),
    ("access_key", Named),
    ("private_key", Named),
    ("credential", Named),
];

/// How long the value of a named secret is at least.
const NAMED_MIN: usize = 10;

/// Ids of this hub's own are no secrets, whatever they are called.
const IDS: [&str; 2] = ["tok_", "dev_"];

/// How far a key may go on.
const PEM_MAX: usize = 16 << 10;

/// What becomes of a beginning.
enum Verdict {
    Secret {
        start: usize,
        end: usize,
    },
    /// It may still become one.
    Open,
    Nothing,
}

pub(super) fn find(text: &str, found: &mut Found) {
    static FINDER: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let finder = FINDER.get_or_init(|| {
        let starts = SHAPES.iter().map(|(start, _)| start);
        AhoCorasick::builder().kind(Some(SMALL)).ascii_case_insensitive(true).build(starts).ok()
    });
    let Some(finder) = finder else { return };
    for hit in finder.find_overlapping_iter(text) {
        let (_, kind) = SHAPES[hit.pattern().as_usize()];
        match judge(text.as_bytes(), hit.start(), hit.end(), kind) {
            Verdict::Secret { start, end } => {
                if end == text.len() {
                    found.open_at(hit.start());
                }
                found.spans.push(start..end);
            }
            Verdict::Open => found.open_at(hit.start()),
            Verdict::Nothing => {}
        }
    }
}

fn judge(text: &[u8], start: usize, after: usize, kind: Kind) -> Verdict {
    let before = start.checked_sub(1).map(|at| text[at]);
    // In JSON a line break before it is a letter after a backslash.
    let escaped =
        start >= 2 && text[start - 2] == b'\\' && matches!(text[start - 1], b'n' | b't' | b'r');
    let inside = before.is_some_and(|byte| byte.is_ascii_alphanumeric()) && !escaped;
    let run = |chars: Chars| after + text[after..].iter().take_while(|b| chars.has(**b)).count();
    let of_run = |end: usize, min: usize, start: usize| {
        if end - after >= min {
            Verdict::Secret { start, end }
        } else if end == text.len() {
            Verdict::Open
        } else {
            Verdict::Nothing
        }
    };
    match kind {
        Run(..) | Jwt if inside => Verdict::Nothing,
        Run(chars, min) => of_run(run(chars), min, start),
        Jwt => {
            let end = run(Dotted);
            let dots = text[after..end].iter().filter(|byte| **byte == b'.').count();
            if dots >= 2 || end == text.len() { of_run(end, 30, start) } else { Verdict::Nothing }
        }
        AfterDigits(chars, min) => {
            let digits = text[..start].iter().rev().take_while(|b| b.is_ascii_digit()).count();
            if digits < 6 {
                return Verdict::Nothing;
            }
            of_run(run(chars), min, start - digits)
        }
        Spoken if inside => Verdict::Nothing,
        Spoken => {
            let end = run(Path);
            // Words follow these words as well.
            if end == text.len() || is_mixed(&text[after..end]) {
                of_run(end, 16, after)
            } else {
                Verdict::Nothing
            }
        }
        Userinfo => userinfo(text, after),
        Named => named(text, after),
        Pem => pem(text, start, after),
    }
}

/// `user:password@` of a URL: the password goes.
fn userinfo(text: &[u8], after: usize) -> Verdict {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/?#\"'<>\\`)".contains(byte);
    let length = text[after..].iter().position(ends);
    let authority = &text[after..length.map_or(text.len(), |length| after + length)];
    let at = authority.iter().rposition(|byte| *byte == b'@');
    let colon = authority.iter().position(|byte| *byte == b':');
    match (colon, at) {
        (Some(colon), Some(at)) if colon + 1 < at => {
            Verdict::Secret { start: after + colon + 1, end: after + at }
        }
        (Some(_), _) if length.is_none() => Verdict::Open,
        (_, _) => Verdict::Nothing,
    }
}

/// The value after a word such as `password`: long enough, and of letters and digits both, so that
/// code that only speaks of passwords stays as it is.
fn named(text: &[u8], after: usize) -> Verdict {
    let between = |byte: &u8| b" \t\"'\\:=".contains(byte);
    let start = after + text[after..].iter().take(16).take_while(|b| between(b)).count();
    if !text[after..start].iter().any(|byte| b":=".contains(byte)) {
        return if start == text.len() { Verdict::Open } else { Verdict::Nothing };
    }
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'\\,;&<>(){}[]`".contains(byte);
    let length = text[start..].iter().position(ends);
    let end = length.map_or(text.len(), |length| start + length);
    let value = &text[start..end];
    if IDS.iter().any(|id| value.starts_with(id.as_bytes())) {
        return Verdict::Nothing;
    }
    if value.len() >= NAMED_MIN && is_mixed(value) {
        Verdict::Secret { start, end }
    } else if length.is_none() {
        Verdict::Open
    } else {
        Verdict::Nothing
    }
}

/// Letters and digits both, as hardly a word has.
fn is_mixed(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic)
}

/// A key, up to its last line, or the end of the text it stands in when that was cut off.
fn pem(text: &[u8], start: usize, after: usize) -> Verdict {
    let rest = &text[after..text.len().min(after + PEM_MAX)];
    let label = rest.iter().position(|byte| *byte == b'-').unwrap_or(rest.len());
    if label == rest.len() && label < 40 {
        return Verdict::Open;
    }
    let private = rest[..label].to_ascii_uppercase().ends_with(b"PRIVATE KEY");
    if !private {
        return Verdict::Nothing;
    }
    let quote = rest.iter().position(|byte| *byte == b'"').unwrap_or(rest.len());
    let body = &rest[..quote];
    let last = body.windows(9).position(|window| window.eq_ignore_ascii_case(b"-----END "));
    let closed = last.and_then(|last| {
        let tail = &body[last + 9..];
        tail.windows(5).position(|window| window == b"-----").map(|dashes| last + 9 + dashes + 5)
    });
    match closed {
        Some(end) => Verdict::Secret { start, end: after + end },
        None => Verdict::Secret { start, end: after + quote },
    }
}

#[cfg(test)]
pub(super) fn count() -> usize {
    SHAPES.len()
}
