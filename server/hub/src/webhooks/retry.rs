//! When a delivery that did not arrive is tried again.

use std::time::Duration;

/// How much longer each delay is than the one before.
const GROWTH: u32 = 4;

/// No delay is longer, also when the other side asks for more.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// The delay after so many attempts that failed, from 1: growing, and up to a fifth more by
/// `chance` (0 to 255), so that what failed together does not come again together.
pub(crate) fn delay(
    first: Duration,
    attempts: u32,
    chance: u8,
    retry_after: Option<Duration>,
) -> Duration {
    let factor = GROWTH.saturating_pow(attempts.saturating_sub(1));
    let own = first.saturating_mul(factor).min(LONGEST);
    let own = own + own / 5 * u32::from(chance) / 255;
    own.max(retry_after.unwrap_or_default().min(LONGEST))
}

/// A random byte to spread delays with.
pub(crate) fn chance() -> u8 {
    let mut byte = [0_u8];
    // Without randomness the delay is only less spread.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_within_bounds_and_heed_what_is_asked() {
        let secs = |attempts, chance, asked| {
            let asked = (asked > 0).then(|| Duration::from_secs(asked));
            delay(Duration::from_secs(5), attempts, chance, asked).as_secs()
        };
        let all: Vec<u64> = (1..10).map(|attempts| secs(attempts, 0, 0)).collect();
        assert_eq!(all, [5, 20, 80, 320, 1280, 5120, 20480, 43200, 43200]);
        assert_eq!(secs(1, 255, 0), 6);
        assert_eq!(secs(1, 0, 120), 120);
        assert_eq!(secs(4, 0, 120), 320);
        assert_eq!(secs(1, 0, 1_000_000), 43200);
        assert_eq!(secs(u32::MAX, 255, 0), 43200 * 6 / 5);
    }
}
