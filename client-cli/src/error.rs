//! What can go wrong between a caller and the hub.

use car_api::{Code, Problem};

/// Why an operation has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The hub answered that it will not or cannot do it, and why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Nobody answered at the hub's address.
    #[error("the hub at {url} does not answer: {detail}")]
    Unreachable {
        /// Where the hub was looked for.
        url: String,
        /// What the network said.
        detail: String,
    },
    /// Somebody answered, but not as the contract says; most often another program or version.
    #[error("{url} did not answer as a hub does: {detail}")]
    Protocol {
        /// Who was asked.
        url: String,
        /// What was wrong with the answer.
        detail: String,
    },
    /// A hub answers, but not the one that was expected there.
    #[error("another hub answers at {url}: its instance is {found}, not {expected}")]
    OtherHub {
        /// Who was asked.
        url: String,
        /// The instance that was remembered.
        expected: String,
        /// The instance that answers.
        found: String,
    },
    /// The hub's answer cannot be read because the hub is newer than this client.
    #[error("the hub at {url} is version {hub}, newer than this program ({own}): {detail}")]
    Newer {
        /// Who was asked.
        url: String,
        /// The hub's version.
        hub: String,
        /// This client's version.
        own: &'static str,
        /// What could not be read.
        detail: String,
    },
}

impl ClientError {
    /// The problem's code, when the hub answered with a problem.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            Self::Unreachable { .. }
            | Self::Protocol { .. }
            | Self::OtherHub { .. }
            | Self::Newer { .. } => None,
        }
    }
}

impl ClientError {
    /// Whether the same attempt may go well a little later, as while a hub is being restarted.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            // A proxy in front of a hub that is down answers with a page of its own.
            Self::Unreachable { .. } | Self::Protocol { .. } => true,
            Self::OtherHub { .. } | Self::Newer { .. } => false,
            Self::Problem(problem) => problem.status >= 500 || problem.status == 429,
        }
    }
}

impl From<Problem> for ClientError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}
