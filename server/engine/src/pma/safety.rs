//! What keeps a thread from harm: the same message over and over, too many turns a minute, and an
//! agent that fails time after time.
//!
//! A duplicate is stopped for good; the other two rules hold the queue until their time has come,
//! so that nothing a person wrote is lost. A message is counted once, however often it is asked
//! about: its id is kept with it.

#[cfg(test)]
mod tests;

use car_api::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The span of the rate limit.
const MINUTE_MS: i64 = 60_000;

/// How long stopped messages are counted.
const DAY_MS: i64 = 24 * 3_600_000;

/// How many stopped messages are kept for counting.
const STOPPED_MAX: usize = 1000;

/// The limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Equal messages within the window that are let through.
    pub duplicates_max: u32,
    /// The window, in seconds.
    pub duplicate_window_seconds: u32,
    /// Turns a minute at most.
    pub turns_per_minute: u32,
    /// Failures in a row that open the breaker.
    pub breaker_failures: u32,
    /// How long the breaker stays open, in seconds.
    pub breaker_cooldown_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duplicates_max: 3,
            duplicate_window_seconds: 300,
            turns_per_minute: 20,
            breaker_failures: 5,
            breaker_cooldown_seconds: 600,
        }
    }
}

/// The rules that stop messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The same text was let through often enough.
    Duplicate,
    /// There were too many turns within a minute.
    Rate,
    /// Too many turns failed in a row.
    Breaker,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::Duplicate, Self::Rate, Self::Breaker];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Rate => "rate",
            Self::Breaker => "breaker",
        }
    }
}

/// What becomes of a message whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The agent may be asked.
    Go,
    /// It is stopped for good.
    Block {
        /// By which rule.
        rule: Rule,
        /// Why, for people.
        reason: String,
    },
    /// It waits, and all behind it.
    Hold {
        /// By which rule.
        rule: Rule,
        /// Why, for people.
        reason: String,
        /// Until when.
        until: Timestamp,
    },
}

/// What is remembered of one thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Safety {
    /// Messages that were let through, oldest first.
    begun: Vec<Begun>,
    /// Failures in a row.
    failures: u32,
    /// When the breaker lets turns through again.
    open_until: Option<Timestamp>,
    /// Messages that were stopped, oldest first.
    stopped: Vec<Stopped>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Begun {
    message: MessageId,
    at: Timestamp,
    print: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stopped {
    message: MessageId,
    at: Timestamp,
    rule: Rule,
}

/// What makes two messages equal: their text and their files, not who sent them or when.
#[must_use]
pub fn fingerprint(body: &str, attachments: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in [body].into_iter().chain(attachments.iter().map(String::as_str)) {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Safety {
    /// Whether a message may go to the agent now. One that may is counted, once.
    #[must_use]
    pub fn admit(
        &mut self,
        limits: &Limits,
        message: &MessageId,
        print: &str,
        now: Timestamp,
    ) -> Verdict {
        self.forget(limits, now);
        if self.begun.iter().any(|begun| begun.message == *message) {
            return Verdict::Go;
        }
        if let Some(until) = self.open_until.filter(|until| *until > now) {
            self.stop(message, Rule::Breaker, now);
            let reason = format!(
                "{} turns in a row failed; the circuit breaker is open. \
                 `car thread resume` closes it.",
                self.failures
            );
            return Verdict::Hold { rule: Rule::Breaker, reason, until };
        }
        let window = seconds(limits.duplicate_window_seconds);
        let same = |begun: &&Begun| begun.print == print && within(begun.at, now, window);
        let equal = count(self.begun.iter().filter(same).count());
        if equal >= limits.duplicates_max {
            self.stop(message, Rule::Duplicate, now);
            let reason = format!(
                "The same message was sent {equal} times within {} seconds; this one is not given \
                 to the agent.",
                limits.duplicate_window_seconds
            );
            return Verdict::Block { rule: Rule::Duplicate, reason };
        }
        let recent = self.begun.iter().filter(|begun| within(begun.at, now, MINUTE_MS));
        let turns = count(recent.clone().count());
        if turns >= limits.turns_per_minute {
            // The oldest turn that has to be a minute away before there is room.
            let over = turns.saturating_sub(limits.turns_per_minute);
            let at = recent.clone().nth(usize::try_from(over).unwrap_or(0)).map(|begun| begun.at);
            let until = at.unwrap_or(now).plus_millis(MINUTE_MS);
            self.stop(message, Rule::Rate, now);
            let reason =
                format!("{turns} turns began within a minute, which is the most there may.");
            return Verdict::Hold { rule: Rule::Rate, reason, until };
        }
        self.begun.push(Begun { message: message.clone(), at: now, print: print.to_owned() });
        Verdict::Go
    }

    /// A turn has ended. Gives when the breaker closes, if this failure has opened it.
    pub fn ended(&mut self, limits: &Limits, failed: bool, now: Timestamp) -> Option<Timestamp> {
        if !failed {
            self.failures = 0;
            self.open_until = None;
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures < limits.breaker_failures {
            return None;
        }
        let until = now.plus_millis(seconds(limits.breaker_cooldown_seconds));
        self.open_until = Some(until);
        Some(until)
    }

    /// Closes the breaker and forgets the failures; whether there was anything to forget.
    pub fn reset(&mut self) -> bool {
        let had = self.failures > 0 || self.open_until.is_some();
        self.failures = 0;
        self.open_until = None;
        had
    }

    /// When the breaker closes, while it is open.
    #[must_use]
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.open_until.filter(|until| *until > now)
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Turns begun within the last minute.
    #[must_use]
    pub fn turns_last_minute(&self, now: Timestamp) -> u32 {
        count(self.begun.iter().filter(|begun| within(begun.at, now, MINUTE_MS)).count())
    }

    /// How many messages a rule stopped within the last day.
    #[must_use]
    pub fn stopped_last_day(&self, rule: Rule, now: Timestamp) -> u64 {
        let counts = |one: &&Stopped| one.rule == rule && within(one.at, now, DAY_MS);
        self.stopped.iter().filter(counts).count() as u64
    }

    fn stop(&mut self, message: &MessageId, rule: Rule, now: Timestamp) {
        // A message that is asked about again while it is held is one message.
        if self.stopped.iter().any(|one| one.message == *message && one.rule == rule) {
            return;
        }
        self.stopped.push(Stopped { message: message.clone(), at: now, rule });
        let over = self.stopped.len().saturating_sub(STOPPED_MAX);
        self.stopped.drain(..over);
    }

    fn forget(&mut self, limits: &Limits, now: Timestamp) {
        let longest = seconds(limits.duplicate_window_seconds).max(MINUTE_MS);
        self.begun.retain(|begun| within(begun.at, now, longest));
        self.stopped.retain(|one| within(one.at, now, DAY_MS));
    }
}

/// Whether a time is less than a span ago. A clock that was set back makes nothing older.
fn within(at: Timestamp, now: Timestamp, span_ms: i64) -> bool {
    at.plus_millis(span_ms) > now
}

fn seconds(seconds: u32) -> i64 {
    i64::from(seconds) * 1000
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}
