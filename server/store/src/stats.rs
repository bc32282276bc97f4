//! What the writer has done since it began, for whoever measures.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use car_api::{EventKind, item::Usage, turn::TurnStatus, verify::Verdict};

use crate::Write;

/// Counts since the process began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Transactions, and how long each took, with what it waited for the disk.
    pub transactions: Durations,
    /// Changes that were acknowledged; a transaction takes several.
    pub commits: u64,
    /// Changes that wait for the writer right now.
    pub queued: u64,
    /// Events appended, by kind.
    pub events: BTreeMap<&'static str, u64>,
    /// Turns that ended, by how.
    pub turns: BTreeMap<TurnStatus, u64>,
    /// Tokens those turns used.
    pub usage: Usage,
    /// Verdicts on claims of being done.
    pub verdicts: BTreeMap<Verdict, u64>,
}

/// How long something took, in buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Durations {
    /// How many took at most as long as the bound of the same place in [`Durations::BOUNDS`];
    /// those above the last bound are only in `count`.
    pub within: [u64; Durations::BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// How long they took together, in seconds.
    pub sum: f64,
}

impl Durations {
    /// Upper bounds of the buckets, in seconds.
    pub const BOUNDS: [f64; 12] =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.count += 1;
        self.sum += seconds;
        for (bound, within) in Self::BOUNDS.iter().zip(&mut self.within) {
            if seconds <= *bound {
                *within += 1;
            }
        }
    }
}

/// The counts while they are kept.
#[derive(Debug, Default)]
pub(crate) struct Counter(Mutex<Stats>);

impl Counter {
    pub(crate) fn now(&self) -> Stats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One transaction has ended well. `written` are the changes it took.
    pub(crate) fn transaction<'a>(
        &self,
        took: Duration,
        written: impl Iterator<Item = &'a [Write]>,
    ) {
        let mut stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stats.transactions.add(took);
        for writes in written {
            stats.commits += 1;
            for write in writes {
                if let Write::Event { kind, .. } = write {
                    stats.event(kind);
                }
            }
        }
    }
}

impl Stats {
    fn event(&mut self, kind: &EventKind) {
        *self.events.entry(kind.word()).or_default() += 1;
        if let EventKind::TurnEnded { status, usage, .. } = kind {
            *self.turns.entry(*status).or_default() += 1;
            self.usage = self.usage.plus(*usage);
        } else if let EventKind::VerifyEnded { evidence } = kind {
            *self.verdicts.entry(evidence.verdict).or_default() += 1;
        }
    }
}
