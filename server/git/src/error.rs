//! The one error of this crate.

use std::path::PathBuf;
use std::time::Duration;

use crate::unsaved::Unsaved;

/// Why a git question could not be answered or an act was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The directory does not exist.
    #[error("{} does not exist; restore the directory or forget it", path.display())]
    NotFound {
        /// The missing path.
        path: PathBuf,
    },
    /// The directory exists but is not the root of a working tree.
    #[error("{} is not the root of a git working tree; run `git init` there or name the root", path.display())]
    NotARepo {
        /// The path that was given.
        path: PathBuf,
    },
    /// No git program could be started.
    #[error("git could not be started ({source}); install git 2.42 or newer and put it on PATH")]
    NoGit {
        /// The system's answer.
        source: std::io::Error,
    },
    /// Git did not end in time; its process group was killed.
    #[error(
        "`git {args}` did not end within {after:?} and was stopped; try again or look for a hung disk or network"
    )]
    Timeout {
        /// The command, without the fixed options.
        args: String,
        /// How long it was given.
        after: Duration,
    },
    /// The caller cancelled; the process group was killed.
    #[error("`git {args}` was cancelled")]
    Cancelled {
        /// The command, without the fixed options.
        args: String,
    },
    /// This crate declines to do it; the text says why and what to do instead.
    #[error("{what}")]
    Refused {
        /// The reason and the way forward.
        what: String,
    },
    /// The act would delete work that exists nowhere else.
    #[error(
        "this would delete work that exists nowhere else: {}; save it, or name what to drop: {}",
        lines(unsaved),
        names(unsaved)
    )]
    WouldLose {
        /// Everything that is not covered by what the caller named.
        unsaved: Vec<Unsaved>,
    },
    /// Git printed more than the call allows.
    #[error("`git {args}` printed more than {limit} bytes; narrow the question")]
    TooMuchOutput {
        /// The command, without the fixed options.
        args: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// Git or a file answered in a form this crate does not know.
    #[error("unexpected answer from {from}: {what}")]
    Unreadable {
        /// The command or file.
        from: String,
        /// What was wrong with it.
        what: String,
    },
    /// Git ended with an error.
    #[error("`git {args}` failed{}: {stderr}", code.map_or_else(|| " by a signal".to_owned(), |c| format!(" ({c})")))]
    Failed {
        /// The command, without the fixed options.
        args: String,
        /// The exit code; none when a signal ended it.
        code: Option<i32>,
        /// Git's own message, its last 16 KiB.
        stderr: String,
    },
    /// A file could not be read or written.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl GitError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    pub(crate) fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into() }
    }

    pub(crate) fn unreadable(from: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Unreadable { from: from.into(), what: what.into() }
    }
}

fn lines(unsaved: &[Unsaved]) -> String {
    unsaved.iter().map(|u| u.line.as_str()).collect::<Vec<_>>().join("; ")
}

fn names(unsaved: &[Unsaved]) -> String {
    unsaved.iter().map(|u| format!("--drop {}", u.kind.name())).collect::<Vec<_>>().join(" ")
}
