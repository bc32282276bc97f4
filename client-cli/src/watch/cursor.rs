//! Where a reader of the log is, and what a message means to it.

use car_api::event::StreamMessage;

/// How far a reader has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    after: i64,
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
    /// At the event numbered `after`; `filtered` when not every event is wanted.
    #[must_use]
    pub fn new(after: i64, filtered: bool) -> Self {
        Self { after, filtered }
    }

    /// The number up to which everything was passed on.
    #[must_use]
    pub fn after(&self) -> i64 {
        self.after
    }

    /// Judges a message and, when it is passed on, moves to it.
    pub fn accept(&mut self, message: &StreamMessage) -> Verdict {
        match message {
            StreamMessage::Live { .. } => Verdict::Deliver,
            StreamMessage::Event { event } if event.seq <= self.after => Verdict::Repeat,
            StreamMessage::Event { event } => {
                if !self.filtered && event.seq - 1 != self.after {
                    return Verdict::Hole;
                }
                self.after = event.seq;
                Verdict::Deliver
            }
            StreamMessage::CaughtUp { seq } => {
                if !self.filtered && *seq > self.after {
                    return Verdict::Hole;
                }
                self.after = self.after.max(*seq);
                Verdict::Deliver
            }
        }
    }
}
