//! Errors on the wire.

use crate::{wire, words};

words! {
    /// Why a request was not served. A closed set: programs may match on it.
    pub enum Code {
        /// The request is malformed or a value is out of range.
        BadRequest = "bad_request",
        /// No valid credential came with the request.
        Unauthenticated = "unauthenticated",
        /// The credential is valid but does not allow this.
        Forbidden = "forbidden",
        /// The `Host` of the request is not one of this hub's names.
        WrongHost = "wrong_host",
        /// This part of the hub is turned off, and only its owner can turn it on, at its machine.
        TurnedOff = "turned_off",
        /// There is no such thing.
        NotFound = "not_found",
        /// The path exists but not with this method.
        MethodNotAllowed = "method_not_allowed",
        /// What a page shows is asked for by a browser; this is for programs.
        NotAcceptable = "not_acceptable",
        /// The request's body took too long to arrive.
        Timeout = "timeout",
        /// Too much was asked in too short a time; `Retry-After` says when to go on.
        RateLimited = "rate_limited",
        /// The request's body is larger than allowed.
        TooLarge = "too_large",
        /// A value is well formed, and cannot be used all the same.
        Unprocessable = "unprocessable",
        /// The request's body has a type this operation does not read.
        UnsupportedMediaType = "unsupported_media_type",
        /// The thing changed since it was read; both versions are in the answer.
        Stale = "stale",
        /// The change needs an `If-Match` that names the version it was made from.
        PreconditionRequired = "precondition_required",
        /// A thing of that name exists already.
        AlreadyExists = "already_exists",
        /// A run of this working tree is already active.
        RunActive = "run_active",
        /// That cannot be done in the present state, or with this kind of thing.
        IllegalTransition = "illegal_transition",
        /// The agent is busy and the request did not want to wait, or too much waits already.
        Busy = "busy",
        /// This agent has no way of doing that.
        AgentCannot = "agent_cannot",
        /// The queue has no tickets, or tickets with errors.
        TicketsInvalid = "tickets_invalid",
        /// Work that exists nowhere else would be lost.
        WouldLoseWork = "would_lose_work",
        /// The repo has no commits, no such branch, or is in the middle of something.
        GitState = "git_state",
        /// git answered with an error.
        GitFailed = "git_failed",
        /// The agent is not installed, not logged in, or not known.
        AgentUnavailable = "agent_unavailable",
        /// What finds the words of recordings took this one and said no.
        TranscriberRefused = "transcriber_refused",
        /// What finds the words of recordings does not answer, or not in time.
        TranscriberAway = "transcriber_away",
        /// A file of the hub or repo cannot be read or written.
        Storage = "storage",
        /// No space is left on the device.
        DiskFull = "disk_full",
        /// The `Idempotency-Key` was used for another request within the last day.
        IdempotencyMismatch = "idempotency_mismatch",
        /// The same request is at work right now; ask again in a moment.
        IdempotencyInFlight = "idempotency_in_flight",
        /// The cursor is older than what is kept; start from the snapshot.
        CursorTooOld = "cursor_too_old",
        /// The hub was restored from a backup, and nobody has confirmed the report yet.
        RestoreUnconfirmed = "restore_unconfirmed",
        /// The hub is shutting down or has not finished starting.
        Unavailable = "unavailable",
        /// A defect of the hub; the log has the details under the request id.
        Internal = "internal",
    }
}

impl Code {
    /// The HTTP status that goes with this code (RFC 9110).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::TurnedOff => 403,
            Self::WrongHost => 421,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::Timeout => 408,
            Self::RateLimited => 429,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Stale => 412,
            Self::PreconditionRequired => 428,
            Self::AlreadyExists | Self::RunActive | Self::IllegalTransition | Self::Busy => 409,
            Self::RestoreUnconfirmed => 409,
            Self::TicketsInvalid | Self::WouldLoseWork | Self::GitState => 409,
            Self::GitFailed | Self::AgentUnavailable | Self::AgentCannot => 422,
            Self::IdempotencyMismatch | Self::Unprocessable => 422,
            Self::IdempotencyInFlight => 409,
            Self::Storage | Self::Internal => 500,
            Self::DiskFull => 507,
            Self::TranscriberRefused => 502,
            Self::TranscriberAway => 504,
            Self::CursorTooOld => 410,
            Self::Unavailable => 503,
        }
    }

    /// A short title that is the same for every problem of this code.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is not valid",
            Self::Unauthenticated => "A credential is needed",
            Self::Forbidden => "Not allowed",
            Self::TurnedOff => "Turned off at the hub's machine",
            Self::WrongHost => "Unknown host name",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::NotAcceptable => "Not a page",
            Self::Timeout => "Too slow",
            Self::RateLimited => "Too many requests",
            Self::TooLarge => "Too large",
            Self::Unprocessable => "A value cannot be used",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Stale => "Changed since it was read",
            Self::PreconditionRequired => "The version is missing",
            Self::AlreadyExists => "Exists already",
            Self::RunActive => "A run is already active",
            Self::IllegalTransition => "Not possible in this state",
            Self::Busy => "The agent is busy",
            Self::AgentCannot => "The agent cannot do this",
            Self::TicketsInvalid => "Tickets need attention",
            Self::WouldLoseWork => "Work would be lost",
            Self::GitState => "The repository is not ready for this",
            Self::GitFailed => "git failed",
            Self::AgentUnavailable => "The agent is not available",
            Self::TranscriberRefused => "The recording was refused",
            Self::TranscriberAway => "The recording was not heard",
            Self::Storage => "A file could not be read or written",
            Self::DiskFull => "The disk is full",
            Self::IdempotencyMismatch => "The key belongs to another request",
            Self::IdempotencyInFlight => "The request is at work already",
            Self::CursorTooOld => "The cursor is too old",
            Self::RestoreUnconfirmed => "The restore is not confirmed",
            Self::Unavailable => "The hub is not ready",
            Self::Internal => "Internal error",
        }
    }
}

wire! {
    /// The body of every error response (RFC 9457, `application/problem+json`).
    pub struct Problem {
        /// Stable word a program may match on.
        pub code: Code,
        /// The same for every problem of this code.
        pub title: String,
        /// The HTTP status, repeated.
        pub status: u16,
        /// What happened here and what to do about it.
        pub detail: String,
        /// The request's id; the hub's log has the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub instance: Option<String>,
        /// Which part of the body is wrong, one entry each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub errors: Vec<FieldError>,
        /// For `stale`: the present version and its tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub current: Option<Versioned>,
        /// For `stale`: the text that was sent, with the version it was made from. Carry what
        /// changed in it over to `current` and send that with its tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub yours: Option<Versioned>,
        /// For `would_lose_work`: what would be lost.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub unsaved: Vec<crate::worktree::Unsaved>,
        /// For `cursor_too_old`: why, and where to start instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub gone: Option<Box<crate::event::Gone>>,
    }
}

impl Problem {
    /// A problem with the code's own title and status.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            instance: None,
            errors: Vec::new(),
            current: None,
            yours: None,
            unsaved: Vec::new(),
            gone: None,
        }
    }
}

wire! {
    /// One wrong part of a request's body.
    pub struct FieldError {
        /// JSON pointer (RFC 6901) to the part, or a file's name.
        pub pointer: String,
        /// What is wrong and what to do.
        pub detail: String,
    }
}

wire! {
    /// A text and the tag of its version.
    pub struct Versioned {
        /// The present text.
        pub content: String,
        /// Its version, as in `ETag`.
        pub etag: String,
    }
}
