//! Secrets are taken out of everything that is kept or sent: values the hub knows, in every form
//! they are written in, and whatever has the shape of a secret.
//!
//! Applied where text leaves for good: the log, events, items, live text, the ends of outputs, and
//! what requests are refused with. What an agent itself wrote stays in its run's directory.

mod exact;
mod shapes;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aho_corasick::AhoCorasickKind;
use exact::Exact;

pub(crate) use stream::Stream;

/// How what is looked for is kept: a table of every step would be faster on megabytes, and takes a
/// kilobyte for each character of a secret, for good.
const SMALL: AhoCorasickKind = AhoCorasickKind::ContiguousNFA;

/// What stands where a secret was.
const GONE: &str = "[redacted]";

/// Takes secrets out of text. Cheap to clone; every clone knows the same values.
#[derive(Clone, Default)]
pub struct Redactor {
    exact: Arc<RwLock<Arc<Exact>>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(***)")
    }
}

/// A part of a text, in bytes.
type Span = std::ops::Range<usize>;

/// What was found in a text.
#[derive(Default)]
struct Found {
    /// Secrets, in order, not overlapping.
    spans: Vec<Span>,
    /// Where something begins that may be a secret, or a longer one, when more text comes.
    open: Option<usize>,
}

impl Redactor {
    /// One that knows no value yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on these values are taken out, plain and as they stand in JSON, URLs and base64.
    /// Values that are too short to be secrets are left alone.
    pub fn learn<'a>(&self, values: impl IntoIterator<Item = &'a str>) {
        let mut known = self.exact.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(more) = known.with(values) {
            *known = Arc::new(more);
        }
    }

    /// The text without secrets.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.find(text);
        if found.spans.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut clean = String::with_capacity(text.len());
        let mut from = 0;
        for span in found.spans {
            clean.push_str(&text[from..span.start]);
            clean.push_str(GONE);
            from = span.end;
        }
        clean.push_str(&text[from..]);
        Cow::Owned(clean)
    }

    /// For text that comes in pieces: a secret that is cut in two is found all the same.
    pub(crate) fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }

    fn find(&self, text: &str) -> Found {
        let exact = Arc::clone(&self.exact.read().unwrap_or_else(PoisonError::into_inner));
        let mut found = Found::default();
        exact.find(text, &mut found);
        shapes::find(text, &mut found);
        found.merge();
        found
    }
}

impl Found {
    fn open_at(&mut self, at: usize) {
        self.open = Some(self.open.map_or(at, |open| open.min(at)));
    }

    /// Brings the spans in order and joins those that meet.
    fn merge(&mut self) {
        self.spans.sort_by_key(|span| (span.start, span.end));
        let mut merged: Vec<Span> = Vec::with_capacity(self.spans.len());
        for span in self.spans.drain(..) {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                Some(_) | None => merged.push(span),
            }
        }
        self.spans = merged;
    }
}
