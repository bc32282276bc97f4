//! Who may have an agent: a bounded number of runs, the rest in the order they came.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};

use car_api::{RunId, Timestamp};

/// The slots of the hub.
pub(crate) struct Slots {
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    holders: HashSet<RunId>,
    queue: BTreeMap<(Timestamp, RunId), ()>,
}

impl Slots {
    pub(crate) fn new(max: u32) -> Self {
        Self { max: usize::try_from(max).unwrap_or(1).max(1), state: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run waits since then. Gives the runs that are to be granted a slot now.
    pub(crate) fn wait(&self, run: &RunId, since: Timestamp) -> Vec<RunId> {
        let mut state = self.lock();
        // It was granted one and has not been told yet.
        if state.holders.contains(run) {
            return Vec::new();
        }
        state.queue.retain(|(_, waiting), ()| waiting != run);
        state.queue.insert((since, run.clone()), ());
        self.grant(&mut state)
    }

    /// The run holds a slot already (the hub started again).
    pub(crate) fn hold(&self, run: &RunId) {
        let mut state = self.lock();
        state.queue.retain(|(_, waiting), ()| waiting != run);
        state.holders.insert(run.clone());
    }

    /// The run needs no slot. Gives the runs that are to be granted one now.
    pub(crate) fn release(&self, run: &RunId) -> Vec<RunId> {
        let mut state = self.lock();
        state.holders.remove(run);
        state.queue.retain(|(_, waiting), ()| waiting != run);
        self.grant(&mut state)
    }

    /// How many runs are before this one; none when it does not wait.
    pub(crate) fn ahead(&self, run: &RunId) -> Option<u32> {
        let place = self.lock().queue.keys().position(|(_, waiting)| waiting == run)?;
        u32::try_from(place).ok()
    }

    fn grant(&self, state: &mut State) -> Vec<RunId> {
        let mut granted = Vec::new();
        while state.holders.len() < self.max {
            let Some(((_, run), ())) = state.queue.pop_first() else { break };
            state.holders.insert(run.clone());
            granted.push(run);
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: i64) -> Timestamp {
        Timestamp::from_secs(n)
    }

    #[test]
    fn slots_go_to_who_came_first() {
        let slots = Slots::new(1);
        let (a, b, c) = (RunId::generate(), RunId::generate(), RunId::generate());
        assert_eq!(slots.wait(&a, at(1)), std::slice::from_ref(&a));
        assert_eq!(slots.wait(&c, at(3)), []);
        assert_eq!(slots.wait(&b, at(2)), []);
        assert_eq!((slots.ahead(&b), slots.ahead(&c), slots.ahead(&a)), (Some(0), Some(1), None));
        assert_eq!(slots.release(&a), std::slice::from_ref(&b));
        assert_eq!(slots.release(&c), [], "one that only waited frees nothing");
        assert_eq!(slots.wait(&b, at(4)), [], "it has one already");
        assert_eq!(slots.release(&b), []);
        assert_eq!(slots.wait(&b, at(5)), [b], "it is free for it again");
    }
}
