//! Credentials that are not valid: limited by what they claim to be, and noted once a minute.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::bucket::{Bucket, Rate};
use crate::App;

/// How many different claims are told apart; more share one bucket.
const CLAIMS: usize = 1024;

/// How often failures are noted while they go on.
const NOTED: Duration = Duration::from_secs(60);

/// How much of a wrong credential is kept to tell it from others: not enough to be one.
const SHOWN: usize = 12;

pub(super) struct Failures {
    all: Rate,
    each: Rate,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    all: Bucket,
    each: HashMap<String, Bucket>,
    /// Failures that have not been noted yet, and what the last one claimed to be.
    waiting: u64,
    last: String,
    /// Whether somebody notes them.
    noting: bool,
}

/// What a wrong credential claims to be: its beginning, printable.
pub(super) fn claim(shown: &[u8]) -> String {
    let text = String::from_utf8_lossy(shown);
    let secret = text.split_once(' ').map_or(&*text, |(_, secret)| secret);
    secret.chars().filter(char::is_ascii_graphic).take(SHOWN).collect()
}

impl Failures {
    pub(super) fn new(all: Rate, each: Rate) -> Self {
        Self { all, each, state: Arc::default() }
    }

    /// Counts a failure; gives how long to wait when there were too many.
    pub(super) fn count(&self, app: &App, claim: &str) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        claim.clone_into(&mut state.last);
        if !std::mem::replace(&mut state.noting, true) {
            let note = note(app.clone(), Arc::clone(&self.state));
            app.closing.tasks.spawn(note);
        }
        if state.each.len() >= CLAIMS {
            state.each.retain(|_, bucket| !bucket.is_full(self.each, now));
        }
        let key = if state.each.len() < CLAIMS { claim } else { "" };
        let each = state.each.entry(key.to_owned()).or_default().take(self.each, now);
        let all = state.all.take(self.all, now);
        each.and(all).err()
    }
}

/// Notes what failed, at once and then every minute, until a minute passes without a failure.
async fn note(app: App, state: Arc<Mutex<State>>) {
    loop {
        let (count, last) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.waiting == 0 {
                state.noting = false;
                return;
            }
            (std::mem::take(&mut state.waiting), state.last.clone())
        };
        tracing::warn!(count, "credentials were refused; the last one began with `{last}`");
        let detail = format!("{count} refused; the last one began with `{last}`");
        if let Err(error) = app.hub.note_refused_credentials(detail).await {
            tracing::error!(%error, "refused credentials could not be noted");
        }
        // When the hub closes, what is left is noted at once.
        let _ = tokio::time::timeout(NOTED, app.closing.token.cancelled()).await;
    }
}
