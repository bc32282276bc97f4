//! The one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use car_api::Timestamp;

/// The time.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How long until a time; zero when it has passed.
pub(crate) fn until(at: Timestamp) -> std::time::Duration {
    let millis = u64::try_from(at.millis_since(now())).unwrap_or(0);
    std::time::Duration::from_millis(millis)
}
