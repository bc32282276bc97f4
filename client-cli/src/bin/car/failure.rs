//! How a command fails: what is said, and with which exit status.

use std::{io, path::Path, process::ExitCode};

use car_api::{Code, Problem};
use car_client::{ClientError, find::FindError};

use crate::{out::Out, wrap::wrap};

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
    pub(crate) const NEWER: u8 = 8;
}

impl Failure {
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Client(ClientError::Problem(problem)) => of_code(problem.code),
            Self::Client(ClientError::Unreachable { .. } | ClientError::OtherHub { .. }) => {
                status::UNREACHABLE
            }
            Self::Client(ClientError::Newer { .. }) => status::NEWER,
            Self::Client(ClientError::Protocol { .. }) | Self::Io(_) => status::FAILURE,
            Self::Find(FindError::NotRunning { .. } | FindError::NoHub) => status::UNREACHABLE,
            Self::Find(FindError::NoSuchContext(_)) | Self::NotFound(_) => status::NOT_FOUND,
            Self::Find(FindError::File(_)) => status::FAILURE,
            Self::Usage(_) => status::USAGE,
            Self::Refused(_) => status::AUTH,
            Self::Outcome => status::OUTCOME,
        }
    }

    /// A stable word for programs: the hub's own code, or one of this program's.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Client(ClientError::Problem(problem)) => problem.code.as_str(),
            Self::Client(ClientError::Unreachable { .. }) => "hub_unreachable",
            Self::Client(ClientError::OtherHub { .. }) => "other_hub",
            Self::Client(ClientError::Newer { .. }) => "hub_newer",
            Self::Client(ClientError::Protocol { .. }) => "not_a_hub",
            Self::Find(FindError::NotRunning { .. }) => "hub_not_running",
            Self::Find(FindError::NoHub) => "no_hub",
            Self::Find(FindError::NoSuchContext(_)) => "no_such_hub",
            Self::Find(FindError::File(_)) | Self::Io(_) => "file",
            Self::Usage(_) => "usage",
            Self::NotFound(_) => "not_found",
            Self::Refused(_) => "refused",
            Self::Outcome => "outcome",
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
            Self::Client(ClientError::Unreachable { .. }) => Some(
                "is it running there, and is this its address? `car hub serve` starts one on this \
                 machine (car help finding-the-hub)"
                    .to_owned(),
            ),
            Self::Client(ClientError::OtherHub { .. }) => Some(
                "if the hub was made anew, log in again: car logout NAME, then car login URL"
                    .to_owned(),
            ),
            Self::Client(ClientError::Newer { .. }) => {
                Some("install the `car` that came with that hub".to_owned())
            }
            Self::Client(ClientError::Protocol { .. }) => {
                Some("is this the address of a hub? (car help finding-the-hub)".to_owned())
            }
            Self::Client(ClientError::Problem(problem)) => of_problem(problem),
            Self::Find(FindError::File(_))
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
            "on the hub's machine the token is found by itself; elsewhere it may have expired, or \
             another hub answers here now: car login URL"
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
        | Code::TurnedOff
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
        | Code::Busy
        | Code::AgentCannot
        | Code::IdempotencyMismatch
        | Code::Unprocessable
        | Code::IdempotencyInFlight
        | Code::GitState
        | Code::GitFailed
        | Code::TranscriberRefused
        | Code::TranscriberAway
        | Code::Storage
        | Code::DiskFull
        | Code::CursorTooOld
        | Code::Unavailable => None,
    }
}

fn of_code(code: Code) -> u8 {
    match code {
        Code::BadRequest | Code::Unprocessable | Code::PreconditionRequired => status::USAGE,
        Code::NotFound => status::NOT_FOUND,
        Code::Unauthenticated | Code::Forbidden | Code::TurnedOff => status::AUTH,
        Code::Stale
        | Code::AlreadyExists
        | Code::RunActive
        | Code::IllegalTransition
        | Code::Busy
        | Code::RestoreUnconfirmed
        | Code::IdempotencyMismatch
        | Code::IdempotencyInFlight
        | Code::WouldLoseWork => status::CONFLICT,
        Code::Unavailable => status::UNREACHABLE,
        Code::TicketsInvalid
        | Code::GitState
        | Code::GitFailed
        | Code::AgentUnavailable
        | Code::AgentCannot
        | Code::TranscriberRefused
        | Code::TranscriberAway => status::OUTCOME,
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
    if out.json {
        return json(failure) + "\n";
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
    wrap(text.trim_end(), out.stderr_width) + "\n"
}

/// The hub's own problem document as it came; of what this program found by itself, one of the
/// same form. Its status is 0: no answer had one.
fn json(failure: &Failure) -> String {
    let document = match failure {
        Failure::Client(ClientError::Problem(problem)) => serde_json::to_value(problem),
        Failure::Client(_)
        | Failure::Find(_)
        | Failure::Io(_)
        | Failure::Usage(_)
        | Failure::NotFound(_)
        | Failure::Refused(_)
        | Failure::Outcome => Ok(serde_json::json!({
            "code": failure.word(),
            "title": "The command was not done",
            "status": 0,
            "detail": failure.to_string(),
            "hint": failure.hint(),
        })),
    };
    document.and_then(|d| serde_json::to_string_pretty(&d)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status_and_the_topic_names_it() {
        let statuses: &[(u8, &[&str])] = &[
            (
                1,
                &[
                    "wrong_host",
                    "method_not_allowed",
                    "not_acceptable",
                    "timeout",
                    "rate_limited",
                    "too_large",
                    "unsupported_media_type",
                    "storage",
                    "disk_full",
                    "cursor_too_old",
                    "internal",
                ],
            ),
            (2, &["bad_request", "unprocessable", "precondition_required"]),
            (3, &["not_found"]),
            (4, &["unauthenticated", "forbidden", "turned_off"]),
            (
                5,
                &[
                    "stale",
                    "already_exists",
                    "run_active",
                    "busy",
                    "illegal_transition",
                    "would_lose_work",
                    "restore_unconfirmed",
                    "idempotency_mismatch",
                    "idempotency_in_flight",
                ],
            ),
            (6, &["unavailable"]),
            (
                7,
                &[
                    "tickets_invalid",
                    "git_state",
                    "git_failed",
                    "agent_unavailable",
                    "agent_cannot",
                    "transcriber_refused",
                    "transcriber_away",
                ],
            ),
        ];
        let topic = crate::cmd::help::topic("exit-codes").unwrap();
        for code in Code::ALL {
            let of = Failure::from(ClientError::from(Problem::new(*code, ""))).status();
            let known = statuses.iter().find(|(_, codes)| codes.contains(&code.as_str()));
            let (expected, _) = known.unwrap_or_else(|| panic!("{code} has no status here"));
            assert_eq!(of, *expected, "{code}");
            let listed = topic.lines().find(|line| {
                line.split_once("  ").is_some_and(|_| {
                    line.split(|c: char| c != '_' && !c.is_alphanumeric())
                        .any(|word| word == code.as_str())
                })
            });
            assert!(listed.is_some(), "car help exit-codes does not name {code}");
        }
    }

    #[test]
    fn what_the_program_finds_by_itself_has_a_status_and_a_word() {
        let url = || "http://box".to_owned();
        let client = |error: ClientError| Failure::from(error);
        for (failure, status, word) in [
            (FindError::NotRunning { root: "/hub".into() }.into(), 6, "hub_not_running"),
            (FindError::NoHub.into(), 6, "no_hub"),
            (FindError::NoSuchContext("x".to_owned()).into(), 3, "no_such_hub"),
            (
                client(ClientError::Unreachable { url: url(), detail: "refused".to_owned() }),
                6,
                "hub_unreachable",
            ),
            (
                client(ClientError::OtherHub {
                    url: url(),
                    expected: "a".to_owned(),
                    found: "b".to_owned(),
                }),
                6,
                "other_hub",
            ),
            (
                client(ClientError::Newer {
                    url: url(),
                    hub: "9.0.0".to_owned(),
                    own: "0.1.0",
                    detail: "x".to_owned(),
                }),
                8,
                "hub_newer",
            ),
            (client(ClientError::Protocol { url: url(), detail: "x".to_owned() }), 1, "not_a_hub"),
            (Failure::Usage("x".to_owned()), 2, "usage"),
            (Failure::Refused("x".to_owned()), 4, "refused"),
            (Failure::NotFound("x".to_owned()), 3, "not_found"),
            (Failure::Io(io::Error::other("x")), 1, "file"),
            (Failure::Outcome, 7, "outcome"),
        ] {
            assert_eq!((failure.status(), failure.word()), (status, word), "{failure:?}");
            let document: serde_json::Value = serde_json::from_str(&json(&failure)).unwrap();
            assert_eq!(document["code"], word);
            if !matches!(failure, Failure::Outcome) {
                let topic = crate::cmd::help::topic("exit-codes").unwrap();
                assert!(topic.contains(word), "car help exit-codes does not name {word}");
            }
        }
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
