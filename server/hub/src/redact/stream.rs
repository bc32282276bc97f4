//! Text that comes in pieces.

use super::{GONE, Redactor};

/// How much of what was let through is remembered: enough for the beginning of a secret.
const CONTEXT: usize = 64;

/// How much is held back at most; nothing that is a secret is longer.
const HELD: usize = 20 << 10;

/// Lets text through piece by piece, without secrets. Only what may be the middle of one is held
/// back, so that text is shown as it comes.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    redactor: Redactor,
    /// The end of what was let through.
    context: String,
    held: String,
}

impl Stream {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, context: String::new(), held: String::new() }
    }

    /// What can be let through now that this came.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        self.let_through(self.held.len() > HELD)
    }

    fn let_through(&mut self, all: bool) -> String {
        let text = format!("{}{}", self.context, self.held);
        let from = self.context.len();
        let found = self.redactor.find(&text);
        let cut = if all { None } else { found.open };
        let cut = cut.unwrap_or(text.len()).max(from);
        let mut through = String::new();
        let mut at = from;
        for span in found.spans {
            // What was shown already is shown; what goes on past the cut is judged again.
            if span.end <= at || span.start >= cut {
                continue;
            }
            through.push_str(&text[at..span.start.max(at)]);
            through.push_str(GONE);
            at = span.end.min(cut);
        }
        through.push_str(&text[at..cut.max(at)]);
        let remembered = floor(&text, cut.saturating_sub(CONTEXT));
        self.context = text[remembered..cut].to_owned();
        self.held = text[cut..].to_owned();
        through
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
impl Stream {
    /// The rest, when nothing more comes.
    pub(super) fn finish(mut self) -> String {
        self.let_through(true)
    }
}
