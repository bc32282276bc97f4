//! The rules that stop messages, for every thread: what the engine decides is remembered here and in
//! the database, and leaves its line in the audit chain.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use car_api::{ThreadId, audit::Outcome, pma::BlockedCount, pma::PmaSafety, thread::Message};
use car_engine::pma::safety::{Rule, Safety, Verdict, fingerprint};
use car_store::{Store, ThreadRow, Write};

use crate::{Result, audit::Act, clock, hub::Inner};

/// What is remembered of every thread.
#[derive(Default)]
pub(crate) struct Guards(Mutex<HashMap<ThreadId, Safety>>);

impl Guards {
    pub(crate) async fn open(store: &Store) -> Result<Self> {
        Ok(Self(Mutex::new(store.thread_safety().await?.into_iter().collect())))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, Safety>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether a message may go to its thread's agent now. What was decided is on disk before the
    /// answer: a message that was let through is not counted again after a crash.
    pub(crate) async fn guard(&self, thread: &ThreadRow, message: &Message) -> Verdict {
        let limits = &self.config.pma.safety;
        let print = fingerprint(&message.body, &message.attachments);
        let (verdict, state, changed) = {
            let mut all = self.guards.lock();
            let safety = all.entry(thread.id.clone()).or_default();
            let before = safety.clone();
            let verdict = safety.admit(limits, &message.id, &print, clock::now());
            (verdict, safety.clone(), *safety != before)
        };
        if changed {
            let mut writes = vec![Write::ThreadSafety(thread.id.clone(), Box::new(state))];
            if let Verdict::Block { rule, reason } | Verdict::Hold { rule, reason, .. } = &verdict {
                let detail = format!("{}: {reason}", rule.as_str());
                let act = Act::of_hub("message_stopped", &message.id).detail(detail);
                writes.push(act.ended(Outcome::Refused));
            }
            self.remember_guard(writes).await;
        }
        verdict
    }

    /// A turn has ended.
    pub(crate) async fn guard_ended(&self, thread: &ThreadRow, failed: bool) {
        let limits = &self.config.pma.safety;
        let (opened, state, changed) = {
            let mut all = self.guards.lock();
            let safety = all.entry(thread.id.clone()).or_default();
            let before = safety.clone();
            let opened = safety.ended(limits, failed, clock::now());
            (opened, safety.clone(), *safety != before)
        };
        if !changed {
            return;
        }
        let failures = state.failures();
        let mut writes = vec![Write::ThreadSafety(thread.id.clone(), Box::new(state))];
        if let Some(until) = opened {
            let detail = format!("{failures} turns in a row failed; open until {until}");
            writes.push(Act::of_hub("pma_breaker_open", &thread.id).detail(detail).done());
        }
        self.remember_guard(writes).await;
    }

    async fn remember_guard(&self, writes: Vec<Write>) {
        if let Err(error) = self.store.commit(writes).await {
            tracing::warn!(%error, "what a safety rule decided could not be written");
        }
    }

    /// Closes every breaker; the threads that had one open or failures counted, with what is to be
    /// written.
    pub(crate) fn reset_guards(&self) -> Vec<(ThreadId, Write)> {
        let mut all = self.guards.lock();
        let reset = all.iter_mut().filter_map(|(thread, safety)| {
            let write =
                |safety: &Safety| Write::ThreadSafety(thread.clone(), Box::new(safety.clone()));
            safety.reset().then(|| (thread.clone(), write(safety)))
        });
        reset.collect()
    }

    /// Closes the breaker of one thread; what is to be written, if it was open or had failures
    /// counted.
    pub(crate) fn reset_guard(&self, thread: &ThreadId) -> Option<Write> {
        let mut all = self.guards.lock();
        let safety = all.get_mut(thread)?;
        safety.reset().then(|| Write::ThreadSafety(thread.clone(), Box::new(safety.clone())))
    }

    /// How far the limits of a thread are used.
    pub(crate) fn guard_of(&self, thread: &ThreadId) -> PmaSafety {
        let limits = &self.config.pma.safety;
        let now = clock::now();
        let safety = self.guards.lock().get(thread).cloned().unwrap_or_default();
        let until = safety.open_until(now);
        let count = |rule: Rule| BlockedCount {
            rule: rule.as_str().to_owned(),
            count: safety.stopped_last_day(rule, now),
        };
        PmaSafety {
            breaker_open: until.is_some(),
            breaker_until: until,
            failures: safety.failures(),
            breaker_failures: limits.breaker_failures,
            turns_last_minute: safety.turns_last_minute(now),
            turns_per_minute: limits.turns_per_minute,
            duplicates_max: limits.duplicates_max,
            blocked: Rule::ALL.map(count).into_iter().collect(),
        }
    }
}
