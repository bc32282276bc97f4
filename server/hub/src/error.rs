//! The one error of the hub's operations.

use std::fmt;

use car_api::{
    Code, Problem,
    event::Gone,
    problem::{FieldError, Versioned},
    worktree::Unsaved,
};

/// Why an operation was not done: a code and a sentence for the caller, a cause for the log.
#[derive(Debug)]
pub struct Error {
    /// Stable word of the reason.
    pub code: Code,
    /// What happened and what to do, for the caller.
    pub detail: String,
    /// Which part of the input is wrong.
    pub errors: Vec<FieldError>,
    /// The present version, for [`Code::Stale`].
    pub current: Option<Versioned>,
    /// The version that was sent, for [`Code::Stale`].
    pub yours: Option<Versioned>,
    /// What would be lost, for [`Code::WouldLoseWork`].
    pub unsaved: Vec<Unsaved>,
    /// Where to start instead, for [`Code::CursorTooOld`].
    pub gone: Option<Box<Gone>>,
    /// The cause, for the log only.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What an operation of the hub gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a sentence for the caller.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            current: None,
            yours: None,
            unsaved: Vec::new(),
            gone: None,
            source: None,
        }
    }

    /// There is no such thing.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("There is no {what}."))
    }

    /// The input is not valid.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }

    /// A defect of the hub or its machine; the cause goes to the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        Self::new(Code::Internal, "The hub could not do this; its log has the cause.")
            .with_source(source)
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With the text that was sent, when it was refused because another one is there now.
    #[must_use]
    pub(crate) fn with_yours(mut self, content: &str, etag: Option<&str>) -> Self {
        if self.code == Code::Stale {
            let etag = etag.unwrap_or_default().to_owned();
            self.yours = Some(Versioned { content: content.to_owned(), etag });
        }
        self
    }

    /// The error as it goes over the wire.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let mut problem = Problem::new(self.code, self.detail.clone());
        problem.errors.clone_from(&self.errors);
        problem.current.clone_from(&self.current);
        problem.yours.clone_from(&self.yours);
        problem.unsaved.clone_from(&self.unsaved);
        problem.gone.clone_from(&self.gone);
        problem
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
