//! What an agent is at work for.

use car_api::{RunId, ThreadId};

use crate::{Error, Result, columns::parse_opt};

/// What an agent's process, and what it asks, is there for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Errand {
    /// A run.
    Run(RunId),
    /// A thread.
    Thread(ThreadId),
}

impl Errand {
    /// The run, if it is one.
    #[must_use]
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::Run(run) => Some(run),
            Self::Thread(_) => None,
        }
    }

    /// The thread, if it is one.
    #[must_use]
    pub fn thread(&self) -> Option<&ThreadId> {
        match self {
            Self::Run(_) => None,
            Self::Thread(thread) => Some(thread),
        }
    }

    /// From its two columns, of which one is set.
    pub(crate) fn read(run: Option<&str>, thread: Option<&str>) -> Result<Self> {
        match (parse_opt("run id", run)?, parse_opt("thread id", thread)?) {
            (Some(run), None) => Ok(Self::Run(run)),
            (None, Some(thread)) => Ok(Self::Thread(thread)),
            (Some(_), Some(_)) | (None, None) => {
                Err(Error::corrupt("errand", "not one of a run and a thread"))
            }
        }
    }
}

impl std::fmt::Display for Errand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(run) => f.pad(run.as_str()),
            Self::Thread(thread) => f.pad(thread.as_str()),
        }
    }
}
