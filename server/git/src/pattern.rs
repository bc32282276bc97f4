//! Which ignored paths can be made again and need no saving.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Patterns of regenerable paths. A pattern without an inner slash (`target/`, `*.pyc`) matches any
/// one component of a path; one with an inner slash (`web/dist/`) matches from the root. `*` and
/// `?` stand within one component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Vec<Vec<u8>>>);

impl Patterns {
    /// Reads the patterns; empty ones match nothing.
    #[must_use]
    pub fn new<P: AsRef<[u8]>>(patterns: impl IntoIterator<Item = P>) -> Self {
        let parts = |pattern: P| {
            let parts = pattern.as_ref().split(|b| *b == b'/').filter(|p| !p.is_empty());
            parts.map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        Self(patterns.into_iter().map(parts).filter(|p| !p.is_empty()).collect())
    }

    /// Whether the path, or a directory it lies in, matches.
    #[must_use]
    pub fn matches(&self, path: &Path) -> bool {
        let components: Vec<&[u8]> = path.iter().map(OsStrExt::as_bytes).collect();
        self.0.iter().any(|pattern| match pattern.as_slice() {
            [one] => components.iter().any(|c| glob(one, c)),
            parts => {
                parts.len() <= components.len()
                    && parts.iter().zip(&components).all(|(p, c)| glob(p, c))
            }
        })
    }
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // Remembers the last star and where its match may be extended; linear but for that.
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(b'?') => (p, t) = (p + 1, t + 1),
            Some(c) if Some(c) == text.get(t) => (p, t) = (p + 1, t + 1),
            Some(_) | None => match &mut star {
                Some((after, from)) => {
                    *from += 1;
                    (p, t) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests;
