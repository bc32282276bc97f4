//! Connections: how many there are, and which of them have shown a valid credential.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

/// How long a connection may say who comes before it has to make room for another. Without it, a
/// flood of connections would cut off whoever came in between before it could ask for anything.
const PATIENCE: Duration = Duration::from_millis(100);

/// The connections nobody has shown a valid credential on.
pub(crate) struct Connections {
    max_unknown: usize,
    unknown: Mutex<Unknown>,
}

#[derive(Default)]
struct Unknown {
    next: u64,
    /// By age.
    open: BTreeMap<u64, (Instant, CancellationToken)>,
}

/// One connection, as its requests see it.
#[derive(Clone)]
pub(crate) struct Connection {
    id: u64,
    /// Whether it came by the socket in the file system, which no browser can reach.
    pub(crate) local: bool,
    all: Arc<Connections>,
}

/// Holds a connection's place among the unknown ones.
pub(crate) struct Place(Connection);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.known();
    }
}

impl Connections {
    /// At most so many unknown ones at once; 0 is no limit.
    pub(crate) fn new(max_unknown: u32) -> Arc<Self> {
        let max_unknown = match max_unknown {
            0 => usize::MAX,
            max => usize::try_from(max).unwrap_or(usize::MAX),
        };
        Arc::new(Self { max_unknown, unknown: Mutex::default() })
    }

    /// Waits until another connection has room, or the oldest unknown one has had its time.
    pub(crate) async fn room(&self) {
        let left = {
            let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
            if unknown.open.len() < self.max_unknown {
                return;
            }
            let oldest = unknown.open.values().next();
            oldest.map_or(Duration::ZERO, |(since, _)| PATIENCE.saturating_sub(since.elapsed()))
        };
        tokio::time::sleep(left).await;
    }

    /// A new connection, and what tells it to make room. When there are too many unknown ones the
    /// oldest goes: a client with something to say has said it long since.
    pub(crate) fn open(self: &Arc<Self>, local: bool) -> (Connection, Place, CancellationToken) {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.next += 1;
        let (id, cut) = (unknown.next, CancellationToken::new());
        unknown.open.insert(id, (Instant::now(), cut.clone()));
        if unknown.open.len() > self.max_unknown
            && let Some((_, (_, oldest))) = unknown.open.pop_first()
        {
            oldest.cancel();
        }
        let connection = Connection { id, local, all: Arc::clone(self) };
        (connection.clone(), Place(connection), cut)
    }
}

impl Connection {
    /// A valid credential was shown on it: it stays as long as it likes.
    pub(crate) fn known(&self) {
        let mut unknown = self.all.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.open.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_unknown_one_makes_room() {
        let all = Connections::new(2);
        let (first, _first, first_cut) = all.open(false);
        let (_, _second, second_cut) = all.open(false);
        first.known();
        let (_, third, third_cut) = all.open(false);
        assert!(!first_cut.is_cancelled() && !second_cut.is_cancelled());
        let (_, _fourth, _) = all.open(false);
        assert!(second_cut.is_cancelled() && !third_cut.is_cancelled());
        drop(third);
        let (_, _fifth, _) = all.open(false);
        assert!(!third_cut.is_cancelled(), "what has ended needs no room");
    }
}
