//! Where a reader of the log is, and what a message means to it.

use car_api::event::{EventCursor, StreamMessage};

/// How far a reader has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    at: EventCursor,
    /// With a filter the numbers have holes of their own.
    filtered: bool,
}

/// What to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Pass it on.
    Deliver,
    /// It was passed on already.
    Repeat,
    /// Something before it is missing: ask again from the cursor.
    Hole,
}

impl Cursor {
    /// At a place of the log; `filtered` when not every event is wanted.
    #[must_use]
    pub fn new(at: EventCursor, filtered: bool) -> Self {
        Self { at, filtered }
    }

    /// The place up to which everything was passed on.
    #[must_use]
    pub fn at(&self) -> &EventCursor {
        &self.at
    }

    /// The log said which it is.
    pub(super) fn is_of(&mut self, epoch: &str) {
        if self.at.epoch.is_none() && !epoch.is_empty() {
            self.at.epoch = Some(epoch.to_owned());
        }
    }

    /// Judges a message and, when it is passed on, moves to it.
    pub fn accept(&mut self, message: &StreamMessage) -> Verdict {
        let after = self.at.seq;
        match message {
            StreamMessage::Live { .. } | StreamMessage::Gone { .. } => Verdict::Deliver,
            StreamMessage::Event { event } if event.seq <= after => Verdict::Repeat,
            StreamMessage::Event { event } => {
                // From 0 the log begins with the oldest entry that is kept.
                if !self.filtered && after != 0 && event.seq - 1 != after {
                    return Verdict::Hole;
                }
                self.at.seq = event.seq;
                Verdict::Deliver
            }
            StreamMessage::CaughtUp { seq, epoch } => {
                if !self.filtered && *seq > after {
                    return Verdict::Hole;
                }
                self.is_of(epoch);
                self.at.seq = after.max(*seq);
                Verdict::Deliver
            }
        }
    }
}
