//! What is taken out of texts before they are kept.

use std::{fmt, sync::Arc};

/// Takes out of a text what must not be kept; nothing unless the hub says what that is. It is given
/// JSON as well, and gives JSON back.
#[derive(Clone, Default)]
pub struct Clean(Option<Arc<Cleaner>>);

/// The changed text, or nothing when it stays as it is.
type Cleaner = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Clean {
    /// By this rule.
    pub fn new(rule: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(rule)))
    }

    pub(crate) fn text(&self, text: String) -> String {
        self.0.as_ref().and_then(|rule| rule(&text)).unwrap_or(text)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Clean(..)" } else { "Clean(none)" })
    }
}
