//! What kind of error ended a turn.

use car_api::{
    Timestamp,
    turn::{ErrorClass, TurnError},
};

use super::{limits::Limits, proto};

/// What is known besides the error itself.
pub(super) struct Circumstances<'a> {
    /// The account's quota.
    pub(super) limits: &'a Limits,
    /// Codex said that a log-in is needed and there is none.
    pub(super) logged_out: bool,
    /// When Codex reported the error.
    pub(super) at: Option<Timestamp>,
}

/// Classifies by Codex's typed reason first and by the HTTP status it carries; by words only where
/// Codex gives neither.
pub(super) fn classify(error: &proto::TurnError, now: &Circumstances<'_>) -> TurnError {
    let class = class(error, now.logged_out);
    let retry_at = match class {
        ErrorClass::Quota => now.limits.reset(now.at),
        ErrorClass::Transient => {
            now.at.zip(wait_millis(&error.message)).map(|(at, millis)| at.plus_millis(millis))
        }
        ErrorClass::Auth
        | ErrorClass::ContextOverflow
        | ErrorClass::AgentLost
        | ErrorClass::Other => None,
    };
    TurnError { class, message: message(error), retry_at }
}

/// The error's text with its details.
pub(super) fn message(error: &proto::TurnError) -> String {
    match error.additional_details.as_deref() {
        Some(details) if !details.is_empty() && details != error.message => {
            format!("{} ({details})", error.message)
        }
        Some(_) | None => error.message.clone(),
    }
}

fn class(error: &proto::TurnError, logged_out: bool) -> ErrorClass {
    let info = error.codex_error_info.as_ref();
    let word = info.and_then(|info| {
        info.as_str().or_else(|| info.as_object()?.keys().next().map(String::as_str))
    });
    let status =
        info.and_then(|info| info.as_object()?.values().next()?.get("httpStatusCode")?.as_u64());
    match word.unwrap_or("other") {
        "contextWindowExceeded" => ErrorClass::ContextOverflow,
        "usageLimitExceeded" => ErrorClass::Quota,
        "unauthorized" => ErrorClass::Auth,
        "rateLimitExceeded"
        | "serverOverloaded"
        | "internalServerError"
        | "flexUnavailable"
        | "policyCapacityUnavailable" => ErrorClass::Transient,
        "httpConnectionFailed"
        | "responseStreamConnectionFailed"
        | "responseStreamDisconnected"
        | "responseTooManyFailedAttempts" => by_status(status, logged_out),
        "other" => by_words(&error.message),
        _ => ErrorClass::Other,
    }
}

fn by_status(status: Option<u64>, logged_out: bool) -> ErrorClass {
    match status {
        Some(401 | 403) => ErrorClass::Auth,
        Some(402) => ErrorClass::Quota,
        Some(408 | 409 | 425 | 429 | 500..) => ErrorClass::Transient,
        Some(_) => ErrorClass::Other,
        None if logged_out => ErrorClass::Auth,
        None => ErrorClass::Transient,
    }
}

/// Codex reports some failures as `other` with nothing but a sentence.
fn by_words(message: &str) -> ErrorClass {
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["missing environment variable", "not logged in", "codex login", "401 unauthorized"]) {
        ErrorClass::Auth
    } else if says(&["context window", "context_length_exceeded"]) {
        ErrorClass::ContextOverflow
    } else if says(&["usage limit", "insufficient_quota"]) {
        ErrorClass::Quota
    } else if says(&["stream disconnected", "stream closed", "error sending request", "timed out"])
    {
        ErrorClass::Transient
    } else {
        ErrorClass::Other
    }
}

/// The wait in "try again in 1.5s", "try again in 20 seconds", "try again in 300ms".
fn wait_millis(message: &str) -> Option<i64> {
    let text = message.to_lowercase();
    let (_, rest) = text.split_once("try again in ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let number: f64 = rest[..digits].parse().ok()?;
    let unit = rest[digits..].trim_start();
    let factor = if unit.starts_with("ms") {
        1.0
    } else if unit.starts_with('s') {
        1_000.0
    } else if unit.starts_with('m') {
        60_000.0
    } else if unit.starts_with('h') {
        3_600_000.0
    } else {
        return None;
    };
    // A wait of more than a month is a misread number.
    let millis = number * factor;
    #[expect(clippy::cast_possible_truncation, reason = "at most a month of milliseconds")]
    (millis <= 2_678_400_000.0).then_some(millis.ceil() as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(info: Value, message: &str, expected: ErrorClass) {
        let error = proto::TurnError {
            message: message.to_owned(),
            codex_error_info: Some(info.clone()),
            additional_details: None,
        };
        assert_eq!(class(&error, false), expected, "{info} {message}");
    }

    #[test]
    fn reasons_have_a_class() {
        check(json!("contextWindowExceeded"), "", ErrorClass::ContextOverflow);
        check(json!("usageLimitExceeded"), "", ErrorClass::Quota);
        check(json!("unauthorized"), "", ErrorClass::Auth);
        check(json!("serverOverloaded"), "", ErrorClass::Transient);
        check(json!("somethingNew"), "", ErrorClass::Other);
        check(json!({"somethingNew": {"httpStatusCode": 500}}), "", ErrorClass::Other);
        for (status, expected) in [
            (json!(401), ErrorClass::Auth),
            (json!(404), ErrorClass::Other),
            (json!(429), ErrorClass::Transient),
            (json!(503), ErrorClass::Transient),
            (json!(null), ErrorClass::Transient),
        ] {
            check(json!({"httpConnectionFailed": {"httpStatusCode": status}}), "", expected);
        }
        check(json!("other"), "Missing environment variable: `KEY`.", ErrorClass::Auth);
        check(json!("other"), "{\"error\": {\"message\": \"bad param\"}}", ErrorClass::Other);
        check(json!(null), "stream disconnected before completion", ErrorClass::Transient);
    }

    #[test]
    fn a_failing_connection_without_login_is_a_missing_login() {
        assert_eq!(by_status(None, true), ErrorClass::Auth);
        assert_eq!(by_status(Some(500), true), ErrorClass::Transient);
    }

    #[test]
    fn waits_are_read_from_the_message() {
        assert_eq!(wait_millis("Rate limit. Please try again in 1.5s."), Some(1_500));
        assert_eq!(wait_millis("try again in 20 seconds"), Some(20_000));
        assert_eq!(wait_millis("try again in 300ms"), Some(300));
        assert_eq!(wait_millis("try again in 2 minutes"), Some(120_000));
        assert_eq!(wait_millis("try again in a while"), None);
        assert_eq!(wait_millis("try again in 99999999999h"), None);
    }
}
