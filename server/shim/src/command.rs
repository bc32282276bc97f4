//! The words on the socket: newline-delimited JSON, one object per line.
//!
//! | controller says | and gets |
//! |---|---|
//! | `{"attach":n,"version":1}` | `{"hello":{…}}`, then every journal line from n on, as it stands in the journal, for ever |
//! | `{"send":"line"}` | the line as `in` in the journal: it is on disk and goes to the agent |
//! | `{"ack":n}` | nothing; lines up to n may be deleted |
//! | `{"eof":true}` | nothing; the agent's input closes after what was sent |
//! | `{"stop":{"grace_ms":2000}}` | the `exit` line, when all is ended; allowed without attaching |
//! | `{"leave":true}` | the end of the shim, once the `exit` line is acknowledged |
//!
//! What cannot be done is answered with `{"error":"…"}`. One controller at a time: a new one
//! replaces the old, whose connection closes.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a controller asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Attach { from: u64, version: u32 },
    Send(String),
    Ack(u64),
    Eof,
    Stop { grace: Option<Duration> },
    Leave,
}

/// What the shim says of itself when a controller attaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The id of the run.
    pub id: String,
    /// The protocol's version.
    pub version: u32,
    /// The shim's process id.
    pub shim_pid: i32,
    /// The agent's process id.
    pub pid: i32,
    /// The agent's start time, in clock ticks after boot.
    pub starttime: u64,
    /// Whether the exit record is still to come.
    pub alive: bool,
    /// The oldest line there is. If it is above the one attached from, those between are deleted.
    pub first: u64,
    /// The newest line there is.
    pub last: u64,
}

/// A line of the shim that is not a line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Note {
    Hello(Hello),
    Error(String),
}

impl Note {
    pub(crate) fn to_line(&self) -> Vec<u8> {
        // Strings and numbers always have a JSON form.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

impl Command {
    /// Reads one line. An error says what is wrong with it.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, String> {
        let wire: Wire = serde_json::from_slice(line).map_err(|e| format!("not a command: {e}"))?;
        match wire {
            Wire { attach: Some(from), version, .. } => {
                Ok(Self::Attach { from, version: version.unwrap_or(1) })
            }
            Wire { send: Some(line), .. } => Ok(Self::Send(line)),
            Wire { ack: Some(n), .. } => Ok(Self::Ack(n)),
            Wire { eof: Some(true), .. } => Ok(Self::Eof),
            Wire { stop: Some(stop), .. } => {
                Ok(Self::Stop { grace: stop.grace_ms.map(Duration::from_millis) })
            }
            Wire { leave: Some(true), .. } => Ok(Self::Leave),
            Wire { .. } => Err("not a command: say attach, send, ack, eof, stop or leave".into()),
        }
    }

    /// The line that [`Command::parse`] reads.
    pub(crate) fn to_line(&self) -> Vec<u8> {
        let mut wire = Wire::default();
        match self {
            Self::Attach { from, version } => {
                wire.attach = Some(*from);
                wire.version = Some(*version);
            }
            Self::Send(line) => wire.send = Some(line.clone()),
            Self::Ack(n) => wire.ack = Some(*n),
            Self::Eof => wire.eof = Some(true),
            Self::Stop { grace } => wire.stop = Some(Stop { grace_ms: grace.map(millis) }),
            Self::Leave => wire.leave = Some(true),
        }
        let mut line = serde_json::to_vec(&wire).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    send: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ack: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eof: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<Stop>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leave: Option<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    grace_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let all = [
            Command::Attach { from: 3, version: 1 },
            Command::Send("{\"a\":\"\\n\"}".into()),
            Command::Ack(7),
            Command::Eof,
            Command::Stop { grace: Some(Duration::from_millis(5)) },
            Command::Stop { grace: None },
            Command::Leave,
        ];
        for command in all {
            assert_eq!(Command::parse(&command.to_line()), Ok(command));
        }
    }

    #[test]
    fn nonsense_is_answered() {
        for line in ["", "{}", "[]", r#"{"sennd":"x"}"#, r#"{"eof":false}"#, r#"{"ack":-1}"#] {
            assert!(Command::parse(line.as_bytes()).is_err(), "{line}");
        }
    }
}
