//! What can be taken once and soon: secrets that open one thing for whoever asked for them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use car_api::Code;

use crate::problem::ApiError;

/// Secrets that can be open at once; the oldest make room.
const OPEN_AT_ONCE: usize = 4096;

/// Things behind secrets that were not used yet, by the secret itself: what is random needs no hash
/// in memory.
pub(crate) struct Once<T> {
    life: Duration,
    open: Mutex<HashMap<String, (T, Instant)>>,
}

impl<T> Once<T> {
    /// None yet; each can be used for so long.
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, open: Mutex::default() }
    }

    /// The secret something can be had by.
    ///
    /// # Errors
    /// The machine gives no random bits.
    pub(crate) fn make(&self, thing: T) -> Result<String, ApiError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            ApiError::new(Code::Internal, "No ticket could be made.").with_cause(error.to_string())
        })?;
        let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Instant::now();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (_, until)| *until > now);
        if open.len() >= OPEN_AT_ONCE
            && let Some(oldest) =
                open.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| key.clone())
        {
            open.remove(&oldest);
        }
        open.insert(secret.clone(), (thing, now + self.life));
        Ok(secret)
    }

    /// Uses a secret up, whatever comes of it.
    pub(crate) fn take(&self, secret: &str) -> Option<T> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (thing, until) = open.remove(secret)?;
        (until > Instant::now()).then_some(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_had_once() {
        let once = Once::new(Duration::from_secs(3600));
        let secret = once.make("a file").unwrap_or_default();
        assert_eq!(once.take(&secret), Some("a file"));
        assert_eq!(once.take(&secret), None);
        assert_eq!(once.take("another"), None);
    }

    #[test]
    fn what_has_run_out_is_gone() {
        let once = Once::new(Duration::ZERO);
        let secret = once.make("a file").unwrap_or_default();
        assert_eq!(once.take(&secret), None);
    }

    #[test]
    fn the_oldest_makes_room() {
        let once = Once::new(Duration::from_secs(3600));
        let all: Vec<String> =
            (0..=OPEN_AT_ONCE).map(|n| once.make(n).unwrap_or_default()).collect();
        assert_eq!(once.take(&all[0]), None);
        assert_eq!(once.take(&all[1]), Some(1));
        assert_eq!(once.take(&all[OPEN_AT_ONCE]), Some(OPEN_AT_ONCE));
    }
}
