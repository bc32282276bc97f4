//! How a command fails: what is said, and with which exit status.

use std::{io, path::Path, process::ExitCode};

use car_api::{Code, Problem};
use car_client::{ClientError, find::FindError};

use crate::out::Out;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Client(#[from] ClientError),
    #[error("{0}")]
    Find(#[from] FindError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    NotFound(String),
    /// Somebody said no, or nobody said yes.
    #[error("{0}")]
    Refused(String),
    /// The hub did its part; the outcome is bad and was printed already.
    #[error("")]
    Outcome,
}

/// The exit statuses; `help/exit-codes.txt` explains them.
pub(crate) mod status {
    pub(crate) const FAILURE: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const NOT_FOUND: u8 = 3;
    pub(crate) const AUTH: u8 = 4;
    pub(crate) const CONFLICT: u8 = 5;
    pub(crate) const UNREACHABLE: u8 = 6;
    pub(crate) const OUTCOME: u8 = 7;
}

impl Failure {
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Client(ClientError::Problem(problem)) => of_code(problem.code),
            Self::Client(ClientError::Unreachable { .. }) => status::UNREACHABLE,
            Self::Client(ClientError::Protocol { .. }) | Self::Io(_) => status::FAILURE,
            Self::Find(FindError::NotRunning { .. } | FindError::NoHub) => status::UNREACHABLE,
            Self::Find(FindError::NoSuchContext(_)) | Self::NotFound(_) => status::NOT_FOUND,
            Self::Find(FindError::File(_)) => status::FAILURE,
            Self::Usage(_) => status::USAGE,
            Self::Refused(_) => status::AUTH,
            Self::Outcome => status::OUTCOME,
        }
    }

    /// What to do about it, where the message alone does not say.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Find(FindError::NotRunning { root }) => Some(start(root)),
            Self::Find(FindError::NoHub) => Some(
                "make one with `car init --mode hub DIR`, or name one with --hub URL \
                 (car help finding-the-hub)"
                    .to_owned(),
            ),
            Self::Find(FindError::NoSuchContext(_)) => {
                Some("`car contexts` lists the names".to_owned())
            }
            Self::Client(ClientError::Unreachable { .. }) => {
                Some("start it with `car hub serve` (car help finding-the-hub)".to_owned())
            }
            Self::Client(ClientError::Problem(problem)) => of_problem(problem),
            Self::Client(ClientError::Protocol { .. })
            | Self::Find(FindError::File(_))
            | Self::Io(_)
            | Self::Usage(_)
            | Self::NotFound(_)
            | Self::Refused(_)
            | Self::Outcome => None,
        }
    }
}

fn start(root: &Path) -> String {
    format!("start it with `car hub serve --root '{}'`", root.display())
}

fn of_problem(problem: &Problem) -> Option<String> {
    match problem.code {
        Code::Unauthenticated => Some(
            "on the hub's machine the token is found by itself; elsewhere: car login URL"
                .to_owned(),
        ),
        Code::WouldLoseWork => {
            let kinds: Vec<_> = problem.unsaved.iter().map(|u| u.kind.as_str()).collect();
            (!kinds.is_empty())
                .then(|| format!("to remove it all the same: --drop {}", kinds.join(" --drop ")))
        }
        Code::RunActive => Some("`car run list` shows it".to_owned()),
        Code::TicketsInvalid => Some("`car tickets lint` shows every finding".to_owned()),
        Code::AgentUnavailable => Some("`car agents` says what each agent needs".to_owned()),
        Code::RestoreUnconfirmed => Some("`car backup report` shows what it gave".to_owned()),
        Code::Internal => problem
            .instance
            .as_ref()
            .map(|id| format!("the hub's log has the details under request {id}")),
        Code::BadRequest
        | Code::Forbidden
        | Code::WrongHost
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::NotAcceptable
        | Code::Timeout
        | Code::RateLimited
        | Code::TooLarge
        | Code::UnsupportedMediaType
        | Code::PreconditionRequired
        | Code::Stale
        | Code::AlreadyExists
        | Code::IllegalTransition
        | Code::IdempotencyMismatch
        | Code::Unprocessable
        | Code::IdempotencyInFlight
        | Code::GitState
        | Code::GitFailed
        | Code::Storage
        | Code::DiskFull
        | Code::CursorTooOld
        | Code::Unavailable => None,
    }
}

fn of_code(code: Code) -> u8 {
    match code {
        Code::BadRequest | Code::PreconditionRequired => status::USAGE,
        Code::NotFound => status::NOT_FOUND,
        Code::Unauthenticated | Code::Forbidden => status::AUTH,
        Code::Stale
        | Code::AlreadyExists
        | Code::RunActive
        | Code::IllegalTransition
        | Code::RestoreUnconfirmed
        | Code::IdempotencyMismatch
        | Code::Unprocessable
        | Code::IdempotencyInFlight
        | Code::WouldLoseWork => status::CONFLICT,
        Code::Unavailable => status::UNREACHABLE,
        Code::TicketsInvalid | Code::GitState | Code::GitFailed | Code::AgentUnavailable => {
            status::OUTCOME
        }
        Code::WrongHost
        | Code::MethodNotAllowed
        | Code::NotAcceptable
        | Code::Timeout
        | Code::RateLimited
        | Code::TooLarge
        | Code::UnsupportedMediaType
        | Code::Storage
        | Code::DiskFull
        | Code::CursorTooOld
        | Code::Internal => status::FAILURE,
    }
}

/// Prints the failure to standard error and gives the exit status.
pub(crate) fn report(failure: &Failure, out: &Out) -> ExitCode {
    // `car … | head` closed the pipe: nobody is left to tell, and nothing went wrong.
    if matches!(failure, Failure::Io(e) if e.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    if !matches!(failure, Failure::Outcome) {
        eprint!("{}", text(failure, out));
    }
    ExitCode::from(failure.status())
}

fn text(failure: &Failure, out: &Out) -> String {
    if out.json
        && let Failure::Client(ClientError::Problem(problem)) = failure
        && let Ok(json) = serde_json::to_string_pretty(problem)
    {
        return json + "\n";
    }
    let mut text = format!("{} {failure}\n", out.red_on_stderr("error:"));
    if let Failure::Client(ClientError::Problem(problem)) = failure {
        for error in &problem.errors {
            text += &format!("  {}: {}\n", error.pointer, error.detail);
        }
        for unsaved in &problem.unsaved {
            text += &format!("  {}: {}\n", unsaved.kind, unsaved.detail);
        }
    }
    if let Some(hint) = failure.hint() {
        text += &format!("hint: {hint}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_stable() {
        let of = |code| Failure::from(ClientError::from(Problem::new(code, ""))).status();
        for (code, expected) in [
            (Code::BadRequest, 2),
            (Code::NotFound, 3),
            (Code::Unauthenticated, 4),
            (Code::WouldLoseWork, 5),
            (Code::Stale, 5),
            (Code::Unavailable, 6),
            (Code::GitFailed, 7),
            (Code::Internal, 1),
        ] {
            assert_eq!(of(code), expected, "{code}");
        }
        let down = FindError::NotRunning { root: "/hub".into() };
        assert_eq!(Failure::from(down).status(), 6);
    }

    #[test]
    fn a_failure_says_what_to_do() {
        let out = Out::plain(80);
        let down = Failure::from(FindError::NotRunning { root: "/hub".into() });
        assert_eq!(
            text(&down, &out),
            "error: no hub is running at /hub\nhint: start it with `car hub serve --root '/hub'`\n"
        );
        let mut problem = Problem::new(Code::BadRequest, "The body is not valid.");
        problem.errors.push(car_api::problem::FieldError {
            pointer: "/title".to_owned(),
            detail: "is empty".to_owned(),
        });
        assert_eq!(
            text(&ClientError::from(problem).into(), &out),
            "error: The body is not valid.\n  /title: is empty\n"
        );
    }
}
