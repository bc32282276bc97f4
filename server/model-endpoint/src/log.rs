//! What was asked, and how often failures have happened.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

/// Log and counters.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Mutex<Vec<Value>>,
    failures: Mutex<HashMap<String, i64>>,
}

impl Log {
    pub(crate) fn write(&self, entry: Value) {
        lock(&self.entries).push(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Value> {
        lock(&self.entries).clone()
    }

    /// Whether the failure known by `key` happens once more.
    pub(crate) fn fails(&self, key: &str, times: Option<i64>) -> bool {
        let Some(times) = times.filter(|times| *times >= 0) else { return true };
        let mut failures = lock(&self.failures);
        let count = failures.entry(key.to_owned()).or_default();
        *count += 1;
        *count <= times
    }

    pub(crate) fn reset(&self) {
        lock(&self.entries).clear();
        lock(&self.failures).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
