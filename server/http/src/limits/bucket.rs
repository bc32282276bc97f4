//! A token bucket.

use std::time::Duration;

use tokio::time::Instant;

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    per_second: f64,
    burst: f64,
}

impl Rate {
    /// So many a second in the long run, and so many at once; 0 is no limit.
    pub(super) fn per_second(per_second: u32, burst: u32) -> Self {
        Self { per_second: f64::from(per_second), burst: f64::from(burst.max(1)) }
    }

    /// So many a minute, all of them at once if need be; 0 is no limit.
    pub(super) fn per_minute(per_minute: u32) -> Self {
        Self { per_second: f64::from(per_minute) / 60.0, burst: f64::from(per_minute.max(1)) }
    }
}

/// What was taken of a rate and has not come back yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    used: f64,
    at: Option<Instant>,
}

impl Bucket {
    /// Takes one, or says when there will be one.
    pub(super) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        if rate.per_second <= 0.0 {
            return Ok(());
        }
        let used = self.used_at(rate, now);
        if used + 1.0 > rate.burst {
            return Err(Duration::from_secs_f64((used + 1.0 - rate.burst) / rate.per_second));
        }
        (self.used, self.at) = (used + 1.0, Some(now));
        Ok(())
    }

    /// Whether nothing is missing any more.
    pub(super) fn is_full(&self, rate: Rate, now: Instant) -> bool {
        self.used_at(rate, now) <= 0.0
    }

    fn used_at(&self, rate: Rate, now: Instant) -> f64 {
        let since = self.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        (self.used - since * rate.per_second).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let (rate, begin) = (Rate::per_second(10, 3), Instant::now());
        let mut bucket = Bucket::default();
        let at = |millis| begin + Duration::from_millis(millis);
        for _ in 0..3 {
            assert_eq!(bucket.take(rate, at(0)), Ok(()));
        }
        let wait = bucket.take(rate, at(0)).unwrap_err();
        assert!((wait.as_secs_f64() - 0.1).abs() < 1e-6, "{wait:?}");
        assert_eq!(bucket.take(rate, at(101)), Ok(()));
        assert!(bucket.take(rate, at(101)).is_err());
        assert!(!bucket.is_full(rate, at(300)) && bucket.is_full(rate, at(500)));
    }

    #[test]
    fn zero_is_no_limit() {
        let mut bucket = Bucket::default();
        for _ in 0..1000 {
            assert_eq!(bucket.take(Rate::per_minute(0), Instant::now()), Ok(()));
        }
    }
}
